package kind

import (
	"context"
	"errors"

	"port-bitbucket-exporter/internal/shape"
)

var runner = define(Kind{
	Name: "runner", Aliases: []string{"runners", "workspace-runner"},
	Manual: Manual{
		What:     "self-hosted [runners of the workspace](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/#api-workspaces-workspace-pipelines-config-runners-get), without those of single repositories",
		Requests: "1 for each 100 runners",
		Scope:    "runner", APIScope: "read:runner:bitbucket",
	},
	Objects: shape.Kind{
		Object: shape.Of("type uuid name labels[] state{type status version{type version current} updated_on cordoned?} " +
			"created_on updated_on oauth_client{type id token_endpoint audience}"),
		Identifier: `.uuid | gsub("[{}]"; "")`,
		Missing:    map[string]string{".status": "write .state.status", ".version": "write .state.version.version"},
	},
	place: itself,
}, extractOf[runnerSelector](runners))

// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/#api-workspaces-workspace-pipelines-config-runners-get
var runners = &workspaceList{
	objects: "runners", path: []string{"pipelines-config", "runners"},
	source: func(o Object) (Source, error) {
		uuid, _ := o["uuid"].(string)
		name, _ := o["name"].(string)
		if uuid == "" {
			return Source{}, errors.New("it has no uuid")
		}
		return Source{Key: uuid, Name: name}, nil
	},
}

type runnerSelector struct{ ofWorkspace }

func (runnerSelector) list() any { return runners }

func (runnerSelector) again(ctx context.Context, ws *Workspace) (Second, error) {
	return listAgain(ctx, ws, runners)
}

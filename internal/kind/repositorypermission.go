package kind

import (
	"context"
	"errors"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var repositoryPermission = define(Kind{
	Name: "repository-permission", Aliases: []string{"repository-permissions", "permission", "repository_permission", "collaborator"},
	Manual: Manual{
		What: "who may [read, write or administer](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-permissions-repositories-get) " +
			"which repository, the highest permission of each user; for admins of the workspace",
		Requests: "1 for each 100 pairs of user and repository",
		Scope:    "account", APIScope: "read:repository:bitbucket",
	},
	Objects: shape.Kind{
		Object:     shape.Of("type permission user{" + accountFields + "} repository" + shortRepository),
		Identifier: `(.repository.uuid + "/" + .user.uuid) | gsub("[{}]"; "")`,
		Missing: map[string]string{
			".repository.slug": `write (.repository.full_name | split("/")[1])`, ".user.email": "read the kind user, and relate to it by .user.account_id",
		},
	},
	place: itself,
}, extractOf[permissionSelector](repositoryPermissions))

// repositoryPermissions is one list for all repositories.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-permissions-repositories-get
var repositoryPermissions = &workspaceList{
	objects: "repository permissions", path: []string{"permissions", "repositories"}, admins: true,
	source: func(o Object) (Source, error) {
		account, name := accountOf(o)
		of, _ := o["repository"].(Object)
		repository, _ := of["full_name"].(string)
		id, ok := of["uuid"].(string)
		if !ok {
			id = repository
		}
		if account == "" || id == "" {
			return Source{}, errors.New("it does not name a user and a repository")
		}
		return Source{Key: id + "/" + account, Name: name + " in " + repository}, nil
	},
}

type permissionSelector struct {
	ofWorkspace
	Permissions []permission `yaml:"permissions" help:"Takes these permissions alone: all when it is absent."`
}

// permission is what a user may do with a repository.
type permission string

// permissions are those that the list can hold.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-permissions-repositories-get, read 2026-11.
var permissions = []string{"read", "write", "admin"}

// Values are the names of permissions.
func (permission) Values() []string { return permissions }

func (permissionSelector) list() any { return repositoryPermissions }

func (permissionSelector) again(ctx context.Context, ws *Workspace) (Second, error) {
	return listAgain(ctx, ws, repositoryPermissions)
}

func (s permissionSelector) selective() bool { return len(s.Permissions) > 0 }

func (s permissionSelector) problems(raw mapping.Selector) diag.Problems {
	return checkEach(raw, "permissions", s.Permissions, permissions, "permission")
}

func (s permissionSelector) sieve() sieve {
	return sieve{takes: among("permission", s.Permissions).takes}
}

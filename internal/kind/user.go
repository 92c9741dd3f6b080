package kind

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var user = define(Kind{
	Name: "user", Aliases: []string{"users", "member", "members", "workspace-member"},
	Manual: Manual{
		What: "[members of the workspace](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-members-get): " +
			"the account is `.user`, and its address `.user.email`, which is null where Bitbucket does not show it to the credential",
		Requests: "1 for each 100 members",
		Scope:    "account", APIScope: "read:workspace:bitbucket",
	},
	Objects: shape.Kind{
		Object:     shape.Of("type user{" + accountFields + " email} " + workspaceShape + " links{self{href}}"),
		Identifier: `.user.account_id`,
		Missing: map[string]string{
			".email": "write .user.email", ".display_name": "write .user.display_name", ".nickname": "write .user.nickname",
			".account_id": "write .user.account_id", ".uuid": "write .user.uuid", ".user.username": "write .user.nickname: accounts have no username any more",
		},
	},
	place: itself,
}, extractOf[userSelector](members))

// members are asked for with their addresses, which come to those who may see them.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-members-get
var members = &workspaceList{
	objects: "members", path: []string{"members"}, query: url.Values{"fields": {"+values.user.email"}},
	source: func(o Object) (Source, error) {
		account, name := accountOf(o)
		if account == "" {
			return Source{}, errors.New("it names no account")
		}
		return Source{Key: account, Name: name}, nil
	},
}

// accountOf returns what identifies the account of an object, and what it is called; empty where
// the object has none.
func accountOf(o Object) (id, name string) {
	account, _ := o["user"].(Object)
	for _, key := range []string{"uuid", "account_id"} {
		if text, _ := account[key].(string); id == "" {
			id = text
		}
	}
	name = id
	for _, key := range []string{"nickname", "display_name"} {
		if text, _ := account[key].(string); text != "" {
			name = text
		}
	}
	return id, name
}

type userSelector struct {
	ofWorkspace
	EmailDomains []string `yaml:"emailDomains" help:"Takes the members whose address is of one of these domains, such as acme.com: all when it is absent. A member whose address Bitbucket does not show is left out."`
}

func (userSelector) list() any { return members }

func (userSelector) again(ctx context.Context, ws *Workspace) (Second, error) {
	return listAgain(ctx, ws, members)
}

func (s userSelector) selective() bool { return len(s.EmailDomains) > 0 }

func (s userSelector) problems(raw mapping.Selector) (problems diag.Problems) {
	for i, domain := range s.EmailDomains {
		if domain == "" || strings.ContainsAny(domain, "@*/ ") {
			problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, fmt.Sprintf("emailDomains[%d]", i),
				fmt.Sprintf("%q is not a domain", domain), "write what follows the @ of addresses, such as acme.com"))
		}
	}
	return problems
}

// sieve takes the members of the domains. Where no address of a person is shown, it is not known
// who is of them: then nothing is stale.
func (s userSelector) sieve() sieve {
	if len(s.EmailDomains) == 0 {
		return sieve{}
	}
	people, shown := 0, 0
	return sieve{
		takes: func(o Object) bool {
			account, _ := o["user"].(Object)
			address, _ := account["email"].(string)
			if account["type"] == "user" {
				people++
			}
			_, domain, ok := strings.Cut(address, "@")
			if ok {
				shown++
			}
			return ok && slices.ContainsFunc(s.EmailDomains, func(one string) bool { return strings.EqualFold(one, domain) })
		},
		end: func() *Warning {
			if people == 0 || shown > 0 {
				return nil
			}
			return &Warning{BlocksDeletion: true, Problem: diag.Problem{
				Message: "Bitbucket shows this credential no address of a member, so that it is not known who is of the selector's emailDomains: what Port holds stays",
				Fix:     "use a workspace access token, or a credential of an admin of the workspace; or take emailDomains out of the selector",
			}}
		},
	}
}

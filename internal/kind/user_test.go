package kind_test

import (
	"errors"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// people is a workspace with members of two companies, one whose address is not known, and an app.
func people() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AddMember(bitbuckettest.Member{User: bitbuckettest.User{Name: "Dana"}, Email: "dana@Acme.example"})
	s.AddMember(bitbuckettest.Member{User: bitbuckettest.User{Name: "Amir"}, Email: "amir@partner.example"})
	s.AddMember(bitbuckettest.Member{User: bitbuckettest.User{Name: "Mei"}})
	s.AddMember(bitbuckettest.Member{User: bitbuckettest.User{Name: "Bot"}, App: true})
	return s
}

// accounts are the names of those of objects, with their addresses.
func accounts(objects []kind.Object) string {
	var all []string
	for _, o := range objects {
		account, _ := o["user"].(kind.Object)
		text, _ := account["display_name"].(string)
		if address, ok := account["email"].(string); ok {
			text += " <" + address + ">"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func TestChoiceOfUsers(t *testing.T) {
	for _, tt := range []struct{ selector, want string }{
		{"", "Dana <dana@Acme.example>, Amir <amir@partner.example>, Mei, Bot"},
		{"emailDomains: []", "Dana <dana@Acme.example>, Amir <amir@partner.example>, Mei, Bot"},
		{"emailDomains: [acme.example]", "Dana <dana@Acme.example>"},
		{"emailDomains: [ACME.EXAMPLE, partner.example]", "Dana <dana@Acme.example>, Amir <amir@partner.example>"},
		{"emailDomains: [example]", ""},
	} {
		t.Run(tt.selector, func(t *testing.T) {
			inBubble(t, people(), func(w world) {
				w.equal("members", accounts(w.good("user", tt.selector)), tt.want)
				w.equal("asked", w.asked(), "/workspaces/acme/members")
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// Where no address is shown, all members are there without one; and who is of a domain is not known,
// so that nothing of the kind is stale.
func TestUsersWithoutAddresses(t *testing.T) {
	inBubble(t, people(), func(w world) {
		w.s.AllowToken("good", bitbuckettest.Access{Limit: -1, NotAdmin: true})
		w.equal("members", accounts(w.good("user", "")), "Dana, Amir, Mei, Bot")
		got := w.extract("user", "emailDomains: [acme.example]")
		var warning *kind.Warning
		if len(got.objects) > 0 || got.err != nil || len(got.failed) != 1 || !errors.As(got.failed[0], &warning) || !warning.BlocksDeletion ||
			!strings.Contains(warning.Message, "emailDomains") {
			t.Errorf("got %d members, %v and %v, want one warning that holds the deletion", len(got.objects), got.err, got.failed)
		}
	})
}

func TestUserSelectorProblems(t *testing.T) {
	t.Parallel()
	for selector, want := range map[string]string{
		"emailDomains: ['@acme.example']": `"@acme.example" is not a domain`,
		"emailDomains: [a.example, '']":   `emailDomains[1]: "" is not a domain`,
		"emailDomain: [a.example]":        `unknown key "emailDomain"`,
		"repoQuery: x":                    `unknown key "repoQuery"`,
	} {
		if _, err := kind.Bind(resource(t, "user", selector)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", selector, err, want)
		}
	}
}

// A member without an account is told, and the others are read.
func TestMemberWithoutAnAccount(t *testing.T) {
	s := people()
	s.Fault(bitbuckettest.Fault{Path: "/workspaces/acme/members", Body: `{"values":[{"type":"workspace_membership","user":null},{"user":{"uuid":"{1}","display_name":"One"}}],"size":2}`})
	inBubble(t, s, func(w world) {
		got := w.extract("user", "")
		if accounts(got.objects) != "One" || len(got.failed) != 1 || !isUnreadable(got.failed[0]) {
			t.Errorf("got %v and %v", got.objects, got.failed)
		}
	})
}

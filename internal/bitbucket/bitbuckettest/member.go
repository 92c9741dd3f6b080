package bitbuckettest

import (
	"net/url"
	"slices"
)

// Member is a member of the workspace.
type Member struct {
	User
	// Email is given where `fields` asks for it, and null where the credential may not see it: see Access.NotAdmin.
	// "" is null, too.
	Email string
	App   bool // it is the account of an app, and no person
}

// members are those of the workspace, in the order in which they came.
type members struct{ rack[membership] }

// membership is a Member as one caller sees it.
type membership struct {
	Member
	unseen bool // its address is not for the caller
}

func newMembers(w *workspace) *members { return &members{rack[membership]{ws: w}} }

// routes have the address alone in their documentation of q; that `fields` may ask for it is documented as well.
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-members-get, read 2026-11.
func (ms *members) routes() []*route {
	return []*route{{path: "/workspaces/{workspace}/members", scope: "account", granular: "read:workspace:bitbucket",
		parameters: []string{"q", "page", "pagelen", "fields"}, maxPagelen: 100, handle: ms.list}}
}

func (ms *members) examples(v view) map[string]object {
	ms.AddMember(Member{User: User{Name: "Example"}, Email: "one@example.org"})
	return map[string]object{"member": ms.all[0].tree(v)}
}

// AddMember adds a member.
func (ms *members) AddMember(m Member) { ms.add(membership{Member: m}) }

// UpdateMember changes the member of a name.
func (ms *members) UpdateMember(name string, f func(*Member)) {
	ms.update(func(m membership) bool { return m.Name == name }, func(m *membership) { f(&m.Member) })
}

// RemoveMember removes the member of a name.
func (ms *members) RemoveMember(name string) {
	ms.remove(func(m membership) bool { return m.Name == name })
}

// sample makes members of all who wrote pull requests. One has no address, one is of another company, and one is an app.
func (ms *members) sample([]string) {
	for i, u := range sampleUsers {
		m := Member{User: u, Email: u.Nickname + "@acme.example"}
		switch i {
		case 5:
			m.Email = u.Nickname + "@partner.example"
		case 8:
			m.Email = ""
		}
		ms.AddMember(m)
	}
	ms.AddMember(Member{User: User{Name: "Deploy Bot"}, App: true})
}

func (ms *members) list(v view, q *request) *answer {
	items, refusal := v.selectItems(q, selection{kind: "member", source: func() []item { return items(ms.all, false) }})
	if refusal != nil {
		return refusal
	}
	if q.cred.NotAdmin {
		items = slices.Clone(items)
		for i, m := range items {
			items[i] = membership{m.(membership).Member, true}
		}
	}
	return v.pageByNumber(q, items)
}

func (m membership) tree(v view) object {
	user := slices.Clone(v.user(m.User))
	if m.App {
		for i := range user {
			if user[i].key == "type" {
				user[i].value = "app_user"
			}
		}
	}
	var email any
	if !m.unseen {
		email = textOrNull(m.Email)
	}
	self := v.base + "/workspaces/" + v.w.slug + "/members/" + url.PathEscape(uuidOf("user", m.Name))
	return object{
		{"type", "workspace_membership", shown},
		{"user", append(user, member{"email", email, hidden}), shown},
		{"workspace", v.workspaceTree(), shown},
		{"links", links("self", self), shown},
	}
}

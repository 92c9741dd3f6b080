package bitbuckettest

// Kinds of listed objects.
const (
	kindProject     = "project"
	kindRepository  = "repository"
	kindPullRequest = "pullrequest"
	kindBranch      = "branch"
	kindSource      = "source"
)

// schema holds, per kind, an example in which nothing is null: the fields that `q` and `sort` may name.
type schema map[string]node

type node struct{ example object }

func newSchema() schema {
	s := newServer("example")
	s.AddProject(Project{Key: "P", Description: "d"})
	s.AddRepository(Repository{Name: "example", ProjectKey: "P", Files: map[string]string{"a/b": "c"}})
	u := User{Name: "Example"}
	s.AddPullRequest("example", PullRequest{State: "MERGED", Author: &u, Reviewers: []User{u}})
	r := s.repos[0]
	v := view{s: s}
	repo := append(object(nil), r.tree(v)...)
	for i, m := range repo {
		if m.key == "parent" {
			repo[i].value = v.repositoryStub(r)
		}
	}
	return schema{
		kindProject:     {s.projects[0].tree(v)},
		kindRepository:  {repo},
		kindPullRequest: {r.pulls[0].tree(v)},
		kindBranch:      {r.branches[0].tree(v)},
		kindSource:      {(&entry{repo: r, commit: r.head(), path: "a/b"}).tree(v)},
	}
}

// has reports whether the objects have a field of that path.
func (n node) has(path []string) bool {
	var v any = n.example
	for _, name := range path {
		if l, ok := v.(list); ok && len(l) > 0 {
			v = l[0]
		}
		o, ok := v.(object)
		if !ok {
			return false
		}
		m, ok := o.lookup(name)
		if !ok {
			return false
		}
		v = m.value
	}
	return true
}

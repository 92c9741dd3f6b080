package bitbuckettest

import (
	"net/http"
	"slices"
	"strings"
)

// branches are those of the repositories.
type branches struct{ repositories *repositories }

// branchItem is a branch in a list.
type branchItem struct {
	*branch
	repo *repository
}

func (bs *branches) routes() []*route {
	return []*route{
		{path: "/repositories/{workspace}/{repo_slug}/refs/branches", scope: "repository", granular: "read:repository:bitbucket",
			parameters: []string{"q", "sort", "page", "pagelen", "fields"}, maxPagelen: 100, handle: bs.list},
		{path: "/repositories/{workspace}/{repo_slug}/refs/branches/{name}", scope: "repository", granular: "read:repository:bitbucket",
			parameters: []string{"fields"}, handle: bs.get, least: 6},
	}
}

func (bs *branches) examples(v view) map[string]object {
	r := bs.repositories.all[0]
	return map[string]object{"branch": branchItem{r.branches[0], r}.tree(v)}
}

// AddBranch adds a branch at the head of the main branch. The repository moves.
func (bs *branches) AddBranch(slug, name string) {
	bs.repositories.ws.change(func() {
		r := bs.repositories.must(slug)
		if r.head() == nil || r.branch(name) != nil {
			panic("bitbuckettest: no commit, or branch " + name + " is there already")
		}
		r.branches = append(r.branches, &branch{name, r.head()})
		r.UpdatedOn = bs.repositories.ws.tick()
	})
}

// RemoveBranch removes a branch that is not the main one. Its commits stay, and the repository moves.
func (bs *branches) RemoveBranch(slug, name string) {
	bs.repositories.ws.change(func() {
		r := bs.repositories.must(slug)
		if r.branch(name) == nil || name == r.MainBranch {
			panic("bitbuckettest: " + slug + " has no branch " + name + " besides the main one")
		}
		r.branches = slices.DeleteFunc(r.branches, func(b *branch) bool { return b.name == name })
		r.UpdatedOn = bs.repositories.ws.tick()
	})
}

func (bs *branches) list(v view, q *request) *answer {
	r, refusal := bs.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	items, refusal := v.selectItems(q, selection{
		kind: "branch",
		source: func() []item {
			items := make([]item, len(r.branches))
			for i, b := range r.branches {
				items[i] = branchItem{b, r}
			}
			slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.(branchItem).name, b.(branchItem).name) })
			return items
		},
	})
	if refusal != nil {
		return refusal
	}
	return v.pageByNumber(q, items)
}

// get takes the name with its slashes plain or escaped.
func (bs *branches) get(v view, q *request) *answer {
	r, refusal := bs.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	name := strings.Join(q.segments[5:], "/")
	b := r.branch(name)
	if b == nil {
		return refuse(http.StatusNotFound, "Branch \""+name+"\" not found")
	}
	return v.respond(q, branchItem{b, r}.alone(v))
}

// alone is the answer to a request for the branch itself: one that is not the main one then tells more.
// Source: a recorded answer of 2026.
func (b branchItem) alone(v view) object {
	o := b.tree(v)
	if b.name == b.repo.MainBranch || v.w.options.Old {
		return o
	}
	for i, m := range o {
		if m.key == "links" {
			create := site + v.w.slug + "/" + b.repo.Slug + "/pull-requests/new?source=" + b.name + "&t=1"
			o[i].value = append(m.value.(object), links("pullrequest_create", create)...)
		}
	}
	return append(o, member{"sync_strategies", list{"merge_commit", "rebase"}, shown})
}

func (b branchItem) tree(v view) object {
	full := v.w.slug + "/" + b.repo.Slug
	self := v.base + "/repositories/" + full
	return v.without(object{
		{"name", b.name, shown},
		{"links", links(
			"commits", self+"/commits/"+b.name,
			"self", self+"/refs/branches/"+b.name,
			"html", site+full+"/branch/"+b.name,
		), shown},
		{"default_merge_strategy", "merge_commit", shown},
		{"merge_strategies", list{"merge_commit", "squash", "fast_forward"}, shown},
		{"type", "branch", shown},
		{"target", v.commitTree(b.repo, b.head), shown},
	}, "default_merge_strategy", "merge_strategies")
}

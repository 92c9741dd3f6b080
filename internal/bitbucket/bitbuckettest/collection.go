package bitbuckettest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (v view) getWorkspace(q *request) *answer { return v.respond(q, v.workspaceTree()) }

func (v view) listProjects(q *request) *answer {
	items, refusal := v.selectItems(q, selection{
		kind: kindProject,
		source: func() []item {
			items := make([]item, len(v.s.projects))
			for i, p := range v.s.projects {
				items[i] = p
			}
			return items
		},
	})
	if refusal != nil {
		return refusal
	}
	return v.pageByNumber(q, items)
}

// getProject finds a project by its key: the words of the refusal are assumed.
func (v view) getProject(q *request) *answer {
	key := q.segments[3]
	p := v.s.project(key)
	if p == nil {
		return refuse(http.StatusNotFound, "No project with identifier '"+key+"'.")
	}
	return v.respond(q, p.tree(v))
}

// listRepositories has the newest change first by default, so that a caller who forgets to sort meets the
// moving list that the real service may give it.
func (v view) listRepositories(q *request) *answer {
	role := q.query.Get("role")
	if q.query.Has("role") && !slices.Contains([]string{"member", "contributor", "admin", "owner"}, role) {
		return refuse(http.StatusBadRequest, "Invalid role").noted("bad role")
	}
	items, refusal := v.selectItems(q, selection{
		kind:  kindRepository,
		scope: role,
		source: func() []item {
			return newestFirst(v.s.repos, func(r *repository) time.Time { return r.UpdatedOn })
		},
		keep: func(it item) bool {
			r := it.(*repository)
			return r.visibility != NoPermission && (role == "" || r.Roles == nil || slices.Contains(r.Roles, role))
		},
	})
	if refusal != nil {
		return refusal
	}
	return v.pageByNumber(q, items)
}

func newestFirst[T item](all []T, updated func(T) time.Time) []item {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b T) int { return updated(b).Compare(updated(a)) })
	items := make([]item, len(sorted))
	for i, o := range sorted {
		items[i] = o
	}
	return items
}

func (v view) getRepository(q *request) *answer {
	r, refusal := v.repository(q)
	if refusal != nil {
		return refusal
	}
	return v.respond(q, r.tree(v))
}

// listPullRequests gives open ones only, unless `state` or a `q` that mentions state says otherwise.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/, read 2026-11; that a
// `q` without state keeps the default is assumed.
func (v view) listPullRequests(q *request) *answer {
	r, refusal := v.repository(q)
	if refusal != nil {
		return refusal
	}
	states := q.query["state"]
	for _, st := range states {
		if !slices.Contains([]string{"OPEN", "MERGED", "DECLINED", "SUPERSEDED"}, st) {
			return refuse(http.StatusBadRequest, "Invalid state").noted("bad state " + strconv.Quote(st))
		}
	}
	sel := selection{
		kind:  kindPullRequest,
		scope: strings.Join(states, ","),
		source: func() []item {
			return newestFirst(r.pulls, func(p *pullRequest) time.Time { return p.UpdatedOn })
		},
	}
	if len(states) > 0 {
		sel.keep = func(it item) bool { return slices.Contains(states, it.(*pullRequest).State) }
	} else {
		sel.withoutField = "state"
		sel.without = func(it item) bool { return it.(*pullRequest).State == "OPEN" }
	}
	items, refusal := v.selectItems(q, sel)
	if refusal != nil {
		return refusal
	}
	return v.pageByNumber(q, items)
}

// getPullRequest answers with reviewers and participants, which the list leaves out.
func (v view) getPullRequest(q *request) *answer {
	r, refusal := v.repository(q)
	if refusal != nil {
		return refusal
	}
	id, err := strconv.Atoi(q.segments[4])
	at := -1
	if err == nil {
		at = r.pull(id)
	}
	if at < 0 {
		return refuse(http.StatusNotFound, "Pull request "+q.segments[4]+" not found")
	}
	o := r.pulls[at].tree(v)
	for i := range o {
		o[i].hidden = false
	}
	return v.respond(q, o)
}

func (v view) listBranches(q *request) *answer {
	r, refusal := v.repository(q)
	if refusal != nil {
		return refusal
	}
	items, refusal := v.selectItems(q, selection{
		kind: kindBranch,
		source: func() []item {
			items := make([]item, len(r.branches))
			for i, b := range r.branches {
				items[i] = b
			}
			slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.(*branch).name, b.(*branch).name) })
			return items
		},
	})
	if refusal != nil {
		return refusal
	}
	return v.pageByNumber(q, items)
}

// getBranch takes the name with its slashes plain or escaped.
func (v view) getBranch(q *request) *answer {
	r, refusal := v.repository(q)
	if refusal != nil {
		return refusal
	}
	name := strings.Join(q.segments[5:], "/")
	b := r.branch(name)
	if b == nil {
		return refuse(http.StatusNotFound, "Branch \""+name+"\" not found")
	}
	return v.respond(q, b.tree(v))
}

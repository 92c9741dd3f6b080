package bitbuckettest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Status is the state that a build has told of a commit.
type Status struct {
	Key   string
	State string // SUCCESSFUL, FAILED, INPROGRESS or STOPPED
	Name  string
}

// Extras are what a pull request has besides its own object.
type Extras struct {
	Statuses []Status
	// Tasks are their texts; the first ones are resolved.
	Tasks    []string
	Resolved int
	// Files are the lines that are added to each file, and half of them are removed.
	Files []int
	// Unrelated makes the diffstat answer 400, as where source and destination have no commit in common.
	Unrelated bool
	Comments  []time.Time
}

// extras are lists of single repositories, commits and pull requests.
type extras struct {
	pulls     *pullRequests
	reviewers map[*repository][]User
	statuses  map[*repository][]Status
	by        map[*pullRequest]Extras
}

func newExtras(ps *pullRequests) *extras {
	return &extras{ps, map[*repository][]User{}, map[*repository][]Status{}, map[*pullRequest]Extras{}}
}

// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/, api-group-commit-statuses and
// api-group-branching-model, read 2026-11. That the feed has pages of 50, the newest first, and knows no filter, is what
// public clients saw.
func (x *extras) routes() []*route {
	const repository, pull = "/repositories/{workspace}/{repo_slug}", "/repositories/{workspace}/{repo_slug}/pullrequests/{pull_request_id}"
	paged := []string{"page", "pagelen", "fields"}
	return []*route{
		{path: repository + "/effective-default-reviewers", scope: "pullrequest", granular: "read:pullrequest:bitbucket", parameters: paged, maxPagelen: 100, handle: x.listReviewers},
		{path: repository + "/effective-branching-model", scope: "repository", granular: "read:repository:bitbucket", parameters: []string{"fields"}, handle: x.model},
		{path: repository + "/commit/{commit}/statuses", scope: "repository", granular: "read:repository:bitbucket", parameters: append([]string{"q", "sort", "refname"}, paged...), maxPagelen: 100, handle: x.listHead},
		{path: repository + "/pullrequests/activity", scope: "pullrequest", granular: "read:pullrequest:bitbucket", parameters: paged, maxPagelen: 50, handle: x.feed},
		{path: pull + "/statuses", scope: "pullrequest", granular: "read:pullrequest:bitbucket", parameters: append([]string{"q", "sort"}, paged...), maxPagelen: 100,
			handle: x.ofPull(func(v view, p *pullRequest) []item { return x.statusItems(p.repo, x.by[p].Statuses) })},
		{path: pull + "/tasks", scope: "pullrequest", granular: "read:pullrequest:bitbucket", parameters: append([]string{"q", "sort"}, paged...), maxPagelen: 100,
			handle: x.ofPull(func(v view, p *pullRequest) []item { return x.tasks(p) })},
		{path: pull + "/diffstat", scope: "pullrequest", granular: "read:pullrequest:bitbucket", parameters: paged, maxPagelen: 500,
			handle: x.ofPull(func(v view, p *pullRequest) []item { return x.files(p) })},
	}
}

func (x *extras) examples(view) map[string]object { return nil }

// sample gives the repositories default reviewers and builds of their heads, and pull requests what stands beside them.
func (x *extras) sample(slugs []string) {
	for i, slug := range slugs {
		x.SetDefaultReviewers(slug, sampleUsers[i%len(sampleUsers)])
		x.SetHeadStatuses(slug, Status{"build", []string{"SUCCESSFUL", "SUCCESSFUL", "FAILED"}[i%3], "Build"})
	}
}

// SetDefaultReviewers sets the default reviewers of a repository.
func (x *extras) SetDefaultReviewers(slug string, users ...User) {
	x.pulls.ws().change(func() { x.reviewers[x.pulls.repositories.must(slug)] = users })
}

// SetHeadStatuses sets what builds have told of the head of the main branch.
func (x *extras) SetHeadStatuses(slug string, statuses ...Status) {
	x.pulls.ws().change(func() { x.statuses[x.pulls.repositories.must(slug)] = statuses })
}

// SetExtras sets what a pull request has besides its own object.
func (x *extras) SetExtras(slug string, id int, of Extras) {
	x.pulls.ws().change(func() {
		in := x.pulls.of(x.pulls.repositories.must(slug))
		p := in.all[in.must(slug, id)]
		p.tasks = len(of.Tasks)
		x.by[p] = of
	})
}

// tree is an item that is its own answer.
type plainItem object

func (o plainItem) tree(view) object { return object(o) }

func (x *extras) listReviewers(v view, q *request) *answer {
	r, refusal := x.pulls.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	var all []item
	for _, u := range x.reviewers[r] {
		all = append(all, plainItem{{"type", "default_reviewer_and_type", shown}, {"reviewer_type", "repository", shown}, {"user", v.user(u), shown}})
	}
	return v.pageByNumber(q, all)
}

func (x *extras) model(v view, q *request) *answer {
	r, refusal := x.pulls.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	kinds := list{}
	for _, kind := range []string{"feature", "bugfix", "release", "hotfix"} {
		kinds = append(kinds, object{{"kind", kind, shown}, {"prefix", kind + "/", shown}})
	}
	return v.respond(q, object{
		{"type", "effective_repository_branching_model", shown},
		{"development", object{{"name", textOrNull(r.MainBranch), shown}, {"use_mainbranch", true, shown}}, shown},
		{"branch_types", kinds, shown},
		{"links", links("self", v.base+"/repositories/"+v.w.slug+"/"+r.Slug+"/effective-branching-model"), shown},
	})
}

func (x *extras) listHead(v view, q *request) *answer {
	r, refusal := x.pulls.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	if head := r.head(); head == nil || head.hash() != q.segments[4] {
		return refuse(http.StatusNotFound, "Commit not found")
	}
	return v.pageByNumber(q, x.statusItems(r, x.statuses[r]))
}

func (x *extras) statusItems(r *repository, statuses []Status) []item {
	var all []item
	for _, s := range statuses {
		all = append(all, plainItem{
			{"type", "build", shown}, {"key", s.Key, shown}, {"name", s.Name, shown}, {"state", s.State, shown},
			{"url", "https://ci.example.com/" + r.Slug + "/" + s.Key, shown}, {"refname", textOrNull(r.MainBranch), shown},
			{"created_on", timestamp(r.CreatedOn), shown}, {"updated_on", timestamp(r.CreatedOn), shown},
		})
	}
	return all
}

// ofPull handles a list of one pull request.
func (x *extras) ofPull(items func(view, *pullRequest) []item) func(view, *request) *answer {
	return func(v view, q *request) *answer {
		r, refusal := x.pulls.repositories.of(q)
		if refusal != nil {
			return refusal
		}
		in, at := x.pulls.of(r), -1
		if id, err := strconv.Atoi(q.segments[4]); err == nil {
			at = in.find(id)
		}
		switch {
		case at < 0:
			return respond(http.StatusNotFound, "text/plain", []byte("Not Found"))
		case x.by[in.all[at]].Unrelated && q.segments[5] == "diffstat":
			return refuse(http.StatusBadRequest, "Unrelated histories")
		}
		return v.pageByNumber(q, items(v, in.all[at]))
	}
}

func (x *extras) tasks(p *pullRequest) []item {
	var all []item
	for i, text := range x.by[p].Tasks {
		state := "UNRESOLVED"
		if i < x.by[p].Resolved {
			state = "RESOLVED"
		}
		all = append(all, plainItem{{"id", i + 1, shown}, {"state", state, shown}, {"content", rendered(text), shown}, {"pending", false, shown},
			{"created_on", timestamp(p.CreatedOn), shown}})
	}
	return all
}

func (x *extras) files(p *pullRequest) []item {
	var all []item
	for i, lines := range x.by[p].Files {
		all = append(all, plainItem{{"type", "diffstat", shown}, {"status", "modified", shown}, {"lines_added", lines, shown}, {"lines_removed", lines / 2, shown},
			{"new", object{{"type", "commit_file", shown}, {"path", "file" + strconv.Itoa(i), shown}}, shown}})
	}
	return all
}

// happening is what happened to a pull request.
type happening struct {
	at   time.Time
	of   *pullRequest
	what string
	body func(v view) object
}

func (e happening) tree(v view) object {
	return object{
		{"pull_request", object{{"type", "pullrequest", shown}, {"id", e.of.ID, shown}, {"title", e.of.Title, shown}, {"draft", e.of.Draft, shown}}, shown},
		{e.what, e.body(v), shown},
	}
}

// feed has the newest first.
func (x *extras) feed(v view, q *request) *answer {
	r, refusal := x.pulls.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	var all []happening
	for _, p := range x.pulls.of(r).all {
		update := func(at time.Time, state string) happening {
			return happening{at, p, "update", func(view) object {
				return object{{"state", state, shown}, {"title", p.Title, shown}, {"date", timestamp(at), shown}}
			}}
		}
		all = append(all, update(p.CreatedOn, "OPEN"))
		if !p.ClosedOn.IsZero() {
			all = append(all, update(p.ClosedOn, p.State))
		}
		for _, a := range p.Participants {
			if what := map[string]string{"approved": "approval", "changes_requested": "changes_requested"}[a.State]; what != "" && !a.ParticipatedOn.IsZero() {
				all = append(all, happening{a.ParticipatedOn, p, what, func(v view) object {
					return object{{"date", timestamp(a.ParticipatedOn), shown}, {"user", v.user(a.User), shown}}
				}})
			}
		}
		for i, at := range x.by[p].Comments {
			all = append(all, happening{at, p, "comment", func(view) object {
				return object{{"id", i + 1, shown}, {"created_on", timestamp(at), shown}, {"updated_on", timestamp(at), shown}, {"content", rendered("text"), shown}}
			}})
		}
	}
	slices.SortStableFunc(all, func(a, b happening) int { return b.at.Compare(a.at) })
	return v.pageByNumber(q, items(all, false))
}

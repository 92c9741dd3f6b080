package bitbuckettest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Pipeline is one run of the pipelines of a repository.
type Pipeline struct {
	// Branch that it ran on; "" is the main branch. Tag, where it is set, is in its place.
	Branch, Tag string
	// PullRequest is the number of the one that it ran for: Branch is its source then; 0 for none.
	PullRequest int
	// State is PENDING, IN_PROGRESS or COMPLETED; "" is COMPLETED, and Result then is SUCCESSFUL where it is "".
	State, Result string
	Trigger       string // "" is PUSH
	Creator       *User
	CreatedOn     time.Time // zero: the server's clock
	Seconds       int       // that it took
}

// pipelines are those of the repositories, the oldest first.
type pipelines struct {
	shelf[*pipeline]
	off map[*repository]bool
}

type pipeline struct {
	Pipeline
	repo   *repository
	number int
}

func newPipelines(rs *repositories) *pipelines {
	return &pipelines{newShelf[*pipeline](rs), map[*repository]bool{}}
}

// routes have a slash at their end, and answer 404 without it.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/, and what public clients met, read 2026-11.
func (ps *pipelines) routes() []*route {
	return []*route{{path: "/repositories/{workspace}/{repo_slug}/pipelines/", scope: "pipeline", granular: "read:pipeline:bitbucket",
		parameters: []string{"creator.uuid", "target.ref_type", "target.ref_name", "target.branch", "target.commit.hash", "target.selector.pattern",
			"target.selector.type", "created_on", "trigger_type", "status", "sort", "page", "pagelen", "fields"}, maxPagelen: 100, handle: ps.list}}
}

func (ps *pipelines) examples(v view) map[string]object {
	ps.AddPipeline("example", Pipeline{Creator: &User{Name: "Example"}})
	return map[string]object{"pipeline": ps.by[ps.repositories.all[0]][0].tree(v)}
}

// AddPipeline adds a pipeline, the newest of its repository, and returns its build number.
func (ps *pipelines) AddPipeline(slug string, p Pipeline) (number int) {
	ps.add(slug, func(r *repository, before int) *pipeline {
		ps.ws().stamp(&p.CreatedOn, nil)
		if p.State = cmp.Or(p.State, "COMPLETED"); p.State == "COMPLETED" {
			p.Result = cmp.Or(p.Result, "SUCCESSFUL")
		}
		p.Trigger = cmp.Or(p.Trigger, "PUSH")
		if p.Tag == "" {
			p.Branch = cmp.Or(p.Branch, r.MainBranch)
		}
		number = before + 1
		return &pipeline{p, r, number}
	})
	return number
}

// UpdatePipeline changes a pipeline.
func (ps *pipelines) UpdatePipeline(slug string, number int, f func(*Pipeline)) {
	ps.update(slug, func(p *pipeline) bool { return p.number == number }, func(p **pipeline) { f(&(*p).Pipeline) })
}

// SwitchPipelinesOff makes the pipelines of a repository answer 404, as where they were never on.
func (ps *pipelines) SwitchPipelinesOff(slug string) {
	ps.ws().change(func() { ps.off[ps.repositories.must(slug)] = true })
}

// sample gives each second repository a few pipelines of the last days; those of the third are off.
func (ps *pipelines) sample(slugs []string) {
	results := []string{"SUCCESSFUL", "FAILED", "SUCCESSFUL", "STOPPED", "SUCCESSFUL"}
	for i, slug := range slugs {
		if i == 2 {
			ps.SwitchPipelinesOff(slug)
		}
		for n := range (i + 1) % 2 * (1 + i%5) {
			p := Pipeline{Result: results[(i+n)%len(results)], Seconds: 60 + 7*i, Creator: &sampleUsers[(i+n)%len(sampleUsers)],
				CreatedOn: time.Now().Add(-time.Duration(12*(6-n)) * time.Hour)}
			if n%3 == 2 {
				p.Branch, p.State = "feature/"+slug, "IN_PROGRESS"
			}
			ps.AddPipeline(slug, p)
		}
	}
}

// SwitchPipelinesOn undoes SwitchPipelinesOff.
func (ps *pipelines) SwitchPipelinesOn(slug string) {
	ps.ws().change(func() { delete(ps.off, ps.repositories.must(slug)) })
}

// list has the oldest first, unless it is sorted by created_on. It ignores q, which is refused here, and the link to the
// next page loses the sort.
func (ps *pipelines) list(v view, q *request) *answer {
	r, refusal := ps.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	if ps.off[r] {
		return refuse(http.StatusNotFound, "Not found")
	}
	sort := q.query.Get("sort")
	if q.query.Has("sort") && !slices.Contains([]string{"created_on", "-created_on"}, sort) {
		return refuse(http.StatusBadRequest, "Invalid sort field").noted("bad sort: " + strconv.Quote(sort))
	}
	all := items(ps.by[r], sort == "-created_on")
	linked := *q
	linked.query = url.Values{}
	for key, values := range q.query {
		if key != "sort" {
			linked.query[key] = values
		}
	}
	a := v.pageByNumber(&linked, all)
	a.again = q.self(url.Values{"page": {cmp.Or(q.query.Get("page"), "1")}})
	return a
}

// tree has times with nanoseconds.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/, read 2026-11.
func (p *pipeline) tree(v view) object {
	seed := []string{"pipeline", p.repo.seed, strconv.Itoa(p.number)}
	self := v.base + "/repositories/" + v.w.slug + "/" + p.repo.Slug + "/pipelines/" + url.PathEscape(uuidOf(seed...))
	state := object{{"name", p.State, shown}, {"type", "pipeline_state_" + Slug(p.State), shown}}
	var completed any
	if p.State == "COMPLETED" {
		state = append(state, member{"result", object{
			{"name", p.Result, shown},
			{"type", "pipeline_state_completed_" + Slug(p.Result), shown},
		}, shown})
		completed = nanoseconds(p.CreatedOn.Add(time.Duration(p.Seconds) * time.Second))
	}
	var creator any
	if p.Creator != nil {
		creator = v.user(*p.Creator)
	}
	return object{
		{"type", "pipeline", shown},
		{"uuid", uuidOf(seed...), shown},
		{"build_number", p.number, shown},
		{"run_number", 1, shown},
		{"creator", creator, shown},
		{"repository", v.rendered(p.repo).stub, shown},
		{"target", p.target(v, hashOf(append(seed, "commit")...)), shown},
		{"trigger", object{{"name", p.Trigger, shown}, {"type", "pipeline_trigger_" + Slug(p.Trigger), shown}}, shown},
		{"state", state, shown},
		{"created_on", nanoseconds(p.CreatedOn), shown},
		{"completed_on", completed, shown},
		{"build_seconds_used", p.Seconds, shown},
		{"duration_in_seconds", p.Seconds, shown},
		{"first_successful", false, shown},
		{"expired", false, shown},
		{"has_variables", false, shown},
		{"links", links("self", self, "steps", self+"/steps/"), shown},
	}
}

func (p *pipeline) target(v view, hash string) object {
	commit := v.commitStub(p.repo, hash)
	switch {
	case p.PullRequest > 0:
		return object{
			{"type", "pipeline_pullrequest_target", shown},
			{"source", p.Branch, shown},
			{"destination", p.repo.MainBranch, shown},
			{"commit", commit, shown},
			{"selector", object{{"type", "pull-requests", shown}, {"pattern", "**", shown}}, shown},
			{"pullrequest", object{{"type", "pullrequest", shown}, {"id", p.PullRequest, shown}, {"draft", false, shown}}, shown},
		}
	case p.Tag != "":
		return object{
			{"type", "pipeline_ref_target", shown}, {"ref_type", "tag", shown}, {"ref_name", p.Tag, shown}, {"commit", commit, shown},
			{"selector", object{{"type", "tags", shown}, {"pattern", p.Tag, shown}}, shown},
		}
	}
	return object{
		{"type", "pipeline_ref_target", shown}, {"ref_type", "branch", shown}, {"ref_name", p.Branch, shown}, {"commit", commit, shown},
		{"selector", object{{"type", "branches", shown}, {"pattern", p.Branch, shown}}, shown},
	}
}

// nanoseconds is a time as pipelines have it: UTC with up to nine digits.
func nanoseconds(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

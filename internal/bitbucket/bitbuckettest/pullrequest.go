package bitbuckettest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PullRequest is a pull request of a repository.
type PullRequest struct {
	ID           int // 0: the next one of its repository
	Title        string
	Description  string
	State        string // "" is OPEN; else MERGED, DECLINED, SUPERSEDED
	Draft        bool
	Author       *User // nil is null: a deleted account, see FormerUser
	Reviewers    []User
	Participants []Participant // nil: each reviewer, not approved
	SourceBranch string        // "" is feature/<id>
	// DestinationBranch "" is the main branch.
	DestinationBranch string
	Fork              string    // full name of the fork that it comes from; "" is none
	DeletedFork       bool      // the source's repository is null
	DeletedBranches   bool      // the commits of source and destination are null
	CreatedOn         time.Time // zero: the server's clock
	UpdatedOn         time.Time // zero: the server's clock
	ClosedOn          time.Time // zero: UpdatedOn of when it was closed; an open one has none
}

// Participant is a user's part in a pull request.
type Participant struct {
	User           User
	Role           string // "" is REVIEWER; else PARTICIPANT
	Approved       bool
	State          string    // "" is null; else approved, changes_requested
	NoState        bool      // the state is missing
	ParticipatedOn time.Time // zero is null
}

// pullRequests are those of the repositories.
type pullRequests struct {
	repositories *repositories
	by           map[*repository]*pulls
}

// pulls are the pull requests of one repository, by their numbers.
type pulls struct {
	all    []*pullRequest
	lastID int
}

type pullRequest struct {
	PullRequest
	repo  *repository
	tasks int
}

func (ps *pullRequests) routes() []*route {
	return []*route{
		{path: "/repositories/{workspace}/{repo_slug}/pullrequests", scope: "pullrequest", granular: "read:pullrequest:bitbucket",
			parameters: []string{"state", "q", "sort", "page", "pagelen", "fields"}, maxPagelen: 50, handle: ps.list},
		{path: "/repositories/{workspace}/{repo_slug}/pullrequests/{pull_request_id}", scope: "pullrequest", granular: "read:pullrequest:bitbucket",
			parameters: []string{"fields"}, handle: ps.get},
	}
}

func (ps *pullRequests) examples(v view) map[string]object {
	u := User{Name: "Example"}
	ps.AddPullRequest("example", PullRequest{State: "MERGED", Author: &u, Reviewers: []User{u}})
	return map[string]object{"pullrequest": ps.of(ps.repositories.all[0]).all[0].tree(v)}
}

func (ps *pullRequests) ws() *workspace { return ps.repositories.ws }

// of returns the pull requests of a repository, which may have none yet.
func (ps *pullRequests) of(r *repository) *pulls {
	if p := ps.by[r]; p != nil {
		return p
	}
	return &pulls{}
}

func (p *pulls) find(id int) int {
	at, ok := slices.BinarySearchFunc(p.all, id, func(p *pullRequest, id int) int { return p.ID - id })
	if !ok {
		return -1
	}
	return at
}

func (p *pulls) must(slug string, id int) int {
	at := p.find(id)
	if at < 0 {
		panic(fmt.Sprintf("bitbuckettest: no pull request %s/%d", slug, id))
	}
	return at
}

// AddPullRequest adds a pull request and returns its id.
func (ps *pullRequests) AddPullRequest(slug string, p PullRequest) (id int) {
	ps.ws().change(func() {
		r := ps.repositories.must(slug)
		in := ps.of(r)
		ps.by[r] = in
		if p.ID == 0 {
			p.ID = in.lastID + 1
		}
		if in.find(p.ID) >= 0 {
			panic(fmt.Sprintf("bitbuckettest: pull request %s/%d is there already", slug, p.ID))
		}
		in.lastID = max(in.lastID, p.ID)
		if p.State == "" {
			p.State = "OPEN"
		}
		if p.SourceBranch == "" {
			p.SourceBranch = "feature/" + strconv.Itoa(p.ID)
		}
		if p.DestinationBranch == "" {
			p.DestinationBranch = r.MainBranch
		}
		ps.ws().stamp(&p.CreatedOn, &p.UpdatedOn)
		p.close()
		at := len(in.all)
		for at > 0 && in.all[at-1].ID > p.ID {
			at--
		}
		in.all = slices.Insert(in.all, at, &pullRequest{PullRequest: p, repo: r})
		id = p.ID
	})
	return id
}

// UpdatePullRequest changes a pull request; its id stays. UpdatedOn moves on, unless f sets it.
func (ps *pullRequests) UpdatePullRequest(slug string, id int, f func(*PullRequest)) {
	ps.ws().change(func() {
		in := ps.of(ps.repositories.must(slug))
		p := in.all[in.must(slug, id)]
		before := p.UpdatedOn
		f(&p.PullRequest)
		p.ID = id
		if p.UpdatedOn.Equal(before) {
			p.UpdatedOn = ps.ws().tick()
		}
		p.close()
	})
}

// close stamps a pull request that is not open with the time of its last change, once.
func (p *PullRequest) close() {
	switch {
	case p.State == "OPEN":
		p.ClosedOn = time.Time{}
	case p.ClosedOn.IsZero():
		p.ClosedOn = p.UpdatedOn
	}
}

// RemovePullRequest removes a pull request. Its id is not used again.
func (ps *pullRequests) RemovePullRequest(slug string, id int) {
	ps.ws().change(func() {
		in := ps.of(ps.repositories.must(slug))
		at := in.must(slug, id)
		in.all = slices.Delete(in.all, at, at+1)
	})
}

// list gives open ones only, unless `state` or a `q` that mentions state says otherwise.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/, read 2026-11; that a
// `q` without state keeps the default is assumed.
func (ps *pullRequests) list(v view, q *request) *answer {
	r, refusal := ps.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	states := q.query["state"]
	if slices.Contains(states, "all") { // no document has it: a recorded request of 2022
		states = []string{"OPEN", "MERGED", "DECLINED", "SUPERSEDED"}
	}
	for _, st := range states {
		if !slices.Contains([]string{"OPEN", "MERGED", "DECLINED", "SUPERSEDED"}, st) {
			return refuse(http.StatusBadRequest, "Invalid state").noted("bad state " + strconv.Quote(st))
		}
	}
	sel := selection{
		kind:  "pullrequest",
		scope: strings.Join(states, ","),
		source: func() []item {
			return newestFirst(ps.of(r).all, func(p *pullRequest) time.Time { return p.UpdatedOn })
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

// get answers with reviewers, participants and closed_on, which the list leaves out unless asked, and with
// rendered, which no list has.
// Source: recorded answers, read 2026-11.
func (ps *pullRequests) get(v view, q *request) *answer {
	r, refusal := ps.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	id, err := strconv.Atoi(q.segments[4])
	in, at := ps.of(r), -1
	if err == nil {
		at = in.find(id)
	}
	if at < 0 {
		return respond(http.StatusNotFound, "text/plain", []byte("Not Found")) // recorded
	}
	o := in.all[at].tree(v)
	for i := range o {
		o[i].hidden = false
	}
	o = append(o, member{"rendered", object{
		{"title", rendered(in.all[at].Title), shown},
		{"description", rendered(in.all[at].Description), shown},
	}, shown})
	return v.respond(q, o)
}

func (p *pullRequest) tree(v view) object {
	seed := p.repo.seed + "/" + strconv.Itoa(p.ID)
	sourceHash := hashOf("source", seed)[:12]
	destinationHash := hashOf("destination", seed)[:12]
	if head := p.repo.head(); head != nil {
		destinationHash = head.hash()[:12]
	}
	var author, mergeCommit, closedBy, source any
	if p.Author != nil {
		author = v.user(*p.Author)
	}
	if p.State == "MERGED" {
		mergeCommit = v.commitStub(p.repo, hashOf("merge", seed)[:12])
	}
	if p.State != "OPEN" {
		closedBy = author
	}
	repo := v.rendered(p.repo).stub
	switch _, slug, _ := strings.Cut(p.Fork, "/"); {
	case p.DeletedFork:
	case slug != "":
		source = v.stubOf(p.Fork, slug, uuidOf("repository", p.Fork))
	default:
		source = repo
	}
	o := object{
		{"comment_count", p.ID % 5, shown},
		{"task_count", p.tasks, shown},
		{"type", "pullrequest", shown},
		{"id", p.ID, shown},
		{"title", p.Title, shown},
		{"description", p.Description, shown},
		{"state", p.State, shown},
		{"draft", p.Draft, shown},
		{"merge_commit", mergeCommit, shown},
		{"close_source_branch", p.ID%2 == 0, shown},
		{"closed_by", closedBy, shown},
		{"author", author, shown},
		{"reason", "", shown},
		{"created_on", timestamp(p.CreatedOn), shown},
		{"updated_on", timestamp(p.UpdatedOn), shown},
		{"destination", v.endpoint(p, p.DestinationBranch, false, destinationHash, repo), shown},
		{"source", v.endpoint(p, p.SourceBranch, true, sourceHash, source), shown},
		{"links", v.pullRequestLinks(p, sourceHash, destinationHash), shown},
		{"summary", rendered(p.Description), shown},
		{"reviewers", v.reviewers(p), hidden},
		{"participants", v.participants(p), hidden},
	}
	if !p.ClosedOn.IsZero() { // an open one has no such member
		o = append(o, member{"closed_on", timestamp(p.ClosedOn), hidden})
	}
	return v.without(o, "draft")
}

// endpoint is the source or the destination. That a deleted branch leaves a null in place of the commit is as
// users report it, in https://github.com/jenkinsci/bitbucket-branch-source-plugin/pull/322, read 2026-11.
func (v view) endpoint(p *pullRequest, branch string, withLinks bool, hash string, repo any) object {
	b := object{{"name", branch, shown}}
	if withLinks && !v.w.options.Old {
		b = append(b, member{"links", object{}, shown})
	}
	var commit any
	if !p.DeletedBranches {
		commit = v.commitStub(p.repo, hash)
	}
	return object{
		{"branch", b, shown},
		{"commit", commit, shown},
		{"repository", repo, shown},
	}
}

func (v view) pullRequestLinks(p *pullRequest, source, destination string) object {
	full, id := v.w.slug+"/"+p.repo.Slug, strconv.Itoa(p.ID)
	repo := v.base + "/repositories/" + full
	self := repo + "/pullrequests/" + id
	spec := "/" + full + ":" + source + "%0D" + destination + "?from_pullrequest_id=" + id + "&topic=true"
	return v.without(links(
		"self", self,
		"html", site+full+"/pull-requests/"+id,
		"commits", self+"/commits",
		"approve", self+"/approve",
		"request-changes", self+"/request-changes",
		"diff", repo+"/diff"+spec,
		"diffstat", repo+"/diffstat"+spec,
		"comments", self+"/comments",
		"activity", self+"/activity",
		"merge", self+"/merge",
		"decline", self+"/decline",
		"statuses", self+"/statuses",
	), "request-changes")
}

func (v view) reviewers(p *pullRequest) list {
	l := make(list, len(p.Reviewers))
	for i, u := range p.Reviewers {
		l[i] = v.user(u)
	}
	return l
}

func (v view) participants(p *pullRequest) list {
	all := p.Participants
	if all == nil {
		for _, u := range p.Reviewers {
			all = append(all, Participant{User: u})
		}
	}
	l := make(list, len(all))
	for i, a := range all {
		role := a.Role
		if role == "" {
			role = "REVIEWER"
		}
		o := object{
			{"type", "participant", shown},
			{"user", v.user(a.User), shown},
			{"role", role, shown},
			{"approved", a.Approved, shown},
			{"participated_on", timestampOrNull(a.ParticipatedOn), shown},
		}
		if !a.NoState && !v.w.options.Old {
			o = append(o, member{"state", textOrNull(a.State), shown})
		}
		l[i] = o
	}
	return l
}

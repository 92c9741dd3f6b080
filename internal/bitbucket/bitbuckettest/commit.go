package bitbuckettest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// commits are those of the repositories.
type commits struct{ repositories *repositories }

// commitItem is a commit in a list.
type commitItem struct{ *commit }

func (c commitItem) tree(v view) object { return v.commitTree(c.repo, c.commit) }

// routes ignore q and sort, which are refused here.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/, and what public clients met, read 2026-11.
func (cs *commits) routes() []*route {
	return []*route{
		{path: "/repositories/{workspace}/{repo_slug}/commits", scope: "repository", granular: "read:repository:bitbucket",
			parameters: []string{"include", "exclude", "path", "page", "pagelen", "fields"}, maxPagelen: 100, handle: cs.list},
		{path: "/repositories/{workspace}/{repo_slug}/commit/{commit}", scope: "repository", granular: "read:repository:bitbucket",
			parameters: []string{"fields"}, handle: cs.get},
	}
}

func (cs *commits) examples(v view) map[string]object {
	r := cs.repositories.all[0]
	return map[string]object{"commit": commitItem{r.head()}.tree(v)}
}

// list has the history of include without that of exclude, the newest first, under page names that are no numbers.
func (cs *commits) list(v view, q *request) *answer {
	r, refusal := cs.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	head := r.head()
	if q.query.Has("include") {
		if head = r.resolve(q.query.Get("include")); head == nil {
			return noCommit(q.query.Get("include"))
		}
	}
	without := map[*commit]bool{}
	if q.query.Has("exclude") {
		c := r.resolve(q.query.Get("exclude"))
		if c == nil {
			return noCommit(q.query.Get("exclude"))
		}
		for ; c != nil; c = c.parent {
			without[c] = true
		}
	}
	var all []item
	for c := head; c != nil && !without[c]; c = c.parent {
		all = append(all, commitItem{c})
	}
	n := 1
	if q.query.Has("page") {
		var err error
		if n, err = strconv.Atoi(strings.TrimPrefix(q.query.Get("page"), "ctx")); err != nil || n < 2 {
			return refuse(http.StatusBadRequest, "Invalid page").noted("bad page")
		}
	}
	return v.page(q, all, n, func(n int) string { return "ctx" + strconv.Itoa(n) }, -1)
}

func (cs *commits) get(v view, q *request) *answer {
	r, refusal := cs.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	c := r.resolve(q.segments[4])
	if c == nil {
		return noCommit(q.segments[4])
	}
	return v.respond(q, commitItem{c}.tree(v))
}

// noCommit is the answer for a commit that is not there.
func noCommit(name string) *answer { return refuse(http.StatusNotFound, "Commit not found: "+name) }

// History returns the hashes of a repository's main branch, the oldest first.
func (cs *commits) History(slug string) (hashes []string) {
	cs.repositories.ws.mu.RLock()
	defer cs.repositories.ws.mu.RUnlock()
	for c := cs.repositories.must(slug).head(); c != nil; c = c.parent {
		hashes = append(hashes, c.hash())
	}
	slices.Reverse(hashes)
	return hashes
}

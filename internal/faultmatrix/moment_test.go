package faultmatrix_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// moment is right before a request of a run reaches its service: the nth one of a
// path. The zero value is before the run.
type moment struct {
	name string
	list listing // of which a page is asked for
	host string
	path string // how it ends, unescaped
	nth  int
}

const (
	repositoriesPath = "/2.0/repositories/acme"
	projectsPath     = "/2.0/workspaces/acme/projects"
)

// Moments that every run has.
var (
	beforeTheRun = moment{name: "before the run"}
	allRead      = moment{name: "when all is read", host: portHost, path: ownedRoute, nth: 1}
	deleting     = moment{name: "before the first deletion", host: portHost, path: "/bulk/entities/delete", nth: 1}
)

func (m moment) is(r *http.Request) bool {
	return r.URL.Host == m.host && strings.HasSuffix(r.URL.Path, m.path)
}

// late is true between two pages of a list.
func (m moment) late() bool { return m.nth > 1 && m.list != files && m.list != overGit }

// listingOf says what the request for a path of Bitbucket reads, of which repository,
// and which part of that; empty for anything else.
func listingOf(path string) (list listing, repo, part string) {
	switch {
	case path == projectsPath:
		return projects, "", ""
	case path == repositoriesPath:
		return repositories, "", ""
	}
	if below, ok := strings.CutSuffix(path, ".git/git-upload-pack"); ok {
		return overGit, strings.TrimPrefix(below, "/acme/"), ""
	}
	repo, route, _ := strings.Cut(strings.TrimPrefix(path, repositoriesPath+"/"), "/")
	name, commit := strings.CutPrefix(route, "src/")
	_, name, _ = strings.Cut(name, "/") // after the hash
	switch {
	case route == "pullrequests":
		return pullRequests, repo, ""
	case strings.HasPrefix(route, "refs/branches"):
		return branches, repo, " " + strings.ReplaceAll(strings.TrimPrefix(route, "refs/branches"), "/", " ")
	case commit && isFile(path):
		return files, repo, ""
	case commit:
		return tree, repo, ", folder " + cmp.Or(strings.ReplaceAll(strings.TrimSuffix(name, "/"), "/", " "), "of the root")
	}
	return "", repo, ""
}

// moments are those of a run in which nothing happened: each request for a list of the
// whole workspace, or of one of the repositories, and of files the first.
func moments(journal []bitbuckettest.Exchange, repos ...string) (all []moment) {
	count, seen := map[string]int{}, map[string]bool{}
	for _, x := range journal {
		path, err := url.PathUnescape(x.Path)
		if err != nil {
			panic(err)
		}
		list, repo, of := listingOf(path)
		if list == "" || repo != "" && !slices.Contains(repos, repo) || list == files && seen[repo] {
			continue
		}
		seen[repo] = seen[repo] || list == files
		if count[path]++; list == tree && count[path] > 2 { // a commit does not move: one moment between its pages is enough
			continue
		}
		m := moment{list: list, host: bitbucketHost, path: path, nth: count[path]}
		if list == overGit {
			m.host = gitHost
		}
		m.name = fmt.Sprintf("before page %d of %s", m.nth, list)
		if repo != "" {
			m.name += " of " + repo + of
		}
		all = append(all, m)
	}
	// The order of requests that are under way at once is not always the same.
	slices.SortFunc(all, func(a, b moment) int { return strings.Compare(a.name, b.name) })
	return all
}

// change is an edit at a moment, and when it is undone.
type change struct {
	edit     edit
	at       moment
	back     moment
	omitSize bool
}

func (c change) String() string {
	name := c.edit.name + "/" + c.at.name
	if c.edit.back != nil {
		name += ", until " + strings.TrimPrefix(c.back.name, "before ")
	}
	if c.omitSize {
		name += "/without size"
	}
	return name
}

// moved is true when the edit falls between two pages of the list that it changes.
func (c change) moved() bool { return c.at.late() && c.at.list == c.edit.list }

// matters is false between two pages of a list that neither the edit moves nor all
// others depend on.
func (e edit) matters(at moment) bool {
	return !at.late() || at.list == e.list || e.list == repositories && at.list != projects
}

// changes are all edits at all moments that may matter to them. Whether a page names the
// size of its list matters between two pages of it, and for an edit that a run finds.
func changes(journal []bitbuckettest.Exchange) (all []change) {
	for _, e := range edits {
		repo := e.repo
		if repo == "" {
			repo = edited
		}
		of := append([]moment{beforeTheRun}, moments(journal, repo)...)
		if e.back == nil {
			of = append(of, allRead, deleting)
		}
		for _, at := range of {
			if !e.matters(at) {
				continue
			}
			if e.back == nil {
				all = append(all, change{edit: e, at: at})
			} else {
				all = append(all, change{edit: e, at: at, back: allRead})
			}
			if c := all[len(all)-1]; c.moved() || at == beforeTheRun {
				c.omitSize = true
				all = append(all, c)
			}
		}
		if e.back != nil { // away from the beginning, and back at each moment that does not need it
			for _, back := range moments(journal, "checkout") {
				if e.matters(back) {
					all = append(all, change{edit: e, at: beforeTheRun, back: back})
				}
			}
		}
	}
	return all
}

// step is a part of a change.
type step struct {
	at   moment
	do   func(*bitbuckettest.Server)
	seen int // requests that fit
}

// plan makes the edit at its moment, and undoes it at the latest when Port is asked what
// there is to delete. The function it returns reports whether all of that has happened.
func (c change) plan(w *world) (done func() bool) {
	steps := []*step{{at: c.at, do: c.edit.apply}}
	if c.edit.back != nil {
		steps = append(steps, &step{at: c.back, do: c.edit.back})
	}
	if c.at == beforeTheRun {
		c.edit.apply(w.bitbucket)
		steps = steps[1:]
	}
	var mu sync.Mutex // guards steps
	w.network.before = func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		for _, s := range steps {
			if s.at.is(r) {
				s.seen++
			}
		}
		for len(steps) > 0 && (steps[0].seen >= steps[0].at.nth || c.edit.back != nil && len(steps) == 1 && allRead.is(r)) {
			steps[0].do(w.bitbucket)
			steps = steps[1:]
		}
	}
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(steps) == 0
	}
}

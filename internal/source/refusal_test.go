package source_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/source"
)

// add adds a repository with a file and a branch "one".
func (w world) add(name string) bitbucket.Repository {
	w.s.AddRepository(bitbuckettest.Repository{Name: name, Files: map[string]string{"a": ""}})
	w.s.AddBranch(name, "one")
	return bitbucket.Repository{Slug: name, MainBranch: "main", Hash: w.s.Head(name)}
}

// root lists the root of a branch.
func (w world) root(r bitbucket.Repository, branch string) error {
	w.memory.Expect(r, branch)
	c, err := w.memory.At(w.Context(), r, branch)
	if err != nil {
		return err
	}
	return c.List(w.Context(), glob.Need{Depth: 1}, source.Visitor{
		Entry: func(glob.Need, source.Entry) {}, Restart: func() {}, Unfinished: func() bool { return false },
	})
}

// However many repositories are asked for at once, the first one is asked alone, and others
// only while that may help: each attempt with a wrong credential may lock an account, and a
// host that is down may answer late.
func TestHostThatRefuses(t *testing.T) {
	for _, tt := range []struct {
		name     string
		fault    bitbuckettest.Fault
		requests int
		within   time.Duration
	}{
		{"wrong credential", bitbuckettest.Fault{Status: http.StatusUnauthorized, Body: "Unauthorized"}, 2 + 1 + 1, time.Minute},
		{"down", bitbuckettest.Fault{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"300"}}}, 9, 10 * time.Minute},
		{"silent", bitbuckettest.Fault{Delay: 24 * time.Hour}, 3, 5 * time.Minute},
	} {
		for _, branch := range []string{"", "one"} {
			for _, only := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s branch %q only git %v", tt.name, branch, only), func(t *testing.T) {
					overGit(t, map[string]string{"a/x": "1"}, source.Options{OnlyGit: only}, func(w world) {
						fault := tt.fault
						fault.Path, fault.Times = "/acme/*.git/**", -1
						w.s.Fault(fault)
						var all sync.WaitGroup
						begin := time.Now()
						for i := range 20 {
							r := w.add(fmt.Sprint("q", i))
							all.Go(func() {
								if err := w.root(r, branch); err != nil != only {
									w.Errorf("%s: got %v", r.Slug, err)
								} else if only && !strings.Contains(err.Error(), r.Slug) {
									w.Errorf("%s: got %v, which does not name it", r.Slug, err)
								}
							})
						}
						all.Wait()
						if got := w.s.GitRequests(); got > tt.requests {
							w.Errorf("got %d requests to the git host, want %d at most", got, tt.requests)
						}
						if took := time.Since(begin); took > tt.within {
							w.Errorf("it took %s, want %s at most", took, tt.within)
						}
					})
				})
			}
		}
	}
}

// A repository that the git host does not have says nothing of others.
func TestManyHiddenRepositories(t *testing.T) {
	overGit(t, map[string]string{"a/x": "1"}, source.Options{}, func(w world) {
		w.s.Fault(bitbuckettest.Fault{Path: "/acme/q*.git/**", Status: http.StatusNotFound, Times: -1})
		for i := range 5 {
			if err := w.root(w.add(fmt.Sprint("q", i)), ""); err != nil {
				w.Error(err)
			}
		}
		if err := w.root(w.repository(), ""); err != nil {
			w.Error(err)
		}
		if got := w.memory.Readings(); got.Git != 1 || len(got.Fallbacks) != 5 || got.Stopped != "" {
			w.Errorf("got %+v, want REST for the hidden ones alone", got)
		}
	})
}

// Answers that stand still in their middle are not waited for at each repository.
func TestAnswersThatStandStill(t *testing.T) {
	overGit(t, map[string]string{"a/x": "1"}, source.Options{}, func(w world) {
		w.s.Fault(bitbuckettest.Fault{Path: "/acme/*.git/git-upload-pack", StallBody: 20, Times: -1})
		begin := time.Now()
		for i := range 10 {
			if err := w.root(w.add(fmt.Sprint("q", i)), ""); err != nil {
				w.Error(err)
			}
		}
		if got, took := w.memory.Readings(), time.Since(begin); took > 4*time.Minute || got.Stopped != "the git host gave no answer: nothing came for 1m0s" {
			w.Errorf("it took %s, and git was given up for %q, want 3 minutes, and that nothing came", took, got.Stopped)
		}
	})
}

// Many large files that are alike are no reason for anything.
func TestLargeFilesOverGit(t *testing.T) {
	text := strings.Repeat("0123456789\n", 500)
	files := map[string]string{}
	for i := range 20 {
		files[fmt.Sprintf("p%02d/package-lock.json", i)] = text + fmt.Sprint(i) + text
	}
	overGit(t, files, source.Options{MaxFile: 2000}, func(w world) {
		w.s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{Deltas: gitwiretest.OfsDeltas}})
		c := w.commit()
		var paths []string
		for path := range files {
			paths = append(paths, path)
		}
		if err := c.Fetch(w.Context(), paths); err != nil {
			w.Error(err)
		}
		if got := w.memory.Readings(); len(got.Fallbacks) > 0 {
			w.Errorf("got %+v, want none of REST", got)
		}
	})
}

// What fails at once fails for one reason: when it has passed, git goes on.
func TestShortOutage(t *testing.T) {
	overGit(t, map[string]string{"a/x": "1"}, source.Options{}, func(w world) {
		if err := w.root(w.repository(), ""); err != nil {
			w.Fatal(err)
		}
		const n = 10
		w.s.Fault(bitbuckettest.Fault{Path: "/acme/q*.git/**", Status: http.StatusBadGateway, Times: n * 3})
		var all sync.WaitGroup
		for i := range n {
			r := w.add(fmt.Sprint("q", i))
			all.Go(func() {
				if err := w.root(r, ""); err != nil {
					w.Error(err)
				}
			})
		}
		all.Wait()
		if err := w.root(w.add("next"), ""); err != nil {
			w.Error(err)
		}
		if got := w.memory.Readings(); got.Git != 2 || len(got.Fallbacks) != n || got.Stopped != "" {
			w.Errorf("got %+v, want REST for %d repositories, and git for the next one", got, n)
		}
	})
}

// Whoever is shut out must log in: no other fix helps.
func TestShutOutByTheGitHost(t *testing.T) {
	overGit(t, map[string]string{"a/x": "1"}, source.Options{}, func(w world) {
		fired := w.s.Fault(bitbuckettest.Fault{Path: "/acme/*.git/**", Times: -1, Status: http.StatusForbidden,
			Body: "Too many invalid password attempts. Log in at https://id.atlassian.com/ to restore access."})
		for i := range 5 {
			if err := w.root(w.add(fmt.Sprint("q", i)), ""); err != nil {
				w.Error(err)
			}
		}
		if got := w.memory.Readings(); got.Stopped != "git host: 403 Forbidden" || !strings.HasPrefix(got.StoppedFix, "log in at https://id.atlassian.com") || fired() != 1 {
			w.Errorf("got %+v after %d requests, want a fix that tells to log in, after one", got, fired())
		}
	})
}

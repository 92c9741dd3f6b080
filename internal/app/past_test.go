package app_test

import (
	"context"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// pullRequests maps the open pull requests of each repository.
const pullRequests = `resources:
  - kind: pull-request
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: .destination.repository.full_name + "-" + (.id | tostring)
          title: .title
          blueprint: '"bitbucketPullRequest"'
`

// remembering is a world of three repositories with a pull request each, that remembers.
func remembering(t *testing.T) *world {
	t.Helper()
	w := virtual(t, smallBitbucket())
	for _, slug := range []string{"checkout", "ledger", "refunds"} {
		w.bitbucket.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "one"})
	}
	maps.Copy(w.env, map[string]string{"STATE_DIR": "memory", "MAPPING": pullRequests})
	return w
}

// asked runs once, and returns for which paths Bitbucket was asked.
func (w *world) asked(env map[string]string) (ran, []string) {
	w.t.Helper()
	before := w.bitbucket.Requests()
	r := w.run(env)
	var paths []string
	for _, x := range w.bitbucket.Journal()[before:] {
		paths = append(paths, strings.TrimPrefix(x.Path, "/2.0/repositories/acme"))
	}
	slices.Sort(paths)
	return r, paths
}

// wantAsked compares for what a run asked, the list of repositories left out.
func wantAsked(t *testing.T, what string, got []string, slugs ...string) {
	t.Helper()
	want := []string{""}
	for _, slug := range slugs {
		want = append(want, "/"+slug+"/pullrequests")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: requests (-want +got):\n%s", what, diff)
	}
}

// cutOff is a run that the time limit ends while two lists of pull requests are read.
func (w *world) cutOff() {
	w.t.Helper()
	for _, slug := range []string{"ledger", "refunds"} {
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/" + slug + "/pullrequests", Times: -1, Delay: time.Hour})
	}
	r := w.run(map[string]string{"TIME_LIMIT": "70s"})
	r.check(w.t, 3, "partial")
	w.bitbucket.ClearFaults()
}

// A run that was cut off is gone on with; one that was not is not.
func TestCutOffRunGoesOn(t *testing.T) {
	t.Parallel()
	w := remembering(t)
	synctest.Test(t, func(t *testing.T) {
		w.cutOff()
		r, paths := w.asked(nil)
		r.check(t, 0, "success")
		wantAsked(t, "after a run that was cut off", paths, "ledger", "refunds")
		_, paths = w.asked(nil)
		wantAsked(t, "after a run that was not", paths, "checkout", "ledger", "refunds")

		w.cutOff()
		time.Sleep(time.Hour)
		_, paths = w.asked(nil)
		wantAsked(t, "an hour after a run that was cut off", paths, "checkout", "ledger", "refunds")
		w.cutOff()
		_, paths = w.asked(map[string]string{"RESUME_AGE": "1m"})
		wantAsked(t, "more than resume_age after it", paths, "checkout", "ledger", "refunds")
		w.checkClean()
	})
}

// A run that a signal ends is gone on with.
func TestStoppedRunGoesOn(t *testing.T) {
	t.Parallel()
	w := remembering(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		w.bitbucket.OnRequest(func(_ int, r *http.Request) {
			if strings.Contains(r.URL.Path, "/ledger/") {
				time.Sleep(time.Second)
				stop()
			}
		})
		r := w.runContext(ctx, nil)
		r.check(t, 1, "failed")
		w.bitbucket.OnRequest(nil)
		_, paths := w.asked(nil)
		wantAsked(t, "after it", paths, "ledger")
	})
}

// A mistake of the program costs nothing of what was read.
func TestCrashedRunGoesOn(t *testing.T) {
	t.Parallel()
	w := remembering(t)
	synctest.Test(t, func(t *testing.T) {
		network := w.transport
		w.transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "/ledger/") {
				time.Sleep(time.Second)
				panic("a mistake")
			}
			return network.RoundTrip(r)
		})
		r := w.run(nil)
		r.check(t, 1, "failed")
		r.contains(t, "internal error: a mistake")
		w.transport = network
		_, paths := w.asked(nil)
		wantAsked(t, "after it", paths, "ledger")
	})
}

// What a run that is killed leaves behind, at any moment after Port was told of it, is known
// to be the newest memory.
func TestKilledRunIsTheLast(t *testing.T) {
	t.Parallel()
	w := remembering(t)
	synctest.Test(t, func(t *testing.T) {
		w.cutOff()
		time.Sleep(time.Minute)
		w.bitbucket.OnRequest(func(int, *http.Request) {
			if err := os.CopyFS(filepath.Join(w.dir, "killed"), os.DirFS(filepath.Join(w.dir, "memory"))); err != nil {
				t.Error(err)
			}
			w.bitbucket.OnRequest(nil)
		})
		w.run(nil)
		_, paths := w.asked(map[string]string{"STATE_DIR": "killed"})
		wantAsked(t, "after it", paths, "ledger", "refunds")
	})
}

// Where Port shows that a run began of which the memory knows nothing, the memory is an older
// one that has come back: no list is taken from it, and the run says so.
func TestOlderMemoryComesBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		between func(w *world)
		lost    bool
	}{
		{"nothing", func(*world) {}, false},
		{"a run with another memory", func(w *world) { w.run(map[string]string{"STATE_DIR": "other"}) }, true},
		{"a run without one", func(w *world) { w.run(map[string]string{"STATE_DIR": ""}) }, true},
		{"a run that does not tell Port", func(w *world) { w.run(map[string]string{"STATE_DIR": "", "SYNC_STATUS": "false"}) }, false},
		{"a plan", func(w *world) { w.run(map[string]string{"MODE": "plan", "STATE_DIR": ""}) }, false},
		{"the integration is made anew", func(w *world) { w.port.PutIntegration(identifier, map[string]any{"resyncState": nil}) }, false},
		{"Port shows what is no time", func(w *world) {
			w.port.PutIntegration(identifier, map[string]any{"resyncState": map[string]any{"lastResyncStart": "soon"}})
		}, false},
		{"Port shows a later start", func(w *world) {
			w.port.PutIntegration(identifier, map[string]any{"resyncState": map[string]any{"lastResyncStart": time.Now().UTC().Format(time.RFC3339)}})
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := remembering(t)
			synctest.Test(t, func(t *testing.T) {
				w.cutOff()
				time.Sleep(time.Minute)
				tt.between(w)
				r, paths := w.asked(nil)
				r.check(t, 0, "success")
				want := []string{"ledger", "refunds"}
				if tt.lost {
					want = append([]string{"checkout"}, want...)
				}
				wantAsked(t, "asked", paths, want...)
				if got := strings.Contains(r.stderr, "INFO  lists are not taken from memory: Port shows a run that began at "); got != tt.lost {
					t.Errorf("told: got %v, want %v:\n%s", got, tt.lost, r.stderr)
				}
			})
		})
	}
}

// What was found to be lost once is not used by a later run either, where the bound left no
// request to read it again.
func TestOlderMemoryStaysOld(t *testing.T) {
	t.Parallel()
	w := remembering(t)
	synctest.Test(t, func(t *testing.T) {
		w.run(nil)
		time.Sleep(time.Minute)
		w.run(map[string]string{"STATE_DIR": "other"})
		for _, want := range []int{0, 1, 2} {
			time.Sleep(time.Minute)
			if got := w.run(map[string]string{"MAX_REQUESTS": "2"}).number(t, "repositories_from_memory"); got != want {
				t.Errorf("got the lists of %d repositories from memory, want %d", got, want)
			}
		}
	})
}

// Why nothing is known from before is one line, and a part of the report.
func TestMemoryThatIsNotUsed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, why string
		before    func(w *world)
		env       map[string]string
	}{
		{name: "the first run", why: "it is empty", before: func(*world) {}},
		{name: "a file in its place", why: "cannot be", before: func(w *world) { w.write("memory", "text") }},
		{name: "another secret", why: "another", before: func(w *world) {
			w.run(nil)
			w.port.AllowClient(clientID, "another-secret")
		}, env: map[string]string{"PORT_CLIENT_SECRET": "another-secret"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := remembering(t)
			synctest.Test(t, func(t *testing.T) {
				tt.before(w)
				r, paths := w.asked(tt.env)
				r.check(t, 0, "success")
				wantAsked(t, "asked", paths, "checkout", "ledger", "refunds")
				line := ""
				for l := range strings.Lines(r.stderr) {
					if strings.HasPrefix(l, "INFO  state_dir") {
						line += l
					}
				}
				if strings.Count(line, "\n") != 1 || !strings.Contains(line, tt.why) || !strings.Contains(line, `state_dir "memory": nothing is known from earlier runs`) || !strings.Contains(line, "see that the folder") {
					t.Errorf("got %q, want one line that says where, why and what to do:\n%s", line, r.stderr)
				}
				memory, _ := r.report["memory"].(map[string]any)
				if why, _ := memory["why"].(string); !strings.Contains(why, tt.why) {
					t.Errorf("report: got %v, want why", memory)
				}
			})
		})
	}
}

// A plan takes what is known and writes nothing, not even where nothing is; validate looks at
// nothing.
func TestPlanOnlyReadsMemory(t *testing.T) {
	t.Parallel()
	w := remembering(t)
	synctest.Test(t, func(t *testing.T) {
		for mode, asks := range map[string]int{"plan": 4, "validate": 0} {
			r, paths := w.asked(map[string]string{"MODE": mode})
			if r.status != 0 || len(paths) != asks {
				t.Errorf("%s: got status %d and requests %q:\n%s", mode, r.status, paths, r.stderr)
			}
			if _, err := os.Stat(filepath.Join(w.dir, "memory")); !os.IsNotExist(err) {
				t.Errorf("%s: the folder is there (%v), want none", mode, err)
			}
		}
		w.cutOff()
		before := files(t, filepath.Join(w.dir, "memory"))
		for range 2 {
			r, paths := w.asked(map[string]string{"MODE": "plan"})
			r.check(t, 0, "success")
			wantAsked(t, "plan", paths, "ledger", "refunds")
		}
		w.run(map[string]string{"MODE": "validate"})
		if diff := cmp.Diff(before, files(t, filepath.Join(w.dir, "memory"))); diff != "" {
			t.Errorf("the folder changes (-before +after):\n%s", diff)
		}
	})
}

// files are the contents of the files of a folder.
func files(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("folder %s: %v, %d files", folder, err, len(all))
	}
	return all
}

// A memory that cannot be written is a warning at the end of a run that is what it is.
func TestMemoryThatIsNotKept(t *testing.T) {
	t.Parallel()
	w := remembering(t)
	synctest.Test(t, func(t *testing.T) {
		w.bitbucket.OnRequest(func(_ int, r *http.Request) {
			_ = os.RemoveAll(filepath.Join(w.dir, "memory"))
			w.write("memory", "in its place")
		})
		r := w.run(nil)
		r.check(t, 0, "success")
		if got := strings.Count(r.stdout+r.stderr, "state_dir: what this run has read is not kept"); got != 1 || !strings.Contains(r.stdout+r.stderr, "fix: give state_dir a folder that can be written to") {
			t.Errorf("told %d times, want once with a fix:\n%s%s", got, r.stdout, r.stderr)
		}
	})
}

// Without state_dir nothing is written, and nothing is said of a memory.
func TestNoMemory(t *testing.T) {
	t.Parallel()
	w := remembering(t)
	synctest.Test(t, func(t *testing.T) {
		w.env["STATE_DIR"] = ""
		w.cutOff()
		r, paths := w.asked(nil)
		r.check(t, 0, "success")
		wantAsked(t, "asked", paths, "checkout", "ledger", "refunds")
		if strings.Contains(r.stdout+r.stderr, "state_dir") || r.report["memory"] != nil {
			t.Errorf("something is said of a memory:\n%s%s%v", r.stdout, r.stderr, r.report["memory"])
		}
		if all, err := os.ReadDir(w.dir); err != nil || len(all) != 1 {
			t.Errorf("got files %v (%v), want the report alone", all, err)
		}
	})
}

// With max_requests as many requests arrive, whatever a run is to read; the run is partial,
// says so, and deletes nothing of what it left out.
func TestMaxRequests(t *testing.T) {
	t.Parallel()
	for most, want := range map[string]struct{ requests, entities int }{
		"1": {1, 0}, "2": {2, 1}, "3": {3, 2}, "4": {4, 3}, "100": {4, 3},
	} {
		t.Run(most, func(t *testing.T) {
			t.Parallel()
			w := remembering(t)
			synctest.Test(t, func(t *testing.T) {
				w.port.PutEntity("bitbucketPullRequest", porttest.Entity{Identifier: "acme/ledger-0", Datasource: datasource})
				w.port.Age(time.Minute)
				r, paths := w.asked(map[string]string{"MAX_REQUESTS": most, "STATE_DIR": ""})
				if len(paths) < want.requests || most != "100" && len(paths) > want.requests {
					t.Errorf("got requests %q, want %d", paths, want.requests)
				}
				if got := r.number(t, "entities_created"); got != want.entities {
					t.Errorf("got %d entities, want %d", got, want.entities)
				}
				if most != "100" {
					r.check(t, 3, "partial")
				}
				if deleted := r.number(t, "entities_deleted"); most != "100" && deleted > 0 {
					t.Errorf("got %d deleted, want none", deleted)
				}
				if want.entities < 3 && !strings.Contains(r.stdout, "max_requests") {
					t.Errorf("nothing is said of max_requests:\n%s", r.stdout)
				}
			})
		})
	}
}

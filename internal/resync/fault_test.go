package resync_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

func TestWrongWorkspace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/web"))
		w.sync(mapped(projects, repos, pulls))
		w.workspace, w.violated = "acne", true
		r := w.sync(mapped(projects, repos, pulls)).ended(report.Failed).is(want{"deleted": 0, "extracted": 0, "kept": 3})
		r.problem("error", "404", `bitbucket_workspace ("acne")`)
	})
}

func TestRepositoryThatDisappears(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T, files bool) (*world, string) {
		b := acme("PAY/api", "PAY/gone", "PAY/web")
		for _, slug := range b.Slugs() {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
		}
		w := newWorld(t, b)
		if files {
			return w, mapped(projects, strings.Replace(repos, "query: 'true'", "query: '.__includedFiles != 0', includedFiles: [README.md]", 1))
		}
		return w, mapped(projects, repos, pulls)
	}
	for _, files := range []bool{false, true} {
		t.Run(fmt.Sprintf("files %v", files), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, m := setup(t, files)
				w.sync(m).ended(report.Success)
				w.bitbucket.OnRequest(func(_ int, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/pullrequests") || strings.Contains(r.URL.Path, "/src/") {
						w.bitbucket.OnRequest(nil)
						w.bitbucket.RemoveRepository("gone")
					}
				})
				r := w.sync(m).ended(report.Success)
				r.problem("warning", "disappeared during the run", "gone")
				if files {
					r.has("repo", "api", "web")
				} else {
					r.has("pull", "api-1", "web-1").has("repo", "api", "gone", "web")
				}
				w.sync(m).ended(report.Success).has("repo", "api", "web")
			})
		})
	}
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	m := mapped(projects, repos, pulls)
	t.Run("before anything is listed", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, acme("PAY/api", "PAY/web"))
			w.sync(m)
			w.bitbucket.RemoveRepository("web")
			w.timeLimit = time.Second
			w.bitbucket.Fault(bitbuckettest.Fault{Times: -1, Delay: 10 * time.Second})
			r := w.sync(m).ended(report.Partial).is(want{"extracted": 0, "deleted": 0, "kept": 3})
			r.problem("warning", "time limit")
			if got, want := r.report.ExitStatus(report.Incomplete), 3; got != want {
				t.Errorf("exit status: got %d, want %d", got, want)
			}
		})
	})
	t.Run("in the middle: what is known is written", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := bitbuckettest.Sample()
			w := newWorld(t, b)
			w.sync(m)
			b.RemoveRepository("checkout-api")
			b.AddRepository(bitbuckettest.Repository{Name: "new", ProjectKey: "PAY"})
			w.timeLimit = 5 * time.Second
			b.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/pullrequests", Times: -1, Delay: time.Second})
			start := time.Now()
			r := w.sync(m).ended(report.Partial).is(want{"created": 1, "deleted": 0})
			r.heldBy("repo", "time limit", 1)
			if took := time.Since(start); took > 6*time.Second {
				t.Errorf("took %s, want the end of the time limit", took)
			}
			if n := r.report.Resources[2].Extracted; n == 0 || n >= 236 {
				t.Errorf("pull requests extracted: got %d, want some of 236", n)
			}
		})
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	errSignal := errors.New("SIGTERM")
	m := mapped(projects, repos, pulls)
	for _, after := range []time.Duration{0, 500 * time.Millisecond, 3 * time.Second, 7 * time.Second, 12 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, bitbuckettest.Sample())
				w.sync(m)
				w.bitbucket.RemoveRepository("checkout-api")
				for _, slug := range w.bitbucket.Slugs() {
					w.bitbucket.UpdateRepository(slug, func(r *bitbuckettest.Repository) { r.Language = "changed" })
				}
				w.bitbucket.Fault(bitbuckettest.Fault{Times: -1, Delay: time.Second})
				w.port.Fault(porttest.Fault{Path: "/v1/blueprints/**", Times: -1, Delay: time.Second})
				ctx, cancel := context.WithCancelCause(context.Background())
				time.AfterFunc(after, func() { cancel(errSignal) })
				start := time.Now()
				w.unequal = true // what is lost on the way may have been stored
				r := w.syncContext(ctx, m).ended(report.Failed).is(want{"deleted": 0})
				if !errors.Is(r.err, errSignal) {
					t.Errorf("error: got %v, want %v", r.err, errSignal)
				}
				if took := time.Since(start) - after; took > time.Second {
					t.Errorf("took %s to stop, want at most a second", took)
				}
				if len(r.after["repo"]) != len(r.before["repo"]) {
					t.Errorf("repos: got %d, want all %d", len(r.after["repo"]), len(r.before["repo"]))
				}
			})
		})
	}
}

func TestMissingScopeEndsTheResource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := bitbuckettest.Sample()
		w := newWorld(t, b)
		b.AllowToken("workspace-token", bitbuckettest.Access{Limit: -1, Scopes: []string{"project", "repository"}})
		w.violated = true // a missing scope
		r := w.sync(mapped(projects, repos, pulls)).ended(report.Partial).is(want{"created": 126})
		if n := len(r.requests); n > 2+1+2*30 {
			t.Errorf("requests: got %d, want those of pull requests to end after the first refusal", n)
		}
		r.problem("error", "missing scopes: pullrequest")
	})
}

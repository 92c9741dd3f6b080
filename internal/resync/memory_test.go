package resync_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
	kept "port-bitbucket-exporter/internal/state"
)

// remembers lets the runs of a world take what they read from each other, up to an age, as if
// none had come to its end.
func (w *world) remembers(age time.Duration) {
	store, _ := kept.Open(kept.Config{Folder: w.t.TempDir(), Secret: "s", Workspace: "acme", Identifier: "test"})
	w.adjust = func(j *resync.Job) { j.State, j.ResumeAge = store, age }
}

// told is what a report says of the memory, without what that saves.
func (r result) told(want report.Memory) result {
	r.t.Helper()
	got := r.report.Memory
	got.Saved = 0
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("memory (- want, + got):\n%s", diff)
	}
	return r
}

// What comes from memory is mapped, written and counted as what was just read. It keeps what
// it may have given since, and nothing else.
func TestFromMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("PAY/a", "PAY/b", "PAY/c")
		for _, slug := range b.Slugs() {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "one"})
		}
		w := newWorld(t, b)
		m := mapped(everything, repos, pulls, strings.Replace(pulls, "'true'", ".id == 1", 1))
		w.remembers(24 * time.Hour)
		readAt := time.Now().UTC()
		remembering := w.adjust
		w.sync(m).ended(report.Success).told(report.Memory{Reported: true})
		w.adjust = nil
		b.AddPullRequest("a", bitbuckettest.PullRequest{Title: "two"})
		w.sync(m).ended(report.Success).has("pull", "a-1", "a-2", "b-1", "c-1").told(report.Memory{})
		time.Sleep(2 * time.Hour)
		b.RemoveRepository("c")
		b.RemovePullRequest("b", 1)
		w.adjust = remembering
		r := w.sync(m).ended(report.Success).is(want{"extracted": 6, "filtered": 0, "unchanged": 4, "merged": 2, "deleted": 2, "kept": 1, "requests": 2})
		r.has("pull", "a-1", "a-2", "b-1").has("repo", "a", "b").told(report.Memory{Reported: true, Repositories: 2, OldestReadAt: readAt})
		r.heldBy("pull", "resource 2 (pull-request): the lists of 2 repositories come from memory, and the oldest was read at 2000-01-01T00:00:00Z", 1)
		for _, res := range r.report.Resources {
			if !res.Complete || !res.Listed {
				t.Errorf("resource %d: got listed %v, complete %v", res.Index, res.Listed, res.Complete)
			}
		}
		time.Sleep(23 * time.Hour)
		w.sync(m).ended(report.Success).is(want{"deleted": 1, "kept": 0}).has("pull", "a-1", "a-2").told(report.Memory{Reported: true})
	})
}

// A forecast says what memory saves: the contents of each commit that is known, and what a
// run has read that was cut off. What this run itself has read saves nothing.
func TestForecastOfWhatIsKnown(t *testing.T) {
	skipShort(t)
	bubble(t, func(t *testing.T) {
		b := numberedPlain(40)
		for _, slug := range b.Slugs() {
			b.SetFile(slug, "port.yml", []byte("a: 1"))
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "one"})
		}
		w := newWorld(t, b)
		w.remembers(0)
		remembering := w.adjust
		forecast := func(adjust func(*resync.Job)) string {
			var log bytes.Buffer
			w.adjust = func(j *resync.Job) {
				remembering(j)
				adjust(j)
				j.Log = slog.New(slog.NewTextHandler(&log, nil))
			}
			w.sync(mapped(everything, portFiles, pulls)).ended(report.Success)
			_, text, _ := strings.Cut(log.String(), "forecast for 40 repositories: about ")
			text, _, _ = strings.Cut(text, ";")
			return text
		}
		asks := func(*resync.Job) {}
		for i, c := range []struct {
			want   string
			adjust func(*resync.Job)
		}{
			{"81 requests", asks},
			{"81 requests, 40 of them known: 41", asks},
			{"81 requests, 80 of them known: 1", func(j *resync.Job) { j.ResumeAge = time.Hour }},
		} {
			if got := forecast(c.adjust); got != c.want {
				t.Errorf("run %d: got %q, want %q", i+1, got, c.want)
			}
		}
		b.SetFile("r7", "port.yml", []byte("a: 2"))
		if got, want := forecast(asks), "81 requests, 39 of them known: 42"; got != want {
			t.Errorf("one has moved: got %q, want %q", got, want)
		}
	})
}

// Objects from memory are examples for Port's mapping editor, too.
func TestExamplesFromMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a")
		b.AddPullRequest("a", bitbuckettest.PullRequest{Title: "one"})
		w := newWorld(t, b)
		w.remembers(time.Hour)
		remembering := w.adjust
		var shown [2][]string
		for run := range shown {
			w.adjust = func(j *resync.Job) {
				remembering(j)
				j.Watch = resync.Watch{Examples: 2, Copy: func(o map[string]any) map[string]any { return o }, Example: func(kind string, o map[string]any) {
					shown[run] = append(shown[run], fmt.Sprint(kind, " ", o["title"]))
				}}
			}
			w.sync(mapped(pulls))
		}
		if want := []string{"pull-request one"}; !slices.Equal(shown[0], want) || !slices.Equal(shown[1], want) {
			t.Errorf("got %q and then %q, want %q", shown[0], shown[1], want)
		}
	})
}

// What max_requests leaves out is unread: one problem counts it, and nothing of it goes.
func TestLeftOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := numbered(6)
		for _, slug := range b.Slugs() {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "one"})
			b.SetFile(slug, "port.yml", []byte("a: 1"))
		}
		w := newWorld(t, b)
		w.concurrency = 1
		m := mapped(everything, pulls, portFiles)
		w.sync(m).ended(report.Success).told(report.Memory{})
		for _, slug := range b.Slugs() {
			b.RemovePullRequest(slug, 1)
			b.RemoveFile(slug, "port.yml")
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "two"})
		}
		w.maxRequests = 4 // the list of repositories, and three of pull requests
		r := w.sync(m).ended(report.Partial).is(want{"requests": 4, "deleted": 0, "failed": 0, "created": 3})
		if !r.report.Has(report.NotAsked) || r.report.Has(report.Unread) || r.report.ExitStatus(report.Incomplete) != 3 || !r.report.CutOff {
			t.Errorf("not asked %v, unread %v, exit status %d, cut off %v", r.report.Has(report.NotAsked), r.report.Has(report.Unread), r.report.ExitStatus(report.Incomplete), r.report.CutOff)
		}
		r.told(report.Memory{Reported: true, NotAsked: 6, MaxRequests: 4})
		p := r.problem("error", `resource 1 (pull-request): lists of repositories were not asked for, since max_requests (4) was reached`, `first: repository "`, "raise max_requests")
		q := r.problem("error", `resource 2 (file): contents of repositories were not asked for, since max_requests (4) was reached`, `repository "r00"`, "raise max_requests")
		if p.Count != 3 || q.Count != 6 {
			t.Errorf("got %d and %d repositories, want 3 and 6", p.Count, q.Count)
		}
		r.heldBy("service", "resource 2 (file): not everything of 6 repositories was asked for, since max_requests was reached", 6)
		for _, res := range r.report.Resources {
			if res.Complete || !res.Listed {
				t.Errorf("resource %d: got listed %v, complete %v", res.Index, res.Listed, res.Complete)
			}
		}
	})
}

// What is stale goes only when the lists can be read again within the bound, and what was
// read is deleted then.
func TestSecondReadingWithinTheBound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b")
		b.AddPullRequest("a", bitbuckettest.PullRequest{Title: "one"})
		w := newWorld(t, b)
		m := mapped(everything, repos, pulls)
		w.sync(m).ended(report.Success)
		b.RemovePullRequest("a", 1)
		w.maxRequests = 3
		r := w.sync(m).ended(report.Partial).is(want{"requests": 3, "deleted": 0, "kept": 1})
		r.problem("error", "the lists were not read again before the deletion, since max_requests (3) was reached: nothing of them is deleted", "raise max_requests")
		if errors := r.report.Problems().Errors(); len(errors) != 1 || errors[0].Count != 1 {
			t.Errorf("got errors %v, want one", errors)
		}
		w.maxRequests = 4
		r = w.sync(m).ended(report.Success).is(want{"requests": 4, "deleted": 1, "kept": 0}).told(report.Memory{Reported: true, MaxRequests: 4})
		w.maxRequests = 5
		if next := w.sync(m).ended(report.Success); !r.report.CutOff || next.report.CutOff {
			t.Errorf("cut off: got %v with no request left, and %v with one", r.report.CutOff, next.report.CutOff)
		}
	})
}

// A list of repositories that the bound cuts is one that was not read to its end.
func TestListThatTheBoundCuts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := numberedPlain(110)
		w := newWorld(t, b)
		m := mapped(everything, slugs)
		w.sync(m).ended(report.Success).is(want{"created": 110})
		b.RemoveRepository("r1")
		w.maxRequests = 1
		r := w.sync(m).ended(report.Partial).is(want{"deleted": 0, "requests": 1})
		r.heldBy("repo", "resource 1 (repository) was not read completely", 10).problem("error", "list repositories", "max_requests", "run again")
	})
}

package datasource_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/datasource"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

const metrics = "/ingest/metrics/**"

func requests(s *porttest.Server, part string) (n int) {
	for _, x := range s.Journal() {
		if strings.Contains(x.Path, part) {
			n++
		}
	}
	return n
}

// A part of the page that fails twice in a row is left, at once where it would fail
// again or takes long; a failure between answers costs nothing more.
func TestPartsThatFail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		fault    porttest.Fault
		failures int // of the sync status, and where 0, none
		requests int // each call has a second attempt
	}{
		{"no fault", porttest.Fault{Path: "/nowhere"}, 0, 10},
		{"always", porttest.Fault{Path: metrics, Times: -1, Status: 503}, 2, 4},
		{"too many requests", porttest.Fault{Path: metrics, Times: -1, Status: 429}, 1, 3},
		{"for good", porttest.Fault{Path: metrics, Times: -1, Status: 403}, 1, 1},
		{"slowly", porttest.Fault{Path: metrics, Times: -1, Status: 503, Delay: 3 * time.Second}, 1, 2},
		{"not too slowly", porttest.Fault{Path: metrics, Times: -1, Status: 503, Delay: 2 * time.Second}, 2, 4},
		{"once", porttest.Fault{Path: metrics, Nth: 2, Times: 2, Status: 503}, 1, 11},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := porttest.New()
				s.Fault(tt.fault)
				p := begun(t, s, "a")
				time.Sleep(66 * time.Second) // 13 beats, 6 of the heart, and two durations once
				failures := finish(p, port.Completed)
				if tt.failures == 0 && len(failures) > 0 || tt.failures > 0 && (len(failures) != 1 || failures[0].What != "the sync status of this run" || failures[0].Count != tt.failures) {
					t.Errorf("got %v, want %d of the sync status", failures, tt.failures)
				}
				if got := requests(s, "/ingest/metrics/"); got != tt.requests {
					t.Errorf("got %d requests, want %d", got, tt.requests)
				}
				if got := s.DataSource("acme").ResyncState.Status; got != "completed" {
					t.Errorf("got state %q, want completed", got)
				}
			})
		})
	}
}

// The state of the run is not given up for being slow: only for failing twice.
func TestSlowState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := porttest.New()
		s.Fault(porttest.Fault{Path: "/v1/integration/acme/resync-state", Status: 503, Delay: 3 * time.Second, Times: 2})
		p := begun(t, s, "a")
		failures := finish(p, port.Completed)
		if len(failures) != 1 || failures[0].What != "the state of this run" || failures[0].Count != 1 {
			t.Errorf("got %v, want one failure of the state", failures)
		}
		if got := s.DataSource("acme").ResyncState.Status; got != "completed" {
			t.Errorf("got state %q, want completed", got)
		}
	})
}

// After a signal the state goes first, and all is over within three seconds.
func TestAborted(t *testing.T) {
	t.Parallel()
	for _, delay := range []time.Duration{0, 10 * time.Second} {
		t.Run(delay.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := porttest.New()
				p := begun(t, s, "a")
				synctest.Wait()
				s.ResetJournal()
				s.Fault(porttest.Fault{Path: "/**", Times: -1, Delay: delay, Apply: true})
				ctx, stop := context.WithCancel(t.Context())
				stop()
				start := time.Now()
				p.Log("INFO", "the last line", diag.About{})
				p.Finish(ctx, datasource.End{Status: port.Aborted, At: time.Now(), Report: &report.Report{}})
				if took := time.Since(start); took > 3*time.Second || delay > 0 && took < time.Second {
					t.Errorf("took %s, want at most 3s", took)
				}
				if first := s.Journal()[0].Path; !strings.HasSuffix(first, "/resync-state") {
					t.Errorf("first came %s, want the state", first)
				}
				if delay > 0 {
					return
				}
				page := s.DataSource("acme")
				if page.ResyncState.Status != "aborted" || len(page.Logs) != 1 || page.Syncs[0].Kinds["a-0"].State != "aborted" {
					t.Errorf("got state %q, %d lines, row %+v", page.ResyncState.Status, len(page.Logs), page.Syncs[0].Kinds["a-0"])
				}
			})
		})
	}
}

// underWay delivers the first state of a run after half a second, also when the caller has given it
// up by then: it is on its way, and nobody can call it back.
type underWay struct {
	http.RoundTripper
	sent atomic.Bool
}

func (u *underWay) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/resync-state") || u.sent.Swap(true) {
		return u.RoundTripper.RoundTrip(r)
	}
	type answer struct {
		resp *http.Response
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		time.Sleep(500 * time.Millisecond)
		resp, err := u.RoundTripper.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
		answered <- answer{resp, err}
	}()
	select {
	case a := <-answered:
		return a.resp, a.err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// A signal right at the beginning: the last state that Port is told is that the run was aborted.
func TestAbortedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := porttest.New()
		p := begunOver(t, s, &underWay{RoundTripper: s.RoundTripper()}, 0, "a")
		synctest.Wait()
		ctx, stop := context.WithCancel(t.Context())
		stop()
		p.Finish(ctx, datasource.End{Status: port.Aborted, At: time.Now(), Report: &report.Report{}})
		time.Sleep(time.Second)
		if got := s.DataSource("acme").ResyncState.Status; got != "aborted" {
			t.Errorf("got state %q, want aborted", got)
		}
	})
}

// At the end every row has its last numbers, its state and how long it took.
func TestRowsOfTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := porttest.New()
		p := begun(t, s, "a", "b")
		time.Sleep(time.Second)
		of := &report.Resource{Index: 2, Kind: "b", Listed: true, Complete: true, Counts: report.Counts{Extracted: 9, Unread: 2, Failed: 3, Filtered: 1, Skipped: 1, Created: 1, Updated: 2, Unchanged: 1, Merged: 1, Rejected: 1}}
		p.Resource(of, false)
		time.Sleep(2 * time.Second)
		p.Resource(&report.Resource{Index: 0}, true)
		p.Resource(&report.Resource{Index: 3}, true)
		p.Reconciling()
		time.Sleep(3 * time.Second)
		r := &report.Report{Resources: []*report.Resource{{Index: 1, Kind: "a", Listed: true}, of}, Blueprints: []*report.Blueprint{{Deleted: 2, StaleKept: 1}, {Deleted: 3}}}
		if failed := p.Finish(context.Background(), datasource.End{Status: port.Completed, At: time.Now(), Report: r}); len(failed) > 0 {
			t.Errorf("got failures %v", failed)
		}
		kinds := s.DataSource("acme").Syncs[0].Kinds
		var got []string
		for _, name := range []string{"a-0", "b-1", "__runtime__", "__reconciliation__", "__resync__"} {
			k := kinds[name]
			got = append(got, fmt.Sprintf("%s %d %s %g %gs %v", k.Kind, k.Index, k.State, k.Success, k.Seconds, k.Counts))
		}
		want := []string{
			"a 0 failed 0 0s map[extract:map[failed:0 raw_extracted:0] load:map[failed:0 loaded:0 skipped:0] transform:map[failed:0 filtered_out:0 skipped:0 transformed:0]]",
			"b 1 completed 1 5s map[extract:map[failed:2 raw_extracted:7] load:map[failed:1 loaded:3 skipped:2] transform:map[failed:1 filtered_out:1 skipped:1 transformed:0]]",
			"__runtime__ 2 completed 1 6s map[]",
			"__reconciliation__ 3 completed 1 3s map[delete:map[deleted:5 skipped:1]]",
			"__resync__ 4 completed 1 6s map[]",
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("rows: got (-), want (+):\n%s", diff)
		}
		if failed := finish(p, port.Completed); failed != nil {
			t.Errorf("a second end: got %v, want nothing", failed)
		}
	})
}

// What calls have cost before counts: the rest is for the state at the end.
func TestSpentBefore(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		spent time.Duration
		sent  bool
	}{{19 * time.Second, true}, {20 * time.Second, false}, {29 * time.Second, false}} {
		t.Run(tt.spent.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := porttest.New()
				p := begunAfter(t, s, tt.spent, "a")
				p.Log("INFO", "a line", diag.About{})
				failures := finish(p, port.Completed)
				page := s.DataSource("acme")
				if page.ResyncState.Status != "completed" || (len(page.Logs) == 1) != tt.sent || (len(page.Syncs) == 1) != tt.sent || (len(failures) == 0) != tt.sent {
					t.Errorf("got state %q, %d lines, %d syncs, %v, want them sent: %t", page.ResyncState.Status, len(page.Logs), len(page.Syncs), failures, tt.sent)
				}
				for _, f := range failures {
					if !strings.Contains(f.Err.Error(), "used up") {
						t.Errorf("got %v, want that the time is used up", f)
					}
				}
			})
		})
	}
}

// An example that is too large even when it is cut is left out, to the byte.
func TestLargestExample(t *testing.T) {
	t.Parallel()
	p := datasource.New(redact)
	object := func(n int) map[string]any { // of so many bytes as JSON
		o := map[string]any{}
		for size := 2; size < n; {
			value := strings.Repeat("x", min(900, n-size-len(`"k000":"",`)))
			o[fmt.Sprintf("k%03d", len(o))] = value
			size += len(`"k000":"",`) + len(value)
			if size >= n {
				break
			}
		}
		return o
	}
	for _, tt := range []struct {
		n    int
		kept bool
	}{{64<<10 + 1, true}, {64<<10 + 2, false}} { // one comma fewer than members
		if got := p.Copy(object(tt.n)); (got != nil) != tt.kept {
			t.Errorf("%d bytes: kept %t, want %t", tt.n, got != nil, tt.kept)
		}
	}
}

package progress_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/progress"
)

// send sends requests to a service, one after the other, each of which takes so long.
func send(s *progress.Service, n int, each time.Duration) {
	for range n {
		s.Sent()
		time.Sleep(each)
		s.Answered()
	}
}

// lines says how far a run is, again and again, each time after f.
type lines struct {
	t      *testing.T
	record *progress.Record
	before progress.Snapshot
}

func (l *lines) say(want string) {
	l.t.Helper()
	now := l.record.Snapshot()
	if got := now.Line(l.before); got != want {
		l.t.Errorf("got  %q\nwant %q", got, want)
	}
	l.before = now
}

func bubble(t *testing.T, f func(t *testing.T, r *progress.Record)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(t, progress.New()) })
}

// A run that knows nothing says what it knows; with a forecast and a pace it says how long
// the rest takes.
func TestLine(t *testing.T) {
	bubble(t, func(t *testing.T, r *progress.Record) {
		l := lines{t: t, record: r}
		s := r.Source("Bitbucket")
		r.Phase("looking into Port")
		send(r.Service("Port"), 2, time.Second)
		l.say("looking into Port: 2 requests")
		r.Phase("")
		send(s, 1, time.Second)
		l.say("1 request")
		r.Repository(1)
		r.Repository(3)
		r.Repositories(1, 1000)
		r.Expect("Bitbucket", 2011)
		send(s, 11, time.Second/2)
		l.say("12 of 2,011 requests, 1 of 1,000 repositories")
		for range 309 {
			r.Repository(1)
		}
		for range 4100 {
			r.Entity()
		}
		send(s, 600, time.Second/2)
		l.say("612 of 2,011 requests, 310 of 1,000 repositories, 4,100 entities, about 12 minutes left")
		s.Sent()
		time.Sleep(90 * time.Second)
		l.say("613 of 2,011 requests, 310 of 1,000 repositories, 4,100 entities, about 15 minutes left")
		time.Sleep(30 * time.Second)
		l.say("no answer for 2 minutes: 1 request is under way")
		s.Answered()
		time.Sleep(5 * time.Second)
		l.say("nothing new for 5 seconds")
		send(s, 1400, 0)
		r.Repositories(2, 10)
		l.say("2,013 requests, 310 of 1,010 repositories in 2 resources, 4,100 entities")
	})
}

// A wait is said once; then it is said what is left of it.
func TestLineOfAWait(t *testing.T) {
	bubble(t, func(t *testing.T, r *progress.Record) {
		l := lines{t: t, record: r}
		s := r.Source("Bitbucket")
		r.Expect("Bitbucket", 1340)
		s.Allowance(func(int) time.Time { return time.Date(2000, 1, 1, 1, 0, 1, 0, time.UTC) })
		send(s, 1000, 0)
		l.say("1,000 of 1,340 requests, about 60 minutes left")
		w := &progress.Wait{Until: time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC), Why: "the allowance of 1 credential"}
		s.Begin(w)
		l.say("waiting until 01:00:00 UTC for the allowance of 1 credential; then 340 requests")
		time.Sleep(20 * time.Minute)
		l.say("still waiting: 40 minutes until 01:00:00 UTC")
		r.Entity()
		l.say("1,000 of 1,340 requests, 1 entity; waiting until 01:00:00 UTC, about 40 minutes left")
		later := &progress.Wait{Until: time.Now().Add(3 * time.Hour), Why: "Bitbucket, which answered 429"}
		s.Begin(later)
		s.End(w)
		l.say("waiting until 03:20:00 UTC for Bitbucket, which answered 429; then 340 requests")
		s.End(later)
		send(s, 1, 0)
		l.say("1,001 of 1,340 requests, 1 entity, about 40 minutes left")
		port := r.Service("Port")
		port.Begin(&progress.Wait{Until: time.Now().Add(time.Minute), Why: "Port, which answered 429"})
		l.say("waiting until 00:21:00 UTC for Port, which answered 429")
	})
}

// While all requests wait the pace does not change: waiting is no work.
func TestPaceWithoutWaits(t *testing.T) {
	bubble(t, func(t *testing.T, r *progress.Record) {
		s := r.Source("Bitbucket")
		r.Expect("Bitbucket", 200)
		send(s, 100, time.Second)
		w := &progress.Wait{Until: time.Now().Add(time.Hour), Why: "the allowance of 1 credential"}
		s.Begin(w)
		if got := r.Snapshot().Left; got != time.Hour {
			t.Errorf("got %s left, want what the wait takes", got)
		}
		time.Sleep(time.Hour)
		s.End(w)
		if got := r.Snapshot().Left; got != 100*time.Second {
			t.Errorf("got %s left, want 1m40s for 100 requests", got)
		}
	})
}

// Nothing is said about the end before there is something to measure, and after the forecast
// was too low.
func TestNoNonsense(t *testing.T) {
	bubble(t, func(t *testing.T, r *progress.Record) {
		s := r.Source("Bitbucket")
		r.Expect("Bitbucket", 1000)
		for i, c := range []struct {
			requests int
			each     time.Duration
			known    bool
		}{{19, time.Minute, false}, {1, time.Minute, true}, {980, time.Second, false}, {10, time.Second, false}} {
			send(s, c.requests, c.each)
			if got := r.Snapshot().Left; (got > 0) != c.known {
				t.Errorf("step %d: got %s left, want that it is known: %v", i, got, c.known)
			}
		}
	})
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "1 second", 59400 * time.Millisecond: "59 seconds", 119 * time.Second: "119 seconds", 2 * time.Minute: "2 minutes",
		119 * time.Minute: "119 minutes", 2 * time.Hour: "2 hours", 134 * time.Minute: "2 hours and 10 minutes", 25 * time.Hour: "25 hours",
	} {
		if got := progress.Span(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := progress.Number(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The timeline keeps every request and the order of time, however long the run.
func TestTimeline(t *testing.T) {
	bubble(t, func(t *testing.T, r *progress.Record) {
		api, port, again := r.Source("Bitbucket"), r.Service("Port"), r.Source("Bitbucket")
		send(api, 2, time.Second)
		send(again, 1, 0)
		w := &progress.Wait{Why: "the allowance of 1 credential"}
		api.Begin(w)
		time.Sleep(time.Hour)
		api.End(w)
		want := progress.Timeline{Slot: time.Second, Services: []progress.Series{{Name: "Bitbucket", Requests: []int{1, 1, 1}}},
			Waits: []progress.Period{{From: 2 * time.Second, To: time.Hour + 2*time.Second, Service: "Bitbucket", Why: "the allowance of 1 credential"}}}
		if diff := cmp.Diff(r.Timeline(), want); diff != "" {
			t.Errorf("got -, want +\n%s", diff)
		}
		send(port, 100, time.Minute)
		got := r.Timeline()
		if got.Slot != 16*time.Second || len(got.Services) != 2 || len(got.Services[1].Requests) > 600 {
			t.Fatalf("got slots of %s, %d services and %d slots", got.Slot, len(got.Services), len(got.Services[1].Requests))
		}
		sum := 0
		for i, n := range got.Services[1].Requests {
			sum += n
			if first := int((time.Hour + 2*time.Second) / got.Slot); n > 0 && i < first {
				t.Errorf("a request stands in slot %d, want none before %d", i, first)
			}
		}
		if sum != 100 || !slices.Equal(got.Services[0].Requests, []int{3}) {
			t.Errorf("got %d requests to Port and %v to Bitbucket, want 100 and [3]", sum, got.Services[0].Requests)
		}
	})
}

// The periods are bounded, in order, and within the run.
func TestPeriods(t *testing.T) {
	bubble(t, func(t *testing.T, r *progress.Record) {
		services := []*progress.Service{r.Source("Bitbucket"), r.Service("Port")}
		for i := range 1000 {
			s := services[i%2]
			w := &progress.Wait{Why: fmt.Sprint("reason ", i%3)}
			s.Begin(w)
			time.Sleep(time.Duration(2+i%5) * time.Second)
			s.End(w)
			time.Sleep(2 * time.Second)
		}
		open := &progress.Wait{Why: "the end"}
		services[0].Begin(open)
		time.Sleep(time.Minute)
		got := r.Timeline().Waits
		if len(got) > 200 || len(got) < 190 {
			t.Errorf("got %d periods, want 200 at most and not many fewer", len(got))
		}
		ends := map[string]time.Duration{}
		for _, p := range got {
			if p.From < ends[p.Service] || p.To < p.From {
				t.Errorf("period %+v begins before %s, or ends before it begins", p, ends[p.Service])
			}
			ends[p.Service] = p.To
		}
		if last := got[len(got)-1]; last.Why != "the end" || last.To-last.From != time.Minute {
			t.Errorf("got %+v, want the open one to last a minute", last)
		}
	})
}

// Whoever has no record tells nobody.
func TestNone(t *testing.T) {
	t.Parallel()
	var r *progress.Record
	s := r.Source("Bitbucket")
	send(s, 1, 0)
	r.Expect("Bitbucket", 1)
	s.Allowance(nil)
	s.Begin(nil)
	s.End(nil)
	r.Phase("x")
	r.Repositories(1, 1)
	r.Repository(1)
	r.Entity()
	if got := r.Snapshot(); got != (progress.Snapshot{}) || r.News() != nil || r.Timeline().Slot != 0 {
		t.Errorf("got %+v", got)
	}
}

// All may tell at once, and nothing is lost.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := progress.New()
	s := r.Source("Bitbucket")
	r.Repositories(1, 8000)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				w := &progress.Wait{Why: "x"}
				s.Begin(w)
				s.End(w)
				s.Sent()
				r.Repository(1)
				r.Entity()
				s.Answered()
				_ = r.Snapshot()
			}
		})
	}
	all.Wait()
	if got := r.Snapshot(); got.Requests != 8000 || got.Repositories != 8000 || got.Entities != 8000 || got.UnderWay != 0 || got.Waits {
		t.Errorf("got %+v", got)
	}
}

// What happens for each request and each entity allocates nothing.
func TestAllocations(t *testing.T) {
	r := progress.New()
	s := r.Source("Bitbucket")
	if got := testing.AllocsPerRun(1000, func() { s.Sent(); s.Answered(); r.Entity(); r.Repository(1) }); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}

func BenchmarkRequest(b *testing.B) {
	r := progress.New()
	s := r.Source("Bitbucket")
	for b.Loop() {
		s.Sent()
		s.Answered()
	}
}

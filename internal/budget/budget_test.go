package budget_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/budget"
)

const (
	hour = time.Hour
	day  = 24 * hour
)

// now is when the runs of these tests are.
var now = time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

func TestOrder(t *testing.T) {
	t.Parallel()
	all := []budget.Candidate{
		{Key: "old", Cost: 1, Read: ago(17 * time.Hour)},
		{Key: "not due", Cost: 1, Read: ago(18 * time.Hour)},
		{Key: "changed", Cost: 1, Read: ago(time.Hour), Changed: ago(2 * time.Hour)},
		{Key: "changed last", Cost: 1, Read: ago(time.Hour), Changed: ago(time.Hour)},
		{Key: "changed long ago", Cost: 1, Read: ago(2 * time.Hour), Changed: ago(day)},
		{Key: "due", Cost: 1, Read: ago(18*time.Hour + time.Second)},
		{Key: "overdue", Cost: 1, Read: ago(30 * time.Hour)},
		{Key: "moved", Cost: 1, Read: ago(time.Minute), Moved: true},
		{Key: "moved, and older", Cost: 1, Read: ago(time.Hour), Moved: true},
		{Key: "never", Cost: 1},
		{Key: "never either", Cost: 1, Moved: true},
		{Key: "dear", Cost: 5, Read: ago(20 * time.Hour)},
	}
	for _, tt := range []struct {
		n    int
		want string
	}{
		{100, "never, never either, moved, and older, moved, overdue, dear, due, changed last, changed, not due, old, changed long ago"},
		{12, "never, never either, moved, and older, moved, overdue, dear, due, not due"},
		{13, "never, never either, moved, and older, moved, overdue, dear, due, not due, old"},
		{15, "never, never either, moved, and older, moved, overdue, dear, due, changed last, not due, old, changed long ago"},
		{9, "never, never either, moved, and older, moved, overdue, due, not due, old, changed long ago"},
		{5, "never, never either, moved, and older, moved, overdue"},
		{3, "never, never either, moved, and older"},
		{1, "never"},
		{0, ""},
		{-1, ""},
	} {
		if got := strings.Join(budget.Grant(all, tt.n, now, day), ", "); got != tt.want {
			t.Errorf("%d requests: got %s, want %s", tt.n, got, tt.want)
		}
	}
	same := []budget.Candidate{{Key: "a", Cost: 1, Read: ago(hour), Changed: ago(3)}, {Key: "b", Cost: 1, Read: ago(hour), Changed: ago(2)},
		{Key: "c", Cost: 1, Read: ago(hour), Changed: ago(1)}, {Key: "d", Cost: 1, Read: ago(hour)}}
	if got := strings.Join(budget.Grant(same, 3, now, day), " "); got != "c a b" {
		t.Errorf("read at once: got %s, want c, which changed last, and then a b, in their order", got)
	}
	for i := range all { // a candidate for each place
		if slices.Contains(budget.Grant(all[:i], 100, now, day), all[i].Key) {
			t.Errorf("%q is granted and is no candidate", all[i].Key)
		}
	}
}

// candidates draws any.
func candidates(t *rapid.T) []budget.Candidate {
	age := rapid.Map(rapid.Int64Range(0, int64(2*day)), func(n int64) time.Time { return ago(time.Duration(n)) })
	instant := rapid.OneOf(rapid.Just(time.Time{}), age)
	all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) budget.Candidate {
		return budget.Candidate{Cost: rapid.IntRange(0, 9).Draw(t, "cost"), Moved: rapid.Bool().Draw(t, "moved"), Changed: instant.Draw(t, "changed"), Read: instant.Draw(t, "read")}
	}), 0, 30).Draw(t, "candidates")
	for i := range all {
		all[i].Key = fmt.Sprint(i)
	}
	return all
}

func TestNeverMoreThanTheBudget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all, n := candidates(t), rapid.IntRange(0, 150).Draw(t, "n")
		left, urgent := n, 0
		granted := map[string]bool{}
		keys := budget.Grant(all, n, now, day)
		for _, k := range keys {
			granted[k] = true
		}
		if len(granted) != len(keys) {
			t.Fatalf("one is granted twice: %q", keys)
		}
		for _, c := range all {
			if granted[c.Key] {
				left -= c.Cost
			}
			if c.Moved || c.Read.IsZero() {
				urgent += c.Cost
			}
		}
		if left < 0 {
			t.Fatalf("%d requests are granted, and %d more", n, -left)
		}
		for _, c := range all {
			if !granted[c.Key] && c.Cost <= left {
				t.Errorf("%+v is left out, and %d requests are left", c, left)
			}
			if !granted[c.Key] && (c.Moved || c.Read.IsZero()) && urgent <= n {
				t.Errorf("%+v is left out, and all that moved fits", c)
			}
		}
	})
}

// Whatever has changed lately: when nothing moves any more, all is read once within as many runs
// as that takes, and one.
func TestAllIsReadInTurn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := make([]budget.Candidate, rapid.IntRange(1, 200).Draw(t, "candidates"))
		n := rapid.IntRange(1, 250).Draw(t, "n")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for i := range all {
			all[i] = budget.Candidate{Key: strconv.Itoa(i), Cost: 1, Read: ago(time.Duration(random.Int64N(int64(day))))}
			if random.IntN(2) == 0 {
				all[i].Changed = ago(time.Duration(random.Int64N(int64(2 * day))))
			}
		}
		for run := range (len(all)+n-1)/n + 1 {
			at := now.Add(time.Duration(run) * time.Minute)
			for _, key := range budget.Grant(all, n, at, day) {
				i, _ := strconv.Atoi(key)
				all[i].Read = at
			}
		}
		for _, c := range all {
			if c.Read.Before(now) {
				t.Fatalf("%+v was not read in %d runs", c, (len(all)+n-1)/n+1)
			}
		}
	})
}

// Whatever moves and changes: what moved is granted in the next run where it fits, and nothing
// grows too old where what is left beside it suffices to read all once in three quarters of
// maxAge.
func TestNothingGrowsTooOld(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := make([]budget.Candidate, rapid.IntRange(1, 200).Draw(t, "candidates"))
		most := rapid.IntRange(0, len(all)).Draw(t, "moved at most in an hour")
		busy := rapid.IntRange(0, len(all)).Draw(t, "candidates that change")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n := most + (len(all)+17)/18
		for i := range all {
			all[i] = budget.Candidate{Key: strconv.Itoa(i), Cost: 1}
		}
		for hour := range 80 {
			at := now.Add(time.Duration(hour) * time.Hour)
			for range random.IntN(most + 1) {
				all[random.IntN(len(all))].Moved = true
			}
			urgent, unread := 0, 0
			for i := range all {
				if i < busy {
					all[i].Changed = at.Add(-time.Duration(i) * time.Second)
				}
				if all[i].Moved || all[i].Read.IsZero() {
					urgent++
				}
			}
			granted := map[string]bool{}
			for _, k := range budget.Grant(all, n, at, day) {
				granted[k] = true
			}
			for i := range all {
				if c := &all[i]; granted[c.Key] {
					c.Read, c.Moved = at, false
				} else if c.Read.IsZero() {
					unread++
				}
			}
			if slices.ContainsFunc(all, func(c budget.Candidate) bool { return c.Moved }) && urgent <= n {
				t.Fatalf("hour %d: one that moved is not granted, and %d of %d fit", hour, urgent, n)
			}
			for _, c := range all {
				if unread == 0 && at.Sub(c.Read) >= day {
					t.Fatalf("hour %d: one is %s old, with %d requests for %d", hour, at.Sub(c.Read), n, len(all))
				}
			}
		}
	})
}

// Where not all fits that moves in each run, each has its turn all the same.
func TestMovedOnesHaveTheirTurn(t *testing.T) {
	t.Parallel()
	all := make([]budget.Candidate, 50)
	granted := map[string]bool{}
	for hour := range 10 {
		for i := range all {
			all[i].Key, all[i].Cost, all[i].Moved = fmt.Sprint(i), 1, true
		}
		for _, k := range budget.Grant(all, 5, now.Add(time.Duration(hour)*time.Hour), day) {
			granted[k] = true
			i := slices.IndexFunc(all, func(c budget.Candidate) bool { return c.Key == k })
			all[i].Read = now.Add(time.Duration(hour) * time.Hour)
		}
	}
	if len(granted) != len(all) {
		t.Errorf("got %d, want each of %d once in ten runs", len(granted), len(all))
	}
}

package concurrent_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/concurrent"
)

// latency is what the work on one item takes, in virtual time.
const latency = 50 * time.Millisecond

func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// aheadOf reads items with Ahead, at most five at a time, and returns what was under way at
// most.
func aheadOf(t *testing.T, slots concurrent.Slots, items []int, read func(context.Context, int) int, yield func(item, result int) bool) (most int) {
	var mu sync.Mutex
	underWay := 0
	count := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		underWay += n
		most = max(most, underWay)
	}
	for item, result := range concurrent.Ahead(t.Context(), slots, items, func(ctx context.Context, item int) int {
		count(1)
		defer count(-1)
		return read(ctx, item)
	}) {
		if !yield(item, result) {
			break
		}
	}
	if underWay != 0 {
		t.Errorf("under way at the end: got %d, want 0", underWay)
	}
	return most
}

func TestAhead(t *testing.T) {
	items := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	for _, tt := range []struct {
		name        string
		ahead, most int
		rounds      time.Duration
	}{
		{"one at a time", 0, 1, 12},
		{"as many as allowed", 5, 5, 3},
		{"all", 50, 12, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				slots := concurrent.NewSlots(tt.ahead)
				start := time.Now()
				var got []int
				most := aheadOf(t, slots, items, func(_ context.Context, item int) int {
					time.Sleep(latency - time.Duration(item)) // the later ones are done first
					return item * 2
				}, func(item, result int) bool {
					got = append(got, result-item)
					return true
				})
				if most != tt.most {
					t.Errorf("at once: got %d, want %d", most, tt.most)
				}
				if took := time.Since(start).Round(latency); took != tt.rounds*latency {
					t.Errorf("took %v, want %d rounds of %v", took, tt.rounds, latency)
				}
				for i, item := range items {
					if len(got) != len(items) || got[i] != item {
						t.Fatalf("results: got those of %v, want %v", got, items)
					}
				}
			})
		})
	}
}

// What is under way ends when the reader stops, and all places are free again.
func TestAheadIsStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slots := concurrent.NewSlots(5)
		items := make([]int, 20)
		wait := func(ctx context.Context, item int) int {
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(item) * time.Hour):
			}
			return 0
		}
		for i := 1; i < len(items); i++ {
			items[i] = i
		}
		start := time.Now()
		aheadOf(t, slots, items, wait, func(item, _ int) bool { return item < 2 })
		if took := time.Since(start); took != 2*time.Hour {
			t.Errorf("took %v, want 2h: what follows does not end by itself", took)
		}
		if most := aheadOf(t, slots, items, func(context.Context, int) int { time.Sleep(latency); return 0 }, func(int, int) bool { return true }); most != 5 {
			t.Errorf("afterwards at once: got %d, want 5", most)
		}
	})
}

func TestAheadPassesPanicsOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slots := concurrent.NewSlots(5)
		defer func() {
			if v, ok := recover().(string); !ok || !strings.Contains(v, "broken 3") || !strings.Contains(v, "ahead_test.go") {
				t.Errorf("got %v, want the panic of item 3 with its place", v)
			}
		}()
		aheadOf(t, slots, []int{1, 2, 3, 4}, func(_ context.Context, item int) int {
			if item == 3 {
				panic("broken 3")
			}
			return item
		}, func(int, int) bool { return true })
		t.Error("no panic")
	})
}

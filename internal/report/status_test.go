package report

import (
	"fmt"
	"testing"
)

// Every set of causes with every fail_on, against the exit status that each cause has
// by itself: the run has the status of its worst cause, and 1 is worse than 3.
func TestStatusAndExitStatus(t *testing.T) {
	t.Parallel()
	alone := []struct {
		cause                       Cause
		incomplete, rejected, never int
	}{
		{RejectedEntity, 0, 3, 0},
		{FailedExpression, 0, 3, 0},
		{FailedSelector, 3, 3, 0},
		{Unread, 3, 3, 0},
		{Undelivered, 3, 3, 0},
		{TimeLimit, 3, 3, 0},
		{Fatal, 1, 1, 1},
	}
	worse := func(a, b int) int {
		if a == 1 || b == 1 {
			return 1
		}
		return max(a, b)
	}
	for set := range 1 << len(alone) {
		var r Report
		status := "success"
		want := map[FailOn]int{Incomplete: 0, Rejected: 0, Never: 0, "": 0}
		for i, a := range alone {
			if set&(1<<i) == 0 {
				continue
			}
			r.Mark(a.cause)
			want[Incomplete] = worse(want[Incomplete], a.incomplete)
			want[Rejected] = worse(want[Rejected], a.rejected)
			want[Never] = worse(want[Never], a.never)
			if status = "partial"; r.Has(Fatal) {
				status = "failed"
			}
		}
		want[""] = want[Incomplete]
		t.Run(fmt.Sprintf("%07b", set), func(t *testing.T) {
			t.Parallel()
			if got := r.Status(); got != status {
				t.Errorf("status: got %q, want %q", got, status)
			}
			for failOn, want := range want {
				if got := r.ExitStatus(failOn); got != want {
					t.Errorf("exit status with fail_on %q: got %d, want %d", failOn, got, want)
				}
			}
		})
	}
}

package graph_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/graph"
)

func TestPath(t *testing.T) {
	t.Parallel()
	targets := [][]int{{1, 2}, {3}, {3, 0}, {4}, {}, {0}}
	for _, tt := range []struct {
		from, to int
		want     string
	}{{0, 4, "[0 1 3 4]"}, {0, 0, "[0]"}, {5, 3, "[5 0 1 3]"}, {4, 0, "[]"}, {2, 5, "[]"}} {
		if got := fmt.Sprint(graph.Path(targets, tt.from, tt.to)); got != tt.want {
			t.Errorf("%d to %d: got %s, want %s", tt.from, tt.to, got, tt.want)
		}
	}
}

// A component is what leads to each other, and comes after all that it leads to.
func TestComponents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 8).Draw(rt, "vertices")
		targets := make([][]int, n)
		for v := range targets {
			targets[v] = rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 3).Draw(rt, "targets")
		}
		leads := func(a, b int) bool { return graph.Path(targets, a, b) != nil }
		seen := map[int]bool{}
		for _, group := range graph.Components(targets) {
			for _, v := range group {
				if seen[v] {
					rt.Fatalf("%d comes twice", v)
				}
				seen[v] = true
			}
			for v := range n {
				in := slices.Contains(group, v)
				if together := leads(v, group[0]) && leads(group[0], v); together != in {
					rt.Fatalf("%d and %d: got together %t, want %t", v, group[0], in, together)
				}
				if leads(group[0], v) && !seen[v] {
					rt.Fatalf("%d comes before %d, which it leads to", group[0], v)
				}
			}
		}
		if len(seen) != n {
			rt.Fatalf("got %d of %d vertices", len(seen), n)
		}
	})
}

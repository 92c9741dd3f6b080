package scale_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
)

// measure is one column of the table.
type measure struct {
	name  string // and unit
	value func(size, figures) float64
}

var measures = []measure{
	{"peak, MiB", func(_ size, f figures) float64 { return float64(f.peak) / (1 << 20) }},
	{"CPU, s", func(_ size, f figures) float64 { return f.cpu.Seconds() }},
	{"wall, s", func(_ size, f figures) float64 { return f.wall.Seconds() }},
	{"allocations each", func(s size, f figures) float64 { return float64(f.Allocations) / float64(s.all()) }},
	{"allocated, KB each", func(s size, f figures) float64 { return float64(f.Allocated) / 1000 / float64(s.all()) }},
	{"pull requests, MB", func(_ size, f figures) float64 { return float64(f.pullRequestBytes) / 1e6 }},
	{"Bitbucket requests", func(_ size, f figures) float64 { return float64(f.requests) }},
}

// middle is the median.
func middle(values []float64) float64 {
	slices.Sort(values)
	return (values[len(values)/2] + values[(len(values)-1)/2]) / 2
}

// print prints what was measured: median, and in parentheses the least and the most.
func (all measured) print(b *testing.B, programs []program) {
	fmt.Print("\n| entities | run | program |")
	for _, m := range measures {
		fmt.Printf(" %s |", m.name)
	}
	fmt.Print("\n|---|---|---|")
	for range measures {
		fmt.Print("---|")
	}
	fmt.Println()
	keys := make([]key, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.size.entities(), b.size.entities()), cmp.Compare(a.phase, b.phase), -cmp.Compare(a.program, b.program))
	})
	for _, k := range keys {
		fmt.Printf("| %d | %s | %s |", k.size.entities(), k.phase, k.program)
		for _, m := range measures {
			var values []float64
			for _, f := range all[k] {
				values = append(values, m.value(k.size, f))
			}
			median := middle(values)
			if fmt.Printf(" %.4g", median); len(values) > 1 {
				fmt.Printf(" (%.4g-%.4g)", values[0], values[len(values)-1])
			}
			if base := all[key{"before", k.size, k.phase}]; k.program != "before" && len(base) > 0 {
				var values []float64
				for _, f := range base {
					values = append(values, m.value(k.size, f))
				}
				fmt.Printf(" ×%.2f", median/middle(values))
			}
			fmt.Print(" |")
		}
		fmt.Println()
	}
}

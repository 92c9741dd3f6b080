package scale_test

import (
	"fmt"
	"strings"
	"testing"
)

// target is what a measure is to become, as the table shows it.
type target struct {
	measure
	wanted map[phase]string
}

func both(wanted string) map[phase]string { return map[phase]string{first: wanted, unchanged: wanted} }

// targets are those of each size.
var targets = []target{
	{peak, nil},
	{cpu, map[phase]string{first: "≤ ×0.5", unchanged: "≤ ×0.4"}},
	{received, both("≤ ×0.2")},
	{allocations, both("≤ ×0.3")},
}

// peaks are the targets of the largest memory.
func peaks(s setting) map[phase]string {
	switch n := s.entities(); {
	case n > 1_000_000:
		return both("≤ 128 MiB")
	case n > 60_000:
		return both("≤ 48 MiB")
	}
	return nil
}

// comparison is a table of what the targets are about.
type comparison struct {
	measured
	b *testing.B
}

// compare prints and reports both programs, their ratio and the target, size by size.
func (all measured) compare(b *testing.B, settings []setting) {
	c := comparison{all, b}
	fmt.Println()
	row("measure", "entities", "run", baseline, after, "ratio", "target")
	row("---", "---", "---", "---", "---", "---", "---")
	var small, holds setting
	for _, s := range settings {
		switch {
		case s.latency > 0:
			c.rows(s, target{overIdeal, both("≤ 1.05")})
			c.rows(s, target{overService, both("≤ 1.05")})
		case s.held && holds.all() == 0:
			holds = s
		case s.held:
			c.growth("kept of an entity, bytes", holds, s, both("≤ 40"), func(less, more spread) float64 {
				return (more.median - less.median) * (1 << 20) / float64(s.entities()-holds.entities())
			}, held)
		default:
			for _, t := range targets {
				if t.name == peak.name {
					t.wanted = peaks(s)
				}
				c.rows(s, t)
			}
			if small.all() > 0 {
				c.growth("growth of the peak, times", small, s, both("≤ 1.25"), func(less, more spread) float64 { return more.median / less.median }, peak)
			} else {
				small = s
			}
		}
	}
}

// rows is one for each run.
func (c comparison) rows(s setting, t target) {
	for _, phase := range phases {
		var cells [2]string
		var medians [2]float64
		for i, name := range []string{baseline, after} {
			if got, ok := c.of(t.measure, key{name, s, phase}); ok {
				cells[i], medians[i] = got.String(), got.median
			}
		}
		c.row(t.name, fmt.Sprint(s.entities()), phase, cells, medians, t.wanted)
	}
}

// growth is a row for each run of what comes from two sizes.
func (c comparison) growth(name string, less, more setting, wanted map[phase]string, of func(less, more spread) float64, m measure) {
	for _, phase := range phases {
		var cells [2]string
		var values [2]float64
		for i, program := range []string{baseline, after} {
			a, ok := c.of(m, key{program, less, phase})
			b, both := c.of(m, key{program, more, phase})
			if ok && both {
				values[i] = of(a, b)
				cells[i] = fmt.Sprintf("%.4g", values[i])
			}
		}
		c.row(name, fmt.Sprintf("%d to %d", less.entities(), more.entities()), phase, cells, values, wanted)
	}
}

// row prints one, and reports what the program takes of what the other one does.
func (c comparison) row(name, entities string, phase phase, cells [2]string, values [2]float64, wanted map[phase]string) {
	ratio := ""
	if values[0] > 0 && values[1] > 0 {
		ratio = fmt.Sprintf("×%.3f", values[1]/values[0])
		name, _, _ := strings.Cut(name, ",")
		c.b.ReportMetric(values[1]/values[0], strings.ReplaceAll(fmt.Sprintf("%s/%s/%s", name, entities, phase), " ", "-"))
	}
	row(name, entities, string(phase), cells[0], cells[1], ratio, wanted[phase])
}

package scale_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// measure is one column of the table of figures.
type measure struct {
	name  string // and unit
	value func(setting, figures) float64
}

var (
	peak        = measure{"peak, MiB", func(_ setting, f figures) float64 { return float64(f.peak) / (1 << 20) }}
	cpu         = measure{"CPU, ms each", func(s setting, f figures) float64 { return f.cpu.Seconds() * 1000 / float64(s.all()) }}
	allocations = measure{"allocations each", func(s setting, f figures) float64 { return float64(f.Allocations) / float64(s.all()) }}
	allocated   = measure{"allocated, KB each", func(s setting, f figures) float64 { return float64(f.Allocated) / 1000 / float64(s.all()) }}
	received    = measure{"received, KB each", func(s setting, f figures) float64 { return float64(f.pullRequestBytes) / 1000 / float64(s.all()) }}
	requests    = measure{"requests", func(_ setting, f figures) float64 { return float64(f.requests) }}
	wall        = measure{"wall, s", func(_ setting, f figures) float64 { return f.wall.Seconds() }}
	begins      = measure{"first request, ms", func(_ setting, f figures) float64 { return f.begins.Seconds() * 1000 }}
	held        = measure{"held, MiB", func(_ setting, f figures) float64 { return float64(f.Held) / (1 << 20) }}
	service     = measure{"service, ms", func(_ setting, f figures) float64 { return f.service.Seconds() * 1000 }}
	// overIdeal is the time of a run against that of its requests alone, as the latency says; and
	// overService as the emulator took it, whose clock is late and which needs the processors too.
	overIdeal = measure{"wall ÷ (requests × latency ÷ concurrency)", func(s setting, f figures) float64 {
		return f.wall.Seconds() / (float64(f.requests) * s.latency.Seconds() / concurrency)
	}}
	overService = measure{"wall ÷ (requests × service ÷ concurrency)", func(_ setting, f figures) float64 {
		return f.wall.Seconds() / (float64(f.requests) * f.service.Seconds() / concurrency)
	}}
)

// spread is what several runs gave.
type spread struct{ least, median, most float64 }

// of returns what runs gave of a measure; false where nothing was measured.
func (all measured) of(m measure, k key) (spread, bool) {
	values := make([]float64, 0, len(all[k]))
	for _, f := range all[k] {
		values = append(values, m.value(k.setting, f))
	}
	if len(values) == 0 {
		return spread{}, false
	}
	slices.Sort(values)
	n := len(values)
	return spread{values[0], (values[n/2] + values[(n-1)/2]) / 2, values[n-1]}, true
}

// String is the median, and the others where they differ.
func (s spread) String() string {
	if s.least == s.most {
		return fmt.Sprintf("%.4g", s.median)
	}
	return fmt.Sprintf("%.4g (%.4g to %.4g)", s.median, s.least, s.most)
}

func row(cells ...string) { fmt.Println("| " + strings.Join(cells, " | ") + " |") }

// print prints all figures: the median, and in parentheses the least and the most.
func (all measured) print(settings []setting) {
	columns := []measure{peak, cpu, allocations, allocated, received, requests, wall, begins, service}
	head, line := []string{"entities", "run", "program"}, []string{"---", "---", "---"}
	for _, m := range columns {
		head, line = append(head, m.name), append(line, "---")
	}
	fmt.Println("\nEach: of a pull request, with what else a run does.")
	row(head...)
	row(line...)
	for _, s := range settings {
		for _, phase := range phases {
			for _, name := range []string{baseline, after} {
				k := key{name, s, phase}
				if s.held || len(all[k]) == 0 {
					continue
				}
				cells := []string{fmt.Sprint(s.entities()), string(phase), name}
				if s.latency > 0 {
					cells[1] += ", " + s.latency.String() + " latency"
				}
				for _, m := range columns {
					got, _ := all.of(m, k)
					cells = append(cells, got.String())
				}
				row(cells...)
			}
		}
	}
}

// progress tells of each run as it ends, since large ones take minutes.
func progress(k key, f figures) {
	fmt.Fprintf(os.Stderr, "%s, %s: %.1f MiB, %.2f s of CPU in %.1f s\n", k, time.Now().Format(time.TimeOnly), peak.value(k.setting, f), f.cpu.Seconds(), f.wall.Seconds())
}

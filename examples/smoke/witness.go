package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// witness watches every exchange of the runs. It may be used from several goroutines.
type witness struct {
	network http.RoundTripper

	mu     sync.Mutex
	counts [][fails + 1]int // by probe and verdict
}

func newWitness(network http.RoundTripper) *witness {
	return &witness{network: network, counts: make([][fails + 1]int, len(probes))}
}

// RoundTrip sends a request and judges its answer, which it leaves as it is.
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.network.RoundTrip(r)
	if err != nil {
		return answer, err
	}
	x := exchange{Request: r, Response: answer, query: r.URL.Query(), body: peek(answer)}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, p := range probes {
		w.counts[i][p.see(x)]++
	}
	return answer, nil
}

// tell prints what was seen of each assumption, and returns how many are refuted.
func (w *witness) tell(out io.Writer) (refuted int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprint(out, "\n== What was seen\n\n| Seen | Assumption | Times | Where in the code |\n|---|---|---:|---|\n")
	for i, p := range probes {
		held, failed := w.counts[i][holds], w.counts[i][fails]
		seen := "not seen"
		switch {
		case failed > 0:
			seen = "**refuted**"
			refuted++
		case held > 0:
			seen = "confirmed"
		}
		times := fmt.Sprint(held + failed)
		if failed > 0 && held > 0 {
			times = fmt.Sprintf("%d of %d", failed, held+failed)
		}
		fmt.Fprintf(out, "| %s | %s | %s | `%s` |\n", seen, p.fact, times, strings.ReplaceAll(p.where, "|", "\\|"))
	}
	return refuted
}

package faultmatrix_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/memtransport"
)

// proxyHost is where a step of Pipelines finds the proxy for reports of Code Insights.
const proxyHost = "localhost:29418"

// insights is that proxy, which keeps the report of the run. It is no part of either service: no
// fault falls on it.
type insights struct {
	mu  sync.Mutex
	put struct {
		Data []struct {
			Title string
			Value any
		}
	}
}

// pipeline makes the world a step of a pipeline.
func (w *world) pipeline() {
	w.env["BITBUCKET_BUILD_NUMBER"] = "1"
	w.env["BITBUCKET_REPO_FULL_NAME"] = "acme/portal"
	w.env["BITBUCKET_COMMIT"] = strings.Repeat("a", 40)
	w.insights = &insights{}
	w.network.services[proxyHost] = memtransport.RoundTripper(w.insights)
}

func (i *insights) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	if r.Method == http.MethodPut && d.Decode(&i.put) != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}

// forget is for the next run.
func (i *insights) forget() {
	if i == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.put.Data = nil
}

// line returns the figures in the words of a run's last line; empty without a report, which a run
// has none of that has not seen its mapping.
func (i *insights) line() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	figures := map[string]any{}
	for _, d := range i.put.Data {
		figures[d.Title] = d.Value
	}
	if len(figures) == 0 {
		return ""
	}
	return fmt.Sprintf("%v: %v created, %v updated, %v unchanged, %v deleted, %v rejected, %v stale kept", figures["Status"],
		figures["Entities created"], figures["Entities updated"], figures["Entities unchanged"], figures["Entities deleted"],
		figures["Entities rejected"], figures["Stale entities kept"])
}

// A good run in a pipeline has a report.
func TestInsights(t *testing.T) {
	t.Parallel()
	s := stored(t)
	synctest.Test(t, func(t *testing.T) {
		w := s.world(t)
		w.run()
		if got := w.insights.line(); !resultLine.MatchString(got) {
			t.Errorf("got %q, want the figures of the run", got)
		}
	})
}

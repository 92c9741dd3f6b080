package scale_test

import (
	"net/http"
	"sync"
	"time"
)

// meter counts what goes through it to a service, and lets it take its time.
type meter struct {
	handler http.Handler
	latency time.Duration

	mu       sync.Mutex
	first    time.Time // when the first request came
	requests int
	running  int
	service  time.Duration // of all requests, from when one came to the end of its answer
	pages    int           // of pull requests, and in bytes:
	bytes    int64
}

func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	came := time.Now()
	m.mu.Lock()
	if m.requests == 0 {
		m.first = came
	}
	m.requests++
	m.running++
	m.mu.Unlock()
	time.Sleep(m.latency)
	counted := &counter{ResponseWriter: w}
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.running--
		m.service += time.Since(came)
		if _, ok := pullRequestsOf(r.URL.Path); ok {
			m.pages++
			m.bytes += counted.bytes
		}
	}()
	m.handler.ServeHTTP(counted, r)
}

// counter counts the bytes of an answer.
type counter struct {
	http.ResponseWriter
	bytes int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// into adds what was counted.
func (m *meter) into(f *figures) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f.requests, f.service, f.pages, f.pullRequestBytes = m.requests, m.service/time.Duration(max(m.requests, 1)), m.pages, m.bytes
}

// quiet is how long nothing is asked once a program waits for one answer alone.
const quiet = 300 * time.Millisecond

// settle waits until one request alone runs, and no other comes.
func settle(meters [2]*meter) {
	for last := -1; ; time.Sleep(quiet) {
		requests, running := 0, 0
		for _, m := range meters {
			m.mu.Lock()
			requests, running = requests+m.requests, running+m.running
			m.mu.Unlock()
		}
		if running == 1 && requests == last {
			return
		}
		last = requests
	}
}

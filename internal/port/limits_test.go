package port

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		call call
		want limit
	}{
		"login":               {callLogin, limit{100, 10}},
		"upsert":              {call{method: "POST", path: "/blueprints/a/entities/bulk"}, limit{35_000, 3_500}},
		"search":              {call{method: "POST", path: "/blueprints/a/entities/search"}, limit{35_000, 3_500}},
		"deletion":            {call{method: "POST", path: "/blueprints/a/bulk/entities/delete"}, limit{35_000, 3_500}},
		"deletion of one":     {call{method: "DELETE", path: "/blueprints/a/entities/b"}, limit{35_000, 3_500}},
		"list":                {call{method: "POST", path: "/blueprints/entities/datasource-entities"}, limit{35_000, 3_500}},
		"blueprint":           {call{method: "GET", path: "/blueprints/a"}, limit{15_000, 1_500}},
		"all blueprints":      {call{method: "GET", path: "/blueprints"}, limit{15_000, 1_500}},
		"integration":         {call{method: "GET", path: "/integration/a"}, limit{15_000, 1_500}},
		"log, somewhere else": {call{method: "POST", address: "https://ingest.port.test/logs/entities"}, limit{15_000, 1_500}},
	} {
		if _, got := limitOf(tt.call.route()); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

// The burst goes out at once, and what follows in such a way that no period has more than the
// limit.
func TestPublishedLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		call call
		limit
	}{
		{callLogin, loginLimit},
		{call{method: "POST", path: "/blueprints/a/entities/bulk"}, upsertLimit},
		{call{method: "GET", path: "/blueprints/a"}, blueprintLimit},
	}
	for _, tt := range tests {
		t.Run(tt.call.where(), func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			now := start
			var l limits
			var sent []time.Time
			for range tt.requests * 3 / 2 {
				now = now.Add(l.take(tt.call.route(), now))
				sent = append(sent, now)
			}
			if at := sent[tt.burst-1]; at != start {
				t.Errorf("the last of the burst waits %s", at.Sub(start))
			}
			if at := sent[tt.burst].Sub(start); at <= 0 {
				t.Error("the first one after the burst does not wait")
			}
			for i := tt.requests; i < len(sent); i++ {
				if sent[i].Sub(sent[i-tt.requests]) < limitPeriod {
					t.Fatalf("%d requests within %s", tt.requests+1, sent[i].Sub(sent[i-tt.requests]))
				}
			}
			if took := now.Sub(start); took < limitPeriod || took > limitPeriod*8/5 {
				t.Errorf("half more than the limit takes %s, want hardly more than one and a half periods", took)
			}
			now = now.Add(limitPeriod)
			for range tt.burst {
				if wait := l.take(tt.call.route(), now); wait > 0 {
					t.Fatalf("after a pause, one of a burst waits %s", wait)
				}
			}
		})
	}
}

// Requests that are sent side by side wait no less, and families wait for themselves alone.
func TestPublishedLimitsSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p pace
		pause := func(route string) time.Duration { return p.published.take(route, time.Now()) }
		for range loginLimit.burst {
			pause(callLogin.route())
		}
		for i := range 3 {
			if got, want := pause(callLogin.route()), time.Duration(i+1)*loginLimit.interval(); got != want {
				t.Errorf("got a wait of %s, want %s", got, want)
			}
		}
		if got := pause("GET blueprints"); got != 0 {
			t.Errorf("another family waits %s", got)
		}
	})
}

func TestForecast(t *testing.T) {
	t.Parallel()
	tests := []struct {
		written, deleted map[string]int
		want             string
	}{
		{nil, nil, "0 requests; Port takes 35000 of a kind in 5m: no waiting"},
		{map[string]int{"a": 21, "b": 1}, map[string]int{"a": 101}, "5 requests; Port takes 35000 of a kind in 5m: no waiting"},
		{map[string]int{"a": 70_000}, nil, "3500 requests; Port takes 35000 of a kind in 5m: no waiting"},
		{map[string]int{"a": 700_000}, nil, "35000 requests; Port takes 35000 of a kind in 5m: 5m0s of waiting"},
		{nil, map[string]int{"a": 1_000_000}, "10000 requests; Port takes 35000 of a kind in 5m: 1m2s of waiting"},
	}
	for _, tt := range tests {
		if got := Forecast(tt.written, tt.deleted); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if got, want := Pace(), "Port takes 70000 changed entities without a wait, and 2100 a second beyond them"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

package transport_test

import (
	"fmt"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

func TestForecast(t *testing.T) {
	t.Parallel()
	hour := transport.Rate{N: 1000, Window: time.Hour}
	apart := transport.Rates{Default: hour, Classes: map[string]transport.Rate{"source": {N: 5000, Window: time.Hour}}}
	for _, tt := range []struct {
		name        string
		rates       transport.Rates
		credentials int
		requests    map[string]int
		want        string
	}{
		{"few", transport.Rates{Default: hour}, 1, map[string]int{"repositories": 1000}, "1000 requests; 1 credential may make 1000 in 1h: no waiting"},
		{"one more", transport.Rates{Default: hour}, 1, map[string]int{"repositories": 1001},
			"1001 requests; 1 credential may make 1000 in 1h: 1h of waiting, none with 2 credentials"},
		{"several windows", transport.Rates{Default: hour}, 1, map[string]int{"repositories": 2011},
			"2011 requests; 1 credential may make 1000 in 1h: 2h of waiting, none with 3 credentials"},
		{"several credentials", transport.Rates{Default: hour}, 2, map[string]int{"repositories": 2011},
			"2011 requests; 2 credentials, each may make 1000 in 1h: 1h of waiting, none with 3 credentials"},
		{"classes share", transport.Rates{Default: hour}, 1, map[string]int{"repositories": 900, "source": 900},
			"1800 requests; 1 credential may make 1000 in 1h: 1h of waiting, none with 2 credentials"},
		{"classes apart", apart, 1, map[string]int{"repositories": 900, "source": 4900},
			"5800 requests; 1 credential may make 1000 in 1h: no waiting"},
		{"one class of two waits", apart, 1, map[string]int{"repositories": 900, "source": 5001},
			"5901 requests; 1 credential may make 1000 in 1h: 1h of waiting, none with 2 credentials"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			credentials := make([]transport.Credential, tt.credentials)
			p := transport.NewPool(nil, credentials, tt.rates, transport.Service{}, nil, nil)
			if got := p.Forecast(tt.requests).String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	p := transport.NewPool(nil, make([]transport.Credential, 1), transport.Rates{Default: hour}, transport.Service{}, nil, nil)
	f := p.Forecast(map[string]int{"repositories": 1011})
	f.Known = 1_234_567
	want := "1,235,578 requests, 1,234,567 of them known: 1,011; 1 credential may make 1000 in 1h: 1h of waiting, none with 2 credentials"
	if got := f.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What the pool foresees is what happens: the last of some requests is answered when it said
// that it may go out.
func TestEarliest(t *testing.T) {
	for _, n := range []int{1, 7, 8, 20, 27, 28, 41} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inBubble(t, transport.Rate{N: 10, Window: time.Hour}, []bitbuckettest.Access{{}, {}}, func(w *world) {
				for range 13 {
					w.one(repositories, 200)
					time.Sleep(time.Minute)
				}
				w.record.Expect("Bitbucket", n)
				said := w.record.Snapshot()
				w.together(n, repositories)
				if took := time.Since(said.At); took != said.Left {
					w.t.Errorf("%s were said, and %s it took", said.Left, took)
				}
			})
		})
	}
}

package roundtrip_test

import (
	"testing"
	"time"

	"port-bitbucket-exporter/internal/roundtrip"
)

func TestForecast(t *testing.T) {
	t.Parallel()
	hour := roundtrip.Rate{N: 1000, Window: time.Hour}
	apart := roundtrip.Rates{Default: hour, Classes: map[string]roundtrip.Rate{"source": {N: 5000, Window: time.Hour}}}
	for _, tt := range []struct {
		name        string
		rates       roundtrip.Rates
		credentials int
		requests    map[string]int
		want        string
	}{
		{"few", roundtrip.Rates{Default: hour}, 1, map[string]int{"repositories": 1000}, "1000 requests; 1 credential may make 1000 in 1h: no waiting"},
		{"one more", roundtrip.Rates{Default: hour}, 1, map[string]int{"repositories": 1001},
			"1001 requests; 1 credential may make 1000 in 1h: 1h of waiting, none with 2 credentials"},
		{"several windows", roundtrip.Rates{Default: hour}, 1, map[string]int{"repositories": 2011},
			"2011 requests; 1 credential may make 1000 in 1h: 2h of waiting, none with 3 credentials"},
		{"several credentials", roundtrip.Rates{Default: hour}, 2, map[string]int{"repositories": 2011},
			"2011 requests; 2 credentials, each may make 1000 in 1h: 1h of waiting, none with 3 credentials"},
		{"classes share", roundtrip.Rates{Default: hour}, 1, map[string]int{"repositories": 900, "source": 900},
			"1800 requests; 1 credential may make 1000 in 1h: 1h of waiting, none with 2 credentials"},
		{"classes apart", apart, 1, map[string]int{"repositories": 900, "source": 4900},
			"5800 requests; 1 credential may make 1000 in 1h: no waiting"},
		{"one class of two waits", apart, 1, map[string]int{"repositories": 900, "source": 5001},
			"5901 requests; 1 credential may make 1000 in 1h: 1h of waiting, none with 2 credentials"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			credentials := make([]roundtrip.Credential, tt.credentials)
			p := roundtrip.NewPool(nil, credentials, tt.rates, roundtrip.Service{}, nil)
			if got := p.Forecast(tt.requests).String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

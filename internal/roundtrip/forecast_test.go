package roundtrip_test

import (
	"net/http"
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
		{"few", roundtrip.Rates{Default: hour}, 1, map[string]int{"repositories": 1000}, "1000 requests, at 1000 requests in 1h0m0s for each of 1 credentials: no waiting"},
		{"one more", roundtrip.Rates{Default: hour}, 1, map[string]int{"repositories": 1001},
			"1001 requests, at 1000 requests in 1h0m0s for each of 1 credentials: 1h0m0s of waiting; 2 credentials would not wait"},
		{"several windows", roundtrip.Rates{Default: hour}, 1, map[string]int{"repositories": 2011},
			"2011 requests, at 1000 requests in 1h0m0s for each of 1 credentials: 2h0m0s of waiting; 3 credentials would not wait"},
		{"several credentials", roundtrip.Rates{Default: hour}, 2, map[string]int{"repositories": 2011},
			"2011 requests, at 1000 requests in 1h0m0s for each of 2 credentials: 1h0m0s of waiting; 3 credentials would not wait"},
		{"classes share", roundtrip.Rates{Default: hour}, 1, map[string]int{"repositories": 900, "source": 900},
			"1800 requests, at 1000 requests in 1h0m0s for each of 1 credentials: 1h0m0s of waiting; 2 credentials would not wait"},
		{"classes apart", apart, 1, map[string]int{"repositories": 900, "source": 4900},
			"5800 requests, at 1000 requests in 1h0m0s for each of 1 credentials: no waiting"},
		{"one class of two waits", apart, 1, map[string]int{"repositories": 900, "source": 5001},
			"5901 requests, at 1000 requests in 1h0m0s for each of 1 credentials: 1h0m0s of waiting; 2 credentials would not wait"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			credentials := make([]roundtrip.Credential, tt.credentials)
			p := roundtrip.NewPool(nil, credentials, tt.rates, func(*http.Request) string { return "" }, nil)
			if got := p.Forecast(tt.requests).String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

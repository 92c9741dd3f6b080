package transport_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"port-bitbucket-exporter/internal/transport"
)

// A proxy answers with its own status, to the request itself or to a CONNECT. Its password
// is in no text.
func TestProxied(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		status  int
		address string
		want    string // empty for the answer itself
		lasting bool
	}{
		{"plain, login", 407, "http://service.test/a?q=secret-query", "the proxy PROXY asks for a login (407 Proxy Authentication Required)", true},
		{"plain, network", 511, "http://service.test/a", "the proxy PROXY asks for a login (511 Network Authentication Required)", true},
		{"plain, the service's own", 403, "http://service.test/a", "", false},
		{"connect, login", 407, "https://service.test/a", "the proxy PROXY asks for a login (407 Proxy Authentication Required)", true},
		{"connect, refused", 403, "https://service.test/a", "the proxy PROXY refuses the connection to service.test:443 (403 Forbidden)", true},
		{"connect, passing", 503, "https://service.test/a", "the proxy PROXY does not reach service.test:443 (503 Service Unavailable)", false},
		{"connect, too many", 429, "https://service.test/a", "the proxy PROXY does not reach service.test:443 (429 Too Many Requests)", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				http.Error(w, "no", tt.status)
			}))
			defer proxy.Close()
			u, err := url.Parse(strings.Replace(proxy.URL, "http://", "http://ann:proxy-password@", 1))
			if err != nil {
				t.Fatal(err)
			}
			base := &http.Transport{Proxy: http.ProxyURL(u)}
			defer base.CloseIdleConnections()
			resp, err := transport.Proxied(base).RoundTrip(request(t.Context(), t, tt.address))
			if tt.want == "" {
				if err != nil || resp.StatusCode != tt.status {
					t.Fatalf("got %v, %v, want the answer", resp, err)
				}
				resp.Body.Close()
				return
			}
			p := transport.AsProxyError(err)
			if p == nil {
				t.Fatalf("got %v, want a *ProxyError", err)
			}
			if want := strings.ReplaceAll(tt.want, "PROXY", u.Host); p.Error() != want || p.Lasting() != tt.lasting || p.Fix() == "" {
				t.Errorf("got %q, lasting %v, fix %q, want %q, %v", p, p.Lasting(), p.Fix(), want, tt.lasting)
			}
			if strings.Contains(err.Error(), "ann:") || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %q, want it without user, password and query", err)
			}
			if asked.Load() != 1 {
				t.Errorf("attempts: got %d, want 1", asked.Load())
			}
		})
	}
}

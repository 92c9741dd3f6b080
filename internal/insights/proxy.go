package insights

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	"port-bitbucket-exporter/internal/transport"
)

// ProxiedAPI is the base of the API for requests by the proxy of a pipeline, which takes plain http
// and goes on over https.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/code-insights/, read 2026-11.
const ProxiedAPI = "http://api.bitbucket.org/2.0"

// ErrNoProxy means that nothing listens at the address of the proxy.
var ErrNoProxy = errors.New("there is no proxy of Bitbucket Pipelines")

// Through sends each request to a proxy of plain http at host:port, over a base that itself
// knows no proxy. The error is ErrNoProxy where no connection can be made.
//
// It does what the field Proxy of an http.Transport does, on any transport: the request line holds
// the whole address.
//
// Source: RFC 9112, section 3.2.2.
func Through(proxy string, base http.RoundTripper) http.RoundTripper {
	return transport.Func(func(req *http.Request) (*http.Response, error) {
		asked := req.Clone(req.Context())
		asked.Host = req.URL.Host
		asked.URL.Opaque = req.URL.Scheme + "://" + req.URL.Host + req.URL.RequestURI()
		asked.URL.Host = proxy
		resp, err := base.RoundTrip(asked)
		if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
			return nil, fmt.Errorf("%w at %s: %w", ErrNoProxy, proxy, dial.Err)
		}
		return resp, err
	})
}

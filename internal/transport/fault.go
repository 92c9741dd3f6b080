package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Answers of balancers that have no name in net/http.
//
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
// and https://http.dev/499, read 2026-11.
const (
	statusClientWentAway    = 460
	statusClientClosedEarly = 499
)

// Passing reports whether the same request may succeed a moment later. Gateways before a
// service answer with statuses of their own, such as 520 to 530, so every status of 500 and
// above passes but for 505 and 511: the version of HTTP stays the same, and a network that
// asks for a login asks again. 501 and 508 pass too, since gateways answer them while they
// start or are overloaded.
//
// 429 does not count: how long to wait for a rate limit is another question.
//
// Source: RFC 9110, sections 15.5 and 15.6; RFC 8470, section 5.2 (425); RFC 6585, section 6
// (511); https://support.cloudflare.com/hc/en-us/articles/115003011431-5xx-Server-Error, read 2026-11.
func Passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, statusClientWentAway, statusClientClosedEarly:
		return true
	case http.StatusHTTPVersionNotSupported, http.StatusNetworkAuthenticationRequired:
		return false
	}
	return status >= http.StatusInternalServerError
}

// Untrusted is not nil when the error is that the server's certificate is not
// trusted: another attempt would find the same. It says what to do.
func Untrusted(err error) error {
	var untrusted *tls.CertificateVerificationError
	if !errors.As(err, &untrusted) {
		return nil
	}
	return fmt.Errorf("%w; if an authority of your own has signed it, as that of a proxy, name its certificate in the input ca_file", err)
}

// Unreached reports whether there was no connection: the name has no address, or nothing
// answers there.
func Unreached(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// UnreachedFix says what to do where a host is not reached whose address comes from an input.
func UnreachedFix(input string) string {
	return "run again; if it stays so, check " + input + ", and that this machine may connect to that host: by its DNS, its firewall, and HTTPS_PROXY where it needs a proxy"
}

// ProxyError is an answer of a proxy in place of the service behind it.
type ProxyError struct {
	Proxy  string // host and port; empty when unknown
	Target string // host and port to reach through it; empty when unknown
	Status int
}

// Error leaves out the proxy's user and password.
func (p *ProxyError) Error() string {
	proxy, target := "a proxy on the way", "the service"
	if p.Proxy != "" {
		proxy = "the proxy " + p.Proxy
	}
	if p.Target != "" {
		target = p.Target
	}
	status := strings.TrimSpace(fmt.Sprintf("%d %s", p.Status, http.StatusText(p.Status)))
	switch {
	case wantsLogin(p.Status):
		return fmt.Sprintf("%s asks for a login (%s)", proxy, status)
	case p.Lasting():
		return fmt.Sprintf("%s refuses the connection to %s (%s)", proxy, target, status)
	}
	return fmt.Sprintf("%s does not reach %s (%s)", proxy, target, status)
}

// Lasting reports whether another attempt would get the same answer.
func (p *ProxyError) Lasting() bool {
	return !Passing(p.Status) && p.Status != http.StatusTooManyRequests
}

// Fix says what to do about it.
func (p *ProxyError) Fix() string {
	const around = "or name the service's host in NO_PROXY where it is reached without the proxy"
	switch {
	case wantsLogin(p.Status):
		return "give the user and the password of the proxy in HTTPS_PROXY, as http://user:password@host:port with each character but letters and digits as %XX, " + around
	case p.Lasting():
		return "have the proxy let the connection pass, correct HTTPS_PROXY, " + around
	}
	return "run again; if it stays so, look at the proxy that HTTPS_PROXY names, " + around
}

// AsProxyError returns the *ProxyError in an error, or nil.
func AsProxyError(err error) *ProxyError {
	var p *ProxyError
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// wantsLogin reports whether something on the way asks for a login by this status.
//
// Source: RFC 9110, section 15.5.8 (407); RFC 6585, section 6 (511).
func wantsLogin(status int) bool {
	return status == http.StatusProxyAuthRequired || status == http.StatusNetworkAuthenticationRequired
}

// FromProxy returns a *ProxyError when the answer is a proxy's, and nil when it is the
// service's.
func FromProxy(resp *http.Response) error {
	if wantsLogin(resp.StatusCode) {
		return &ProxyError{Status: resp.StatusCode}
	}
	return nil
}

// Proxied makes a transport return a *ProxyError for what its proxy answers in place of the
// service, also when the proxy refuses to connect. It changes the transport.
//
// Source: https://pkg.go.dev/net/http#Transport.OnProxyConnectResponse, read 2026-11.
func Proxied(t *http.Transport) http.RoundTripper {
	t.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, connect *http.Request, resp *http.Response) error {
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		return &ProxyError{Proxy: proxy.Host, Target: connect.Host, Status: resp.StatusCode}
	}
	return Func(func(req *http.Request) (*http.Response, error) {
		resp, err := t.RoundTrip(req)
		if err != nil || FromProxy(resp) == nil {
			return resp, err
		}
		resp.Body.Close()
		p := &ProxyError{Target: req.URL.Host, Status: resp.StatusCode}
		if t.Proxy != nil {
			if proxy, err := t.Proxy(req); err == nil && proxy != nil {
				p.Proxy = proxy.Host
			}
		}
		return nil, p
	})
}

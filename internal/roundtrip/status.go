package roundtrip

import "net/http"

// Answers of balancers that have no name in net/http.
//
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
// and https://http.dev/499, read 2026-11.
const (
	statusClientWentAway    = 460
	statusClientClosedEarly = 499
)

// Passing reports whether the same request may succeed a moment later. Whatever stands
// before a service answers with statuses of its own, such as 520 to 530, so that the
// class decides, and a list of those that stay decides against it:
//
//   - 505 and 511 would find the same: the version of HTTP stays as it is, and a network
//     that wants a login wants it again.
//   - 501 and 508 pass: gateways answer them too while they start or are overloaded.
//
// An answer of 429 is no such status: how long to wait for it is another question.
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

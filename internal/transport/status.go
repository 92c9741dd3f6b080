package transport

import "net/http"

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

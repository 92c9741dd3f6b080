package porttest

import (
	"net/mail"
	"net/netip"
	"net/url"
	"time"
)

// isFormat reports whether v has a string format of Port's. Formats without a
// checkable form (markdown, user, team, proto…) take any string.
func isFormat(name, v string) bool {
	switch name {
	case "date-time", "timer":
		_, ok := parseTime(v)
		return ok
	case "url", "uri":
		u, err := url.Parse(v)
		return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "" || u.Path != "")
	case "email", "idn-email":
		a, err := mail.ParseAddress(v)
		return err == nil && a.Address == v
	case "ipv4":
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is4()
	case "ipv6":
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is6()
	}
	return true
}

func parseTime(v string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, v)
	return t, err == nil
}

// wireTime is how Port writes an instant: UTC, to the millisecond.
func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

package transport

import (
	"errors"
	"net/url"
	"strings"
)

// ErrDots is a path that may lead to another route than it says.
var ErrDots = errors.New(`refused: a part of the path is "." or ".."`)

// CheckPath is ErrDots when a segment of the path is one that servers and proxies on
// the way drop, or drop along with the one before it, also when it is escaped.
//
// Source: RFC 3986, section 5.2.4, and https://url.spec.whatwg.org/#double-dot-path-segment, read 2026-11.
func CheckPath(u *url.URL) error {
	for segment := range strings.SplitSeq(u.EscapedPath(), "/") {
		if plain, err := url.PathUnescape(segment); err == nil {
			segment = plain
		}
		if segment == "." || segment == ".." {
			return ErrDots
		}
	}
	return nil
}

package transport

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Path joins segments to a path, each one escaped.
func Path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// NewRequest returns a request that asks for JSON. The error is ErrDots for an address that
// may lead to another route than it says.
func NewRequest(ctx context.Context, method, address string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if err := CheckPath(req.URL); err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	return req, nil
}

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

package bitbucket_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// The error says that something on the way answered in place of Bitbucket, after one request.
func TestProxyWantsALogin(t *testing.T) {
	for _, status := range []int{407, 511} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := withRepositories(1)
			s.Fault(bitbuckettest.Fault{Status: status, Body: "<html>login", Times: -1})
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				_, err := slugs(c)
				wantError(t, err, "GET /2.0/repositories/acme: a proxy on the way asks for a login", fmt.Sprint(status))
				equal(t, "denied", bitbucket.Denied(err), true)
				equal(t, "requests", s.Requests(), 1)
				if fix := bitbucket.Fix(err); !strings.Contains(fix, "HTTPS_PROXY") {
					t.Errorf("fix: got %q", fix)
				}
			})
		})
	}
}

// Before anything of the API has answered, a 404 without the vendor's form is none of it.
func TestNotFoundOfWhom(t *testing.T) {
	for name, tt := range map[string]struct {
		body  string
		first bool // no good answer before
		found bool // is ErrNotFound
	}{
		"no API":           {`{"type":"error","error":{"message":"Resource not found","detail":"There is no API hosted at this URL.\n\nFor information about our API's, please refer to the documentation"}}`, true, false},
		"a page":           {"<html>not here", true, false},
		"text":             {"404 page not found", true, false},
		"the API":          {`{"type":"error","error":{"message":"No workspace with identifier 'acme'."}}`, true, true},
		"no API, later":    {`{"type":"error","error":{"message":"Resource not found","detail":"There is no API hosted at this URL."}}`, false, true},
		"a page, later":    {"<html>not here", false, true},
		"of source, later": {"Not Found", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := withRepositories(1)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				if !tt.first {
					_, err := slugs(c)
					equal(t, "error of the first", err, nil)
				}
				s.Fault(bitbuckettest.Fault{Status: 404, Body: tt.body, Times: -1})
				_, err := slugs(c)
				wantError(t, err, "404 Not Found")
				equal(t, "is ErrNotFound", errors.Is(err, bitbucket.ErrNotFound), tt.found)
				equal(t, "fix names the address", strings.Contains(bitbucket.Fix(err), "check bitbucket_host_url"), !tt.found)
			})
		})
	}
}

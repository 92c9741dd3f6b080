package openapicheck_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"port-bitbucket-exporter/internal/openapicheck"
)

var loadOnce = sync.OnceValues(func() (*openapicheck.Checker, error) {
	c, _, err := openapicheck.FromEnv()
	return c, err
})

// load returns a checker that has checked nothing yet. It skips the test when the environment names no documents.
func load(t *testing.T) *openapicheck.Checker {
	t.Helper()
	c, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		t.Skipf("%s is not set: it names the folder of the vendors' OpenAPI documents", openapicheck.Variable)
	}
	return c.Fork()
}

// exchange writes down a request ("GET /path?query") with its body, and an answer in JSON.
func exchange(t *testing.T, request, requestBody string, status int, responseBody string) openapicheck.Exchange {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	e := openapicheck.Exchange{
		Method: method, URL: u, RequestHeader: http.Header{}, RequestBody: []byte(requestBody), Status: status,
		ResponseHeader: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, ResponseBody: []byte(responseBody),
	}
	if requestBody != "" {
		e.RequestHeader.Set("Content-Type", "application/json")
	}
	return e
}

// wantError wants a disagreement that names a part.
func wantError(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil {
		t.Errorf("got agreement, want an error with %q", part)
	} else if !strings.Contains(err.Error(), part) {
		t.Errorf("got %v, want an error with %q", err, part)
	}
}

package contract_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"port-bitbucket-exporter/internal/contract"
)

var loadOnce = sync.OnceValues(func() (*contract.Checker, error) {
	c, _, err := contract.FromEnv()
	return c, err
})

// load returns a checker that has checked nothing yet. It skips the test when the environment names no documents.
func load(t *testing.T) *contract.Checker {
	t.Helper()
	c, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		t.Skipf("%s is not set: it names the folder of the vendors' OpenAPI documents", contract.Variable)
	}
	return c.Fork()
}

// exchange writes down a request ("GET /path?query") with its body, and an answer in JSON.
func exchange(t *testing.T, request, requestBody string, status int, responseBody string) contract.Exchange {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	e := contract.Exchange{
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

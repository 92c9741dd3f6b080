package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/memtransport"
)

// webPage answers with a page of HTML.
func webPage(status int) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.WriteHeader(status)
		fmt.Fprint(rw, "<!doctype html><title>Welcome</title>")
	}
}

// signIn leads to a page to sign in, on the same host.
func signIn(rw http.ResponseWriter, req *http.Request) {
	if strings.HasPrefix(req.URL.Path, "/account/signin") {
		webPage(http.StatusOK)(rw, req)
		return
	}
	http.Redirect(rw, req, "/account/signin/?next="+req.URL.Path, http.StatusFound)
}

// signInElsewhere leads to one on another host.
func signInElsewhere(rw http.ResponseWriter, req *http.Request) {
	http.Redirect(rw, req, "https://login.example.com/?next="+req.URL.Path, http.StatusFound)
}

// otherProgram answers as a program of another kind does.
func otherProgram(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(http.StatusNotFound)
	fmt.Fprint(rw, `{"status":404,"error":"Not Found","path":"/"}`)
}

// At a wrong bitbucket_host_url anything may answer. It is told as that, in a sync and in a
// plan, and nothing is deleted.
func TestWrongHostURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc // nil for the emulator, below another path
		want    string
	}{
		{"no API of Bitbucket's there", nil, "404 Not Found: Resource not found"},
		{"a page with 404", webPage(http.StatusNotFound), "404 Not Found"},
		{"a page with 200", webPage(http.StatusOK), "not the JSON that was expected"},
		{"a page to sign in", signIn, "not the JSON that was expected"},
		{"a page to sign in elsewhere", signInElsewhere, "redirect refused"},
		{"a program of another kind", otherProgram, "404 Not Found"},
	} {
		for _, mode := range []string{"sync", "plan"} {
			t.Run(tt.name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				w := virtual(t, smallBitbucket())
				synctest.Test(t, func(t *testing.T) {
					w.addStale()
					w.env["MAPPING"], w.env["MODE"], w.env["BITBUCKET_HOST_URL"] = repositories, mode, "https://api.bitbucket.org/rest"
					if tt.handler != nil {
						w.transport.(hosts)["wrong.example.com"] = memtransport.RoundTripper(tt.handler)
						w.env["BITBUCKET_HOST_URL"] = "https://wrong.example.com"
					}
					r := w.run(nil)
					r.check(t, 1, "failed")
					r.contains(t, tt.want, "check bitbucket_host_url: nothing of Bitbucket's API answers there")
					if strings.Contains(r.stdout, "bitbucket_workspace") || strings.Contains(r.stdout, "next=") {
						t.Errorf("it is told as a wrong workspace, or with a query:\n%s", r.stdout)
					}
					if !w.holds("bitbucketRepository", "stale") {
						t.Error("an entity was deleted")
					}
				})
			})
		}
	}
}

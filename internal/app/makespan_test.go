package app_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// The first full read of 5,000 repositories, with one credential and its allowances, takes
// minutes over git, where it takes hours over REST.
func TestMakespan(t *testing.T) {
	skipShort(t)
	t.Parallel()
	const (
		repositories = 5000
		latency      = 300 * time.Millisecond
	)
	for _, tt := range []struct {
		reader      string
		least, most time.Duration
	}{
		{"auto", 0, 15 * time.Minute},
		{"rest", 9 * time.Hour, 12 * time.Hour},
	} {
		t.Run(tt.reader, func(t *testing.T) {
			t.Parallel()
			share := 10 // of the repositories and the allowances: REST then takes the same hours
			if tt.reader == "auto" && os.Getenv("TESTS") == "full" {
				share = 4
			}
			synctest.Test(t, func(t *testing.T) {
				n := repositories / share
				b := bitbuckettest.New("acme")
				for i := range n {
					slug := fmt.Sprintf("service-%04d", i)
					b.AddRepository(bitbuckettest.Repository{Name: slug, Files: map[string]string{
						"README.md": "# " + slug + "\n", "src/main.go": "package main\n", "deploy/port.yml": "title: " + slug + "\n",
					}})
				}
				w := virtual(t, b)
				for host, inner := range w.transport.(hosts) {
					w.transport.(hosts)[host] = late{inner, latency}
				}
				b.AllowToken(token, bitbuckettest.Access{Limit: 1000 / share, GitLimit: 60_000 / share})
				w.port.Configure(porttest.Options{NoJournalBodies: true})
				r := w.run(map[string]string{
					"SOURCE_READER": tt.reader, "BITBUCKET_RATE_LIMIT": fmt.Sprintf("%d/1h,git=%d/1h", 1000/share, 60_000/share),
					"MAPPING": portFiles,
				})
				r.check(t, 0, "success")
				if got := r.number(t, "entities_created"); got != n {
					t.Errorf("got %d entities, want %d", got, n)
				}
				took := time.Duration(r.number(t, "duration_seconds")) * time.Second
				if tt.reader == "auto" { // which waits for no allowance, and takes a part of the time
					took *= time.Duration(share)
				}
				if took < tt.least || took > tt.most {
					t.Errorf("%d repositories take %s, want from %s to %s", repositories, took, tt.least, tt.most)
				}
				// The list alone over REST; two requests to git for each repository, and one for the host.
				if list, git := (n+99)/100, 1+2*n; tt.reader == "auto" && (b.Requests() != list || b.GitRequests() > git) {
					t.Errorf("got %d requests of REST and %d of git, want %d and at most %d", b.Requests(), b.GitRequests(), list, git)
				}
				t.Logf("%d repositories of which each has a port.yml: %s, %d requests of REST and %d of git for %d of them",
					repositories, took, b.Requests(), b.GitRequests(), n)
			})
		})
	}
}

// portFiles reads a file of each repository, wherever it lies.
const portFiles = `resources:
  - kind: file
    selector:
      query: "true"
      files:
        - path: "**/port.yml"
    port:
      entity:
        mappings:
          identifier: .repo.slug
          title: .content.title
          blueprint: '"bitbucketRepository"'
`

// late is a transport over a long line.
type late struct {
	http.RoundTripper
	latency time.Duration
}

func (l late) RoundTrip(req *http.Request) (*http.Response, error) {
	timer := time.NewTimer(l.latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return l.RoundTripper.RoundTrip(req)
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

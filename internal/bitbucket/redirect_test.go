package bitbucket_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// Every route answers with a redirect to another host, in each way that names one:
// nobody there is asked, and the error says so.
func TestNoRouteIsRedirectedElsewhere(t *testing.T) {
	t.Parallel()
	other, asked := stranger(t)
	s := newServer()
	s.AddRepository(bitbuckettest.Repository{Name: "repo", Files: map[string]string{"a/b": "c"}})
	hash := s.Head("repo")
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	routes := map[string]func(c *bitbucket.Client) error{
		"repositories": func(c *bitbucket.Client) error {
			_, err := collect(c.Repositories(t.Context(), bitbucket.RepositoryQuery{}))
			return err
		},
		"projects": func(c *bitbucket.Client) error { _, err := collect(listProjects(t.Context(), c)); return err },
		"pull requests": func(c *bitbucket.Client) error {
			_, err := collect(listPullRequests(t.Context(), c, "repo", ""))
			return err
		},
		"tree": func(c *bitbucket.Client) error {
			_, err := collect(c.Tree(t.Context(), "repo", hash, "a", 2))
			return err
		},
		"file":     func(c *bitbucket.Client) error { _, _, err := c.File(t.Context(), "repo", hash, "a/b", 10); return err },
		"branches": func(c *bitbucket.Client) error { _, err := c.Branches(t.Context(), "repo"); return err },
		"head":     func(c *bitbucket.Client) error { _, err := c.Head(t.Context(), "repo", "main"); return err },
		"exists":   func(c *bitbucket.Client) error { _, err := c.Exists(t.Context(), "repo"); return err },
	}
	own := strings.TrimPrefix(server.URL, "http://")
	_, port, _ := strings.Cut(own, ":")
	for route, do := range routes {
		for _, code := range []int{301, 302, 303, 307, 308} {
			for _, location := range []string{
				other + "/2.0/x", "//" + strings.TrimPrefix(other, "http://") + "/2.0/x", "https://" + own + "/2.0/x",
				"http://localhost:" + port + "/2.0/x", "http://" + own[:len(own)-len(port)-1] + ".evil.test:" + port + "/2.0/x", "http://127.0.0.1.evil.test:" + port + "/2.0/x",
			} {
				t.Run(fmt.Sprint(route, " ", code, " ", url.PathEscape(location)), func(t *testing.T) {
					before := s.Requests()
					s.Fault(bitbuckettest.Fault{Redirect: location, Status: code})
					wantError(t, do(newClient(t, server.URL+"/2.0", transport)), "redirect refused: to host")
					want := 1
					if route == "tree" || route == "file" && code != http.StatusMovedPermanently {
						want = 2 // of which the second asks what the path is
					}
					equal(t, "requests", s.Requests()-before, want)
				})
			}
		}
	}
	equal(t, "asked elsewhere", asked.Load(), int32(0))
}

package kind_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// The git host may answer 401 for a repository that is not there, to a credential that it
// takes elsewhere: where git alone reads, that is the end of this repository, and of no other.
func TestGoneOverGit(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusNotFound} {
		for name, gone := range map[string]bool{"removed": true, "hidden from git": false} {
			t.Run(fmt.Sprint(status, " ", name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := services(5)
					s.Configure(bitbuckettest.Options{HiddenGit: status})
					w := overGit(t, s, kind.Options{OnlyGit: true})
					bound, err := kind.Bind(resource(t, "file", "files: [{path: '**/port.yml'}]"))
					if err != nil {
						t.Fatal(err)
					}
					var lost []error
					for task, err := range bound.Extract(t.Context(), w.ws) {
						if err != nil {
							t.Fatal(err)
						}
						switch {
						case task.Source.Name != "r0002":
						case gone:
							s.RemoveRepository("r0002")
						default:
							s.Fault(bitbuckettest.Fault{Path: "/acme/r0002.git/**", Status: status, Times: -1,
								Body: "You may not have access to this repository or it no longer exists in this workspace."})
						}
						for _, err := range task.Run(t.Context()) {
							if err != nil {
								lost = append(lost, fmt.Errorf("%s: %w", task.Source.Name, err))
							}
						}
					}
					if len(lost) != 1 || !strings.HasPrefix(lost[0].Error(), "r0002: ") {
						t.Fatalf("got %v, want an error of r0002 alone", lost)
					}
					var disappeared *kind.Gone
					if kind.Denied(lost[0]) || errors.As(lost[0], &disappeared) != gone {
						t.Errorf("got %v: denied %v, want a *Gone %v", lost[0], kind.Denied(lost[0]), gone)
					}
				})
			})
		}
	}
}

// That the git host does not find a repository says nothing of a branch.
func TestBranchOfHiddenRepository(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := everySort()
		s.Fault(bitbuckettest.Fault{Path: "/acme/plain.git/**", Status: http.StatusNotFound, Times: -1})
		for _, selector := range []string{
			"folders: [{path: '*', repos: [{name: plain, branch: release/1.x}]}]", "files: [{path: '*', repos: [{name: plain, branch: release/1.x}]}]",
		} {
			bound, err := kind.Bind(resource(t, strings.TrimSuffix(selector[:strings.Index(selector, ":")], "s"), selector))
			if err != nil {
				t.Fatal(err)
			}
			got := overGit(t, s, kind.Options{OnlyGit: true}).readings(bound)
			if len(got.Errors) != 1 || !strings.Contains(got.Errors[0], "404 Not Found") {
				t.Errorf("%s: got %q, want the answer of the git host", selector, got.Errors)
			}
		}
	})
}

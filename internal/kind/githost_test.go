package kind_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
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

// What a task has read over git takes no room once it is done, unless others may want it.
func TestRoomOfFiles(t *testing.T) {
	for name, keep := range map[string]bool{"kept for the run": true, "kept by each task": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const n, size = 8, 100_000
				s := bitbuckettest.New("acme")
				for i := range n {
					s.AddRepository(bitbuckettest.Repository{Name: fmt.Sprint("r", i), Files: map[string]string{"a/x.txt": strings.Repeat(fmt.Sprint(i), size)}})
				}
				w, folder := overGit(t, s, kind.Options{}), t.TempDir()
				w.ws = w.workspace(kind.Options{KeepFiles: keep, TempDir: folder})
				for _, selector := range []string{"file {files: [{path: '**/*'}]}", "folder {folders: [{path: a}], includedFiles: [x.txt]}", "repository {includedFiles: [a/x.txt]}"} {
					name, selector, _ := strings.Cut(selector, " ")
					bound, err := kind.Bind(resource(t, name, strings.Trim(selector, "{}")))
					if err != nil {
						t.Fatal(err)
					}
					w.equal("items", len(w.readings(bound).Found), n)
				}
				room := 0
				files, err := os.ReadDir(folder)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					if info, err := f.Info(); err == nil {
						room += int(info.Size())
					}
				}
				if keep && room < n*size || !keep && room > size {
					t.Errorf("got %d bytes on disk for %d files of %d", room, n, size)
				}
			})
		})
	}
}

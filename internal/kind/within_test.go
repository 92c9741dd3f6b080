package kind_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/kind"
)

// Objects have their repository where expressions read it, as Bitbucket lists it, and it is asked
// for in no way.
func TestObjectsHaveTheirRepository(t *testing.T) {
	for name, selector := range map[string]string{
		"pull-request": "", "folder": "folders: [{path: docs}]", "file": "files: [{path: README.md}]", "pipeline": "",
	} {
		t.Run(name, func(t *testing.T) {
			s := withPullRequests()
			inBubble(t, s, func(w world) {
				want := map[string]kind.Object{}
				for _, o := range w.good("repository", "") {
					want[o["slug"].(string)] = o
				}
				for _, read := range []bool{false, true} {
					bound, err := kind.Bind(resource(w.TB, name, selector))
					if err != nil {
						w.Fatal(err)
					}
					bound = bound.Reading(func(path ...string) bool { return read && path[0] == "__repository" })
					got := w.extractBound(bound)
					if len(got.failed) > 0 || name != "pipeline" && len(got.objects) == 0 {
						w.Fatalf("got %v, %v", got.objects, got.failed)
					}
					for _, o := range got.objects {
						repository, has := o["__repository"].(kind.Object)
						if has != read {
							w.Fatalf("got a repository %t, want %t", has, read)
						}
						if read {
							w.equal("repository", repository, want[repository["slug"].(string)])
							repository["slug"] = "written into"
							if repo, ok := o["repo"].(kind.Object); ok && repo["slug"] == "written into" {
								w.Error("it shares its values with .repo")
							}
						}
					}
				}
			})
		})
	}
}

// A list of parts is not asked for the repository, which is not a part of it; its objects have it.
func TestTheRepositoryIsNoPartOfAList(t *testing.T) {
	s := withPullRequests()
	inBubble(t, s, func(w world) {
		bound := reading(w, "repoQuery: 'name=\"orphan\"'", "state", "__repository.slug", "__repository.project.key")
		o := kind.Shared([]kind.Bound{bound})
		o.TempDir = w.TempDir()
		w.ws = w.workspace(o)
		got := w.extractBound(bound)
		w.equal("objects", len(got.objects), 1)
		w.equal("slug", got.objects[0]["__repository"].(kind.Object)["slug"], any("orphan"))
		if f := fields(s); len(f) != 1 || !strings.Contains(f[0], "values.state") || strings.Contains(f[0], "repository.slug") || strings.Contains(f[0], "__") {
			w.Errorf("asked for %q", f)
		}
		w.equal("violations", len(s.Violations()), 0)
	})
}

// Whole objects that are shown have their repository, whatever the mapping reads.
func TestExamplesHaveTheirRepository(t *testing.T) {
	s := withPullRequests()
	inBubble(t, s, func(w world) {
		bound := reading(w, "", "state")
		o := kind.Shared([]kind.Bound{bound})
		o.TempDir, o.Examples = w.TempDir(), 1
		w.ws = w.workspace(o)
		shown := 0
		for task, err := range bound.Reading(func(...string) bool { return false }).Partial(nil).Extract(w.Context(), w.ws) {
			if err != nil {
				w.Fatal(err)
			}
			for found, err := range task.Run(w.Context()) {
				if err != nil {
					w.Fatal(err)
				}
				if found.Object["__repository"] != nil {
					shown++
				}
			}
		}
		w.equal("shown", shown > 0, true)
	})
}

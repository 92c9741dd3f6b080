package kind_test

import (
	"errors"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// odd makes the second value of each page of a path odd.
func odd(s *bitbuckettest.Server, path string, value any) {
	s.Fault(bitbuckettest.Fault{Times: -1, Path: path, Mutate: func(o map[string]any) {
		if values, _ := o["values"].([]any); len(values) > 1 {
			values[1] = value
		}
	}})
}

// oneOdd fails unless the extraction went on after one odd value, which it tells.
func (w world) oneOdd(got extracted, object bool, want string) {
	w.Helper()
	if got.err != nil || len(got.failed) != 1 {
		w.Fatalf("got %v and %v, want the list to its end, and one error", got.err, got.failed)
	}
	var o *bitbucket.Odd
	if err := got.failed[0]; !errors.As(err, &o) || !strings.Contains(err.Error(), want) || isUnreadable(err) != object {
		w.Errorf("got %v, want an odd value with %q, one object: %v", err, want, object)
	}
}

func threeRepositories() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	for _, name := range []string{"one", "two", "three"} {
		s.AddProject(bitbuckettest.Project{Key: strings.ToUpper(name)})
		s.AddRepository(bitbuckettest.Repository{Name: name, ProjectKey: strings.ToUpper(name), Files: map[string]string{"a/x": "1", "b/x": "2", "c/x": "3"}})
		for range 3 {
			s.AddPullRequest(name, bitbuckettest.PullRequest{})
		}
	}
	return s
}

// One odd value of a list is one failure, and all others are extracted.
func TestOddValues(t *testing.T) {
	noSlug := map[string]any{"name": "Two", "uuid": "{2}"}
	for _, tt := range []struct {
		kind, selector, path string
		value                any
		object               bool // the odd value is one of the kind, else what it would give is not known
		objects              int
		told                 string
	}{
		{"project", "", "/workspaces/acme/projects", nil, true, 2, "value 2 of the list: an object was expected"},
		{"repository", "", "/repositories/acme", noSlug, true, 2, `value 2 of the list (name "Two", uuid "{2}"): it has no slug`},
		{"pull-request", "", "/repositories/acme", noSlug, false, 6, `name "Two"`},
		{"pull-request", "", "/repositories/acme/one/pullrequests", map[string]any{"id": "2", "title": "A"}, true, 8,
			`list pull requests of repository "one": value 2 of the list (title "A", id "2"): it has no id`},
		{"folder", "folders: [{path: '*'}]", "/repositories/acme", noSlug, false, 6, `name "Two"`},
		{"folder", "folders: [{path: '*'}]", "/repositories/acme/one/src/*/", map[string]any{"type": "commit_directory"}, true, 8, `folder "/" of repository "one": value 2 of the list: it has no path`},
		{"folder", "folders: [{path: 'b'}]", "/repositories/acme/one/src/*/", map[string]any{"path": "b", "type": 7}, true, 2, `(path "b"): "type" holds a number`},
		{"file", "files: [{path: '*/x'}]", "/repositories/acme", noSlug, false, 6, `name "Two"`},
		{"file", "files: [{path: '*/x'}]", "/repositories/acme/one/src/*/", map[string]any{"path": "b", "size": "1"}, true, 9, `(path "b"): a whole number was expected, not "1"`},
	} {
		t.Run(tt.kind+" "+tt.told, func(t *testing.T) {
			s := threeRepositories()
			odd(s, tt.path, tt.value)
			inBubble(t, s, func(w world) {
				for range 2 { // the second resource has what the first one was told
					got := w.extract(tt.kind, tt.selector)
					w.oneOdd(got, tt.object, tt.told)
					w.equal("objects", len(got.objects), tt.objects)
				}
			})
		})
	}
}

// The list of projects is kept with its odd values.
func TestOddProjectIsKept(t *testing.T) {
	s := threeRepositories()
	odd(s, "/workspaces/acme/projects", "x")
	inBubble(t, s, func(w world) {
		w.ws = w.workspace(kind.Options{TempDir: t.TempDir(), KeepLists: true})
		for range 2 {
			got := w.extract("project", "")
			w.oneOdd(got, true, "value 2 of the list")
			w.equal("projects", column(got.objects, "key"), "ONE THREE")
		}
		w.equal("requests", w.asked(), "/workspaces/acme/projects")
	})
}

// A file that a listing with an odd entry does not name may be that entry: it is asked for.
func TestFileBesideAnOddEntry(t *testing.T) {
	s := oneRepository(map[string]string{"a.txt": "a", "b.txt": "b", "c.txt": "c"})
	odd(s, "/repositories/acme/r/src/*/", nil)
	inBubble(t, s, func(w world) {
		got := w.good("repository", "includedFiles: [a.txt, b.txt, c.txt]")
		w.equal("files", got[0]["__includedFiles"], any(kind.Object{"a.txt": "a", "b.txt": "b", "c.txt": "c"}))
	})
}

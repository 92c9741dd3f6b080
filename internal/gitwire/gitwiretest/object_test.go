package gitwiretest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// A tree cannot hold a file and a folder of one name, nor a name that is empty.
func TestPathsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, paths := range [][]string{{"a", "a/b"}, {"a", "a.b", "a-c", "a/b/c"}, {"x/a", "x/a/b"}, {""}, {"/a"}, {"a/"}, {"a//b"}, {"a\x00b"}} {
		files := map[string]gitwiretest.File{}
		for _, p := range paths {
			files[p] = gitwiretest.File{}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q: no panic", paths)
				}
			}()
			gitwiretest.NewRepository().Commit(gitwiretest.Commit{Files: files})
		}()
	}
}

// Each tree is in git's order, and the hashes are those that git 2.39 gives the same files.
func TestTrees(t *testing.T) {
	t.Parallel()
	r := gitwiretest.NewRepository()
	files := map[string]gitwiretest.File{}
	for _, p := range []string{"a/x", "a.b", "a0", "a-", "ab/x", "B", "é"} {
		files[p] = gitwiretest.File{Content: p}
	}
	c := r.Commit(gitwiretest.Commit{Files: files, Message: "m"})
	_, commit, _ := r.Object(c)
	tree, _ := gitwiretest.ParseHash(strings.TrimPrefix(strings.SplitN(commit, "\n", 2)[0], "tree "))
	_, data, ok := r.Object(tree)
	var names []string
	for part := range strings.SplitSeq(data, "\x00") {
		if _, name, found := strings.Cut(part, "40000 "); found {
			names = append(names, name+"/")
		} else if _, name, found := strings.Cut(part, "100644 "); found {
			names = append(names, name)
		}
	}
	if want := []string{"B", "a-", "a.b", "a/", "a0", "ab/", "é"}; !ok || !slices.Equal(names, want) {
		t.Errorf("names: got %q, want %q", names, want)
	}
	if got, want := fmt.Sprint(tree), "4feed5c828271c0a386c09082e4a2bc31fbb7929"; got != want {
		t.Errorf("hash of the tree: got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(c), "12f9cad2e4c20c8dc9f4d4319ae937ef7a4a9991"; got != want {
		t.Errorf("hash of the commit: got %s, want %s", got, want)
	}
}

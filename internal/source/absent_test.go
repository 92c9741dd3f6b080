package source_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/source"
)

// answered makes the API answer once: until then a 404 may be of anything.
func (w world) answered() {
	w.Helper()
	if _, err := w.memory.At(w.Context(), bitbucket.Repository{Slug: "r", MainBranch: "main"}, ""); err != nil {
		w.Fatal(err)
	}
}

// list returns the paths in a folder.
func (w world) list(folder string) (string, error) {
	var paths []string
	err := w.commit().List(w.Context(), glob.Need{Folder: folder, Depth: 1}, source.Visitor{
		Entry: func(_ glob.Need, e source.Entry) { paths = append(paths, e.Path) },
	})
	return strings.Join(paths, " "), err
}

// A 404 that does not say what is missing is one of the path when a folder above it is there
// and does not have it.
func TestNotFoundInPlainText(t *testing.T) {
	files := map[string]string{"README.md": "R", "docs/a/b.md": "B"}
	for _, path := range []string{"CODEOWNERS", "docs/none.md", "docs/a/none.md", "docs/none/none.md", "none/none/none.md", "README.md/none", "docs/a/b.md/none/none"} {
		t.Run(path, func(t *testing.T) {
			inBubble(t, files, source.Options{}, func(w world) {
				w.answered()
				w.s.Configure(bitbuckettest.Options{PlainNotFound: true})
				if text, err := w.commit().File(w.Context(), path); text != nil || err != nil {
					w.Errorf("file: got %q, %v, want none", text, err)
				}
				if paths, err := w.list(path); paths != "" || err != nil {
					w.Errorf("folder: got %q, %v, want nothing in it", paths, err)
				}
				if text, err := w.commit().File(w.Context(), "docs/a/b.md"); string(text) != "B" || err != nil {
					w.Errorf("another file: got %q, %v, want it", text, err)
				}
			})
		})
	}
}

// Neither is a folder a file, nor a file a folder.
func TestNotFoundIsOfAnotherType(t *testing.T) {
	inBubble(t, map[string]string{"README.md": "R", "docs/a.md": "A"}, source.Options{}, func(w world) {
		w.answered()
		for _, path := range []string{"docs", "README.md"} {
			w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/" + path, Status: 404, Body: "Not Found", Times: -1})
			w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/" + path + "/", Status: 404, Body: "Not Found", Times: -1})
		}
		if text, err := w.commit().File(w.Context(), "docs"); text != nil || err != nil {
			w.Errorf("file: got %q, %v, want none", text, err)
		}
		if paths, err := w.list("README.md"); paths != "" || err != nil {
			w.Errorf("folder: got %q, %v, want nothing in it", paths, err)
		}
	})
}

// It stays an error while nothing shows that the path is missing: an outage answers 404 too.
func TestNotFoundThatProvesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		path  string
		fault bitbuckettest.Fault
	}{
		"the folder lists it":         {"docs/a.md", bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/docs/a.md"}},
		"the root lists it":           {"README.md", bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/README.md"}},
		"the folder is not found too": {"docs/a.md", bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/docs/**"}},
		"nothing is found":            {"docs/none.md", bitbuckettest.Fault{Path: "/repositories/acme/r/src/**"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"README.md": "R", "docs/a.md": "A"}, source.Options{}, func(w world) {
				w.answered()
				tt.fault.Status, tt.fault.Body, tt.fault.Times = 404, "Not Found", -1
				w.s.Fault(tt.fault)
				text, err := w.commit().File(w.Context(), tt.path)
				if text != nil || !errors.Is(err, bitbucket.ErrNotFound) || errors.Is(err, bitbucket.ErrNoFile) {
					w.Errorf("got %q, %v, want an error that says not found", text, err)
				}
			})
		})
	}
}

// A folder and a submodule have no text, whether a listing shows what they are or not, and
// however little of a file is read.
func TestNoTextOfItsOwn(t *testing.T) {
	for _, tt := range []struct {
		listed  bool
		maxFile int64
	}{{false, 40}, {true, 40}, {false, 3}, {true, 3}} {
		inModes := map[string]string{"docs/a.md": "A", "module": strings.Repeat("ab", 20), "hash": strings.Repeat("ab", 20)}
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			inBubble(t, inModes, source.Options{MaxFile: tt.maxFile}, func(w world) {
				w.s.SetAttributes("r", "module", "subrepository")
				if tt.listed {
					if _, err := w.list(""); err != nil {
						w.Error(err)
					}
				}
				c := w.commit()
				for path, want := range map[string]string{"docs": "", "module": "", "hash": inModes["hash"]} {
					text, err := c.File(w.Context(), path)
					if large := (*source.TooLarge)(nil); path == "hash" && tt.maxFile == 3 && errors.As(err, &large) {
						continue
					}
					if string(text) != want || (text == nil) != (want == "") || err != nil {
						w.Errorf("%s: got %q, %v, want %q", path, text, err, want)
					}
				}
			})
		})
	}
}

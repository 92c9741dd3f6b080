package kind_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

func TestFileReferences(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		want        any
		told        string
	}{
		{"beside", "file://./README.md", "# API", ""},
		{"beside, without ./", "file://README.md", "# API", ""},
		{"above", "file://../lib/requirements.txt", "flask\n", ""},
		{"root", "file:///README.md", "# Root", ""},
		{"JSON", "file://../lib/data.JSON", kind.Object{"a": "file://README.md"}, ""},
		{"YAML", "file://../lib/list.yml", []any{"x"}, ""},
		{"empty JSON", "file://../lib/empty.json", nil, ""},
		{"a name with blanks", "file://../lib/a b#?.txt", "odd", ""},
		{"a key twice", "file://../lib/twice.yml", kind.Object{"a": "c"}, "a mapping in a file has a key twice: the last value is taken"},
		{"invalid UTF-8", "file://../lib/latin.txt", "caf\uFFFD", ""},
		{"blanks around it", "\nfile://README.md\n", "# API", ""},
		{"a file with a slash behind it", "file://README.md/", nil, "a file:// value names a file that is not there: it is null"},
		{"itself", "file://port.yml", kind.Object{"properties": kind.Object{"v": []any{"file://port.yml"}}}, ""},
		{"no reference", "see file://README.md", "see file://README.md", ""},
		{"another case", "FILE://README.md", "FILE://README.md", ""},
		{"missing", "file://none.md", nil, "a file:// value names a file that is not there: it is null"},
		{"a folder", "file://../lib", nil, "a file:// value names a file that is not there: it is null"},
		{"its own folder", "file://", nil, "a file:// value names a file that is not there: it is null"},
		{"the root", "file:///", nil, "a file:// value names a file that is not there: it is null"},
		{"outside", "file://../../../etc/passwd", nil, "a file:// value leads out of its repository: it is null"},
		{"outside and in again", "file://../../svc/README.md", nil, "a file:// value leads out of its repository: it is null"},
		{"binary", "file://../lib/logo.png", nil, "a file:// value names a binary file: it is null"},
		{"wrong JSON", "file://../lib/bad.json", "{", "a file that a file:// value names does not parse as JSON: the value is its text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := bitbuckettest.New("acme")
			s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{
				"svc/port.yml": "properties:\n  v: [" + fmt.Sprintf("%q", tt.value) + "]\n", "svc/README.md": "# API", "README.md": "# Root",
				"lib/requirements.txt": "flask\n", "lib/data.JSON": `{"a": "file://README.md"}`, "lib/list.yml": "- x", "lib/twice.yml": "a: b\na: c\n", "lib/empty.json": "",
				"lib/a b#?.txt": "odd", "lib/latin.txt": "caf\xe9", "lib/logo.png": "\x89PNG\x00", "lib/bad.json": "{",
			}})
			inBubble(t, s, func(w world) {
				items, told, failed := w.files(`files: [{path: "**/port.yml"}]`)
				if len(items) != 1 || len(failed) > 0 {
					w.Fatalf("got %d items, %v, want one item", len(items), failed)
				}
				w.equal("content", items[0].Object["content"], any(kind.Object{"properties": kind.Object{"v": []any{tt.want}}}))
				w.equal("raw", items[0].Raw, tt.name == "wrong JSON")
				w.equal("not parsed", items[0].Unparsed, tt.name == "wrong JSON" || tt.name == "binary")
				if tt.told == "" {
					w.equal("told", len(told), 0)
				} else if len(told) != 1 || !strings.HasPrefix(told[0], tt.told+" | r/svc/port.yml: "+tt.value) {
					w.Errorf("told: got %q, want %q with file and value", told, tt.told)
				}
				if got := s.Violations(); len(got) > 0 {
					w.Errorf("violations: got %q, want none", got)
				}
			})
		})
	}
}

// A file that stands for itself is not resolved further, and read once.
func TestFileReferencesAreReadOnce(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{
		"a/port.yml": "x: file://../README.md\ny: file://../README.md\n", "b/port.yml": "x: file://../README.md", "README.md": "# R"}})
	inBubble(t, s, func(w world) {
		items, told, _ := w.files(`files: [{path: "*/port.yml"}]`)
		w.equal("told", len(told), 0)
		w.equal("a", items[0].Object["content"], any(kind.Object{"x": "# R", "y": "# R"}))
		w.equal("b", items[1].Object["content"], any(kind.Object{"x": "# R"}))
		w.equal("requests", w.asked(), "/repositories/acme r/src/HEAD/ r/src/HEAD/a/port.yml r/src/HEAD/README.md r/src/HEAD/b/port.yml")
	})
}

func TestFileReferencesAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range 150 {
		fmt.Fprintf(&text, "- file://%d.txt\n", i)
	}
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{"port.yml": text.String(), "0.txt": "zero"}})
	inBubble(t, s, func(w world) {
		items, told, _ := w.files(`files: [{path: port.yml}]`)
		list := items[0].Object["content"].([]any)
		w.equal("the first", list[0], any("zero"))
		w.equal("the hundredth", list[99], nil)
		w.equal("the next", list[100], any("file://100.txt"))
		w.equal("told", told, []string{
			"a file:// value names a file that is not there: it is null | r/port.yml: file://1.txt",
			"a file has more file:// values than are read (100, or 16 MiB): the others stay as they are | r/port.yml: file://100.txt"})
		w.equal("requests: those that a listing does not have are not asked for", w.asked(), "/repositories/acme r/src/HEAD/ r/src/HEAD/port.yml r/src/HEAD/0.txt")
	})
}

// Without its references a file is not what its author means: it is not sent.
func TestFileReferenceThatCannotBeRead(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{
		"a/port.yml": "x: file://secret.md", "a/secret.md": "x", "b/port.yml": "x: y"}})
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/a/secret.md", Status: 403, Times: -1})
	inBubble(t, s, func(w world) {
		items, told, failed := w.files(`files: [{path: "**/port.yml"}]`)
		w.equal("the others", paths(items), "r/b/port.yml")
		w.equal("told", len(told), 0)
		w.equal("unreadable", len(failed) == 1 && isUnreadable(failed[0]), true)
	})
}

// What YAML 1.1 has otherwise is there for an item whose file, or a file that it names, has
// such a scalar, and with the same files in their places.
func TestOlder(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{
		"a.yml": "on: 014\nref: file://lib/b.yml\nreadme: file://README.md\n", "b.yml": "x: file://lib/b.yml\n", "c.yml": "x: 'yes'\n",
		"d.yml":     "a: file://README.md\non: [" + strings.Repeat("file://README.md, ", 100) + "]\n",
		"lib/b.yml": "yes: 1e3\n", "README.md": "no"}})
	inBubble(t, s, func(w world) {
		items, _, failed := w.files(`files: [{path: "*.yml"}]`)
		if len(items) != 4 || len(failed) > 0 {
			w.Fatalf("got %d items, %v", len(items), failed)
		}
		w.equal("a", items[0].Object["content"], any(kind.Object{"on": json.Number("14"), "ref": kind.Object{"yes": json.Number("1e3")}, "readme": "no"}))
		older := kind.Object{"true": json.Number("12"), "ref": kind.Object{"true": "1e3"}, "readme": "no"}
		w.equal("a, older", items[0].Older["content"], any(older))
		w.equal("a, older, beside the path", items[0].Older["file"].(kind.Object)["content"], any(older))
		w.equal("a, the rest", items[0].Older["repo"], items[0].Object["repo"])
		w.equal("b", items[1].Object["content"], any(kind.Object{"x": kind.Object{"yes": json.Number("1e3")}}))
		w.equal("b, older", items[1].Older["content"], any(kind.Object{"x": kind.Object{"true": "1e3"}}))
		w.equal("c, the same", items[2].Older == nil, true)
		w.equal("d, cut", items[3].Older == nil, true)
	})
}

package kind_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

func TestFileItem(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddProject(bitbuckettest.Project{Key: "PAY"})
	s.AddRepository(bitbuckettest.Repository{Name: "Pay API", ProjectKey: "PAY", Files: map[string]string{
		"svc/port.yml": "title: Payments\nsince: 2026-01-02\nport: 8080\n", "README.md": "# Pay", "bin": "\x00"}})
	inBubble(t, s, func(w world) {
		items, told, failed := w.files(`files: [{path: "**/port.yml"}], includedFiles: [README.md, /svc/port.yml, none]`)
		if len(items) != 1 || len(told) > 0 || len(failed) > 0 {
			w.Fatalf("got %d items, %q and %v, want one item", len(items), told, failed)
		}
		got := items[0].Object
		hash := s.Head("pay-api")
		metadata, repo := got["metadata"].(kind.Object), got["repo"].(kind.Object)
		w.equal("metadata", []any{metadata["path"], metadata["type"], metadata["size"], metadata["commit"].(kind.Object)["hash"]},
			[]any{"svc/port.yml", "commit_file", json.Number("45"), hash})
		w.equal("repo", []any{repo["name"], repo["slug"], repo["full_name"], repo["project"].(kind.Object)["key"], repo["mainbranch"].(kind.Object)["name"]},
			[]any{"Pay API", "pay-api", "acme/pay-api", "PAY", "main"})
		w.equal("repository", got["__repository"], any(repo))
		of := metadata["commit"].(kind.Object)["repository"].(kind.Object)
		w.equal("repository of the commit", []any{of["name"], of["full_name"], of["uuid"], of["type"], of["mainbranch"], of["links"]},
			[]any{"Pay API", "acme/pay-api", repo["uuid"], "repository", kind.Object{"type": "branch", "name": "main"}, repo["links"]})
		of["links"].(kind.Object)["html"] = nil
		w.equal("not shared", repo["links"].(kind.Object)["html"] != nil, true)
		delete(got, "metadata")
		delete(got, "repo")
		delete(got, "__repository")
		content := kind.Object{"title": "Payments", "since": "2026-01-02", "port": json.Number("8080")}
		w.equal("the rest", got, kind.Object{
			"content": content, "branch": "main",
			"file":            kind.Object{"path": "svc/port.yml", "name": "port.yml", "content": content, "size": json.Number("45")},
			"__includedFiles": kind.Object{"README.md": "# Pay", "/svc/port.yml": "title: Payments\nsince: 2026-01-02\nport: 8080\n", "none": nil},
		})
		w.equal("raw", items[0].Raw, false)
		for name, want := range map[string]any{"README.md": "# Pay", "/README.md": "# Pay", "svc": nil, "none.md": nil, "bin": nil} {
			text, err := items[0].Read(w.Context(), name)
			w.equal("read "+name, []any{text, err}, []any{want, nil})
		}
		w.equal("requests: each file once", w.asked(),
			"/repositories/acme pay-api/src/HEAD/ pay-api/src/HEAD/svc/port.yml pay-api/src/HEAD/README.md pay-api/src/HEAD/bin")
	})
}

func TestFileContent(t *testing.T) {
	for _, tt := range []struct {
		name, path, text, selector string
		want                       any
		raw                        bool
		told                       []string
	}{
		{"JSON", "a.json", `{"v": 1.0}`, "", kind.Object{"v": json.Number("1.0")}, false, nil},
		{"GitOps list", "port.yml", "- identifier: a\n- identifier: b\n", "", []any{kind.Object{"identifier": "a"}, kind.Object{"identifier": "b"}}, false, nil},
		{"documents", "a.yaml", "a: x\n---\nb: y\n", "", []any{kind.Object{"a": "x"}, kind.Object{"b": "y"}}, false, nil},
		{"empty", "a.json", "", "", nil, false, nil},
		{"text", "a.md", "# A\xff", "", "# A\uFFFD", false, nil},
		{"not parsed", "a.json", `{"v": 1}`, ", skipParsing: true", `{"v": 1}`, false, nil},
		{"not parsed and wrong", "a.json", `{"v": `, ", skipParsing: true", `{"v": `, false, nil},
		{"wrong JSON", "a.json", `{"v": }`, "", `{"v": }`, true,
			[]string{"a file does not parse as JSON: its content is its text | r/a.json: invalid character '}' looking for beginning of value"}},
		{"wrong YAML", "a.yml", "a: [\n", "", "a: [\n", true,
			[]string{`a file does not parse as YAML: its content is its text | r/a.yml: line 2: did not find expected node content`}},
		{"a key twice", "a.yml", "a: 1\na: 2\n", "", kind.Object{"a": json.Number("2")}, false,
			[]string{`a mapping in a file has a key twice: the last value is taken | r/a.yml: line 2: the key "a" is there already`}},
		{"YAML 1.2", "a.yml", "%YAML 1.2\n---\na: 0x1F\nb: \"\\ud83d\\ude00\\/\"\n", "", kind.Object{"a": json.Number("31"), "b": "😀/"}, false, nil},
		{"binary", "a.json", "\x00\x01", "", nil, true, []string{"binary files have no content: .content is null | r/a.json"}},
		{"binary, not parsed", "a.bin", "\x00", ", skipParsing: true", nil, true, []string{"binary files have no content: .content is null | r/a.bin"}},
		{"hostile name", "a b#?%\"'💳\n.json", "[]", "", []any{}, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := bitbuckettest.New("acme")
			s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{tt.path: tt.text}})
			inBubble(t, s, func(w world) {
				items, told, failed := w.files("files: {filenames: ['*']" + tt.selector + "}")
				if len(items) != 1 || len(failed) > 0 {
					w.Fatalf("got %d items, %v, want one item", len(items), failed)
				}
				w.equal("path", items[0].Object["file"].(kind.Object)["path"], any(tt.path))
				w.equal("content", items[0].Object["content"], tt.want)
				w.equal("file's content", items[0].Object["file"].(kind.Object)["content"], tt.want)
				w.equal("raw", items[0].Raw, tt.raw)
				w.equal("told", told, tt.told)
			})
		})
	}
}

// What is not text has an item without content; a submodule is no file at all.
func TestFilesThatAreNoText(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{
		"bin.json": "{}", "lfs.json": strings.Repeat("x", 2<<20), "link.json": "../other.json", "run.json": "{}",
		"sub.json": "9a8b7c6d5e4f", "ref.yml": "a: file://lfs.json\nb: file://bin.json\n"}})
	s.SetAttributes("r", "bin.json", "binary", "executable")
	s.SetAttributes("r", "lfs.json", "lfs")
	s.SetAttributes("r", "link.json", "link")
	s.SetAttributes("r", "run.json", "executable")
	s.SetAttributes("r", "sub.json", "subrepository")
	inBubble(t, s, func(w world) {
		items, told, failed := w.files(`files: [{path: "*"}]`)
		w.equal("failed", len(failed), 0)
		w.equal("items", paths(items), "r/bin.json r/lfs.json r/link.json r/ref.yml r/run.json")
		for i, want := range []struct {
			content any
			raw     bool
			unclear bool
		}{{nil, true, true}, {nil, true, true}, {"../other.json", true, false}, {kind.Object{"a": nil, "b": kind.Object{}}, false, true}, {kind.Object{}, false, false}} {
			w.equal("content", items[i].Object["content"], want.content)
			w.equal("raw", items[i].Raw, want.raw)
			w.equal("not parsed", items[i].Unparsed, want.unclear)
		}
		w.equal("size", items[1].Object["file"].(kind.Object)["size"], any(json.Number("2097152")))
		w.equal("told", told, []string{
			"binary files have no content: .content is null | r/bin.json",
			"files that another host keeps (Git LFS) have no content: .content is null | r/lfs.json",
			"symbolic links are not followed: their content is the path that they lead to | r/link.json",
			"a file:// value names a file that another host keeps (Git LFS): it is null | r/ref.yml: file://lfs.json",
			"submodules are left out: they are no files | r/sub.json",
		})
		w.equal("requests", w.asked(), "/repositories/acme r/src/HEAD/ r/src/HEAD/link.json r/src/HEAD/ref.yml r/src/HEAD/bin.json r/src/HEAD/run.json")
		if got := s.Violations(); len(got) > 0 {
			w.Errorf("violations: got %q, want none", got)
		}
	})
}

// A listing need not say what Git LFS keeps: the redirect is not followed then.
func TestFileOnAnotherHost(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{"a.json": "{}", "b.json": "{}"}})
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/a.json", Status: 301, Times: -1,
		Header: http.Header{"Location": {"https://media.example/a"}}})
	inBubble(t, s, func(w world) {
		items, told, failed := w.files(`files: [{path: "*.json"}]`)
		w.equal("failed", len(failed), 0)
		w.equal("items", paths(items), "r/a.json r/b.json")
		w.equal("content", items[0].Object["content"], nil)
		w.equal("raw", items[0].Raw, true)
		w.equal("told", told, []string{"files that another host keeps (Git LFS) have no content: .content is null | r/a.json"})
	})
}

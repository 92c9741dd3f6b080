package resync_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

// hostileFiles maps every file: a path as such is no identifier.
const hostileFiles = `
- kind: file
  selector: {query: 'true', files: [{path: '**'}]}
  port: {entity: {mappings: {identifier: .file.path | @base64, title: .file.path, blueprint: '"repo"',
    properties: {description: .file.name, language: .content.language}}}}`

func encoded(path string) string { return base64.StdEncoding.EncodeToString([]byte(path)) }

// holding is a workspace with one repository, "r".
func holding(files map[string]string) *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	b.AddRepository(bitbuckettest.Repository{Name: "r", Files: files})
	return b
}

func TestHostilePaths(t *testing.T) {
	bubble(t, func(t *testing.T) {
		files := map[string]string{}
		for _, name := range []string{"a b", "c#d", "e?f", "100%", "per%2Fcent", `q"'q`, "🚀", "two\nlines", "[x]", "{y}", `back\slash`, "a;b=c&d", "::warning::x", " ", "~"} {
			files[name+"/in "+name+"/"+name+".json"] = `{"language": "of a hostile path"}`
		}
		w := newWorld(t, holding(files))
		m := mapped(hostileFiles, `
- kind: folder
  selector: {query: '[.__includedFiles, .folder.__includedFiles] != 0', folders: [{path: '*/*'}], includedFiles: [none.md]}
  port: {entity: {mappings: {identifier: .folder.path | @base64, title: .folder.path, blueprint: '"service"', properties: {owner: file://none.md}}}}`)
		r := w.sync(m).ended(report.Success).is(want{"created": 2 * len(files), "failed": 0, "skipped": 0})
		checkParts(t, "what the run tells", loud(r), nil)
		for path := range files {
			folder := path[:strings.LastIndex(path, "/")]
			file := r.after["repo"][encoded(path)]
			if file.Title != path || file.Properties["description"] != path[len(folder)+1:] || file.Properties["language"] != "of a hostile path" {
				t.Errorf("%q: got %+v", path, file)
			}
			if got := r.after["service"][encoded(folder)].Title; got != folder {
				t.Errorf("folder: got %q, want %q", got, folder)
			}
		}
		w.sync(m).ended(report.Success).is(want{"writes": 0, "deleted": 0})
	})
}

// recorder is another host, which nobody may ask for anything.
type recorder struct {
	mu   sync.Mutex
	seen []string
}

func (o *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, fmt.Sprintf("%s, credential %q", req.URL, req.Header.Get("Authorization")))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// What was text and is none any more: its entity stays, but for what is not a file.
func TestFilesThatBecomeNoText(t *testing.T) {
	bubble(t, func(t *testing.T) {
		files := map[string]string{}
		for _, name := range []string{"binary", "elsewhere", "link", "lfs", "submodule", "text"} {
			files[name+".json"] = `{"language": "go"}`
		}
		files["port.yml"] = "language: go\nnested: {of: [file://elsewhere.json]}\n"
		w := newWorld(t, holding(files))
		other := &recorder{}
		w.elsewhere = other
		m := mapped(hostileFiles, ofRepositories(", includedFiles: [lfs.json, elsewhere.json]"))
		w.sync(m).ended(report.Success).is(want{"created": 8})

		w.bitbucket.SetAttributes("r", "binary.json", "binary")
		w.bitbucket.SetAttributes("r", "link.json", "link")
		w.bitbucket.SetFile("r", "link.json", []byte("../../../etc/passwd"))
		w.bitbucket.SetAttributes("r", "lfs.json", "lfs")
		w.bitbucket.SetAttributes("r", "submodule.json", "subrepository")
		// Of this one the listing does not say that another host keeps it.
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/elsewhere.json", Redirect: "https://media.example/file?token=x", Status: http.StatusMovedPermanently, Times: -1})
		r := w.sync(m).ended(report.Success).is(want{"deleted": 1, "kept": 0, "failed": 0, "skipped": 0})
		r.has("repo", "r", encoded("binary.json"), encoded("elsewhere.json"), encoded("link.json"), encoded("lfs.json"), encoded("port.yml"), encoded("text.json"))
		r.problem("warning", "resource 1 (file): binary files have no content: .content is null", "r/binary.json")
		p := r.problem("warning", "resource 1 (file): files that another host keeps (Git LFS) have no content: .content is null", "r/elsewhere.json")
		if p.Count != 2 {
			t.Errorf("files on another host: got %d, want 2", p.Count)
		}
		r.problem("warning", "resource 1 (file): symbolic links are not followed: their content is the path that they lead to", "r/link.json")
		r.problem("warning", `property "language" raised an error on content that was not parsed, and is left out of the entity`, "acme/r/link.json")
		r.problem("warning", "resource 1 (file): submodules are left out: they are no files", "r/submodule.json")
		r.problem("warning", "resource 1 (file): a file:// value names a file that another host keeps (Git LFS): it is null", "r/port.yml: file://elsewhere.json")
		r.problem("warning", "resource 2 (repository): a file is kept on another host (Git LFS)", "r/elsewhere.json")
		if len(other.seen) > 0 {
			t.Errorf("the other host was asked: %q", other.seen)
		}
		for path, want := range map[string]any{"link.json": "go", "binary.json": nil, "text.json": "go"} {
			if got := r.after["repo"][encoded(path)].Properties["language"]; got != want {
				t.Errorf("language of %s: got %v, want %v", path, got, want)
			}
		}
	})
}

// bomb is a YAML file whose aliases stand for a billion values.
func bomb() string {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return text
}

// A file that attacks its parser, or is too large, leaves its entity as Port has it.
func TestHostileContents(t *testing.T) {
	t.Parallel()
	const notParsed, leftOut = "a file does not parse as ", `property "language" raised an error on content that was not parsed, and is left out of the entity`
	for _, c := range []struct {
		name, path, before, text string
		deleted, kept            int // of the stale entities
		heldBy                   string
		told                     []string
	}{
		{"alias bomb", "x.yml", "language: go", bomb(), 1, 0, "", []string{notParsed + "YAML: its content is its text (once: r/x.yml: it holds too many values", leftOut}},
		{"alias of itself", "x.yml", "language: go", "a: &a [*a]", 1, 0, "", []string{notParsed + "YAML", leftOut}},
		{"10,000 nested brackets of JSON", "x.json", `{"language": "go"}`, strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), 1, 0, "",
			[]string{notParsed + "JSON: its content is its text (once: r/x.json: it is nested deeper than 1000 levels)", leftOut}},
		{"10,000 nested brackets of YAML", "x.yml", "language: go", strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), 1, 0, "",
			[]string{notParsed + "YAML", leftOut}},
		{"10,000 objects of JSON", "x.json", `{"language": "go"}`, strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000), 1, 0, "",
			[]string{notParsed + "JSON", leftOut}},
		{"a code to run", "x.yml", "language: go", `language: !!python/object/apply:os.system go`, 1, 0, "", nil},
		{"50 MB", "x.json", `{"language": "go"}`, strings.Repeat(" ", 50_000_000), 0, 2, "left out r/x.json: a file is larger than max_file_size (1048576 bytes), and is not read",
			[]string{"resource 1 (file): a file is larger than max_file_size (1048576 bytes), and is not read (once: r/x.json); fix: raise the input max_file_size",
				`2 stale entities of blueprint "repo" are not deleted`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, holding(map[string]string{c.path: c.before, "stale.json": "{}", "good.json": `{"language": "rust"}`}))
				w.sync(mapped(hostileFiles)).ended(report.Success).is(want{"created": 3})
				w.bitbucket.RemoveFile("r", "stale.json")
				w.bitbucket.SetFile("r", c.path, []byte(c.text))
				w.bitbucket.SetFile("r", "good.json", []byte(`{"language": "zig"}`))
				r := w.sync(mapped(hostileFiles)).ended(report.Success).is(want{"failed": 0, "deleted": c.deleted, "kept": c.kept})
				r.heldBy("repo", c.heldBy, c.kept)
				checkParts(t, "what the run tells", loud(r), c.told)
				if got := r.after["repo"][encoded("good.json")].Properties["language"]; got != "zig" {
					t.Errorf("the other file: got %v, want zig", got)
				}
				if got := r.after["repo"][encoded(c.path)].Properties["language"]; got != "go" {
					t.Errorf("the file: got %v, want go as before", got)
				}
				for _, asked := range r.asked() {
					if c.heldBy != "" && asked == "r:"+c.path {
						t.Error("the file was read")
					}
				}
			})
		})
	}
}

// hugeTree has a number of files in 1,050 folders, and two files to map.
func hugeTree(files int) map[string]string {
	tree := map[string]string{"apps/web/port.yml": "language: go", "apps/api/port.yml": "language: go"}
	for i := range files {
		tree[fmt.Sprintf("src/%02d/%02d/file-%05d.txt", i%50, i/50%20, i)] = ""
	}
	return tree
}

// A huge tree is listed once for all kinds. Where its listing breaks off,
// nothing is deleted.
func TestHugeTree(t *testing.T) {
	skipShort(t)
	bubble(t, func(t *testing.T) {
		files := 10_000
		if sweep() {
			files = 40_000
		}
		w := newWorld(t, holding(hugeTree(files)))
		m := mapped(strings.Replace(hostileFiles, "'**'", "'**/port.yml'", 1), ofFolders("folders: [{path: '**/web'}]", "true", ""))
		r := w.sync(m).ended(report.Success).is(want{"created": 3, "requests": 1 + (files+2+1_050+4+99)/100 + 2})
		checkParts(t, "what the run tells", loud(r), nil)

		w.bitbucket.RemoveFile("r", "apps/api/port.yml")
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/", Query: "page=", Nth: 50, Status: http.StatusForbidden, Times: -1})
		r = w.sync(m).ended(report.Partial).is(want{"deleted": 0, "kept": 3})
		r.problem("error: resource 1 (file)", `folder "/" of repository "r"`, "403")
		r.heldBy("repo", "was not read completely", 2)
	})
}

// The server gives up on the depth of a tree: it is walked level by level.
func TestTreeThatIsTooDeep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := holding(map[string]string{"a/b/c/d/x.json": "{}", "a/e/x.json": "{}", "f/x.json": "{}", "x.json": "{}"})
		w := newWorld(t, b)
		m := mapped(hostileFiles)
		w.sync(m).ended(report.Success).is(want{"created": 4})
		b.RemoveFile("r", "a/e/x.json")
		for _, depth := range []string{"20", "10", "5", "2"} {
			b.Fault(bitbuckettest.Fault{Query: "max_depth=" + depth, Status: 555, Times: -1})
		}
		r := w.sync(m).ended(report.Success).is(want{"deleted": 1, "unchanged": 3})
		checkParts(t, "what the run tells", loud(r), nil)
		b.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/a/b/", Query: "max_depth=1", Status: 555, Times: -1})
		r = w.sync(m).ended(report.Partial).is(want{"deleted": 0, "kept": 3})
		r.problem("error", `folder "/a/b" of repository "r"`, "555")
	})
}

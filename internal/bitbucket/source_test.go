package bitbucket_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

func withFiles(files map[string]string) *bitbuckettest.Server {
	s := newServer()
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: files})
	return s
}

func TestTree(t *testing.T) {
	files := map[string]string{"a b/c#d/e?f": "x", "README.md": "# r", "large": strings.Repeat("x", 3000)}
	for i := range 120 {
		files[fmt.Sprintf("many/%03d", i)] = ""
	}
	s := withFiles(files)
	s.SetAttributes("r", "large", "executable", "lfs")
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		head := s.Head("r")
		tree := func(folder string, depth int) string {
			entries, err := collect(c.Tree(context.Background(), "r", head, folder, depth))
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, e := range entries {
				o, err := bitbucket.Decode(e.JSON)
				if err != nil || o["path"] != e.Path || o["links"] == nil {
					t.Errorf("JSON of %q: got %v, %v, want it whole", e.Path, o, err)
				}
				lines = append(lines, fmt.Sprintf("%s %s %d %v", e.Type, e.Path, e.Size, e.Attributes))
			}
			return strings.Join(lines, "\n")
		}
		equal(t, "root", tree("", 1), "commit_directory a b 0 []\ncommit_directory many 0 []\ncommit_file README.md 3 []\ncommit_file large 3000 [executable lfs]")
		equal(t, "below", tree("a b", 2), "commit_directory a b/c#d 0 []\ncommit_file a b/c#d/e?f 1 []")
		equal(t, "pages", strings.Count(tree("many", 1), "\n")+1, 120)
		got := requests(s)
		equal(t, "first", got[0], "/2.0/repositories/acme/r/src/"+head+"/?max_depth=1&pagelen=100")
		equal(t, "second", got[1], "/2.0/repositories/acme/r/src/"+head+"/a%20b/?max_depth=2&pagelen=100")
		equal(t, "requests", len(got), 4)
	})
	correct(t, s)
}

func TestTreeFails(t *testing.T) {
	for _, tt := range []struct {
		name, folder string
		depth        int
		fault        bitbuckettest.Fault
		missing      bool // the commit has no such folder
		tooDeep      bool
		requests     int
		message      string
		slashed      bool // a path of a file may end with a slash
	}{
		{name: "no such folder", folder: "none", depth: 1, missing: true, requests: 1, message: `list folder "/none" of repository "r"`},
		{name: "too deep", depth: 20, fault: bitbuckettest.Fault{Status: 555}, tooDeep: true, requests: 1, message: "555 Timeout"},
		{name: "a timeout of one level", depth: 1, fault: bitbuckettest.Fault{Status: 555}, tooDeep: true, requests: 5 + shorterPages, message: "555 Timeout"},
		{name: "500", depth: 20, fault: bitbuckettest.Fault{Status: 500}, requests: 5 + shorterPages, message: "500"},
		{name: "a file", folder: "README.md", depth: 1, missing: true, requests: 2, message: "a file, no directory", slashed: true},
		{name: "a file of JSON", folder: "package.json", depth: 2, missing: true, requests: 6, message: "a file, no directory", slashed: true},
		{name: "a file of Git LFS", folder: "big.bin", depth: 1, missing: true, requests: 2, message: "a file, no directory", slashed: true},
		{name: "a text of a proxy", folder: "docs", depth: 1, requests: 2, message: "not the JSON that was expected, but text/plain",
			fault: bitbuckettest.Fault{Status: 200, Body: "OK"}},
		{name: "a text for the root", depth: 1, requests: 1, message: "not the JSON that was expected, but text/plain",
			fault: bitbuckettest.Fault{Status: 200, Body: "OK"}},
		{name: "an entry without a path", depth: 1, requests: 1, message: "value 1 of the list: it has no path",
			fault: bitbuckettest.Fault{Mutate: func(o map[string]any) { o["values"] = []any{map[string]any{"type": "commit_file"}} }}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withFiles(map[string]string{"README.md": "# r", "docs/a": "b", "package.json": `{"values": "of nothing"}`, "big.bin": "x"})
			s.SetAttributes("r", "big.bin", "lfs")
			s.Configure(bitbuckettest.Options{SlashedFiles: tt.slashed})
			if tt.fault.Status != 0 || tt.fault.Mutate != nil {
				tt.fault.Times = -1
				s.Fault(tt.fault)
			}
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				_, err := collect(c.Tree(context.Background(), "r", s.Head("r"), tt.folder, tt.depth))
				wantError(t, err, tt.message)
				equal(t, "too deep", bitbucket.TooDeep(err), tt.tooDeep)
				equal(t, "is no folder", errors.Is(err, bitbucket.ErrNoFile), tt.missing)
				equal(t, "requests", s.Requests(), tt.requests)
			})
		})
	}
}

// A file of Git LFS leads to another host, by 302 or 301; the credential does not follow.
func TestFileOfLFS(t *testing.T) {
	for _, moved := range []bool{false, true} {
		t.Run(fmt.Sprint("moved ", moved), func(t *testing.T) { fileOfLFS(t, bitbuckettest.Options{MovedLFS: moved}) })
	}
}

func fileOfLFS(t *testing.T, o bitbuckettest.Options) {
	s := withFiles(map[string]string{"big.bin": "x"})
	s.SetAttributes("r", "big.bin", "lfs")
	s.Configure(o)
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		_, _, err := c.File(context.Background(), "r", s.Head("r"), "big.bin", 10)
		equal(t, "elsewhere", errors.Is(err, bitbucket.ErrElsewhere), true)
		wantError(t, err, `read file "big.bin" of repository "r"`, "api.media.atlassian.com", "credential must not go")
		equal(t, "requests", s.Requests(), 1)
		equal(t, "host", s.Journal()[0].Host, "bitbucket.test")
	})
}

// Where a redirect does not show that it leads to a file of Git LFS, the file's attributes
// do. Any other redirect says nothing of the file: it is there, and is not read.
func TestFileBehindAnotherHost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status    int
		location  string
		attribute string // of the file
		lfs       bool
		requests  int
	}{
		{301, "https://media.example/x", "", true, 1},
		{302, "https://files.media.atlassian.com/x", "", true, 1},
		{302, "https://login.example/?to=x", "", false, 2},
		{302, "http://127.0.0.1:8080/file/1/binary?token=x", "lfs", true, 2},
		{302, "http://127.0.0.1:8080/file/1/binary?token=x", "binary", false, 2},
		{307, "https://atlassian.com.example/x", "lfs", true, 2},
		{307, "https://atlassian.com.example/x", "", false, 2},
		{303, "https://notatlassian.com/x", "", false, 2},
	} {
		t.Run(fmt.Sprint(tt.status, " ", tt.location), func(t *testing.T) {
			s := withFiles(map[string]string{"README.md": "x"})
			if tt.attribute != "" {
				s.SetAttributes("r", "README.md", tt.attribute)
			}
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				s.Fault(bitbuckettest.Fault{Redirect: tt.location, Status: tt.status})
				_, _, err := c.File(context.Background(), "r", s.Head("r"), "README.md", 10)
				wantError(t, err, "redirect refused: to host", "credential must not go")
				equal(t, "of Git LFS", errors.Is(err, bitbucket.ErrElsewhere), tt.lfs)
				equal(t, "requests", s.Requests(), tt.requests)
				for _, x := range s.Journal() {
					equal(t, "host", x.Host, "bitbucket.test")
				}
			})
		})
	}
}

// A gateway that answers with a page of its own gives no file, though its status is good.
func TestFileOrWebPage(t *testing.T) {
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	s := withFiles(map[string]string{"README.md": "# R", "docs/index.html": "<p>hello", "a.HTM": "<p>hello"})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		once := s.Fault(bitbuckettest.Fault{Status: 200, Header: html, Body: "<html>"})
		text, _, err := c.File(context.Background(), "r", s.Head("r"), "README.md", 100)
		equal(t, "page, then file", string(text), "# R")
		equal(t, "error", err, nil)
		equal(t, "pages", once(), 1)
		s.Fault(bitbuckettest.Fault{Status: 200, Header: html, Body: "<html>", Times: -1})
		_, _, err = c.File(context.Background(), "r", s.Head("r"), "README.md", 100)
		wantError(t, err, `read file "README.md" of repository "r"`, "the answer is a web page, and not the file")
		for _, name := range []string{"docs/index.html", "a.HTM"} { // here nobody can tell
			text, _, err := c.File(context.Background(), "r", s.Head("r"), name, 100)
			equal(t, name, string(text), "<html>")
			equal(t, name, err, nil)
		}
		s.ClearFaults()
		html.Set("Content-Disposition", "attachment")
		s.Fault(bitbuckettest.Fault{Header: html, Times: -1})
		text, _, err = c.File(context.Background(), "r", s.Head("r"), "README.md", 100)
		equal(t, "an attachment of another type", string(text), "# R")
		equal(t, "error", err, nil)
	})
}

func TestBranches(t *testing.T) {
	s := withFiles(map[string]string{"a": ""})
	s.AddBranch("r", "release/1.x")
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		branches, err := c.Branches(context.Background(), "r")
		equal(t, "error", err, nil)
		head := s.Head("r")
		equal(t, "branches", fmt.Sprint(branches), fmt.Sprintf("[{main {%s}} {release/1.x {%s}}]", head, head))
		_, err = c.Branches(context.Background(), "none")
		equal(t, "not found", errors.Is(err, bitbucket.ErrNotFound), true)
	})
	correct(t, s)
}

// Files of a service that does not answer are not all waited for as long as the first.
func TestFilesThatAreWaitedForInVain(t *testing.T) {
	s := withFiles(map[string]string{"a": "a", "b": "b", "c": "c"})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/**", Delay: time.Hour, Times: transport.Attempts + 2})
		read := func(name string) (requests int, err error) {
			before := s.Requests()
			_, _, err = c.File(t.Context(), "r", s.Head("r"), name, 100)
			return s.Requests() - before, err
		}
		for _, tt := range []struct {
			name     string
			requests int
			fails    bool
		}{{"a", transport.Attempts, true}, {"b", 2, true}, {"c", 1, false}, {"b", 1, false}} {
			n, err := read(tt.name)
			equal(t, "requests for "+tt.name, n, tt.requests)
			equal(t, "fails", err != nil, tt.fails)
		}
		s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/**", Status: 500, Times: 3})
		n, err := read("a")
		equal(t, "requests after an answer", n, 4)
		equal(t, "error", err, nil)
	})
}

// An answer holds for ever only where it is one of the file, or names the path that is missing.
func TestProvenFile(t *testing.T) {
	of := func(kind string) http.Header { return http.Header{"Content-Type": {kind}} }
	missing := func(message string) bitbuckettest.Fault {
		return bitbuckettest.Fault{Status: 404, Header: of("application/json"), Body: `{"type":"error","error":{"message":"` + message + `"}}`}
	}
	for name, tt := range map[string]struct {
		path   string
		fault  bitbuckettest.Fault
		proven bool
	}{
		"a file":                             {"a/README.md", bitbuckettest.Fault{}, true},
		"its beginning":                      {"a/long", bitbuckettest.Fault{}, true},
		"an empty file":                      {"empty", bitbuckettest.Fault{}, true},
		"JSON":                               {"a/x.json", bitbuckettest.Fault{}, true},
		"no such file":                       {"a/none", bitbuckettest.Fault{}, true},
		"a folder":                           {"a", bitbuckettest.Fault{}, true},
		"a file of Git LFS":                  {"big", bitbuckettest.Fault{}, true},
		"a file of Git LFS, behind a host":   {"big", bitbuckettest.Fault{Redirect: "https://media.test/x"}, true},
		"a text of a proxy":                  {"a/README.md", bitbuckettest.Fault{Status: 200, Header: of("text/plain"), Body: "unavailable"}, false},
		"an empty text of a proxy":           {"a/README.md", bitbuckettest.Fault{Status: 200, Header: of("text/plain"), Body: " "}, false},
		"another charset":                    {"a/README.md", bitbuckettest.Fault{Header: of("text/plain; charset=ISO-8859-1")}, false},
		"the charset that it has":            {"a/README.md", bitbuckettest.Fault{Header: of("text/plain; charset=UTF-8")}, true},
		"a type that is none":                {"a/README.md", bitbuckettest.Fault{Header: of("text/plain; =")}, false},
		"JSON where none is due":             {"a/README.md", bitbuckettest.Fault{Header: of("application/json")}, false},
		"an error as JSON":                   {"a/x.json", bitbuckettest.Fault{Rewrite: func([]byte) []byte { return []byte(`{"type": "error", "error": {}}`) }}, false},
		"a redirect that may be for a login": {"a/README.md", bitbuckettest.Fault{Redirect: "https://id.atlassian.com/login"}, false},
		"missing, without a path":            {"a/none", missing("No such file or directory"), false},
		"missing, of another path":           {"a/none", missing("No such file or directory: a/non"), false},
		"missing, of the folder":             {"a/none", missing("No such file or directory: a"), true},
		"not found":                          {"a/none", missing("Not found"), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := withFiles(map[string]string{"a/README.md": "# R", "a/long": strings.Repeat("0123456789", 1000), "a/x.json": "{}", "empty": "", "big": "x"})
			s.SetAttributes("r", "big", "lfs")
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				if _, err := c.Exists(t.Context(), "r"); err != nil { // so that a 404 is one of the API
					t.Fatal(err)
				}
				tt.fault.Path, tt.fault.Times = "/repositories/acme/r/src/*/"+tt.path, 1
				s.Fault(tt.fault)
				_, proven, err := c.File(t.Context(), "r", s.Head("r"), tt.path, 2000)
				if proven != tt.proven {
					t.Errorf("proven: got %v, want %v; the error is %v", proven, tt.proven, err)
				}
			})
		})
	}
}

package kind_test

import (
	cmpor "cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/transport"
)

// overGit is a world whose folders and files are read over git.
func overGit(t testing.TB, s *bitbuckettest.Server, o kind.Options) world {
	t.Helper()
	s.AllowToken("good", bitbuckettest.Access{Limit: -1, GitLimit: -1})
	rate := transport.Rate{N: 60_000, Window: time.Hour}
	c, err := bitbucket.New(bitbucket.Config{
		BaseURL: "https://bitbucket.test/2.0", Workspace: "acme", CredentialKind: "workspace access token",
		Credentials: []transport.Credential{{
			Authorize:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer good") },
			AuthorizeGit: func(r *http.Request) { r.SetBasicAuth("x-token-auth", "good") },
		}},
		Git:  bitbucket.GitConfig{BaseURL: "https://git.test", Rate: rate},
		Rate: rate, Concurrency: 4, Transport: s.RoundTripper(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := world{TB: t, s: s, client: c}
	o.TempDir = t.TempDir()
	w.ws = w.workspace(o)
	return w
}

// requests are those since the last call: how many of the git host, and which others.
func (w world) requests() (git int, rest string) {
	var others []string
	for _, x := range w.s.Journal() {
		if x.Git {
			git++
		} else {
			others = append(others, cmpor.Or(strings.TrimPrefix(x.Path, "/2.0/repositories/acme"), "list"))
		}
	}
	w.s.ResetJournal()
	if got := w.s.Violations(); len(got) > 0 {
		w.Errorf("violations: got %q, want none", got)
	}
	return git, strings.Join(others, " ")
}

// readings is all that an extraction gives, but for functions.
type readings struct {
	Found  []kind.Found
	Errors []string
}

func (w world) readings(bound kind.Bound) (all readings) {
	w.Helper()
	for task, err := range bound.Extract(w.Context(), w.ws) {
		if err != nil {
			w.Fatal(err)
		}
		for found, err := range task.Run(w.Context()) {
			var warning *kind.Warning
			switch {
			case errors.As(err, &warning):
				all.Errors = append(all.Errors, fmt.Sprintf("%+v", *warning))
			case err != nil:
				all.Errors = append(all.Errors, fmt.Sprintf("%T: %v; %s", err, err, kind.Fix(err)))
			default:
				found.Read = nil
				all.Found = append(all.Found, found)
			}
		}
	}
	return all
}

// withoutMIMEType leaves out what git cannot give.
func (r readings) withoutMIMEType() readings {
	for _, found := range r.Found {
		for _, object := range []kind.Object{found.Object, found.Older} {
			if metadata, ok := object["metadata"].(kind.Object); ok {
				metadata["mimetype"] = nil
			}
		}
	}
	return r
}

// onlyFallback fails unless git read all repositories but one, of which the reason is known;
// an empty one is for none.
func (w world) onlyFallback(slug, reason string) {
	w.Helper()
	for _, f := range w.ws.Readings().Fallbacks {
		if f.Repository != slug || f.Reason != reason {
			w.Errorf("REST instead: got %q for %q, want %q for %q alone", f.Reason, f.Repository, reason, slug)
		}
	}
	if w.ws.Readings().Git == 0 {
		w.Error("got no repository that git read")
	}
}

// everySort has a repository of each sort that is read in its own way.
func everySort() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	add := func(name string, files map[string]string) {
		s.AddRepository(bitbuckettest.Repository{Name: name, Files: files})
	}
	add("plain", map[string]string{
		"README.md": "# Plain", "CODEOWNERS": "* @a", "port.yml": "a: 1", "apps/web/README.md": "# Web", "apps/web/port.yml": "b: 2",
		"apps/api/port.yml": "c: [", "apps/api/src/main.go": "package main", "docs/x.json": `{"x": 1, "x": 2}`, "empty": "",
	})
	s.AddBranch("plain", "release/1.x")
	s.SetFile("plain", "apps/new/port.yml", []byte("n: 1"))
	add("no files", nil)
	s.AddRepository(bitbuckettest.Repository{Name: "trunk", MainBranch: "trunk", Files: map[string]string{"port.yml": "t: 1", "README.md": "# Trunk"}})
	add("links", map[string]string{
		"README.md": "docs/README.md", "docs/README.md": "# Docs", "CODEOWNERS": "none", "port.yml": "docs/port.yml", "docs/port.yml": "l: 1",
		"one": "two", "two": "three", "three": "docs/../README.md", "around": "around", "out": "../out", "top": "/etc/passwd", "dir": "docs",
		"apps/web/README.md": "../../docs/README.md",
	})
	for _, link := range []string{"README.md", "CODEOWNERS", "port.yml", "one", "two", "three", "around", "out", "top", "dir", "apps/web/README.md"} {
		s.SetAttributes("links", link, "link")
	}
	add("no links", map[string]string{"README.md": "docs/README.md", "docs/README.md": "# Docs", "one": "two"})
	add("odd", map[string]string{
		"run.sh": "#!/bin/sh", "lib": strings.Repeat("ab", 20), "lib2/port.yml": "x: 1", "big.bin": "large", "nul.yml": "a\x00b", "latin.yml": "a: caf\xe9",
		"large.txt": strings.Repeat("x", 1<<20+1), "full.txt": strings.Repeat("x", 1<<20), "README.md": "large too",
		"large.bin": "\x00" + strings.Repeat("x", 1<<20),
	})
	s.SetAttributes("odd", "run.sh", "executable")
	s.SetAttributes("odd", "lib", "subrepository")
	s.SetAttributes("odd", "big.bin", "lfs")
	s.SetAttributes("odd", "README.md", "lfs")
	s.SetAttributes("odd", "nul.yml", "binary")
	s.SetAttributes("odd", "large.bin", "binary")
	deep := strings.Repeat("d/", 25)
	add("deep", map[string]string{deep + "port.yml": "d: 1", deep + "e/README.md": "# Deep", "d/port.yml": "d: 2"})
	names := map[string]string{}
	for _, n := range []string{"a b", "c#d", "e?f", "100%", `q"'q`, "🚀", "[x]", `back\slash`, "per%2Fcent", "+plus", "a;b=c&d"} {
		names[n+"/port.yml"], names[n+"/README.md"] = "of: "+fmt.Sprintf("%q", n), "# of "+n
	}
	add("names", names)
	add("lines", map[string]string{"two\nlines/port.yml": "l: 1", "port.yml": "l: 2"})
	add("renamed", map[string]string{"port.yml": "r: 1", "README.md": "# Renamed"})
	add("references", map[string]string{"port.yml": "readme: file://docs/a.md\nnone: file://none\nlfs: file://b.bin", "docs/a.md": "# A", "b.bin": "b"})
	s.SetAttributes("references", "b.bin", "lfs")
	return s
}

// Nothing that an extraction gives depends on what reads folders and files.
func TestReaders(t *testing.T) {
	for _, tt := range []struct{ kind, selector string }{
		{"repository", "includedFiles: [README.md]"},
		{"repository", "includedFiles: [README.md, CODEOWNERS, port.yml, docs/README.md, apps/web/README.md]"},
		{"repository", "includedFiles: [one, two, three, around, out, top, dir, empty, lib, nul.yml, latin.yml, large.txt, full.txt, docs]"},
		{"folder", "folders: [{path: ''}, {path: '*'}], includedFiles: [README.md, port.yml]"},
		{"folder", "folders: [{path: 'apps/*'}, {path: '*/web'}], includedFiles: [README.md]"},
		{"folder", "folders: [{path: '**'}]"},
		{"folder", "folders: [{path: '**/d/e'}], includedFiles: [README.md]"},
		{"folder", "folders: [{path: 'apps/*', repos: [{name: plain, branch: release/1.x}, plain, {name: plain, branch: nowhere}]}]"},
		{"file", "files: [{path: '**/port.yml'}], includedFiles: [README.md, none]"},
		{"file", "files: [{path: '/*', filenames: ['*']}]"},
		{"file", "files: [{path: '**/*'}]"},
		{"file", "files: [{path: '**/port.yml', repos: [{name: plain, branch: release/1.x}, trunk, {name: trunk, branch: trunk}]}]"},
		{"file", "files: [{path: 'apps/*/port.yml', skipParsing: true}, {path: README.md}]"},
	} {
		t.Run(tt.kind+" "+tt.selector, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				bound, err := kind.Bind(resource(t, tt.kind, tt.selector))
				if err != nil {
					t.Fatal(err)
				}
				s := everySort()
				for name, bound := range map[string]kind.Bound{"all that REST has": bound, "all that git has": bound.Reading(withoutMIMEType)} {
					want := newWorld(t, s).readings(bound)
					for _, keep := range []bool{false, true} {
						w := overGit(t, s, kind.Options{KeepFiles: keep})
						for range 2 {
							got := w.readings(bound)
							if name == "all that git has" {
								want, got = want.withoutMIMEType(), got.withoutMIMEType()
							}
							if d := cmp.Diff(want, got); d != "" {
								t.Errorf("%s (-REST +git):\n%s", name, d)
							}
						}
						w.onlyFallback("lines", "names that git's reader leaves out")
					}
				}
				if got := s.Violations(); len(got) > 0 {
					t.Errorf("violations: got %q, want none", got)
				}
			})
		})
	}
}

// withoutMIMEType is what expressions read that do not read what git cannot give.
func withoutMIMEType(path ...string) bool { return strings.Join(path, " ") != "metadata mimetype" }

// services has n repositories with a file at the root, and most of them one deep below it.
func services(n int) *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	for i := range n {
		files := map[string]string{"README.md": "# R", "a/b/c/port.yml": fmt.Sprintf("n: %d", i)}
		if i%10 == 0 {
			delete(files, "a/b/c/port.yml")
		}
		s.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%04d", i), Files: files})
	}
	return s
}

// A repository costs two requests to the git host, one where nothing is to be read of it; the
// first of a run costs one more. What another resource wants of it costs nothing.
func TestRequestsOverGit(t *testing.T) {
	for _, tt := range []struct {
		name, kind, selector string
		repositories         int
		items, git           int
		then                 map[string]string // what costs nothing then: a kind and its selector
	}{
		{"files at any depth", "file", "files: [{path: '**/port.yml'}]", 1000, 900, 1 + 1000 + 900, map[string]string{
			"file":   "files: [{path: '**/port.yml'}, {path: 'a/**/*.yml'}]",
			"folder": "folders: [{path: '**/c'}], includedFiles: [port.yml]",
		}},
		{"one file of the root", "repository", "includedFiles: [README.md]", 20, 20, 1 + 20 + 20, map[string]string{
			"repository": "includedFiles: [README.md, CODEOWNERS]",
			"folder":     "folders: [{path: '*'}]",
		}},
		{"several files of the root", "repository", "includedFiles: [README.md, CODEOWNERS, go.mod]", 20, 20, 1 + 20 + 20, nil},
		{"files that are not there", "repository", "includedFiles: [CODEOWNERS]", 20, 20, 1 + 20, nil},
		{"folders", "folder", "folders: [{path: 'a/**'}]", 20, 36, 1 + 20, nil},
		{"folders with a file", "folder", "folders: [{path: 'a/**'}], includedFiles: [port.yml, README.md]", 20, 36, 1 + 20 + 18, nil},
		{"files with one of the root", "file", "files: [{path: '**/port.yml'}], includedFiles: [README.md]", 20, 18, 1 + 20 + 18, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := overGit(t, services(tt.repositories), kind.Options{KeepFiles: true})
				ask := func(name, selector string) readings {
					bound, err := kind.Bind(resource(t, name, selector))
					if err != nil {
						t.Fatal(err)
					}
					return w.readings(bound.Reading(withoutMIMEType))
				}
				w.equal("items", len(ask(tt.kind, tt.selector).Found), tt.items)
				git, rest := w.requests()
				w.equal("requests to the git host", git, tt.git)
				w.equal("requests to REST", strings.ReplaceAll(rest, "list", ""), strings.Repeat(" ", max((tt.repositories-1)/100, 0)))
				for name, selector := range tt.then {
					ask(name, selector)
					git, rest = w.requests()
					w.equal("requests for "+name+" {"+selector+"}", fmt.Sprintf("%d %s", git, rest), "0 ")
				}
			})
		})
	}
}

// One question is for all branches of a repository that a selector names.
func TestBranchesOverGit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := everySort()
		s.AddBranch("plain", "b/two")
		w := overGit(t, s, kind.Options{KeepFiles: true})
		bound, err := kind.Bind(resource(t, "folder", "folders: [{path: '*', repos: [{name: plain, branch: release/1.x}, plain, {name: plain, branch: b/two}, {name: plain, branch: nowhere}]}]"))
		if err != nil {
			t.Fatal(err)
		}
		got := w.readings(bound)
		w.equal("items", len(got.Found), 3*2)
		w.equal("warnings", len(got.Errors), 1)
		git, rest := w.requests()
		w.equal("requests to the git host: branches, capabilities, the root of two commits", git, 1+1+2)
		w.equal("requests to REST", rest, "list /plain/refs/branches")
		w.readings(bound)
		git, rest = w.requests()
		w.equal("requests again", fmt.Sprintf("%d %s", git, rest), "0 /plain/refs/branches")
	})
}

// What git cannot give is asked of REST, and only where an expression reads it.
func TestMIMETypeOverGit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := overGit(t, services(3), kind.Options{KeepFiles: true})
		bound, err := kind.Bind(resource(t, "file", "files: [{path: '**/port.yml'}]"))
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			reads string
			rest  int
			want  any
		}{{"metadata size", 1, nil}, {"metadata mimetype", 2, "application/x-yaml"}} {
			got := w.readings(bound.Reading(func(path ...string) bool { return strings.Join(path, " ") == tt.reads }))
			w.equal("items", len(got.Found), 2)
			w.equal("MIME type", got.Found[0].Object["metadata"].(kind.Object)["mimetype"], tt.want)
			w.equal("size", got.Found[0].Object["metadata"].(kind.Object)["size"], any(json.Number("4")))
			_, rest := w.requests()
			w.equal("requests to REST for "+tt.reads, len(strings.Fields(rest)), tt.rest)
		}
	})
}

// The files that one file names come together.
func TestReferencesOverGit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := oneRepository(map[string]string{"port.yml": "a: file://docs/a.md\nb: [file://b.md, file://none]\n", "docs/a.md": "# A", "b.md": "# B"})
		w := overGit(t, s, kind.Options{OnlyGit: true})
		bound, err := kind.Bind(resource(t, "file", "files: [{path: '**/port.yml'}]"))
		if err != nil {
			t.Fatal(err)
		}
		got := w.readings(bound.Reading(withoutMIMEType))
		w.equal("content", got.Found[0].Object["content"], any(kind.Object{"a": "# A", "b": []any{"# B", nil}}))
		git, rest := w.requests()
		w.equal("requests: capabilities, folders, the file, the others", fmt.Sprint(git, len(strings.Fields(rest))), "4 1")
	})
}

// Where the server leaves out no texts, wanted files come by with the folders, and one answer
// is for all folders that are wanted.
func TestRequestsWithoutFilters(t *testing.T) {
	for _, tt := range []struct {
		name, kind, selector string
		items, git           int // requests of 20 repositories
	}{
		{"files at any depth", "file", "files: [{path: '**/port.yml'}], includedFiles: [README.md]", 18, 20},
		{"one file of the root", "repository", "includedFiles: [README.md]", 20, 20},
		{"folders", "folder", "folders: [{path: 'a/*'}]", 18, 20},
		{"several folders", "folder", "folders: [{path: 'a/*'}, {path: 'a/b/*'}, {path: 'c/d/*'}, {path: 'a*'}]", 18 * 3, 20},
		{"folders with files", "folder", "folders: [{path: 'a/*'}, {path: 'a*'}], includedFiles: [c/port.yml, b/c/port.yml]", 18 * 2, 20},
		{"folders with deeper files", "folder", "folders: [{path: 'a/*'}], includedFiles: [c/port.yml, README.md]", 18, 20 + 18},
		{"files that are not there", "repository", "includedFiles: [a/b/none, a/none, none]", 20, 20},
		{"deeper than one listing of REST", "file", "files: [{path: 'deep/**/settings.yml'}]", 1, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := services(20)
				s.SetFile("r0000", strings.Repeat("deep/", 45)+"settings.yml", []byte("d: 1"))
				s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{NoFilter: true}})
				w := overGit(t, s, kind.Options{})
				bound, err := kind.Bind(resource(t, tt.kind, tt.selector))
				if err != nil {
					t.Fatal(err)
				}
				got := w.readings(bound.Reading(withoutMIMEType))
				w.equal("items", len(got.Found), tt.items)
				w.equal("errors", len(got.Errors), 0)
				git, rest := w.requests()
				w.equal("requests to the git host", git, 1+tt.git)
				w.equal("requests to REST", rest, "list")
			})
		})
	}
}

// What expressions name by file:// comes with all else that is read of a repository.
func TestNamedFilesOverGit(t *testing.T) {
	for _, tt := range []struct{ kind, selector, want string }{
		{"folder", "folders: [{path: 'apps/*'}]", "<nil> # Plain <nil> # Plain # Web # Plain"},
		{"file", "files: [{path: 'apps/*/port.yml'}]", "# Plain # Plain # Plain # Plain # Plain # Plain"},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := everySort()
				w := overGit(t, s, kind.Options{})
				bound, err := kind.Bind(resource(t, tt.kind, "repoQuery: 'slug=\"plain\"', "+tt.selector))
				if err != nil {
					t.Fatal(err)
				}
				var texts []any
				for task, err := range bound.Reading(withoutMIMEType, "README.md", "/README.md").Extract(t.Context(), w.ws) {
					if err != nil {
						t.Fatal(err)
					}
					for found, err := range task.Run(t.Context()) {
						if err != nil { // a file does not parse
							continue
						}
						for _, name := range []string{"README.md", "/README.md"} {
							text, err := found.Read(t.Context(), name)
							if err != nil {
								t.Fatal(err)
							}
							texts = append(texts, text)
						}
					}
				}
				w.equal("texts", strings.TrimSpace(fmt.Sprintln(texts...)), tt.want)
				git, rest := w.requests()
				w.equal("requests: capabilities, folders, files; the list", fmt.Sprint(git, len(strings.Fields(rest))), "3 1")
			})
		})
	}
}

// A host that gave no file by itself is asked for one once: the others come by with folders,
// or over REST where the folders are listed already.
func TestRequestsWithoutWantsOfFiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := services(10)
		s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{NoBlobWants: true}})
		w := overGit(t, s, kind.Options{KeepFiles: true})
		ask := func(name, selector string) (git int, rest string) {
			bound, err := kind.Bind(resource(t, name, selector))
			if err != nil {
				t.Fatal(err)
			}
			w.equal("errors", len(w.readings(bound.Reading(withoutMIMEType)).Errors), 0)
			return w.requests()
		}
		git, _ := ask("folder", "folders: [{path: 'a/**', repos: [r0001, r0002, r0003]}]")
		w.equal("requests for three repositories: capabilities, folders", git, 1+3)
		git, rest := ask("file", "files: [{path: '**/port.yml', repos: [r0001, r0002, r0003, r0004]}]")
		w.equal("requests for them and another: one file, and the folders of the other with its file", git, 1+1)
		w.equal("requests to REST", len(strings.Fields(rest)), 3)
		w.equal("REST instead", len(w.ws.Readings().Fallbacks), 3)
	})
}

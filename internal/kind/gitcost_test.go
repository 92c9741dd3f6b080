package kind_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/kind"
)

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
	many := 200
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them
		many = 400
	} else if testing.Short() {
		many = 40
	}
	for _, tt := range []struct {
		name, kind, selector string
		repositories         int
		items, git           int
		then                 map[string]string // what costs nothing then: a kind and its selector
	}{
		{"files at any depth", "file", "files: [{path: '**/port.yml'}]", many, many * 9 / 10, 1 + many + many*9/10, map[string]string{
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

// Links of paths that not everybody escapes alike are asked of REST, where an expression reads
// them.
func TestLinksOverGit(t *testing.T) {
	for _, tt := range []struct{ kind, selector, reads string }{
		{"file", "files: [{path: '**/port.yml'}]", "metadata links"},
		{"file", "files: [{path: '**/port.yml'}]", "metadata escaped_path"},
		{"folder", "folders: [{path: 'packages/*'}]", "folder links"},
	} {
		t.Run(tt.reads, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := oneRepository(map[string]string{"packages/@acme/port.yml": "a: 1", "packages/x y/port.yml": "b: 2"})
				s.Configure(bitbuckettest.Options{EscapedLinks: true})
				bound, err := kind.Bind(resource(t, tt.kind, tt.selector))
				if err != nil {
					t.Fatal(err)
				}
				read := func(w world, reads string) readings {
					return w.readings(bound.Reading(func(path ...string) bool { return strings.Join(path, " ") == reads })).withoutMIMEType()
				}
				want := read(newWorld(t, s), tt.reads)
				s.ResetJournal()
				git := overGit(t, s, kind.Options{})
				got := read(git, tt.reads)
				if diff := cmp.Diff(want, got); diff != "" || len(got.Found) != 2 {
					t.Errorf("over REST (-), over git (+):\n%s", diff)
				}
				_, rest := git.requests()
				git.equal("requests to REST: the list, and one path", len(strings.Fields(rest)), 2)
				git = overGit(t, s, kind.Options{})
				read(git, "nothing")
				_, rest = git.requests()
				git.equal("requests to REST when no expression reads them", rest, "list")
			})
		})
	}
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

package kind_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
)

func TestFileSelectorRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, selector string
		want           []string
	}{
		{"none", "", []string{"mapping.yml:3:", "the selector names no files", "filenames: [package.json]"}},
		{"null", "files: null", []string{"names no files"}},
		{"empty list", "files: []", []string{"selector.files", "names no files"}},
		{"text", "files: README.md", []string{"selector.files", "expected a list"}},
		{"unknown key", "files: {filename: [a]}", []string{"selector.files", `unknown key "filename"`, `did you mean "filenames"?`}},
		{"unknown key of the second", "files: [{path: a}, {pth: a}]", []string{"mapping.yml:3:51", "selector.files[1]", `unknown key "pth"`}},
		{"skipParsing as text", "files: {path: a, skipParsing: 'maybe'}", []string{"selector.files.skipParsing", "expected true or false"}},
		{"filenames as text", "files: {filenames: package.json}", []string{"selector.files.filenames", "expected a list"}},
		{"no path and no names", "files: {repos: [a]}", []string{"selector.files", `"" names no file`, "add filenames"}},
		{"a folder", "files: {path: docs/}", []string{"mapping.yml:3:45", "selector.files.path", `"docs/" names no file`}},
		{"the incumbent's default", `files: {path: "*/"}`, []string{`"*/" names no file`}},
		{"a folder of the second", "files: [{path: a}, {path: docs/}]", []string{"selector.files[1].path", `"docs/" names no file`}},
		{"name with a folder", "files: {filenames: [a, docs/b]}", []string{"selector.files.filenames[1]", `"docs/b" is not the name of a file`, "the folder in path"}},
		{"empty name", "files: {filenames: ['']}", []string{"filenames[0]", `"" is not the name`}},
		{"bad glob", "files: {path: 'a/[b'}", []string{"selector.files.path", `the pattern "a/[b"`}},
		{"bad glob of a folder", "files: {path: 'a/[b', filenames: [c]}", []string{"selector.files.path", `the pattern "a/[b"`}},
		{"bad glob of a name", "files: {path: a, filenames: [b, 'c{']}", []string{"selector.files.filenames[1]", `the pattern "c{"`}},
		{"a path above", "files: {path: '../x'}", []string{"selector.files.path", `"../x"`}},
		{"repository without a name", "files: {path: a, repos: [x, {branch: y}]}", []string{"selector.files.repos[1]", "has no name"}},
		{"repo without a name", "files: {path: a, repo: [{branch: y}]}", []string{"selector.files.repo[0]", "has no name"}},
		{"key of a repository", "files: {path: a, repos: [{nam: y}]}", []string{"selector.files.repos[0]", `unknown key "nam"`}},
		{"role", "files: {path: a}, userRole: boss", []string{`unknown role "boss"`}},
		{"included file", "files: {path: a}, includedFiles: [../x]", []string{"includedFiles[0]", "not the path of a file"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := kind.Bind(resource(t, "file", tt.selector))
			var problems diag.Problems
			if !errors.As(err, &problems) || len(problems.Errors()) != 1 {
				t.Fatalf("got %v, want one diag.Problem", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %q, want it to have %q", err, part)
				}
			}
		})
	}
}

func TestFileSelectorAccepts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		selector string
		narrowed bool
		warning  string
	}{
		{`files: {path: "/*", filenames: [package.json], repos: [MyRepo, MyOtherRepo], skipParsing: false}`, false, ""},
		{`files: [{path: "**/port.yml"}]`, false, ""},
		{`files: [{path: "/port.yml", repos: [{name: a, branch: b/c}, d], skipParsing: true}, {filenames: ["*.{yml,yaml}"]}]`, false, ""},
		{`files: {path: integrations/bitbucket-cloud/, filenames: [README.md, port.yaml], repo: [port-repo-3], skipParsing: true}`, false,
			`mapping.yml:3:117: resource 1 (file): selector.files.repo: "repo" is taken for "repos"`},
		{`files: [{path: a}, {path: b, repo: [c]}]`, false, `selector.files[1].repo`},
		{`files: {path: a}, userRole: member`, true, ""},
		{`files: {path: a}, repoQuery: size>1, includedFiles: [README.md]`, true, ""},
	} {
		bound, err := kind.Bind(resource(t, "file", tt.selector))
		if err != nil || bound.Narrowed != tt.narrowed {
			t.Errorf("{%s}: got narrowed %v, %v, want %v", tt.selector, bound.Narrowed, err, tt.narrowed)
		}
		if got := len(bound.Warnings); got > 1 || (got == 1) != (tt.warning != "") || !strings.Contains(bound.Warnings.Error(), tt.warning) {
			t.Errorf("{%s}: got warnings %v, want %q", tt.selector, bound.Warnings, tt.warning)
		}
	}
}

// files extracts the kind file, and gives the items, what is told, and what failed: that a repository has
// no commits is neither.
func (w world) files(selector string) (items []kind.Found, told []string, failed []error) {
	w.Helper()
	bound, err := kind.Bind(resource(w.TB, "file", selector))
	if err != nil {
		w.Fatal(err)
	}
	for task, err := range bound.Extract(w.Context(), w.ws) {
		if err != nil {
			w.Fatal(err)
		}
		for found, err := range task.Run(w.Context()) {
			var warning *kind.Warning
			var none *kind.None
			switch {
			case errors.As(err, &none):
			case errors.As(err, &warning):
				told = append(told, strings.Join(slices.DeleteFunc([]string{warning.Message, warning.Example, warning.Fix},
					func(s string) bool { return s == "" }), " | "))
			case err != nil:
				failed = append(failed, err)
			default:
				items = append(items, found)
			}
		}
	}
	return items, told, failed
}

// paths are repository and path of each item; another branch than main is told.
func paths(items []kind.Found) string {
	var all []string
	for _, f := range items {
		p := f.Object["repo"].(kind.Object)["slug"].(string) + "/" + f.Object["file"].(kind.Object)["path"].(string)
		if b := f.Object["branch"]; b != "main" {
			p += "@" + b.(string)
		}
		all = append(all, p)
	}
	return strings.Join(all, " ")
}

func tree() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "Mono Repo", Files: map[string]string{
		"package.json": `{"name": "root"}`, "README.md": "# Mono", ".hidden/package.json": "{}",
		"web/package.json": `{"name": "web"}`, "web/my-package.json": "{}", "web/deep/down/package.json": "{}",
		"web/Package.json": "{}", "api/port.yml": "identifier: api", "api/port.yaml": "a: 1", "api/config/app.yml": "x: y",
	}})
	s.AddRepository(bitbuckettest.Repository{Name: "empty"})
	s.AddRepository(bitbuckettest.Repository{Name: "tool", Files: map[string]string{"package.json": "{}", "api/port.yml": "identifier: tool"}})
	s.AddBranch("tool", "release/1.x")
	s.SetFile("tool", "new.yml", []byte("a: 1"))
	return s
}

func TestFileMatching(t *testing.T) {
	for _, tt := range []struct{ name, selector, want string }{
		{"anywhere", "{filenames: [package.json]}", "mono-repo/.hidden/package.json mono-repo/package.json mono-repo/web/deep/down/package.json mono-repo/web/package.json tool/package.json"},
		{"anywhere by */", `{path: "*/", filenames: [app.yml]}`, "mono-repo/api/config/app.yml"},
		{"anywhere by *", `{path: "*", filenames: [app.yml]}`, "mono-repo/api/config/app.yml"},
		{"anywhere by **", `{path: "**", filenames: [app.yml]}`, "mono-repo/api/config/app.yml"},
		{"anywhere by **/", `{path: "**/", filenames: [app.yml]}`, "mono-repo/api/config/app.yml"},
		{"anywhere by **/*", `{path: "**/*", filenames: [package.json], repos: [tool]}`, "tool/package.json"},
		{"root by /", `{path: "/", filenames: [package.json, port.yml]}`, "mono-repo/package.json tool/package.json"},
		{"root by /*", `{path: "/*", filenames: [package.json]}`, "mono-repo/package.json tool/package.json"},
		{"folder", `{path: api, filenames: [port.yml, app.yml]}`, "mono-repo/api/port.yml tool/api/port.yml"},
		{"folder between slashes", `{path: /api/, filenames: [port.yml]}`, "mono-repo/api/port.yml tool/api/port.yml"},
		{"folder by glob", `{path: "web/**", filenames: [package.json]}`, "mono-repo/web/deep/down/package.json mono-repo/web/package.json"},
		{"names by glob", `{path: api, filenames: ["port.{yml,yaml}"]}`, "mono-repo/api/port.yaml mono-repo/api/port.yml tool/api/port.yml"},
		{"the whole name", `{path: web, filenames: ["*package.json"]}`, "mono-repo/web/my-package.json mono-repo/web/package.json"},
		{"path alone", "{path: api/port.yml}", "mono-repo/api/port.yml tool/api/port.yml"},
		{"path at the root", "{path: /README.md}", "mono-repo/README.md"},
		{"path by glob", `{path: "**/port.yml"}`, "mono-repo/api/port.yml tool/api/port.yml"},
		{"list", `[{path: "**/port.yml", repos: [tool]}, {path: README.md}]`, "mono-repo/README.md tool/api/port.yml"},
		{"one file, two patterns", `[{path: "**/port.yml", repos: [tool]}, {path: "api/*"}]`, "mono-repo/api/port.yaml mono-repo/api/port.yml tool/api/port.yml"},
		{"repository by name", `{filenames: [README.md], repos: [Mono Repo]}`, "mono-repo/README.md"},
		{"repository by slug", `{filenames: [README.md], repos: [{name: mono-repo, branch: default}]}`, "mono-repo/README.md"},
		{"a branch", `{filenames: ["*.yml"], repos: [{name: tool, branch: release/1.x}]}`, "tool/api/port.yml@release/1.x"},
		{"two branches", `{filenames: ["*.yml"], repos: [tool, {name: tool, branch: release/1.x}]}`,
			"tool/api/port.yml tool/new.yml tool/api/port.yml@release/1.x"},
		{"the main branch by name", `[{path: new.yml, repos: [{name: tool, branch: main}]}, {path: new.yml}]`, "tool/new.yml"},
		{"no match", `{path: "nowhere/**", filenames: [a]}`, ""},
		{"a folder is no file", `{path: api}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tree()
			inBubble(t, s, func(w world) {
				items, told, failed := w.files("files: " + tt.selector)
				w.equal("items", paths(items), tt.want)
				w.equal("told", len(told), 0)
				w.equal("failed", len(failed), 0)
				if got := s.Violations(); len(got) > 0 {
					w.Errorf("violations: got %q, want none", got)
				}
			})
		})
	}
}

func TestFileNamesThatAreNotThere(t *testing.T) {
	for _, tt := range []struct {
		name, selector string
		want           []string
	}{
		{"repository", "files: {path: README.md, repos: [mono-rep]}",
			[]string{`the workspace has no repository "mono-rep" that the credential can see | did you mean "mono-repo"?`}},
		{"nothing like it, named twice", "files: [{path: README.md, repos: [zzzzzz]}, {path: x, repos: [zzzzzz]}]",
			[]string{`the workspace has no repository "zzzzzz" that the credential can see | write its name or slug as Bitbucket shows it`}},
		{"not among the narrowed", "userRole: admin, repoQuery: 'name=\"tool\"', files: {path: README.md, repos: [empty]}",
			[]string{`repository "empty" is not among those that userRole and repoQuery leave | write its name or slug as Bitbucket shows it`}},
		{"branch", "files: {path: README.md, repos: [{name: tool, branch: release/1.y}]}",
			[]string{`repository "tool" has no branch "release/1.y" | did you mean "release/1.x"?`}},
		{"branch of an empty repository", "files: {path: README.md, repos: [{name: empty, branch: dev}]}",
			[]string{`repository "empty" has no branch "dev" | leave the branch out for the main branch`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, tree(), func(w world) {
				items, told, failed := w.files(tt.selector)
				w.equal("told", told, tt.want)
				w.equal("items", paths(items), "")
				w.equal("failed", len(failed), 0)
			})
		})
	}
}

// The first of two patterns says whether a file is parsed.
func TestFileOfTwoPatterns(t *testing.T) {
	for first, want := range map[string]any{"true": "a: 1", "false": kind.Object{"a": json.Number("1")}} {
		t.Run(first, func(t *testing.T) {
			s := bitbuckettest.New("acme")
			s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{"x.yml": "a: 1"}})
			inBubble(t, s, func(w world) {
				items, _, _ := w.files(fmt.Sprintf(`files: [{path: "*.yml", skipParsing: %s}, {path: x.yml}, {path: x.yml, skipParsing: true}]`, first))
				w.equal("items", paths(items), "r/x.yml")
				w.equal("content", items[0].Object["content"], want)
			})
		})
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	s := tree()
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/mono-repo/src/*/web/package.json", Status: 403, Times: -1})
	inBubble(t, s, func(w world) {
		items, told, failed := w.files("files: {filenames: [package.json]}")
		w.equal("the others", paths(items), "mono-repo/.hidden/package.json mono-repo/package.json mono-repo/web/deep/down/package.json tool/package.json")
		w.equal("told", len(told), 0)
		var u *kind.Unreadable
		if len(failed) != 1 || !errors.As(failed[0], &u) || u.Object != "mono-repo/web/package.json" {
			w.Errorf("got %v, want one *Unreadable of mono-repo/web/package.json", failed)
		}
	})
}

func TestFileTooLarge(t *testing.T) {
	skipShort(t)
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{
		"a.json": "{}", "big.json": strings.Repeat(" ", 50_000_000), "ref.yml": "x: file://big.json"}})
	inBubble(t, s, func(w world) {
		items, told, failed := w.files("files: {path: '/*', filenames: ['*']}")
		w.equal("the others", paths(items), "r/a.json")
		w.equal("told", len(told), 0)
		var objects []string
		for _, err := range failed {
			var omitted *kind.Omitted
			if !errors.As(err, &omitted) {
				w.Fatalf("got %v, want an *Omitted", err)
			}
			objects = append(objects, omitted.Object)
		}
		w.equal("left: the file, and the one that names it", objects, []string{"r/big.json", "r/ref.yml"})
		w.equal("requests: it is not read", w.asked(), "/repositories/acme r/src/HEAD/ r/src/HEAD/a.json r/src/HEAD/ref.yml")
	})
}

func TestRepositoryOfFilesVanishes(t *testing.T) {
	s := tree()
	s.OnRequest(func(n int, _ *http.Request) {
		if n == 3 {
			s.RemoveRepository("mono-repo")
		}
	})
	inBubble(t, s, func(w world) {
		items, _, failed := w.files("files: {filenames: [package.json]}")
		w.equal("the others", paths(items), "tool/package.json")
		w.equal("gone", len(failed) == 1 && isGone(failed[0]), true)
	})
}

// Included files are read for the first item of a repository, and for none
// where nothing matches.
func TestIncludedFilesOfFiles(t *testing.T) {
	inBubble(t, tree(), func(w world) {
		items, _, failed := w.files(`files: {path: api, filenames: [app.yml, "port.y*ml"]}, includedFiles: [README.md]`)
		w.equal("failed", len(failed), 0)
		w.equal("items", paths(items), "mono-repo/api/port.yaml mono-repo/api/port.yml tool/api/port.yml")
		w.equal("files", items[0].Object["__includedFiles"], any(kind.Object{"README.md": "# Mono"}))
		w.equal("files of tool", items[2].Object["__includedFiles"], any(kind.Object{"README.md": nil}))
		items[0].Object["__includedFiles"].(kind.Object)["README.md"] = "written into"
		w.equal("files are not shared", items[1].Object["__includedFiles"], any(kind.Object{"README.md": "# Mono"}))
	})
}

// A stop is told once a repository, and nothing follows it.
func TestStoppedFiles(t *testing.T) {
	s := tree()
	ctx, cancel := context.WithCancel(t.Context())
	s.OnRequest(func(n int, _ *http.Request) {
		if n == 4 {
			cancel()
		}
	})
	inBubble(t, s, func(w world) {
		bound, err := kind.Bind(resource(w.TB, "file", "files: {filenames: [package.json], repos: [mono-repo]}"))
		if err != nil {
			w.Fatal(err)
		}
		var got []kind.Found
		var failed []error
		for task := range bound.Extract(w.Context(), w.ws) {
			for found, err := range task.Run(ctx) {
				if err != nil {
					failed = append(failed, err)
					continue
				}
				got = append(got, found)
			}
		}
		w.equal("before", paths(got), "mono-repo/.hidden/package.json")
		w.equal("stopped", len(failed) == 1 && errors.Is(failed[0], context.Canceled), true)
		w.equal("unreadable", len(failed) == 1 && isUnreadable(failed[0]), false)
	})
}

// A branch that the list of branches has is there, whatever its own route says.
func TestBranchThatIsListed(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "api", Files: map[string]string{"port.yml": "a: b"}})
	s.AddBranch("api", "release/1.x")
	inBubble(t, s, func(w world) {
		w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/api/refs/branches/*", Status: 404, Times: -1})
		items, told, failed := w.files("files: [{path: port.yml, repos: [{name: api, branch: release/1.x}]}, {path: port.yml, repos: [{name: api, branch: release/2.x}]}]")
		w.equal("failed", len(failed), 0)
		w.equal("items", len(items), 1)
		w.equal("told", told, []string{`repository "api" has no branch "release/2.x" | did you mean "release/1.x"?`})
	})
}

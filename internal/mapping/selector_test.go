package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/diag"
)

type testFiles struct {
	Path      string   `yaml:"path"`
	Filenames []string `yaml:"filenames"`
}

type testSelector struct {
	UserRole string      `yaml:"userRole"`
	Deep     *bool       `yaml:"deep,omitempty"`
	Skip     bool        `yaml:"skip"`
	Files    testFiles   `yaml:"files"`
	Folders  []testFiles `yaml:"folders"`
	Ignored  int         `yaml:"-"`
	own      int
}

// parseSelector gives the selector of a mapping that holds the given lines.
func parseSelector(t *testing.T, lines string) Selector {
	t.Helper()
	m, err := Parse("m.yml", []byte("resources:\n- kind: file\n  port: {entity: {mappings: {identifier: .a, blueprint: .b}}}\n"+
		"  selector:\n    query: .q\n"+lines))
	if err != nil {
		t.Fatal(err)
	}
	return m.Resources[0].Selector
}

func TestSelectorDecode(t *testing.T) {
	t.Parallel()
	s := parseSelector(t, `    exportEnvVariables: [A]
    userRole: owner
    deep: false
    skip: true
    files: {path: a/*, filenames: [x, "2"]}
    folders:
      - path: p
        filenames: null
      - {}
`)
	got := testSelector{Ignored: 1}
	if err := s.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := testSelector{
		UserRole: "owner", Deep: new(bool), Skip: true, Ignored: 1,
		Files:   testFiles{Path: "a/*", Filenames: []string{"x", "2"}},
		Folders: []testFiles{{Path: "p"}, {}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(testSelector{})); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
}

func TestSelectorDecodeDefaults(t *testing.T) {
	t.Parallel()
	want := testSelector{UserRole: "member", own: 1}
	for _, s := range []Selector{{}, parseSelector(t, "    userRole: null\n")} {
		got := want
		if err := s.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(testSelector{})); diff != "" {
			t.Errorf("Decode (-want +got):\n%s", diff)
		}
	}
}

func TestSelectorDecodeErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, lines, want string }{
		{"unknown key", "    user_role: owner\n", `m.yml:6:5: resource 1 (file): selector: unknown key "user_role"
    user_role: owner
    ^
fix: did you mean "userRole"? the keys here are query, exportEnvVariables, userRole, deep, skip, files, folders`},
		{"nested unknown keys", "    folders:\n      - repo: x\n    files: {query: x}\n", `m.yml:7:9: resource 1 (file): selector.folders[0]: unknown key "repo"
    - repo: x
      ^
fix: the keys here are path, filenames
m.yml:8:13: resource 1 (file): selector.files: unknown key "query"
    files: {query: x}
            ^
fix: the keys here are path, filenames`},
		{"boolean for a string", "    userRole: true\n", `m.yml:6:15: resource 1 (file): selector.userRole: expected a string, found a boolean
    userRole: true
              ^
fix: quote it: "true"`},
		{"list for a string", "    userRole: [a]\n", `m.yml:6:15: resource 1 (file): selector.userRole: expected a string, found a list
    userRole: [a]
              ^
fix: write text`},
		{"string for a boolean", "    skip: \"maybe\"\n", `m.yml:6:11: resource 1 (file): selector.skip: expected true or false, found a string
    skip: "maybe"
          ^
fix: write true or false, without quotes`},
		{"string for a list", "    files: {filenames: a}\n", `m.yml:6:24: resource 1 (file): selector.files.filenames: expected a list, found a string
    files: {filenames: a}
                       ^
fix: write a list: each item on a line of its own, after "- "`},
		{"null in a list", "    files: {filenames: [~]}\n", `m.yml:6:25: resource 1 (file): selector.files.filenames[0]: expected a string, found null
    files: {filenames: [~]}
                        ^
fix: write text`},
		{"list for a mapping", "    files:\n      - path: a\n", `m.yml:6:5: resource 1 (file): selector.files: expected "key: value" lines, found a list
    files:
    ^
fix: the keys here are path, filenames`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			problems := parseSelector(t, tt.lines).Decode(new(testSelector))
			if len(problems.Errors()) == 0 {
				t.Fatalf("Decode: got %v, want an error", problems)
			}
			if diff := cmp.Diff(tt.want, problems.Error()); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSelectorDecodeInto(t *testing.T) {
	t.Parallel()
	for _, into := range []any{nil, testSelector{}, new(string), (*testSelector)(nil), new(struct {
		A float64 `yaml:"userRole"`
	}), new(struct {
		testFiles `yaml:",inline"`
	}), new(struct {
		A string `yaml:"userRole,flow"`
	})} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Decode into %T: got no panic, want one", into)
				}
			}()
			_ = parseSelector(t, "    userRole: a\n").Decode(into)
		}()
	}
}

// testRepo is written as its name, or as a mapping.
type testRepo struct {
	Name   string `yaml:"name"`
	Branch string `yaml:"branch"`
}

func (r *testRepo) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("expected a name, found nothing")
	}
	r.Name = string(text)
	return nil
}

type testPattern struct {
	Path  string     `yaml:"path"`
	Repos []testRepo `yaml:"repos"`
}

type testForms struct {
	Files   []testPattern  `yaml:"files"`
	Folders []*testPattern `yaml:"folders"`
	Repo    *testRepo      `yaml:"repo"`
}

func TestSelectorDecodeForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, lines string
		want        testForms
	}{
		{"one mapping for a list", "    files: {path: a, repos: [x]}\n", testForms{Files: []testPattern{{"a", []testRepo{{Name: "x"}}}}}},
		{"one mapping for a list of pointers", "    folders:\n      path: a\n", testForms{Folders: []*testPattern{{Path: "a"}}}},
		{"an empty mapping", "    files: {}\n", testForms{Files: []testPattern{{}}}},
		{"a list", "    files:\n      - path: a\n      - path: b\n", testForms{Files: []testPattern{{Path: "a"}, {Path: "b"}}}},
		{"an empty list", "    files: []\n", testForms{Files: []testPattern{}}},
		{"text, quoted text and mappings", "    files: {repos: [x, \"2\", {name: y, branch: b}]}\n",
			testForms{Files: []testPattern{{Repos: []testRepo{{Name: "x"}, {Name: "2"}, {"y", "b"}}}}}},
		{"one mapping that text could be", "    files: {repos: {name: y}}\n", testForms{Files: []testPattern{{Repos: []testRepo{{Name: "y"}}}}}},
		{"text behind a pointer", "    repo: x\n", testForms{Repo: &testRepo{Name: "x"}}},
		{"an alias", "    repo: &r x\n    files: {repos: [*r]}\n",
			testForms{Repo: &testRepo{Name: "x"}, Files: []testPattern{{Repos: []testRepo{{Name: "x"}}}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got testForms
			if err := parseSelector(t, tt.lines).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSelectorDecodeFormErrors(t *testing.T) {
	t.Parallel()
	const keys = "write text, or a mapping with the keys name, branch"
	tests := []struct{ lines, want, fix string }{
		{"    files: {repos: [x, true]}\n", "m.yml:6:24: resource 1 (file): selector.files.repos[1]: expected a string or a mapping, found a boolean", `quote it: "true"`},
		{"    files: {repos: [~]}\n", "m.yml:6:21: resource 1 (file): selector.files.repos[0]: expected a string or a mapping, found null", keys},
		{"    files:\n      - repos: [[x]]\n", "m.yml:7:17: resource 1 (file): selector.files[0].repos[0]: expected a string or a mapping, found a list", keys},
		{"    files: {repos: [\"\"]}\n", "m.yml:6:21: resource 1 (file): selector.files.repos[0]: expected a name, found nothing", keys},
		{"    repo: {nam: x}\n", `m.yml:6:12: resource 1 (file): selector.repo: unknown key "nam"`, `did you mean "name"? the keys here are name, branch`},
		{"    files: {repo: [x]}\n", `m.yml:6:13: resource 1 (file): selector.files: unknown key "repo"`, `did you mean "repos"? the keys here are path, repos`},
		{"    files: {repos: x}\n", "m.yml:6:20: resource 1 (file): selector.files.repos: expected a list, found a string", `write a list: each item on a line of its own, after "- "`},
		{"    files: [x]\n", "m.yml:6:13: resource 1 (file): selector.files[0]: expected \"key: value\" lines, found a string", "write path: 'x'; the keys here are path, repos"},
	}
	for _, tt := range tests {
		t.Run(strings.TrimSpace(tt.lines), func(t *testing.T) {
			t.Parallel()
			problems := parseSelector(t, tt.lines).Decode(new(testForms))
			if len(problems.Errors()) != 1 || len(problems) != 1 {
				t.Fatalf("Decode: got %v, want one error", problems)
			}
			if problems[0].Fix != tt.fix {
				t.Errorf("fix: got %q, want %q", problems[0].Fix, tt.fix)
			}
			problems[0].Snippet, problems[0].Fix = "", ""
			if got := problems[0].Error(); got != tt.want {
				t.Errorf("Decode:\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSelectorProblem(t *testing.T) {
	t.Parallel()
	s := parseSelector(t, "    files: {path: a/*, filenames: [x, y]}\n")
	tests := []struct{ path, want string }{
		{"", "m.yml:4:3: resource 1 (file): selector: wrong"},
		{"files.path", "m.yml:6:19: resource 1 (file): selector.files.path: wrong"},
		{"files.filenames[1]", "m.yml:6:39: resource 1 (file): selector.files.filenames[1]: wrong"},
		{"files.filenames[7]", "m.yml:6:35: resource 1 (file): selector.files.filenames[7]: wrong"},
		{"files.repos.x", "m.yml:6:12: resource 1 (file): selector.files.repos.x: wrong"},
		{"absent", "m.yml:4:3: resource 1 (file): selector.absent: wrong"},
	}
	for _, tt := range tests {
		p := s.Problem(RuleJQSyntax, diag.Warning, tt.path, "wrong", "")
		p.Snippet = ""
		if got := p.Error(); got != tt.want {
			t.Errorf("Problem(%q): got %q, want %q", tt.path, got, tt.want)
		}
	}
	if got := (Selector{}).Problem(RuleJQSyntax, diag.Error, "x", "wrong", "").Error(); got != "selector.x: wrong" {
		t.Errorf("Problem of the zero Selector: got %q", got)
	}
}

// Callers need not know which form was written.
func TestSelectorProblemOfForms(t *testing.T) {
	t.Parallel()
	one := "    files: {path: a, repos: [x, y], \"0\": z}\n"
	list := "    files:\n      - path: a\n        repos: [x, y]\n"
	tests := []struct{ lines, path, want string }{
		{one, "files[0]", "m.yml:6:12: resource 1 (file): selector.files: wrong"},
		{one, "files[0].repos[1]", "m.yml:6:33: resource 1 (file): selector.files.repos[1]: wrong"},
		{one, "files[0].absent", "m.yml:6:12: resource 1 (file): selector.files.absent: wrong"},
		{one, "files.0", "m.yml:6:42: resource 1 (file): selector.files.0: wrong"},
		{list, "files[0].repos[1]", "m.yml:8:20: resource 1 (file): selector.files[0].repos[1]: wrong"},
		{list, "files[0]", "m.yml:7:9: resource 1 (file): selector.files[0]: wrong"},
		{"", "files[0].path", "m.yml:4:3: resource 1 (file): selector.files[0].path: wrong"},
	}
	for _, tt := range tests {
		p := parseSelector(t, tt.lines).Problem(RuleJQSyntax, diag.Error, tt.path, "wrong", "")
		p.Snippet = ""
		if got := p.Error(); got != tt.want {
			t.Errorf("Problem(%q): got %q, want %q", tt.path, got, tt.want)
		}
	}
}

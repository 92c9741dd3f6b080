package mapping

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		{"number for a string", "    userRole: 5\n", `m.yml:6:15: resource 1 (file): selector.userRole: expected a string, found a number
    userRole: 5
              ^
fix: quote it: "5"`},
		{"list for a string", "    userRole: [a]\n", `m.yml:6:15: resource 1 (file): selector.userRole: expected a string, found a list
    userRole: [a]
              ^
fix: write text`},
		{"string for a boolean", "    skip: \"yes\"\n", `m.yml:6:11: resource 1 (file): selector.skip: expected true or false, found a string
    skip: "yes"
          ^
fix: write true or false, without quotes`},
		{"string for a list", "    files: {filenames: a}\n", `m.yml:6:24: resource 1 (file): selector.files.filenames: expected a list, found a string
    files: {filenames: a}
                       ^
fix: write a list: each item on a line of its own, after "- "`},
		{"null in a list", "    files: {filenames: [~]}\n", `m.yml:6:25: resource 1 (file): selector.files.filenames[0]: expected a string, found null
    files: {filenames: [~]}
                        ^
fix: quote it: "~"`},
		{"list for a mapping", "    files:\n      - path: a\n", `m.yml:6:5: resource 1 (file): selector.files: expected a mapping, found a list
    files:
    ^
fix: the keys here are path, filenames`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := parseSelector(t, tt.lines).Decode(new(testSelector))
			if _, ok := errors.AsType[Problems](err); !ok {
				t.Fatalf("Decode: got error %v, want Problems", err)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSelectorDecodeInto(t *testing.T) {
	t.Parallel()
	for _, into := range []any{nil, testSelector{}, new(string), (*testSelector)(nil), new(struct {
		A int `yaml:"userRole"`
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
		p := s.Problem(Warning, tt.path, "wrong", "")
		p.Snippet = ""
		if got := p.Error(); got != tt.want {
			t.Errorf("Problem(%q): got %q, want %q", tt.path, got, tt.want)
		}
	}
	if got := (Selector{}).Problem(Error, "x", "wrong", "").Error(); got != "selector.x: wrong" {
		t.Errorf("Problem of the zero Selector: got %q", got)
	}
}

package transform

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
)

var update = flag.Bool("update", false, "rewrite the golden messages")

// shown is a result as the golden files spell it.
type shown struct {
	Units []shownUnit
	Notes []string
}

type shownUnit struct {
	Outcome, Blueprint string
	Fields             any
	Fault              string
}

func show(t *testing.T, r Result) string {
	t.Helper()
	s := shown{}
	at := func(e mapping.Expr, message string) string {
		return e.Pos.String() + ": " + e.Name + ": " + message
	}
	for _, u := range r.Units {
		fault := ""
		if u.Fault != nil {
			fault = at(u.Fault.Expr, u.Fault.Message)
		}
		s.Units = append(s.Units, shownUnit{u.Outcome.String(), u.Blueprint, u.Fields, fault})
	}
	for _, n := range r.Notes {
		s.Notes = append(s.Notes, at(n.Expr, n.Message))
	}
	return encode(t, s)
}

// TestKinds maps one object of each kind by the default mapping.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"project", "repository", "pull-request"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r, o, want := loadKind(t, kind)
			p, warnings, err := Compile(r, nil)
			if err != nil || len(warnings.Warnings()) > 0 {
				t.Fatal(err, warnings)
			}
			got := show(t, p.Apply(t.Context(), Source{Object: o}))
			var gotValue, wantValue any
			if err := json.Unmarshal([]byte(got), &gotValue); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(want), &wantValue); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(gotValue, wantValue); diff != "" {
				t.Errorf("got -, want +\n%s", diff)
			}
		})
	}
}

func loadKind(t testing.TB, kind string) (r mapping.Resource, o map[string]any, want string) {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("testdata", kind, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return resource(t, read("mapping.yml")), object(t, read("object.json")), read("want.json")
}

// TestProblems compares the messages for every mapping in testdata/err.
func TestProblems(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "err", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no mappings", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, warnings, err := Compile(resource(t, string(text)), Environment{"ALLOWED": "x"})
			got := "warnings:\n" + warnings.Error() + "\n\nerrors:\n"
			if err != nil {
				var problems diag.Problems
				if !errors.As(err, &problems) || p != nil {
					t.Errorf("error is a %T, program = %v", err, p)
				}
				got += err.Error() + "\n"
			}
			golden := strings.TrimSuffix(file, ".yml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, string(want)); diff != "" {
				t.Errorf("got -, want +\n%s", diff)
			}
		})
	}
}

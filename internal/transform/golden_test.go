package transform

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
)

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
	for _, name := range []string{"project", "repository", "pull-request"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, o, want := loadKind(t, name)
			p, err := Compile(r, nil, kind.Objects(r.Kind))
			if err != nil {
				t.Fatal(err)
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

package mapping

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/diag"
)

// exprs gives every expression of a mapping.
func exprs(m *Mapping) []Expr {
	var all []Expr
	var query func(q *Query)
	value := func(v *Value) {
		switch {
		case v == nil:
		case v.Expr != nil:
			all = append(all, *v.Expr)
		default:
			query(v.Query)
		}
	}
	query = func(q *Query) {
		all = append(all, q.Combinator)
		for _, r := range q.Rules {
			if r.Nested != nil {
				query(r.Nested)
			}
			for _, leaf := range r.Leaves {
				all = append(all, leaf.Expr)
			}
		}
	}
	for _, r := range m.Resources {
		all = append(all, r.Query)
		if r.ItemsToParse != nil {
			all = append(all, *r.ItemsToParse)
		}
		for _, e := range r.Entities {
			value(&e.Identifier)
			all = append(all, e.Blueprint)
			value(e.Team)
			for _, one := range []*Expr{e.Title, e.Icon} {
				if one != nil {
					all = append(all, *one)
				}
			}
			for _, f := range append(e.Properties, e.Relations...) {
				value(&f.Value)
			}
		}
	}
	return all
}

// Every character of every expression that stands in the file unescaped is
// found where it stands.
func TestExprAtEveryCharacter(t *testing.T) {
	t.Parallel()
	cases(t, "ok", func(t *testing.T, file, _ string, src []byte) {
		m, err := Parse(file, src)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(src), "\n")
		found := 0
		for _, e := range exprs(m) {
			for i, want := range e.Text {
				if isBlank(want) {
					continue
				}
				pos := e.At(i)
				line := []rune(lines[pos.Line-1])
				if pos.File != file || pos.Column > len(line) {
					t.Fatalf("At(%d) of %q: got %v, want a place in the file", i, e.Text, pos)
				}
				got := line[pos.Column-1]
				if got != want && got != '\\' && !strings.Contains(string(src), `\ud83d`) {
					t.Errorf("At(%d) of %q: got %v, where %q stands, want %q", i, e.Text, pos, got, want)
				}
				found++
			}
		}
		if found == 0 {
			t.Error("no expression was looked at")
		}
	})
}

func TestExprAt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string // the value starts in line 7, column 16
		offset      int
		want        diag.Position
	}{
		{"plain", ".a | | .b", 5, diag.Position{Line: 7, Column: 21}},
		{"plain, a blank", ".a | | .b", 4, diag.Position{Line: 7, Column: 20}},
		{"plain, end", ".a |", 4, diag.Position{Line: 7, Column: 20}},
		{"far behind the end", ".a |", 99, diag.Position{Line: 7, Column: 20}},
		{"before the start", ".a", -1, diag.Position{Line: 7, Column: 16}},
		{"inside a character", "é + é", 6, diag.Position{Line: 7, Column: 20}},
		{"single quotes", "'it''s | x'", 5, diag.Position{Line: 7, Column: 23}},
		{"double quotes", `"a\"b\u0065\t| c"`, 5, diag.Position{Line: 7, Column: 29}},
		{"escaped blank", `"a\nb"`, 2, diag.Position{Line: 7, Column: 20}},
		{"escaped line break", "\"a\\\n            b\"", 1, diag.Position{Line: 8, Column: 13}},
		{"anchor and tag", "&x !!str .a | b", 3, diag.Position{Line: 7, Column: 28}},
		{"folded plain", ".a\n            | .b", 3, diag.Position{Line: 8, Column: 13}},
		{"literal", "| # comment\n            .a\n\n              | .b\n", 6, diag.Position{Line: 10, Column: 15}},
		{"literal, line break", "|\n            .a\n            | .b\n", 2, diag.Position{Line: 8, Column: 15}},
		{"folded", ">-\n            .a\n            | .b\n", 3, diag.Position{Line: 9, Column: 13}},
		{"folded, end", ">-\n            .a\n            | .b\n", 7, diag.Position{Line: 9, Column: 17}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Parse("m", []byte("resources:\n- kind: x\n  selector: {query: .q}\n  port:\n    entity:\n      mappings:\n"+
				"        title: "+tt.value+"\n        identifier: .a\n        blueprint: .b\n"))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.File = "m"
			if got := m.Resources[0].Entities[0].Title.At(tt.offset); got != tt.want {
				t.Errorf("At(%d): got %v, want %v", tt.offset, got, tt.want)
			}
		})
	}
}

func TestExprProblem(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile(filepath.Join("testdata", "ok", "language.yml"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse("mapping.yml", src)
	if err != nil {
		t.Fatal(err)
	}
	r := m.Resources[0]
	const want = `mapping.yml:50:17: resource 1 (repository): title: jq: unexpected token
    + .repo
      ^
fix: remove it`
	if got := r.Entities[1].Title.Problem(RuleJQSyntax, diag.Error, 17, "jq: unexpected token", "remove it").Error(); got != want {
		t.Errorf("Expr.Problem: got\n%s\nwant\n%s", got, want)
	}
	const wantKind = `mapping.yml:7:11: resource 1 (repository): kind: unknown kind
    - kind: repository
            ^`
	if got := r.Problem(RuleJQSyntax, diag.Warning, r.KindPos, "kind", "unknown kind", "").Error(); got != wantKind {
		t.Errorf("Resource.Problem: got\n%s\nwant\n%s", got, wantKind)
	}
}

// Values that were not made by Parse have no source, and work without one.
func TestWithoutSource(t *testing.T) {
	t.Parallel()
	pos := diag.Position{File: "f", Line: 3, Column: 4}
	e := Expr{Text: ".a", Pos: pos, Name: "title"}
	if got := e.At(1); got != pos {
		t.Errorf("At: got %v, want %v", got, pos)
	}
	if got, want := e.Problem(RuleJQSyntax, diag.Error, 1, "wrong", "").Error(), "f:3:4: title: wrong"; got != want {
		t.Errorf("Expr.Problem: got %q, want %q", got, want)
	}
	r := Resource{Index: 2, Kind: "project"}
	if got, want := r.Problem(RuleJQSyntax, diag.Error, pos, "", "wrong", "").Error(), "f:3:4: resource 2 (project): wrong"; got != want {
		t.Errorf("Resource.Problem: got %q, want %q", got, want)
	}
}

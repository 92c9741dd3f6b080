package mapping

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/diag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// object is JSON whose keys stay in the order they are written in.
type pair struct {
	key   string
	value any
}
type object []pair

func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:", p.key)
		value, err := plainJSON(p.value, "")
		if err != nil {
			return nil, err
		}
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func plainJSON(value any, indent string) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(value)
	return out.Bytes(), err
}

func at(p diag.Position) string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

func viewExpr(e Expr) string { return at(e.Pos) + " " + e.Name + " = " + e.Text }

func viewQuery(q Query) object {
	var rules []any
	for _, r := range q.Rules {
		if r.Nested != nil {
			rules = append(rules, viewQuery(*r.Nested))
			continue
		}
		rule := object{}
		for _, leaf := range r.Leaves {
			rule = append(rule, pair{leaf.Name, viewExpr(leaf.Expr)})
		}
		rules = append(rules, rule)
	}
	return object{{"combinator", viewExpr(q.Combinator)}, {"rules", rules}}
}

func viewValue(v Value) any {
	if v.Query != nil {
		return viewQuery(*v.Query)
	}
	return viewExpr(*v.Expr)
}

func viewFields(fields []Field) object {
	o := object{}
	for _, f := range fields {
		o = append(o, pair{f.Name, viewValue(f.Value)})
	}
	return o
}

func viewEntity(e Entity) object {
	o := object{{"at", at(e.Pos)}, {"identifier", viewValue(e.Identifier)}, {"blueprint", viewExpr(e.Blueprint)}}
	if e.Title != nil {
		o = append(o, pair{"title", viewExpr(*e.Title)})
	}
	if e.Icon != nil {
		o = append(o, pair{"icon", viewExpr(*e.Icon)})
	}
	if e.Team != nil {
		o = append(o, pair{"team", viewValue(*e.Team)})
	}
	return append(o, pair{"properties", viewFields(e.Properties)}, pair{"relations", viewFields(e.Relations)})
}

func viewMapping(m *Mapping) object {
	var resources []any
	for _, r := range m.Resources {
		o := object{
			{"where", r.Where().String()}, {"kind", at(r.KindPos) + " " + r.Kind},
			{"query", viewExpr(r.Query)}, {"selector", r.Selector.node.plain()},
		}
		if r.ItemsToParse != nil {
			o = append(o, pair{"itemsToParse", viewExpr(*r.ItemsToParse)})
		}
		var entities []any
		for _, e := range r.Entities {
			entities = append(entities, viewEntity(e))
		}
		resources = append(resources, append(o,
			pair{"itemsToParseName", r.ItemsToParseName}, pair{"topLevelTransform", r.TopLevelTransform},
			pair{"entities", entities}))
	}
	var warnings []string
	for _, w := range m.Warnings {
		warnings = append(warnings, strings.Split(w.Error(), "\n")...)
	}
	return object{
		{"createMissingRelatedEntities", m.CreateMissingRelatedEntities},
		{"deleteDependentEntities", m.DeleteDependentEntities},
		{"enableMergeEntity", m.EnableMergeEntity},
		{"entityDeletionThreshold", m.EntityDeletionThreshold},
		{"resources", resources}, {"warnings", warnings}, {"config", m.Config},
	}
}

func checkGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// cases calls check for every YAML file of a folder of testdata.
func cases(t *testing.T, folder string, check func(t *testing.T, file, golden string, src []byte)) {
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", folder, err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".yml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			check(t, filepath.Base(path), strings.TrimSuffix(path, ".yml"), src)
		})
	}
}

func TestOK(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"ok", "warnings"} {
		cases(t, folder, func(t *testing.T, file, golden string, src []byte) {
			m, err := Parse(file, src)
			if err != nil {
				t.Fatalf("Parse: %v", err)
			}
			got, err := plainJSON(viewMapping(m), "  ")
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, golden+".json", got)
		})
	}
}

func TestErr(t *testing.T) {
	t.Parallel()
	cases(t, "err", func(t *testing.T, file, golden string, src []byte) {
		m, err := Parse(file, src)
		if err == nil {
			t.Fatalf("Parse: got %v without an error", m)
		}
		problems, ok := err.(diag.Problems)
		if !ok || len(problems.Errors()) == 0 {
			t.Fatalf("error: got %T, want diag.Problems with an error among them", err)
		}
		checkGolden(t, golden+".txt", []byte(problems.Error()+"\n"))
	})
}

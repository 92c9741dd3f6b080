package blueprint_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/blueprint"
)

type object = map[string]any

// read reads blueprints that have no errors.
func read(t interface{ Fatalf(string, ...any) }, docs ...any) *blueprint.File {
	text, err := json.Marshal(docs)
	if err != nil {
		t.Fatalf("%v", err)
	}
	f, problems := blueprint.Read("f.json", text)
	if f == nil {
		t.Fatalf("%v\n%s", problems, text)
	}
	return f
}

// bp writes a blueprint whose relations are named as their targets.
func bp(id string, relations ...string) object {
	to := object{}
	for _, target := range relations {
		to[target] = object{"target": target, "required": false, "many": false}
	}
	return object{"identifier": id, "title": strings.ToUpper(id), "schema": object{"properties": object{"p": object{"type": "string"}}}, "relations": to}
}

func with(doc object, key, name string, v object) object {
	if doc[key] == nil {
		doc[key] = object{}
	}
	doc[key].(object)[name] = v
	return doc
}

func mirror(path string) object { return object{"path": path} }

func count(target string) object {
	return object{"title": "N", "target": target, "calculationSpec": object{"func": "count", "calculationBy": "entities"}}
}

func sum(target, property string) object {
	return object{"title": "N", "target": target, "calculationSpec": object{"func": "sum", "calculationBy": "property", "property": property}}
}

func missing(string) blueprint.Unmade { return blueprint.Missing }

// texts shows steps: + is a creation, ~ one that is not whole, ! the end of a blueprint.
func texts(steps []blueprint.Step) (all []string) {
	for _, s := range steps {
		text := s.Blueprint.Identifier
		if s.Create {
			text = "+" + text
		}
		if s.Partial {
			text += "~"
		}
		if s.Last {
			text += "!"
		}
		for _, key := range slices.Sorted(maps.Keys(s.Keys)) {
			if v, ok := s.Keys[key].(object); ok && key != "schema" && len(v) > 0 {
				text += " " + key + ":" + strings.Join(slices.Sorted(maps.Keys(v)), ",")
			}
		}
		all = append(all, text)
	}
	return all
}

func TestSteps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		docs  []any
		state map[string]blueprint.Unmade // Missing for others
		want  []string
	}{
		{"in the order of relations", []any{bp("a", "b"), bp("b", "c"), bp("c")}, nil, []string{"+c", "+b relations:c", "+a relations:b"}},
		{"what Port has is left alone", []any{bp("a", "b"), bp("b", "c"), bp("c")}, map[string]blueprint.Unmade{"b": blueprint.Made}, []string{"+c", "+a relations:b"}},
		{"all are there", []any{bp("a", "b"), bp("b")}, map[string]blueprint.Unmade{"a": blueprint.Made, "b": blueprint.Made}, nil},
		{"a relation to Port's own, and to one that is not in the file", []any{bp("a", "_user", "x")}, nil, []string{"+a relations:_user,x"}},
		{"Port's own is not made", []any{bp("_user"), bp("a", "_user")}, nil, []string{"+a relations:_user"}},
		{"itself", []any{bp("a", "a")}, nil, []string{"+a~", "a! relations:a"}},
		{"a cycle", []any{bp("a", "b"), bp("b", "a"), bp("c", "a")}, nil, []string{"+a~", "+b relations:a", "+c relations:a", "a! relations:b"}},
		{"a mirror into a cycle", []any{with(bp("a", "b"), "mirrorProperties", "m", mirror("b.p")), bp("b", "a")}, nil,
			[]string{"+a~", "+b relations:a", "a relations:b", "a! mirrorProperties:m"}},
		{"a mirror through a cycle", []any{with(bp("a", "d"), "mirrorProperties", "m", mirror("d.c.d.p")), bp("c", "d"), bp("d", "c")}, nil,
			[]string{"+c~", "+d relations:c", "+a~ relations:d", "c! relations:d", "a! mirrorProperties:m"}},
		{"whole with its mirrors", []any{with(bp("a", "b"), "mirrorProperties", "m", mirror("b.p")), bp("b")}, nil, []string{"+b", "+a mirrorProperties:m relations:b"}},
		{"an aggregation of what comes later", []any{with(bp("b"), "aggregationProperties", "n", count("a")), with(bp("a", "b"), "mirrorProperties", "m", mirror("b.n"))}, nil,
			[]string{"+b~", "+a~ relations:b", "b! aggregationProperties:n", "a! mirrorProperties:m"}},
		{"an aggregation of mirrored properties", []any{with(bp("b"), "aggregationProperties", "n", sum("a", "m")), with(bp("a", "b"), "mirrorProperties", "m", mirror("b.p"))}, nil,
			[]string{"+b~", "+a~ relations:b", "a! mirrorProperties:m", "b! aggregationProperties:n"}},
		{"an aggregation of properties that are mirrored later", []any{with(bp("b"), "aggregationProperties", "n", count("z")), with(bp("a", "b"), "mirrorProperties", "m", mirror("b.n")),
			with(bp("x"), "aggregationProperties", "n", sum("a", "m")), bp("z")}, nil,
			[]string{"+b~", "+a~ relations:b", "+x~", "+z", "b! aggregationProperties:n", "a! mirrorProperties:m", "x! aggregationProperties:n"}},
		{"an aggregation of what is there", []any{with(bp("b"), "aggregationProperties", "n", count("a")), bp("a")}, map[string]blueprint.Unmade{"a": blueprint.Made}, []string{"+b aggregationProperties:n"}},
		{"one that was begun", []any{with(bp("a", "b"), "mirrorProperties", "m", mirror("b.p")), bp("b")}, map[string]blueprint.Unmade{"a": blueprint.Begun, "b": blueprint.Made},
			[]string{"a~", "a relations:b", "a! mirrorProperties:m"}},
		{"one that was begun, and has no relations", []any{bp("a")}, map[string]blueprint.Unmade{"a": blueprint.Begun}, []string{"a~!"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			steps := read(t, tt.docs...).Steps(func(id string) blueprint.Unmade {
				if s, ok := tt.state[id]; ok {
					return s
				}
				return blueprint.Missing
			})
			if diff := cmp.Diff(texts(steps), tt.want); diff != "" {
				t.Errorf("steps: got -, want +\n%s", diff)
			}
		})
	}
}

// TestStepsOfAnyFile does the steps of any file as a Port would that refuses whatever is not
// there: nothing is refused, and in the end all blueprints are as the file has them.
func TestStepsOfAnyFile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "blueprints")
		name := func(label string) string { return fmt.Sprint("b", rapid.IntRange(0, n-1).Draw(t, label)) }
		docs, want := []any{}, map[string]object{}
		for i := range n {
			id := fmt.Sprint("b", i)
			var targets []string
			for range rapid.IntRange(0, 3).Draw(t, "relations") {
				targets = append(targets, name("target"))
			}
			want[id] = bp(id, targets...)
			if rapid.Bool().Draw(t, "aggregates") {
				with(want[id], "aggregationProperties", "n", rapid.SampledFrom([]object{count(name("of")), sum(name("of"), "p")}).Draw(t, "by"))
			}
			docs = append(docs, want[id])
		}
		for _, doc := range want {
			for target := range doc["relations"].(object) {
				path := target
				for range rapid.IntRange(0, 3).Draw(t, "further") {
					if further := slices.Sorted(maps.Keys(want[target]["relations"].(object))); len(further) > 0 {
						target = rapid.SampledFrom(further).Draw(t, "along")
						path += "." + target
					}
				}
				ends := []string{"p", "$title"}
				if want[target]["aggregationProperties"] != nil {
					ends = append(ends, "n")
				}
				with(doc, "mirrorProperties", "m", mirror(path+"."+rapid.SampledFrom(ends).Draw(t, "end")))
			}
		}
		there := map[string]object{}
		for _, s := range read(t, docs...).Steps(missing) {
			id := s.Blueprint.Identifier
			if s.Create != (there[id] == nil) {
				t.Fatalf("%s is created twice, or completed before it is", id)
			}
			doc := object{}
			maps.Copy(doc, there[id])
			maps.Copy(doc, s.Keys)
			if why := refuses(there, doc); why != "" {
				t.Fatalf("%s: %s", id, why)
			}
			there[id] = doc
		}
		if diff := cmp.Diff(there, want); diff != "" {
			t.Fatalf("got -, want +\n%s", diff)
		}
	})
}

// refuses returns why a blueprint cannot stand beside those that are there, or "".
func refuses(there map[string]object, doc object) string {
	of := func(doc object, key string) object { v, _ := doc[key].(object); return v }
	for name, r := range of(doc, "relations") {
		if there[r.(object)["target"].(string)] == nil {
			return "relation to " + name
		}
	}
	has := func(doc object, name string) bool {
		return name[0] == '$' || of(of(doc, "schema"), "properties")[name] != nil || of(doc, "aggregationProperties")[name] != nil
	}
	for _, m := range of(doc, "mirrorProperties") {
		steps, at := strings.Split(m.(object)["path"].(string), "."), doc
		for _, step := range steps[:len(steps)-1] {
			r, ok := of(at, "relations")[step].(object)
			if !ok {
				return fmt.Sprint("mirror of ", steps)
			}
			at = there[r["target"].(string)]
		}
		if !has(at, steps[len(steps)-1]) {
			return fmt.Sprint("mirror of ", steps)
		}
	}
	for _, a := range of(doc, "aggregationProperties") {
		target := there[a.(object)["target"].(string)]
		property, _ := of(a.(object), "calculationSpec")["property"].(string)
		if target == nil || property != "" && !has(target, property) {
			return "aggregation"
		}
	}
	return ""
}

package transform

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/shape"
)

// listed names the places that are read: ".a.b" and ".a[].b", with "!" after where it matters
// whether something is there and of which type, with "~" where nothing more is read; "." is everything.
func listed(r *reach.Paths) string {
	var all []string
	var visit func(r *reach.Paths, path string)
	visit = func(r *reach.Paths, path string) {
		if r.Whole {
			all = append(all, cmp.Or(path, "."))
			return
		}
		switch {
		case r.There:
			all = append(all, cmp.Or(path, ".")+"!")
		case len(r.Keys) == 0 && r.Each == nil && path != "":
			all = append(all, path+"~")
		}
		for _, key := range slices.Sorted(maps.Keys(r.Keys)) {
			visit(r.Keys[key], path+"."+key)
		}
		if r.Each != nil {
			visit(r.Each, path+"[]")
		}
	}
	visit(r, "")
	return strings.Join(all, " ")
}

// readsOf are those of one expression; nil when it is not jq that compiles.
func readsOf(text string) (*reach.Paths, *gojq.Code) {
	c := &compiler{}
	x := c.compile(mapping.Expr{Text: text})
	if x.code == nil {
		return nil, nil
	}
	r := newReader()
	r.expression(x)
	same := func(v any, _ []any) any { return v }
	code, err := gojq.Compile(x.tree, gojq.WithFunction("debug", 0, 1, same), gojq.WithFunction("stderr", 0, 0, same))
	if err != nil {
		return nil, nil
	}
	return r.root, code
}

var readsTests = []struct{ text, want string }{
	// Nothing of the object.
	{`true`, ""}, {`"text"`, ""}, {`1 + 2`, ""}, {`-1`, ""}, {`null`, ""}, {`[]`, ""}, {`{}`, ""}, {`empty`, ""}, {`env`, ""}, {`$ENV.A`, ""}, {`now`, ""},
	{`[range(3)]`, ""}, {`{a: 1} | .a`, ""}, {`"x" | test("x")`, ""}, {`label $out | break $out`, ""}, {`reduce range(3) as $i (0; . + $i)`, ""},
	// Paths.
	{`.a`, ".a"}, {`.a.b`, ".a.b"}, {`."a"`, ".a"}, {`.["a"]`, ".a"}, {`.a["b"].c`, ".a.b.c"}, {`.a?`, ".a"}, {`.a.b?.c`, ".a.b.c"}, {`(.a).b`, ".a.b"},
	{`.__includedFiles["README.md"]`, ".__includedFiles.README.md"}, {`.folder.__includedFiles["docs/x"]`, ".folder.__includedFiles.docs/x"},
	{`.folder | .__includedFiles`, ".folder.__includedFiles"}, {`.folder | .__includedFiles | .x`, ".folder.__includedFiles.x"},
	{`.a, .b`, ".a .b"}, {`(.a, .b).c`, ".a.c .b.c"}, {`.a // .b`, ".a .b"}, {`(.a // {}).b`, ".a! .a.b"}, {`(.a // .b) | 1`, ".a! .b~"},
	// Elements of arrays, and what is neither such nor a key of an object.
	{`.a[]`, ".a[]"}, {`.a[].b`, ".a[].b"}, {`.a[0]`, ".a[]"}, {`.a[1:]`, ".a"}, {`.a[.b]`, ".a .b"}, {`.a["x\(.b)"]`, ".a .b"}, {`.["a", "b"]`, "."}, {`.[.a]`, "."},
	{`.`, "."}, {`..`, "."}, {`.[]`, "[]"}, {`.[]?`, "[]"}, {`.. | .a?`, "."}, {`.a | ..`, ".a"}, {`. as $x | $x`, "."},
	// Values of all of the object.
	{`keys`, "."}, {`length`, "[]~"}, {`has("a")`, "."}, {`to_entries`, "."}, {`with_entries(.)`, "."}, {`tojson`, "."}, {`tostring`, "."}, {`@json`, "."},
	{`getpath(["a"])`, "."}, {`path(..)`, "."}, {`[paths]`, "."}, {`del(.a)`, "."}, {`.a = 1`, "."}, {`.a |= 1`, "."}, {`.a += 1`, "."}, {`.a //= 1`, "."},
	{`map(.a)`, "[].a"}, {`walk(.)`, "."}, {`recurse`, "."}, {`. == {}`, "."}, {`[.]`, "."}, {`{x: .}`, "."}, {`"\(.)"`, "."}, {`error`, "."}, {`$__loc__`, "none"},
	{`def f: .a; f`, "."}, {`def select(f): .; select(.a)`, "."}, {`limit(1; .)`, "."}, {`input`, "none"}, {`if .a then . else 1 end`, "."}, {`if .a then .b end`, "."},
	// Steps that read only what comes in.
	{`.a | length`, ".a[]~"}, {`.a | tojson`, ".a"}, {`.a | to_entries`, ".a"}, {`.a | getpath(["b"])`, ".a"}, {`.a | map(.b)`, ".a[].b"}, {`.a | @base64`, ".a"},
	{`@base64 "x\(.a)"`, ".a"}, {`"\(.a.b)/\(.c)"`, ".a.b .c"}, {`.a + .b`, ".a .b"}, {`.a == .b and .c`, ".a .b .c!"}, {`-(.a)`, ".a"}, {`[.a, .b.c]`, ".a .b.c"},
	{`.a | test("x")`, ".a"}, {`.a | sub("x"; "y")`, ".a"}, {`.a | del(.b)`, ".a"}, {`.a | .b = 1`, ".a"}, {`.a | in({})`, ".a"}, {`.a | split("/") | last`, ".a"},
	{`.a | gsub("[{-}]"; "")`, ".a"}, {`.a | . as $x | 1`, ".a~"}, {`.a | type`, ".a!"}, {`.a | not`, ".a!"},
	// Objects that are made.
	{`{a}`, ".a"}, {`{a, b: .c}`, ".a .c"}, {`{"a"}`, ".a"}, {`{"x\(.a)": .b}`, ".a .b"}, {`{"x\(.a)"}`, "."}, {`{(.a): .b}`, ".a .b"}, {`.a as $x | {$x}`, ".a"}, {`{a: .b} | .a`, ".b"},
	// Variables and patterns.
	{`.a as $x | .b | . + $x`, ".a .b"}, {`. as $o | .a | map(. + $o.b.c)`, ".a[] .b.c"}, {`. as $o | $o.a`, ".a"}, {`. as {a: $x} | $x.b`, ".a.b"}, {`. as {$a} | $a`, ".a"},
	{`. as {"a": {b: $x}} | $x`, ".a.b"}, {`. as {$a: {b: $x}} | $x, $a.c`, ".a.b .a.c"}, {`.a as [$x] | $x`, ".a[]"}, {`. as [$x] | 1`, "[]~"}, {`. as {(.k): $x} | 1`, "."},
	{`. as {"\("a")": $x} | 1`, "."}, {`. as [$x] ?// {a: $x} | $x`, "."}, {`.a as $x | .b as $x | $x.c`, ".a~ .b.c"}, {`.a as {b: [$x]} | $x`, ".a.b[]"},
	// Functions whose arguments see the object, and that read no more of it.
	{`select(.a)`, "."}, {`select(.a) | .b`, ".a! .b"}, {`select(.a).b`, ".a! .b"}, {`first(.a, .b)`, ".a .b"}, {`first(.a).b`, ".a.b"}, {`limit(.n; .a) | .b`, ".a.b .n"},
	{`any(.a[]; .b)`, ".a[].b!"}, {`any(.a; .b)`, ".a.b!"}, {`. as $o | all(.a[]; . == $o.b)`, ".a[] .b"}, {`isempty(.a.b)`, ".a.b!"}, {`add(.a[])`, ".a[]"}, {`error(.a)`, ".a"},
	{`.a | objects | .b`, ".a! .a.b"}, {`[.a | values | .b]`, ".a! .a.b"}, {`debug.a`, ".a"}, {`debug(.b) | .a`, ".a .b"}, {`stderr | .a`, ".a"}, {`any(.a)`, "[].a!"}, {`range(.a)`, ".a"},
	// Branches.
	{`if .a then .b else .c end`, ".a! .b .c"}, {`if .a then .b elif .c then .d else .e end | .f`, ".a! .b.f .c! .d.f .e.f"}, {`(if .a then .b end) | .c`, ".a! .b.c .c"},
	{`try .a catch .`, ".a"}, {`. as $o | try error(1) catch $o.a`, ".a"}, {`try error(.a) catch .b`, ".a"}, {`(.a | tonumber)? // .b`, ".a .b"}, {`label $out | .a, break $out`, ".a"},
	{`reduce .a[] as $x (.b; . + $x + .c)`, ".a[] .b"}, {`foreach .a[] as [$x, $y] (.b; .c; [., $x])`, ".a[][] .b"}, {`. as $o | reduce .a[] as $x (0; . + $o.b)`, ".a[]~ .b"},
	{`. as $o | foreach .a[] as $x (0; .; $o.c)`, ".a[]~ .c"}, {`. as $o | [.a[] | $o.b | .c]`, ".a[]~ .b.c"},
	{`[.a[] | select(.b) | .c]`, ".a[].b! .a[].c"}, {`[.a[] | select(.b)] | length`, ".a[].b!"}, {`[.a[] | select(.b)] | map(.c)`, ".a[].b! .a[].c"}, {`[.a[]] | .[0].b`, ".a[].b"},
	{`.a | sort_by(.b) | .[0].c`, ".a[].b .a[].c"}, {`.a | max_by(.b).c`, ".a[].b .a[].c"}, {`.a | group_by(.b) | map(.[0].c)`, ".a[].b .a[].c"}, {`.a | unique_by(.b) | length`, ".a[].b"},
	{`.a[1:] | reverse | first | .b`, ".a[].b"}, {`.a | last.b`, ".a[].b"}, {`.a[-1].b`, ".a[].b"}, {`.a[.n:]`, ".a .n"}, {`.a | nth(0)`, ".a"}, {`[.a, .b] | .[0].c`, ".a.c .b.c"},
	{`[.a] | .b`, ".a"}, {`.a != null`, ".a"}, {`.a == "x"`, ".a"}, {`.a < 1`, ".a"}, {`.a == {}`, ".a"}, {`.a == .b`, ".a .b"}, {`.a == -1`, ".a"}, {`isempty(.a[])`, ".a[]!"},
	{`(.a // []) | map(.b)`, ".a! .a[].b"}, {`.a.b, .a[]`, ".a.b .a[]"}, {`any(.a[]; .b == "x")`, ".a[].b"}, {`.a | all(.b)`, ".a[].b!"}, {`reduce .a[] as {b: $x} (0; . + $x)`, ".a[].b"},
	// The documented expressions.
	{`.uuid | gsub("[{-}]"; "")`, ".uuid"}, {`.destination.repository.name + (.id|tostring)`, ".destination.repository.name .id"},
	{`[.reviewers[].user.display_name]`, ".reviewers[].user.display_name"}, {`.repo.links.html.href + "/src/" + .repo.mainbranch.name + "/" + .folder.path`, ".folder.path .repo.links.html.href .repo.mainbranch.name"},
	{`.file.content | if type== "object" then [.] else . end`, ".file.content"}, {`.content.dependencies | to_entries`, ".content.dependencies"},
}

func TestReads(t *testing.T) {
	t.Parallel()
	for _, tt := range readsTests {
		got := "none" // not compiled
		if r, _ := readsOf(tt.text); r != nil {
			got = listed(r)
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestReadsReach(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, path string // of keys
		reach      bool
	}{
		{`.a.b`, "", true},
		{`.a.b`, "a", true},
		{`.a.b`, "a b", true},
		{`.a.b`, "a b c", true},
		{`.a.b`, "a c", false},
		{`.a.b`, "b", false},
		{`.a.b, .a.c`, "a", true},
		{`.a.b, .a.c`, "a b", true},
		{`.a.b, .c`, "a", true},
		{`.a | type`, "a", true},
		{`.a | type`, "a b", false},
		{`.`, "", true},
		{`.`, "a", true},
		{`"x"`, "a", false},
		{`"x"`, "", true},
	} {
		r, _ := readsOf(tt.text)
		path := strings.Fields(tt.path)
		if got := r.Reach(path...); got != tt.reach {
			t.Errorf("%s reaches %q: got %v, want %v", tt.text, tt.path, got, tt.reach)
		}
	}
}

// Every expression of a resource counts, and an element of itemsToParse is not of the object.
func TestProgramReads(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		keys keys
		want string
	}{
		{"least", keys{}, ".id"},
		{"selector", keys{query: `.a == 1`}, ".a .id"},
		{"identifier", keys{identifier: `.b`}, ".b"},
		{"blueprint", keys{blueprint: `.c`}, ".c .id"},
		{"title, icon and team", keys{rest: "title: .d\nicon: .e\nteam: .f\n"}, ".d .e .f .id"},
		{"properties and relations", keys{rest: "properties: {x: .g}\nrelations: {y: .h.i}\n"}, ".g .h.i .id"},
		{"search queries", keys{
			identifier: `{combinator: '"and"', rules: [{property: '"p"', operator: '"="', value: .j}, {combinator: .k, rules: [{property: .l, operator: '"="', value: '1'}]}]}`,
			rest:       "team: {combinator: '\"or\"', rules: [{property: '\"$team\"', operator: '\"=\"', value: .m}]}\nrelations:\n  y: {combinator: '\"and\"', rules: [{property: '\"p\"', operator: '\"=\"', value: .n}]}\n",
		}, ".j .k .l .m .n"},
		{"a file is no part of the object", keys{rest: "properties: {x: 'file://README.md'}\n"}, ".id"},
		{"itemsToParse", keys{items: "itemsToParse: .list", identifier: ".item.id + .a"}, ".a .list"},
		{"the element has a name of its own", keys{items: "itemsToParse: .list\nitemsToParseName: one", identifier: ".one.id + .item"}, ".item .list"},
		{"the element in the place of a field", keys{items: "itemsToParse: .folder.list\nitemsToParseName: folder", identifier: ".folder.path"}, ".folder.list"},
		{"all with its element", keys{items: "itemsToParse: .list", identifier: "tojson"}, "."},
		{"itemsToParse of everything", keys{items: "itemsToParse: '[.]'", identifier: ".item.id"}, "."},
	} {
		p, err := Compile(resource(t, tt.keys.yaml()), nil, shape.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		if got := listed(p.Reads()); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// steps is a context that ends after so many steps of an evaluation.
type steps struct {
	context.Context
	left  int
	ended chan struct{}
}

func (s *steps) Done() <-chan struct{} {
	if s.left--; s.left == 0 {
		close(s.ended)
	}
	return s.ended
}

func (s *steps) Err() error {
	if s.left <= 0 {
		return context.Canceled
	}
	return nil
}

// results are the first results of an expression, as JSON, and the error that ends
// them. It is false when the evaluation takes too long.
func results(t *testing.T, code *gojq.Code, object map[string]any) (text string, ok bool) {
	var all []string
	s := &steps{t.Context(), 20_000, make(chan struct{})}
	for iter := code.RunWithContext(s, object); len(all) < 20; {
		v, more := iter.Next()
		if !more {
			break
		}
		if err, is := v.(error); is {
			all = append(all, "error: "+err.Error())
			break
		}
		text, err := gojq.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return strings.Join(all, "\n"), s.left > 0
}

// changes gives the object with other values wherever that leaves what is read as it is.
func changes(r *reach.Paths, object map[string]any) (all []map[string]any) {
	if r.Reach("new", "new") { // all of it is read
		return nil
	}
	want := r.Project(clone(object))
	try := func() {
		if changed := clone(object).(map[string]any); reflect.DeepEqual(r.Project(changed), want) {
			all = append(all, changed)
		}
	}
	others := []any{nil, "other", 7, true, []any{"x", 1}, map[string]any{"a": "other", "b": 1}}
	var visit func(at any)
	visit = func(at any) {
		switch at := at.(type) {
		case map[string]any:
			for _, key := range append(slices.Sorted(maps.Keys(at)), "new") {
				old, there := at[key]
				visit(old)
				for _, at[key] = range others {
					try()
				}
				delete(at, key)
				try()
				if there {
					at[key] = old
				}
			}
		case []any:
			for i, old := range at {
				visit(old)
				for _, at[i] = range others {
					try()
				}
				at[i] = old
			}
		}
	}
	visit(object)
	return append(all, want.(map[string]any))
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for k, member := range v {
			c[k] = clone(member)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, member := range v {
			c[i] = clone(member)
		}
		return c
	}
	return v
}

// checkReads wants the results to stay when anything changes that is not read. It
// reports whether there was something to change.
func checkReads(t *testing.T, text string, objects []map[string]any) (tried bool) {
	t.Helper()
	r, code := readsOf(text)
	if code == nil || strings.Contains(text, "now") {
		return false
	}
	for _, object := range objects {
		want, ok := results(t, code, object)
		if !ok {
			return false
		}
		all := changes(r, object)
		tried = tried || len(all) > 1
		for _, changed := range all {
			if got, ok := results(t, code, changed); ok && got != want {
				t.Fatalf("%s: it is said to read %q, and with\n%s\ngives\n%s\nwith\n%s\n%s", text, listed(r), encode(t, object), want, encode(t, changed), got)
			}
		}
	}
	return tried
}

var readsObjects = []string{
	`{"a": {"a": {"a": 1, "b": "t"}, "b": [{"a": 1}, {"b": 2}], "c": null}, "b": "b", "c": {"a": true, "b": {"c": "x"}}, "k": "a"}`,
	`{"a": [1, {"a": {"b": 2}}, "b"], "b": {"a": "a", "b": {"a": [], "b": {}}}, "c": false}`,
	`{"a": [{"a": 1, "b": {"a": "x", "c": 1}, "c": true}, {"a": 2, "b": null}, {"b": [{"a": "a"}]}], "b": [[{"a": 1, "b": 2}], []], "c": [{"c": {"a": 1}}, {"c": {"b": 1}}]}`,
	`{"a": "a", "b": null, "c": {"c": {"c": {"a": 0}}, "a": "b"}}`,
	`{}`,
}

func readsValues(t *testing.T) (all []map[string]any) {
	for _, text := range readsObjects {
		d := json.NewDecoder(strings.NewReader(text))
		var o map[string]any
		if err := d.Decode(&o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// writer makes expressions: of random texts most are no jq.
type writer struct {
	*rand.Rand
	bound []string // variables
}

func (w *writer) pick(of ...string) string { return of[w.IntN(len(of))] }

var (
	leaves = []string{".", ".a", ".b", ".c", ".a.b", ".b.a", ".c.c", `.["a"]`, ".a?", ".a[]?", ".[]?", "..", "1", `"a"`, "null", "[]", "{}", "empty", ".a[0]?", "{a}", "{b, c}", `{"a"}`}
	forms  = []string{
		"%s | %s", "%s | %s", "%s | %s", "%s, %s", "%s // %s", "%s + %s", "%s == %s", "%s and %s", "[%s]", "{a: %s, b: %s}", "{(%s | tostring): %s}", "%s | .a?", "(%s).b?", "(%s)[]?", "-(%s)",
		"if %s then %s else %s end", "if %s then %s end", "try %s catch %s", "try error(%s) catch %s", "label $out | %s, break $out, %s", `"x\(%s)"`, `@base64 "\(%s)"`, ".[%s]?", "(%s)[%s]?", ".[%s:]?",
		"%s = %s", "(%s) |= %s", "(%s)? += %s", "(%s)? //= %s", "select(%s)", "select(%s) | %s", "map(%s)?", "first(%s)", "first(%s) | %s", "last(%s)", "limit(2; %s)", "nth(0; %s)", "skip(1; %s)",
		"any(%s; %s)", "all(%s; %s)", "isempty(%s)", "add(%s)", "%s | objects", "%s | values", "%s | strings", "debug(%s)", "debug", "not", "type", "keys?", "length?", "tojson", "@json", "to_entries?",
		"with_entries(%s)?", "has(%s)?", "in(%s)?", "IN(%s)", "del(%s)?", "path(%s)?", "pick(%s)?", "getpath([%s])?", "walk(%s)?", "map_values(%s)?", "min_by(%s)?", "until(true; %s)", "range(%s)?",
		"(%s)[0]?", "(%s)[-1]?", "(%s)[1:]?", "(%s)[:1][0]?", "sort_by(%s)?", "group_by(%s)?", "unique_by(%s)?", "max_by(%s)?", "(%s | reverse?)", "(%s | first?)", "(%s | length?)",
		"any(%s)?", "all(%s)?", "[%s] | map(%s)", "[%s] | length", "%s == null", "%s != \"a\"", "%s > 1", "(%s)[]? | %s", "(%s)[]? | %s",
		"limit(3; repeat(%s))", "[limit(3; recurse(%s))]", "splits(%s)?", "tostring", "def f: %s; f", "def f(g): g | %s; f(%s)", "env.A",
	}
	// binders bind the variable V.
	binders = []string{
		"%s as V | %s", "%s as {a: V} | %s", "%s as {$a: {b: V}} | $a, %s", "%s as {\"b\": V} | %s", "%s as [V] | %s", "%s as [V] ?// {a: V} | %s", "%s as {(%s): V} | %s",
		"reduce %s as V (%s; %s)", "foreach %s as V (%s; %s; %s)", "reduce %s as [V] (%s; %s)",
	}
)

// expr makes an expression of at most so many levels.
func (w *writer) expr(levels int) string {
	switch {
	case levels == 0 && len(w.bound) > 0 && w.IntN(3) == 0:
		return w.pick(w.bound...) + w.pick("", ".a?", ".b?", "[]?")
	case levels == 0:
		return w.pick(leaves...)
	case w.IntN(5) > 0:
		return w.fill(w.pick(forms...), levels)
	}
	head, body, _ := strings.Cut(w.pick(binders...), "V")
	name := w.pick("$v", "$w")
	outer := w.bound
	defer func() { w.bound = outer }()
	text := w.fill(head, levels)
	w.bound = append(slices.Clone(outer), name)
	return text + name + w.fill(strings.ReplaceAll(body, "V", name), levels)
}

// fill puts an expression in place of each %s.
func (w *writer) fill(form string, levels int) string {
	for strings.Contains(form, "%s") {
		form = strings.Replace(form, "%s", "("+w.expr(w.IntN(levels))+")", 1)
	}
	return form
}

// What is said not to be read is never read: expressions are made at random, and
// each value that they are said not to read is changed.
func TestReadsHold(t *testing.T) {
	t.Parallel()
	w := &writer{Rand: rand.New(rand.NewPCG(1, 2))}
	objects := readsValues(t)
	tried := 0
	for range 400 {
		if checkReads(t, w.expr(1+w.IntN(4)), objects) {
			tried++
		}
	}
	if tried < 80 {
		t.Errorf("only %d expressions leave something alone", tried)
	}
}

func FuzzReads(f *testing.F) {
	for _, tt := range readsTests {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkReads(t, text, readsValues(t)) })
}

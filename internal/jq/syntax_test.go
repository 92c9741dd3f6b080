package jq

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
)

func tree(t testing.TB, text string) *gojq.Query {
	t.Helper()
	q, _, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, source string }{
		{`.a == "b"`, `.a == "b"`},
		{`.a == 'b'`, `.a == "b"`},
		{`"it's"`, `"it's"`},
		{`"a 'b' c"`, `"a 'b' c"`}, // replaced, it would be none
		{strings.Repeat(" ", MaxText-2) + ".a", strings.Repeat(" ", MaxText-2) + ".a"},
	} {
		if q, source, err := Parse(c.text); q == nil || source != c.source || err != nil {
			t.Errorf("%.20q: got source %.20q, error = %v", c.text, source, err)
		}
	}
	var parseError *gojq.ParseError
	if _, _, err := Parse(`.a | | .b`); !errors.As(err, &parseError) {
		t.Errorf("error = %v", err)
	}
	if _, source, err := Parse(`.a | 'b' 'c'`); !errors.As(err, &parseError) || source != `.a | "b" "c"` {
		t.Errorf("got %s, error = %v", source, err)
	}
	if _, _, err := Parse(strings.Repeat(" ", MaxText-1) + ".a"); err != errText {
		t.Errorf("error = %v", err)
	}
}

func TestConstant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text     string
		constant bool
		want     any
	}{
		{`"a"`, true, "a"}, {`("a")`, true, "a"}, {`(("a"))`, true, "a"}, {`true`, true, true}, {`false`, true, false}, {`null`, true, nil},
		{`"a\(.b)"`, false, nil}, {`"a" | .`, false, nil}, {`"a".b`, false, nil}, {`("a").b`, false, nil}, {`1`, false, nil}, {`.a`, false, nil},
		{`def f: 1; "a"`, false, nil}, {`true, false`, false, nil}, {`null.a`, false, nil}, {`import "x" as x; "a"`, false, nil},
	} {
		q := tree(t, c.text)
		if got, ok := Constant(q); ok != c.constant || ok && got != c.want {
			t.Errorf("%s: got %v, %t", c.text, got, ok)
		}
		if got, ok := Text(q); ok != (c.constant && c.want == "a") || ok && got != "a" {
			t.Errorf("%s: got the text %q, %t", c.text, got, ok)
		}
	}
	if _, ok := Constant(nil); ok {
		t.Error("no query is constant")
	}
	code, err := Compile(tree(t, `"a"`), nil)
	if err != nil || !code.constant || code.literal != "a" {
		t.Errorf("got %+v, error = %v", code, err)
	}
}

func TestTrees(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`f`: "f", `(f)`: "f", `f(1; 2)`: "f", `$x`: "$x", `f | g`: "", `f.a`: "", `.f`: "", `-f`: "", `def g: 1; f`: "",
	} {
		got := ""
		if f := Call(tree(t, text)); f != nil {
			got = f.Name
		}
		if got != want {
			t.Errorf("%s: a call of %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		`.a`: "a", `."a b"`: "a b", `.["a"]`: "a", `.[("a")]`: "a", `."a\(1)"`: "-", `.[0]`: "-", `.[.a]`: "-", `.["a":]`: "-", `.[:"a"]`: "-",
	} {
		got, ok := Key(OnlyTerm(tree(t, text)).Index)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%s: the key %q, want %q", text, got, want)
		}
	}
	if _, ok := Key(nil); ok {
		t.Error("no index has a key")
	}
	if _, ok := Key(&gojq.Index{}); ok {
		t.Error("an empty index has a key")
	}
	for text, want := range map[string]bool{
		`.a = 1`: true, `.a |= 1`: true, `.a += 1`: true, `.a -= 1`: true, `.a *= 1`: true, `.a /= 1`: true, `.a %= 1`: true, `.a //= 1`: true,
		`.a == 1`: false, `.a // 1`: false, `.a | 1`: false, `.a + 1`: false,
	} {
		if got := Assigns(tree(t, text).Op); got != want {
			t.Errorf("%s: assigns %t", text, got)
		}
	}
	defined := Defined(tree(t, `def f(g; $h): def i: 1; g; [f(1; 2)]`))
	if got := slices.Sorted(maps.Keys(defined)); !slices.Equal(got, []string{"$h", "f", "g", "i"}) {
		t.Errorf("got %q", got)
	}
	if got := Defined(tree(t, `map(.a)`)); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	var order []string
	Walk(tree(t, `f(.a) | [g]`), func(node any) {
		switch node := node.(type) {
		case *gojq.Func:
			order = append(order, node.Name)
		case *gojq.Index:
			order = append(order, "."+node.Name)
		}
	})
	if got := fmt.Sprint(order); got != "[f .a g]" {
		t.Errorf("got %s", got)
	}
	Walk(nil, func(node any) { t.Errorf("got %v", node) })
}

func TestBuiltins(t *testing.T) {
	t.Parallel()
	signatures, names := Builtins()
	for _, want := range []string{"length/0", "map/1", "test/2", "limit/2"} {
		if !slices.Contains(signatures, want) {
			t.Errorf("there is no %s", want)
		}
	}
	if !slices.IsSorted(signatures) || !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) || !slices.Contains(names, "map") || slices.Contains(names, "map/1") {
		t.Errorf("got %q", names)
	}
	var got strings.Builder
	for c := range 256 {
		if IsNameByte(byte(c)) {
			got.WriteByte(byte(c))
		}
	}
	if want := "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"A": "x=y", "B": ""}
	for text, want := range map[string]string{
		`env`: `{"A":"x=y","B":""}`, `$ENV.A`: `"x=y"`, `env.HOME`: `null`, `[1 | debug, debug("x"), stderr]`: `[1,1,1]`,
		`"x" * 2e9`: "jq: * gives more than 16 MiB",
	} {
		code, err := Compile(tree(t, text), environment)
		if err != nil {
			t.Fatal(err)
		}
		if got := result(t, code, nil); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{`debug(1; 2)`, `stderr(1)`, `input`, `inputs`, `$x`, `f`, `import "a" as a; 1`} {
		if _, err := Compile(tree(t, text), environment); err == nil {
			t.Errorf("%s compiles", text)
		}
	}
	same := gojq.WithFunction("f", 0, 0, func(v any, _ []any) any { return v })
	if _, err := Compile(tree(t, `f`), nil, same); err != nil {
		t.Error(err)
	}
}

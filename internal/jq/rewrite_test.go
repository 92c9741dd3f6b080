package jq

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"
)

// TestLayout pins what goCalls relies on: the version of gojq and how its code lies in
// memory. Whoever updates gojq reads there how a call of a Go function is stored, and
// whether there is an official bound by then, before this test is changed.
func TestLayout(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^\s*github\.com/itchyny/gojq (\S+)$`).FindSubmatch(mod)
	if version == nil || string(version[1]) != "v0.12.20" {
		t.Errorf("gojq is %q", version)
	}
	code := reflect.TypeFor[gojq.Code]()
	var fields []string
	for f := range code.Fields() {
		fields = append(fields, f.Name+" "+f.Type.String())
	}
	if want := []string{"variables []string", "codes []*gojq.code", "codeinfos []gojq.codeinfo"}; !slices.Equal(fields, want) {
		t.Fatalf("Code has the fields %q, want %q", fields, want)
	}
	instruction := code.Field(1).Type.Elem().Elem()
	fields = nil
	for f := range instruction.Fields() {
		fields = append(fields, f.Name+" "+f.Type.String())
	}
	if want := []string{"v interface {}", "op gojq.opcode"}; !slices.Equal(fields, want) || instruction.Field(0).Offset != 0 {
		t.Errorf("an instruction has the fields %q, want %q", fields, want)
	}
	calls := 0
	query, err := gojq.Parse(`. + 1 | test("x")`)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := gojq.Compile(query)
	if err != nil {
		t.Fatal(err)
	}
	if err := goCalls(compiled, func(_ string, f function) (function, error) { calls++; return f, nil }); err != nil || calls < 2 {
		t.Errorf("%d calls, error = %v", calls, err)
	}
	if err := bound(compiled); err != nil {
		t.Error(err)
	}
}

// Code of another layout is found out without a panic.
func TestForeignLayout(t *testing.T) {
	t.Parallel()
	type instruction struct{ v any }
	type text struct{ v string }
	f := func(any, []any) any { return nil }
	for _, code := range []any{
		nil, 1, (*gojq.Code)(nil), new(int), struct{ codes []*instruction }{},
		&struct{ other []*instruction }{},
		&struct{ codes [1]*instruction }{},
		&struct{ codes []instruction }{},
		&struct{ codes []*int }{},
		&struct{ codes []*struct{ w any } }{},
		&struct{ codes []*text }{[]*text{{"x"}}},
		&struct{ codes []*instruction }{[]*instruction{nil}},
		&struct{ codes []*instruction }{[]*instruction{{[3]any{1, 2, "f"}}}},
		&struct{ codes []*instruction }{[]*instruction{{[3]any{f, 2, 3}}}},
	} {
		if err := goCalls(code, func(_ string, f function) (function, error) { return f, nil }); err != errLayout {
			t.Errorf("%#v: error = %v", code, err)
		}
	}
	good := &struct{ codes []*instruction }{[]*instruction{{1}, {[3]any{f, 2, "f"}}}}
	err := goCalls(good, func(name string, _ function) (function, error) {
		return func(any, []any) any { return name }, nil
	})
	if call := good.codes[1].v.([3]any); err != nil || call[0].(function)(nil, nil) != "f" || call[1] != 2 || call[2] != "f" || good.codes[0].v != 1 {
		t.Errorf("got %v, error = %v", good.codes, err)
	}
}

// Code whose calls are not checked, as of an unknown layout, is bounded all the same:
// it ends by the clock, and gives no large result.
func TestUnchecked(t *testing.T) {
	if testing.Short() {
		t.Skip("it is by the clock, which the race detector makes ten times as fast")
	}
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit time.Duration
		want  string
	}{
		{`.a + 1`, evaluationLimit, "2"},
		{`repeat(1) | select(false)`, 50 * time.Millisecond, "jq: takes longer than 2s"},
		{`reduce range(60) as $i (1; [., .])`, evaluationLimit, "jq: gives more than 16 MiB"},
		{`"x" * 2e7`, evaluationLimit, "jq: gives more than 16 MiB"},
	} {
		tree, _, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		code, err := gojq.Compile(tree)
		if err != nil {
			t.Fatal(err)
		}
		if got := resultWithin(t, c.limit, &Code{code: code}, object(t, `{"a": 1}`)); got != c.want {
			t.Errorf("%s: got %.100s, want %s", c.text, got, c.want)
		}
	}
}

// TestChecksAreOfFunctions compares the table with the Go functions of compiled code:
// each name of the table is one of gojq.
func TestChecksAreOfFunctions(t *testing.T) {
	t.Parallel()
	signatures, _ := Builtins()
	seen := map[string]bool{}
	for _, signature := range signatures {
		name, arity, _ := strings.Cut(signature, "/")
		if slices.Contains([]string{"input", "inputs"}, name) {
			continue
		}
		expr := name + map[string]string{"0": "", "1": "(.)", "2": "(.; .)", "3": "(.; .; .)", "4": "(.; .; .; .)"}[arity]
		note(t, compiled(t, expr), seen)
	}
	for _, expr := range []string{
		`. + .`, `. - .`, `. * .`, `. / .`, `. % .`, `. == .`, `. != .`, `. < .`, `. <= .`, `. > .`, `. >= .`, `-(.a)`, `+(.a)`, `.[.a]`, `.[.a:.b]`,
		`.a = .b`, `.a |= .b`, `.[.a] = .b`, `.a //= 1`, `@html`, `@uri`, `@urid`, `@csv`, `@tsv`, `@sh`, `@base64`, `@base64d`, `label $x | break $x`, `debug`, `stderr`, `1.0`, `try .a catch .`, `lgamma_r`,
	} {
		note(t, compiled(t, expr), seen)
	}
	for name := range checks {
		if !seen[name] {
			t.Errorf("gojq has no function %q", name)
		}
	}
}

func note(t *testing.T, code *Code, seen map[string]bool) {
	t.Helper()
	if err := goCalls(code.code, func(name string, f function) (function, error) {
		seen[name] = true
		return f, nil
	}); err != nil {
		t.Fatal(err)
	}
}

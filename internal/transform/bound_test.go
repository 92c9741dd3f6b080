package transform

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/mapping"
)

// property is the value as JSON that the transform gives the expression, or the
// note that it left.
func property(t *testing.T, expr string, o map[string]any) string {
	t.Helper()
	p, _, err := Compile(resource(t, keys{rest: "properties:\n  p: |\n    " + expr + "\n"}.yaml()), nil)
	if err != nil { // what it warns of is tested elsewhere
		t.Fatal(err)
	}
	r := p.Apply(context.Background(), Source{Object: o})
	u := r.Units[0]
	if u.Outcome != Mapped || u.Fields.Identifier != "a" {
		t.Fatalf("got %v", u)
	}
	if len(r.Notes) > 0 && r.Notes[0].Raised {
		if v, ok := u.Fields.Properties["p"]; v != nil || !ok {
			t.Errorf("got %.100v beside %q", v, r.Notes[0].Message)
		}
		return r.Notes[0].Message
	}
	return encode(t, u.Fields.Properties["p"])
}

// What an expression cannot be stopped from is refused in each place of a mapping.
func TestBombsEverywhere(t *testing.T) {
	const expr = `reduce range(60) as $i (1; [., .])`
	for _, c := range []struct {
		name string
		keys keys
		want Outcome
	}{
		{"selector", keys{query: expr}, Failed},
		{"identifier", keys{identifier: expr}, Failed},
		{"blueprint", keys{blueprint: expr}, Failed},
		{"itemsToParse", keys{items: "itemsToParse: " + expr}, Skipped},
		{"title", keys{rest: "title: " + expr}, Mapped},
		{"team", keys{rest: "team: " + expr}, Mapped},
		{"relation", keys{rest: "relations: {r: '" + expr + "'}"}, Mapped},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := program(t, c.keys, nil)
			r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a"}`)})
			u := r.Units[0]
			told := len(r.Notes) == 1 && r.Notes[0].Raised && u.Fault == nil
			if c.want != Mapped {
				told = u.Fault != nil && strings.Contains(u.Fault.Message, "MiB") && u.Fault.Fix != ""
			}
			if u.Outcome != c.want || !told {
				t.Errorf("got %v, fault %+v, notes %+v", u.Outcome, u.Fault, r.Notes)
			}
		})
	}
}

// Properties that are large together are no better than one that is. What is
// refused takes nothing from those after it.
func TestRoomIsShared(t *testing.T) {
	t.Parallel()
	p := program(t, keys{rest: `properties: {a: '"x" * 9e6', b: '"x" * 9e6', c: .id}`}, nil)
	r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a"}`)})
	properties := r.Units[0].Fields.Properties
	a, _ := properties["a"].(string)
	if len(a) != 9e6 || properties["b"] != nil || properties["c"] != "a" || len(r.Notes) != 1 || r.Notes[0].Message != "jq: gives more than 16 MiB" {
		t.Errorf("got %d bytes, notes %v", len(a), r.Notes)
	}
}

// Loops end by the clock, also where they make nothing.
func TestEndless(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`repeat(1) | select(false)`, `0 | until(. < 0; . + 1)`, `def f: f; f`, `def f: try error("x") catch f; f`,
		`first(range(infinite) | select(. < 0))`, `[recurse] | length as $n | last(repeat($n))`,
	} {
		t.Run(expr, func(t *testing.T) {
			t.Parallel()
			if got := property(t, expr, object(t, `{"id": "a"}`)); got != "jq: takes longer than 2s" {
				t.Errorf("got %.200s", got)
			}
		})
	}
}

// TestEveryFunctionIsBounded compares the functions of the compiled code with the
// table: what is not looked at is listed, and the names are gojq's.
func TestEveryFunctionIsBounded(t *testing.T) {
	t.Parallel()
	signatures, _ := builtins()
	seen := map[string]bool{}
	for _, signature := range signatures {
		name, arity, _ := strings.Cut(signature, "/")
		if slices.Contains([]string{"input", "inputs"}, name) {
			continue
		}
		expr := name + map[string]string{"0": "", "1": "(.)", "2": "(.; .)", "3": "(.; .; .)", "4": "(.; .; .; .)"}[arity]
		c := &compiler{}
		x := c.expr(mapping.Expr{Text: expr}, lenient)
		if len(c.problems.Errors()) > 0 {
			t.Fatal(c.problems)
		}
		note(t, x.code, seen)
	}
	for _, expr := range []string{
		`. + .`, `. - .`, `. * .`, `. / .`, `. % .`, `. == .`, `. != .`, `. < .`, `. <= .`, `. > .`, `. >= .`, `-(.a)`, `+(.a)`, `.[.a]`, `.[.a:.b]`,
		`.a = .b`, `.a |= .b`, `.[.a] = .b`, `.a //= 1`, `@html`, `@uri`, `@urid`, `@csv`, `@tsv`, `@sh`, `@base64`, `@base64d`, `label $x | break $x`, `debug`, `stderr`,
	} {
		c := &compiler{}
		note(t, c.expr(mapping.Expr{Text: expr}, lenient).code, seen)
	}
	for name := range checks {
		if !seen[name] {
			t.Errorf("gojq has no function %q", name)
		}
	}
}

func note(t *testing.T, code *gojq.Code, seen map[string]bool) {
	t.Helper()
	if err := goCalls(code, func(call *[3]any) error {
		seen[call[2].(string)] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A pattern made of the object is not kept for ever.
func TestPatternsAreForgotten(t *testing.T) {
	t.Parallel()
	m, err := newMatcher()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		source := fmt.Sprintf("^(a|b)%d$", i)
		if got := m.match(fmt.Sprintf("a%d", i), []any{source, nil, true}); got != true {
			t.Fatalf("%s: got %v", source, got)
		}
		if len(m.patterns) > maxKept/emptyPattern {
			t.Fatalf("%d patterns are kept", len(m.patterns))
		}
	}
}

// FuzzMatch holds the trial of a regular expression to its purpose: it refuses
// nothing that is short, and what is let through gives what gojq gives.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{{"a|b", "abc"}, {"", "äö"}, {"^a", "aaa"}, {`\b`, "a b"}, {"(?m)$", "a\nb"}, {"a*?b|a", "aaaa"}, {"(", "x"}, {`\Qa)`, "a)a"}, {"(?i)a|(?-i)B", "AbB"}, {"[[:alpha:]]+?", "ab1"}, {"\xff", "\xff\xfe"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, source, s string) {
		if len(source) > 200 || len(s) > 200 {
			t.Skip()
		}
		m, err := newMatcher()
		if err != nil {
			t.Fatal(err)
		}
		m.mu.Lock()
		p, err := m.pattern(source, "g")
		m.mu.Unlock()
		if err != nil {
			t.Skip() // too long when it is written out
		}
		re, compileErr := regexp.Compile(source)
		if (p == nil) != (compileErr != nil) {
			t.Fatalf("%q: pattern %v, error %v", source, p, compileErr)
		}
		if p == nil {
			return
		}
		if found, err := p.try(s); err != nil || found < len(re.FindAllStringIndex(s, -1)) {
			t.Errorf("%q in %q: the trial finds %d, %v; there are %d", source, s, found, err, len(re.FindAllStringIndex(s, -1)))
		}
	})
}

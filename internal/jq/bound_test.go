package jq

import (
	"fmt"
	"regexp"
	"testing"
	"time"
)

// Loops end by the clock, even where they make nothing. A short limit ends them no other
// way than the real one.
func TestEndless(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`repeat(1) | select(false)`, `0 | until(. < 0; . + 1)`, `def f: f; f`, `def f: try error("x") catch f; f`,
		`first(range(infinite) | select(. < 0))`, `[recurse] | length as $n | last(repeat($n))`,
	} {
		t.Run(expr, func(t *testing.T) {
			t.Parallel()
			if got := resultWithin(t, 50*time.Millisecond, compiled(t, expr), object(t, `{"id": "a"}`)); got != "jq: takes longer than 2s" {
				t.Errorf("got %.200s", got)
			}
		})
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

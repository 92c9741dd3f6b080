package jq

import (
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

// FuzzMatch holds a regular expression to its bounds: whatever it is, it is compiled or
// refused, and a search ends.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][3]string{
		{"a|b", "g", "abc"}, {"", "g", "äö"}, {"^a", "", "aaa"}, {`\b`, "g", "a b"}, {"(?m)$", "g", "a\nb"}, {"a*?b|a", "l", "aaaa"}, {"(", "", "x"},
		{`\Qa)`, "", "a)a"}, {"(?i)a|(?-i)B", "gi", "AbB"}, {"[[:alpha:]]+?", "n", "ab1"}, {"\xff", "", "\xff\xfe"}, {`(?<n>a)\k<n>`, "x", "aa"},
		{"(?(1)a|b)(?<=c)(?>d*+)", "i", "cd"}, {`\x{61 62}[\x{61-63}]`, "", "abc"}, {`(?:(a)|b)*\1`, "g", "aba"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, source, flags, s string) {
		if len(source) > 200 || len(s) > 200 {
			t.Skip()
		}
		got := newTestMatcher().match(s, []any{source, flags, false})
		found, isList := got.([]any)
		if _, isError := got.(error); isList == isError {
			t.Fatalf("got %v", got)
		}
		characters := len([]rune(s))
		for _, match := range found {
			match := match.(map[string]any)
			offset, length := match["offset"].(int), match["length"].(int)
			if offset < 0 || length < 0 || offset+length > characters {
				t.Errorf("%q in %q: got %v", source, s, match)
			}
		}
	})
}

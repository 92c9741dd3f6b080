package jq

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"testing"
)

func TestInstructions(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]int{
		"": 1, "a": 2, "abc": 4, "[a-z]": 1, "a|bc": 6, "a*": 3, "(a)": 3, "a{2,5}": 16, "a{3}": 10, "a{3,}": 10, "a{0}": 4, "(ab){2,3}": 16,
	} {
		re, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if got := instructions(re); got != want {
			t.Errorf("%s: got %d, want %d", pattern, got, want)
		}
	}
}

// matchOf calls _match as gojq does.
func matchOf(t *testing.T, m *matcher, v any, pattern string, flags any, test bool) any {
	t.Helper()
	return m.match(v, []any{pattern, flags, test})
}

func newTestMatcher(t *testing.T) *matcher {
	t.Helper()
	m, err := newMatcher()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMatch(t *testing.T) {
	t.Parallel()
	m := newTestMatcher(t)
	if got := matchOf(t, m, "xaXa", "A", "gi", false); len(got.([]any)) != 2 {
		t.Errorf("got %v", got)
	}
	if got := matchOf(t, m, "a\nb", "a.b", "m", true); got != true {
		t.Errorf("got %v", got)
	}
	if got := matchOf(t, m, "a\nb", "a.b", nil, true); got != false {
		t.Errorf("got %v", got)
	}
	// What is not a text, or no pattern, is gojq's to refuse.
	for _, c := range []struct{ v, pattern any }{{1, "a"}, {"a", 1}, {"a", "("}} {
		err, ok := m.match(c.v, []any{c.pattern, nil, true}).(error)
		if !ok || IsLimit(err) {
			t.Errorf("%v in %v: got %v", c.pattern, c.v, err)
		}
	}
	refused := func(v any) bool {
		err, ok := v.(error)
		return ok && IsLimit(err)
	}
	long := strings.Repeat("a", MaxText)
	if got := matchOf(t, m, "x", long+"a", nil, true); !refused(got) {
		t.Errorf("a pattern of more than MaxText: got %v", got)
	}
	// A class is one instruction, however long it is.
	if got := matchOf(t, m, "b", "["+long[2:]+"]", nil, true); got != false {
		t.Errorf("a pattern of MaxText: got %v", got)
	}
	if got := matchOf(t, m, "b", "["+long[1:]+"]", nil, true); !refused(got) {
		t.Errorf("a class of more than MaxText: got %v", got)
	}
	// A search for all matches of a long text is refused, and a test is not.
	if got := matchOf(t, m, text(1<<20), "x", "g", false); !refused(got) {
		t.Errorf("all matches of a long text: got %.50v", got)
	}
	if got := matchOf(t, m, text(1<<20), "x", "g", true); got != true {
		t.Errorf("a test of a long text: got %v", got)
	}
	// A literal of n characters is n + 1 instructions.
	if got := matchOf(t, m, "x", long[:maxInstructions-1], nil, true); got != false {
		t.Errorf("a pattern of maxInstructions: got %v", got)
	}
	if got := matchOf(t, m, "x", long[:maxInstructions], nil, true); !refused(got) {
		t.Errorf("a larger pattern: got %v", got)
	}
}

// What a pattern of the object costs is remembered, and forgotten when it is too much.
func TestKept(t *testing.T) {
	t.Parallel()
	m := newTestMatcher(t)
	step := emptyPattern + 11 // ten characters and one
	most := maxKept / step
	pattern := func(i int) string { return fmt.Sprintf("%010d", i) }
	for i := range most {
		matchOf(t, m, "x", pattern(i), nil, true)
		matchOf(t, m, "x", pattern(i), nil, true) // it is known
		if len(m.patterns) != i+1 || m.kept != (i+1)*step {
			t.Fatalf("after %d patterns %d are kept, of %d instructions", i+1, len(m.patterns), m.kept)
		}
	}
	matchOf(t, m, "x", pattern(most), nil, true)
	if len(m.patterns) != 1 || m.kept != step {
		t.Errorf("%d patterns are kept, of %d instructions", len(m.patterns), m.kept)
	}
	// Flags make another pattern.
	matchOf(t, m, "x", pattern(most), "g", true)
	if len(m.patterns) != 2 {
		t.Errorf("%d patterns are kept", len(m.patterns))
	}
}

// A search is refused for its length times its pattern, and one for all matches only when
// its trial is too long.
func TestMatchingTakes(t *testing.T) {
	t.Parallel()
	m := newTestMatcher(t)
	of := func(source, flags string) *pattern {
		t.Helper()
		p, err := m.pattern(source, flags)
		if err != nil || p == nil {
			t.Fatalf("%s: %v, %v", source, p, err)
		}
		return p
	}
	one := of(strings.Repeat("b", 1<<10-1), "") // 1,024 instructions
	if err := one.check(text(maxMatching>>10-1), false); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	if err := one.check(text(maxMatching>>10), false); err != ErrSlow {
		t.Errorf("over it: %v", err)
	}
	all := of("b", "g")
	if one.all || one.first != nil || !all.all || all.first == nil {
		t.Errorf("got %+v and %+v", one, all)
	}
	// Nothing is found: the trial goes through the text once.
	if err := all.check(text(1<<20), false); err != nil {
		t.Errorf("nothing found: %v", err)
	}
	every := of("x", "g")
	if err := every.check(text(1<<20), false); err != ErrSlow {
		t.Errorf("too many found: %v", err)
	}
	if err := every.check(text(1<<20), true); err != nil {
		t.Errorf("only a test: %v", err)
	}
	if err := every.check(text(1000), false); err != nil {
		t.Errorf("a short text: %v", err)
	}
}

// The trial finds what gojq finds.
func TestTry(t *testing.T) {
	t.Parallel()
	m := newTestMatcher(t)
	for _, c := range []struct {
		source, text string
		want         int
	}{
		{"(?i)a", "AaA", 3}, {"(?s)a.", "a\nab", 2},
		{"a", "", 0}, {"a", "banana", 3}, {"", "abc", 4}, {"", "éé", 3}, {"a*", "baac", 4}, {"^a", "aaa", 1}, {`\b`, "ab cd", 4}, {"é", "éaé", 2},
		{"aa", "aaaa", 2}, {"a|$", "ba", 2}, {"a$", "aaa", 1}, {"(a)(n)?", "banana", 3},
	} {
		p, err := m.pattern(c.source, "g")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.try(c.text); got != c.want || err != nil {
			t.Errorf("%q in %q: got %d, error = %v, want %d", c.source, c.text, got, err, c.want)
		}
	}
}

// Flags are those of the trial, too.
func TestTryFlags(t *testing.T) {
	t.Parallel()
	m := newTestMatcher(t)
	for flags, want := range map[string]int{"g": 1, "gi": 2, "gm": 2, "gim": 4} {
		p, err := m.pattern("a.", flags)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.try("axA\na\nAx"); got != want || err != nil {
			t.Errorf("%s: got %d, error = %v, want %d", flags, got, err, want)
		}
	}
}

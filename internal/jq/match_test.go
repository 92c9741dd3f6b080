package jq

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/onig"
)

// matchOf calls _match as gojq does.
func matchOf(m *matcher, v any, pattern string, flags any, test bool) any {
	return m.match(v, []any{pattern, flags, test})
}

func newTestMatcher() *matcher {
	return &matcher{refuse: func(any, []any) any { return errors.New("refused") }}
}

// The meaning of expressions, as jq 1.8.2 gives it.
func TestRegularExpressions(t *testing.T) {
	t.Parallel()
	const in = `{"name": "Grüße Dienst", "version": "1.2.3\n", "lines": "a\nb\n", "tricky": "{a-b|c}", "sharp": "STRASSE"}`
	for _, c := range []struct{ name, expr, want string }{
		{"letters are those of Unicode", `.name | gsub("[^\\w]+"; "-")`, `"Grüße-Dienst"`},
		{"so are those of brackets", `.name | [scan("[[:alpha:]]+")]`, `["Grüße","Dienst"]`},
		{"and the boundary of words", `.name | [match("\\b"; "g").offset]`, `[0,5,6,12]`},
		{"$ matches before a line feed at the end", `.version | capture("^(?<v>[0-9.]+)$").v`, `"1.2.3"`},
		{"^ is the begin of the text", `.lines | [match("^"; "g").offset]`, `[0]`},
		{"or of each line", `.lines | [match("(?m)^"; "g").offset]`, `[0,2]`},
		{"look-ahead", `.name | test("^(?!Test)")`, `true`},
		{"look-behind", `.name | sub("(?<=Grüße )Dienst"; "x")`, `"Grüße x"`},
		{"back-reference", `"abab" | test("^(ab)\\1$")`, `true`},
		{"atomic group", `"aab" | test("(?>a+)ab")`, `false`},
		{"possessive quantifier", `"aab" | test("a++ab")`, `false`},
		{"flag x", `"abc" | test("a b # c\n c"; "x")`, `true`},
		{"flag n", `"ab" | [match("x*"; "gn")] | length`, `0`},
		{"flag l", `"aab" | match("a|aab"; "l").string`, `"aab"`},
		{"flag m", `.lines | test("a.b"; "m")`, `true`},
		{"flag p", `.lines | test("a.b"; "p")`, `true`},
		{"flag s", `.lines | test("^b"; "s")`, `false`},
		{"the other case of one is two", `.sharp | test("straße"; "i")`, `true`},
		{"a name twice", `"b" | capture("(?<n>a)|(?<n>b)")`, `{"n":"b"}`},
		{"a group that took no part", `"b" | match("(?<n>a)?b").captures`, `[{"length":0,"name":"n","offset":-1,"string":null}]`},
		{"behind an empty match within a character", `"éb" | gsub("b*"; "X")`, `"XéXXX"`},
		{"the place after a wide character", `"日本x" | match("x").offset`, `2`},
		{"brackets keep a range", `.tricky | gsub("[{-}]"; "")`, `"a-bc"`},
		{"splitting", `"a1b22c" | split("\\d+"; null)`, `["a","b","c"]`},
		{"what is no expression", `try ("a" | test("(")) catch .`, `"Regex failure: end pattern with unmatched parenthesis"`},
		{"what is no flag", `try ("a" | test("a"; "gz")) catch .`, `"gz is not a valid modifier string"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := evaluated(t, c.expr, object(t, in)); got != c.want {
				t.Errorf("%s: got %s, want %s", c.expr, got, c.want)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	skipShort(t)
	t.Parallel()
	m := newTestMatcher()
	// What is not a text, or no pattern, is gojq's to refuse.
	for _, c := range []struct{ v, pattern, flags any }{{1, "a", nil}, {"a", 1, nil}, {"a", "a", 1}} {
		err, ok := m.match(c.v, []any{c.pattern, c.flags, true}).(error)
		if !ok || err.Error() != "refused" {
			t.Errorf("%v in %v: got %v", c.pattern, c.v, err)
		}
	}
	long := strings.Repeat("a", MaxText)
	if got := matchOf(m, "x", long, nil, true); got != false {
		t.Errorf("a pattern of MaxText: got %v", got)
	}
	err, _ := matchOf(m, "x", long+"a", nil, true).(error)
	if !IsLimit(err) || !errors.Is(err, errRead) {
		t.Errorf("a pattern of more than MaxText: got %v", err)
	}
	// Of a text that is not UTF-8, what is wrong is one character.
	if got := matchOf(m, "a\xffb", "a.b", nil, true); got != true {
		t.Errorf("got %v", got)
	}
}

// The matches of a call are bounded, and a test finds one.
func TestFound(t *testing.T) {
	t.Parallel()
	m := newTestMatcher()
	for _, c := range []struct {
		pattern string
		matches int // that are allowed
	}{{"a", maxFound}, {"(a)", maxFound / 2}, {"(a)(b)?", maxFound / 3}} {
		if got, ok := matchOf(m, strings.Repeat("a", c.matches), c.pattern, "g", false).([]any); !ok || len(got) != c.matches {
			t.Errorf("%s: got %d matches, want %d", c.pattern, len(got), c.matches)
		}
		more := strings.Repeat("a", c.matches+1)
		if err, _ := matchOf(m, more, c.pattern, "g", false).(error); !errors.Is(err, errFound) {
			t.Errorf("%s: got %v", c.pattern, err)
		}
		if got := matchOf(m, more, c.pattern, "g", true); got != true {
			t.Errorf("%s: got %v", c.pattern, got)
		}
	}
}

// A search has its steps, whatever the number of its matches.
func TestSteps(t *testing.T) {
	skipShort(t)
	t.Parallel()
	m := newTestMatcher()
	short := strings.Repeat("a", 1000)
	if got, ok := matchOf(m, short, "a*[bc]|a", "g", false).([]any); !ok || len(got) != 1000 {
		t.Errorf("got %d matches", len(got))
	}
	err, _ := matchOf(m, strings.Repeat(short, 30), "a*[bc]|a", "g", false).(error)
	if !errors.Is(err, ErrSlow) || !IsLimit(err) {
		t.Errorf("got %v", err)
	}
	err, _ = matchOf(m, strings.Repeat("ab", 1<<20), "(?:(a)|b)*[cd]", nil, true).(error)
	if !errors.Is(err, errHeap) {
		t.Errorf("got %v", err)
	}
}

// What a pattern of the object costs is remembered, and forgotten when it is too much.
func TestKept(t *testing.T) {
	t.Parallel()
	m := newTestMatcher()
	step := emptyPattern + 10
	most := maxKept / step
	pattern := func(i int) string { return fmt.Sprintf("%010d", i) }
	for i := range most {
		matchOf(m, "x", pattern(i), nil, true)
		matchOf(m, "x", pattern(i), nil, true) // it is known
		if len(m.patterns) != i+1 || m.kept != (i+1)*step {
			t.Fatalf("after %d patterns %d are kept, of %d bytes", i+1, len(m.patterns), m.kept)
		}
	}
	matchOf(m, "x", pattern(most), nil, true)
	if len(m.patterns) != 1 || m.kept != step {
		t.Errorf("%d patterns are kept, of %d bytes", len(m.patterns), m.kept)
	}
	// Flags make another pattern.
	matchOf(m, "x", pattern(most), "g", true)
	if len(m.patterns) != 2 {
		t.Errorf("%d patterns are kept", len(m.patterns))
	}
}

// The reason why there is no expression can be asked for.
func TestRegexp(t *testing.T) {
	t.Parallel()
	var wrong *onig.Error
	if _, err := Regexp("(", ""); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
	var lacks *onig.UnsupportedError
	if _, err := Regexp("(?~a)", ""); !errors.As(err, &lacks) {
		t.Errorf("got %v", err)
	}
	if re, err := Regexp("a(?<n>b)", "gixmspln"); err != nil || len(re.Names()) != 1 {
		t.Errorf("got %v, error = %v", re, err)
	}
}

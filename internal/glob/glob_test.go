package glob

import (
	"slices"
	"strings"
	"testing"
)

func TestGlobMatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		// Without wildcards: that path alone.
		{"apps", "apps", true},
		{"apps", "apps/a", false},
		{"apps", "x/apps", false},
		{"apps", "Apps", false},
		{"/apps", "apps", true},
		{"apps/", "apps", true},
		{"/apps/web/", "apps/web", true},
		{"apps/web", "apps/web", true},
		{"apps/web", "apps", false},
		{"a.b", "aXb", false},
		{"a+b (c)", "a+b (c)", true},
		{"100% #1?", "100% #1!", true},
		{".github", ".github", true},
		{`a\*b`, "a*b", true},
		{`a\*b`, "axb", false},
		{`\{a\}`, "{a}", true},
		{`a\\b`, `a\b`, true},
		{"a]", "a]", true},
		// "*" and "?" stay within a segment.
		{"*", "apps", true},
		{"*", "apps/a", false},
		{"*", ".hidden", true},
		{"*", "🚀 rocket", true},
		{"*", "two\nlines", true},
		{"apps/*", "apps/a", true},
		{"apps/*", "apps", false},
		{"apps/*", "apps/a/b", false},
		{"apps/*", "apps/.a", true},
		{"*/web", "apps/web", true},
		{"*/web", "web", false},
		{"a*c", "abc", true},
		{"a*c", "ac", true},
		{"a*c", "a/c", false},
		{"*.yml", ".yml", true},
		{"*.yml", "port.yaml", false},
		{"a?c", "abc", true},
		{"a?c", "a🚀c", true},
		{"a?c", "ac", false},
		{"a?c", "a/c", false},
		// "**" is any number of segments, also none.
		{"**", "a", true},
		{"**", "a/b/c", true},
		{"**/*", "a", true},
		{"**/*", "a/b", true},
		{"**/port.yml", "port.yml", true},
		{"**/port.yml", "a/port.yml", true},
		{"**/port.yml", "a/b/c/port.yml", true},
		{"**/port.yml", "a/my-port.yml", false},
		{"apps/**", "apps", false},
		{"apps/**", "apps/a", true},
		{"apps/**", "apps/a/b/c", true},
		{"apps/**", "appsx/a", false},
		{"apps/**/", "apps", false},
		{"apps/**/*", "apps", false},
		{"apps/**/*", "apps/a", true},
		{"apps/**/web", "apps/web", true},
		{"apps/**/web", "apps/a/b/web", true},
		{"apps/**/web", "apps/a/web/b", false},
		{"**/a/**/b", "a/b", true},
		{"**/a/**/b", "x/a/y/z/b", true},
		{"**/a/**/b", "b/a", false},
		{"**/**/a", "a", true},
		{"a/**/**", "a/b", true},
		{"**/.git*", "x/.gitignore", true},
		{"a**b", "axxb", true},
		{"a***", "a", true},
		{"a****b***", "ab", true},
		{`a\***[**]`, "a*bc*", true},
		{`a\***[**]`, "abc*", false},
		{"a**b", "a/b", false},
		{"**.yml", "a/b.yml", false},
		// Classes.
		{"v[0-9]", "v1", true},
		{"v[0-9]", "vx", false},
		{"v[!0-9]", "vx", true},
		{"v[^0-9]", "v1", false},
		{"a[!b]c", "a/c", false},
		{"[ab]*", "beta", true},
		{"[ab]*", "Beta", false},
		{"[{]x", "{x", true},
		{`[\]]x`, "]x", true},
		// Named classes.
		{"[[:alpha:]]*", "apps", true},
		{"[[:alpha:]]*", "Äpps", false},
		{"[[:alpha:]]*", "1apps", false},
		{"v[[:digit:]]", "v1", true},
		{"v[[:digit:]]", "v٣", false},
		{"v[![:digit:]]", "vx", true},
		{"v[^[:digit:]]", "v1", false},
		{"[[:alpha:]_][[:word:]]", "_9", true},
		{"[_[:upper:][:digit:]]x", "9x", true},
		{"[_[:upper:][:digit:]]x", "ax", false},
		{"[[:digit:]-z]", "-", true},
		{"[[:digit:]-z]", "a", false},
		{"[a-[:digit:]c]", "b", false},
		{"[a-[:digit:]c]", "-", true},
		{"[[:blank:]-z]", "5", false},
		{"[![:punct:]]", "[", false},
		{`a[[:punct:]\]]`, "a]", true},
		{"{[[:alpha:]]/x,[[:digit:]]}", "a/x", true},
		{"{[[:alpha:]]/x,[[:digit:]]}", "7", true},
		{`\\[[:alpha:]]`, `\a`, true},
		{"[[:graph:]][[:print:]][[:cntrl:]]", "~ \x7f", true},
		{"[[:graph:]][[:print:]][[:cntrl:]]", " ~\x1f", false},
		{"[[:ascii:]][![:ascii:]][[:xdigit:]][[:space:]][[:blank:]]", "\x00éF\r\t", true},
		{"[[:lower:]][[:alnum:]][[:punct:]]", "aZ}", true},
		{"[[:]", ":", true},
		{"[a-a]", "a", true},
		{"[+--]", ",", true},
		{"[é-ü]", "ö", true},
		// Choices, also across segments.
		{"{apps,libs}", "libs", true},
		{"{apps,libs}", "apps,libs", false},
		{"{apps,libs}/*", "libs/a", true},
		{"{apps,libs/go}/*", "libs/go/a", true},
		{"{apps,libs/go}/*", "libs/a", false},
		{"{apps,libs/go}/*", "apps/a", true},
		{"{a,b/{c,d/e}}", "b/d/e", true},
		{"{a,b/{c,d/e}}", "b/c", true},
		{"{a,b/{c,d/e}}", "b/d", false},
		{"{**/x,y}", "a/b/x", true},
		{"{**,y}/x", "a/b/x", true},
		{"{**,y}/x", "x", true},
		{"*.{yml,yaml}", "port.yaml", true},
		{"*.{yml,yaml}", "port.json", false},
		{"a{,b}", "a", true},
		{"a{,/b}", "a/b", true},
		{"a{b}c", "abc", true},
		{`{a\,b,c}`, "a,b", true},
		{"{[,}]/x,y}", "}/x", true},
	} {
		g, err := Parse(tt.pattern)
		if err != nil {
			t.Errorf("%q: got %v, want no error", tt.pattern, err)
			continue
		}
		if got := g.Matches(tt.path); got != tt.want {
			t.Errorf("%q and %q: got %v, want %v", tt.pattern, tt.path, got, tt.want)
		}
		if g.String() != tt.pattern {
			t.Errorf("got %q, want it as written: %q", g, tt.pattern)
		}
	}
}

// The empty pattern is the root: it matches nothing that a listing has, and needs none.
func TestRoot(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"": true, "/": true, "*": false, "a": false, "**": false} {
		p, err := Parse(text)
		if err != nil || p.Root() != want || p.String() != text {
			t.Errorf("%q: got %v, root %v, %v, want %v", text, p, p.Root(), err, want)
		}
		if _, more := NewWalk([]Pattern{p}).Next(); more == want || want && (p.Matches("") || p.Matches("a")) {
			t.Errorf("%q: a listing %v, want %v", text, more, !want)
		}
	}
}

func TestGlobRefuses(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"//":                          "is empty",
		"a//b":                        "empty segment",
		"//a":                         "empty segment",
		"./a":                         `"."`,
		"a/../b":                      `".."`,
		"{a,..}/b":                    "",
		"{a/,b}c/../d":                `".."`,
		"{a/,b}/c":                    "empty segment",
		"[":                           "not closed",
		"a[]":                         "not closed",
		"{a":                          "not closed",
		"a}":                          "too many",
		`a\`:                          "at its end",
		"[a/b]":                       `inside "[…]"`,
		`a\/b`:                        `after "\"`,
		"[[:letter:]]":                `"[:letter:]", which is not a class`,
		"[[:Alpha:]]":                 `"[:Alpha:]", which is not a class`,
		"[[:^alpha:]]":                `"[:^alpha:]", which is not a class`,
		"v[9-0]":                      `the range "9-0", which ends before it begins`,
		`[a\]-\[]`:                    `the range "\\]-\\["`,
		"a/[:alpha:]*":                `"[:alpha:]" outside of brackets`,
		strings.Repeat("a", 1001):     "longer than 1000 bytes",
		strings.Repeat("{a,b}", 10):   "more than 200 alternatives",
		strings.Repeat("{a/x,b}", 60): "more than 200 alternatives",
	} {
		_, err := Parse(pattern)
		switch {
		case want == "":
			if err != nil {
				t.Errorf("%q: got %v, want no error", pattern, err)
			}
		case err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("%q: got %v, want %q", pattern, err, want)
		}
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, patterns string
		want           []Need
	}{
		{"root", "*", []Need{{"", 1}}},
		{"folder", "apps", []Need{{"", 1}}},
		{"file", "apps/web/port.yml", []Need{{"apps/web", 1}}},
		{"below", "apps/*", []Need{{"apps", 1}}},
		{"two below", "apps/*/src", []Need{{"apps", 2}}},
		{"any depth", "apps/**", []Need{{"apps", MaxDepth}}},
		{"any depth from the root", "**/port.yml", []Need{{"", MaxDepth}}},
		{"behind a wildcard", "*/apps/web/*", []Need{{"", 4}}},
		{"escaped", `a\*/*`, []Need{{"a*", 1}}},
		{"choice in a segment", "{apps,libs}/*", []Need{{"", 2}}},
		{"choice across segments", "{apps,libs/go}/*", []Need{{"apps", 1}, {"libs/go", 1}}},
		{"beside each other", "apps/* libs/*", []Need{{"apps", 1}, {"libs", 1}}},
		{"the same", "apps/* apps/web apps/?", []Need{{"apps", 1}}},
		{"the deepest", "apps/* apps/*/*", []Need{{"apps", 2}}},
		{"covered", "apps/*/* apps/web/*", []Need{{"apps", 2}}},
		{"not covered", "apps/* apps/web/*", []Need{{"apps", 1}, {"apps/web", 1}}},
		{"covered by any depth", "apps/web/** ** libs/*", []Need{{"", MaxDepth}}},
		{"a name that begins alike", "app/** apps/*", []Need{{"app", MaxDepth}, {"apps", 1}}},
		{"documented", "integrations/* integrations/**/*", []Need{{"integrations", MaxDepth}}},
		{"deep without any depth", strings.Repeat("*/", 29) + "*", []Need{{"", MaxDepth}}},
	} {
		var patterns []Pattern
		for p := range strings.FieldsSeq(tt.patterns) {
			g, err := Parse(p)
			if err != nil {
				t.Fatal(err)
			}
			patterns = append(patterns, g)
		}
		if got := needs(patterns); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, folder string
		want            int
	}{
		{"apps/*", "", 2},
		{"apps/*", "apps", 1},
		{"apps/*", "apps/a", 0},
		{"apps/*", "libs", 0},
		{"apps/**/x", "", MaxDepth},
		{"apps/**/x", "apps/a/b", MaxDepth},
		{"apps/**/x", "libs", 0},
		{"**/x/y", "a/x", MaxDepth},
		{"a/{b,c/d}", "a", 2},
		{"a/{b,c/d}", "a/c", 1},
		{"a/{b,c/d}", "a/b", 0},
		{strings.Repeat("*/", 24) + "*", "a/b/c/d/e/f", 19},
	} {
		g, err := Parse(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.reach(tt.folder); got != tt.want {
			t.Errorf("%q below %q: got %d, want %d", tt.pattern, tt.folder, got, tt.want)
		}
	}
}

// What matches lies within reach of each folder above it, and below the base of an
// alternative; and a pattern stays within time, whatever it is.
func FuzzGlob(f *testing.F) {
	for _, seed := range [][2]string{
		{"**/port.yml", "a/b/port.yml"}, {"apps/**", "apps/a"}, {"{a,b/c}/*.{x,y}", "b/c/d.x"}, {"[!a-z]?/**/*", "A1/b/c"},
		{"*{a,b}*{a,b}*{a,b}*{a,b}*{a,b}*{a,b}*{a,b}*{a,b}*c", strings.Repeat("ab", 90)}, {strings.Repeat("{}", 400), "a"},
		{`a\*/[\]]`, "a*/]"}, {"**/**/**/**/a", "b/b/b/b/b/b/b/b/c"}, {"*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaa"},
		{"{,a}{,b}{,c}/{,d}x", "abc/dx"}, {"{a/b,{c,d}/e}/**", "d/e/f"}, {"\xff*", "\xffa"}, {"a//b", "a/b"}, {"]", "]"},
		{"[[:alpha:]-z]*/[!a-[:punct:]]", "a/b"}, {"[[:space:][:^x:]", "a"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		path = strings.Trim(path, "/")
		g, err := Parse(pattern)
		if err != nil || path == "" || len(path) > 60 || len(g.alternatives) > 20 || strings.Contains(path, "//") {
			return
		}
		if !g.Matches(path) {
			return
		}
		inside := false
		for _, s := range g.alternatives {
			inside = inside || Within(s.base(), path) && path != s.base()
		}
		if !inside {
			t.Errorf("%q matches %q, which is below no base", pattern, path)
		}
		for i, c := range path {
			if c != '/' {
				continue
			}
			if got, want := g.reach(path[:i]), min(Level(path)-Level(path[:i]), MaxDepth); got < want {
				t.Errorf("%q matches %q: reach below %q: got %d, want %d at least", pattern, path, path[:i], got, want)
			}
		}
	})
}

package onig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// The tables of newer characters are against those of Go. With other ones they are to be
// made again: what Unicode 16 has and Go has not.
func TestUnicode(t *testing.T) {
	t.Parallel()
	if unicode.Version != "15.0.0" {
		t.Errorf("Go has Unicode %s", unicode.Version)
	}
	// What the tables of Oniguruma hold.
	for name, want := range map[string]int{
		"alpha": 142_759, "word": 144_665, "digit": 760, "space": 25, "upper": 1_978, "lower": 2_569, "punct": 9_369, "graph": 292_447, "print": 292_464,
		"cntrl": 65, "alnum": 143_519, "blank": 18,
	} {
		got := 0
		for i := 0; i < len(posix[name]()); i += 2 {
			got += int(posix[name]()[i+1]-posix[name]()[i]) + 1
		}
		if got != want {
			t.Errorf("%s: got %d characters, want %d", name, got, want)
		}
	}
	f := folds()
	if len(f.orbits) != 1423 || len(f.longs) != 73 {
		t.Errorf("got %d groups of one case, and %d that stand for several", len(f.orbits), len(f.longs))
	}
}

func compiled(t testing.TB, pattern string, options Option) *Regexp {
	t.Helper()
	re, err := Compile(pattern, options)
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	return re
}

// What is refused, and why. The words are those of Oniguruma where it refuses, too.
func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"(": "end pattern with unmatched parenthesis", ")": "unmatched close parenthesis", "a(?": "end pattern in group", "(?#a": "end pattern in group",
		"*": "target of repeat operator is not specified", "a|+": "target of repeat operator is not specified", "^*": "target of repeat operator is invalid",
		`\`: "end pattern at escape", `\c`: "end pattern at control", `[\`: "end pattern at escape", "[a": "premature end of char-class", "[]": "empty char-class",
		"[b-a]": "empty range in char class", `[a-\d]`: "char-class value at end of range", "[[:x:]]": "invalid POSIX bracket type",
		"a{3,2}": "upper is smaller than lower in repeat range", "a{100001}": "too big number for repeat range", `\1`: "invalid backref number/name",
		`(a)\2`: "invalid backref number/name", `\k<n>`: "undefined name <n> reference", `\k<>`: "group name is empty", `\k<-1>`: "invalid backref number/name",
		`\k<1a>`: "invalid group name <1a>", "(?<1>a)": "invalid group name <1>", "(?<>a)": "group name is empty", "(?<n": "invalid group name <n>",
		"(?q)": "undefined group option", `\777`: "too big number", `\x{110000}\x{200000}`: "invalid code point value", `\x{123456789}`: "too long wide-char value",
		`\x{41`: "invalid code point value", `\xe9`: "too short multibyte string", `\x80`: "invalid wide-char value", `[\xe9]`: "too short multibyte string",
		"(?<=a|bc)": "invalid pattern in look-behind", "(?<=(?=a))": "invalid pattern in look-behind", "(?<!(a))": "invalid pattern in look-behind", "(?<=a$)": "invalid pattern in look-behind",
		"(?(a))": "invalid if-else syntax", `\p{L`: "end pattern with unmatched parenthesis", `\p{é}`: "invalid character property name {é}", "\xff": "invalid wide-char value",
		"a{65536}(?<=a{65536})": "invalid pattern in look-behind", strings.Repeat("(", 2000): "parse depth limit over", strings.Repeat(`[\w\W]`, 200): "the regular expression is too large",
	} {
		var wrong *Error
		if _, err := Compile(pattern, 0); !errors.As(err, &wrong) || wrong.Reason != want {
			t.Errorf("%.50s: got %v, want %s", pattern, err, want)
		}
	}
	for pattern, want := range map[string]string{
		`(a)\g<1>`: `\g<`, `(?R)`: "(?R", "(?&n)": "(?&", "(a)(?1)": "(?1", "(a)(?-1)": "(?-", "(?~a)": "(?~", "(?{a})": "(?{", "(*FAIL)": "(*", `\X`: `\X`, `\y`: `\y`,
		`\p{InGreek}`: `\p{ingreek}`, `[\p{x}]`: `\p{x}`, `(a)\k<1+0>`: `\k<1+0>`, "(?(?{a})b)": "(?(?", "(?(*FAIL)b)": "(?(*", "(a)(?(1)b)c": "(?(1)b)",
	} {
		var lacks *UnsupportedError
		if _, err := Compile(pattern, 0); !errors.As(err, &lacks) || lacks.What != want || !strings.Contains(err.Error(), lacks.What+", "+lacks.Name) {
			t.Errorf("%s: got %v, want %s", pattern, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	if got := compiled(t, "(?<a-b>.)(.)(?'c'.)", 0).Names(); !slices.Equal(got, []string{"a-b", "", "c"}) {
		t.Errorf("got %q", got)
	}
}

// A search counts its steps, in whatever it spends them, and remembers a bounded number
// of places.
func TestBounds(t *testing.T) {
	t.Parallel()
	const steps = 1 << 16
	many := strings.Repeat("a", 1<<14)
	for _, c := range []struct{ pattern, text string }{
		{"(a+)+[bc]", many}, {"(?:a|a)*[bc]", many}, {"(?>a*)[bc]", many}, {"a*[bc]", many}, {"(?=(?:(?>a))*[bc])", many}, {"(?:(?!a*[bc])a)*[cd]", many},
		{`(a*)\1[bc]`, many}, {"(?:a{2,3}){5,}[bc]", many}, {"(?:(?:a|b)*?)*[bc]", many}, {"(?=a*)(?!a*)", many}, {"[^b]*?[bc]", many},
		{"(?:(?=(a*))a)*[bc]", many},
		// What one step does with many registers, characters or groups counts as many.
		{"a(?<!a)" + strings.Repeat("()", 1<<10), many[:1<<12]}, {"(?<=b.{1000})", many}, {"(?<n>a)" + strings.Repeat("(?<n>b)?", 1<<9) + `(?:\k<n>|a)*[cd]`, many},
	} {
		s := compiled(t, c.pattern, 0).NewSearch(c.text, steps)
		if got, err := s.From(0); err != ErrSteps || s.steps >= 0 {
			t.Errorf("%s: got %v, error = %v, %d steps left", c.pattern, got, err, s.steps)
		}
	}
	long := strings.Repeat("ab", maxStack)
	if got, err := compiled(t, "(?:a|b)*[cd]", 0).NewSearch(long, 1<<30).From(0); err != ErrMemory {
		t.Errorf("got %v, error = %v", got, err)
	}
	// A loop of single characters remembers one place.
	if got, err := compiled(t, "(?:a|b)[ab]*[cd]", 0).NewSearch(long[:1<<12], 1<<30).From(0); got != nil || err != nil {
		t.Errorf("got %v, error = %v", got, err)
	}
}

// Loops whose body can match nothing, and groups that refer to each other in them: answers
// of jq 1.8.2, as the match and its groups.
func TestLoops(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern string
		options Option
		text    string
		want    []int
	}{
		// A change of a group that is referred to from without lets a loop go on.
		{`((||a{1,4}){2}(\2)(?:){1,4})`, Longest, "aaaab", []int{0, 4, 0, 4, 0, 2, 2, 4}},
		{`(a{0,5}?){2}\k<-1>*+(\1{0,5}?){2}`, NotEmpty, "baba", []int{1, 2, 1, 2, 2, 2}},
		{`(?:()(?:){0,3}|\k<-1>(a*?|bb{4}|a)b*?)*?b`, 0, "ab", []int{0, 2, 0, 0, 0, 1}},
		{`(|a|\1b){2,3}?b`, 0, "ab", []int{0, 2, 0, 1}},
		{`(|a|\1+b){2,3}b`, 0, "ab", []int{0, 2, 1, 1}},
		// A group that has begun again is not set.
		{`(a*?\k<-1>|a)+`, 0, "bbaa", []int{2, 4, 3, 4}},
		{`(a|(bs|\2\1|c)){1,2}`, 0, "bsx", []int{0, 2, 0, 2, 0, 2}},
		{`(\1)`, 0, "b", nil},
		// A loop that is written out goes on where one that counts ends.
		{"b{0,5}?((b*?){0,3}b)", Longest, "bbbaa", []int{0, 3, 0, 3, 2, 2}},
		{"(?<n>a|b){2}", 0, "ab", []int{0, 2, 1, 2}},
		{"(?:(a)|b)*", 0, "ab", []int{0, 2, 0, 1}},
	} {
		got, err := compiled(t, c.pattern, c.options).NewSearch(c.text, 1<<16).From(0)
		if !slices.Equal(got, c.want) || err != nil {
			t.Errorf("%s in %s: got %v, error = %v, want %v", c.pattern, c.text, got, err, c.want)
		}
	}
}

// Two quantifiers in a row become one, or stay.
func TestReduce(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"a?*": "0 -1 false", "a*?": "0 -1 true", "(?:a+)?": "0 -1 false", "(?:a*)??": "0 1 true, 1 -1 false", "(?:a?)??": "0 1 true", "(?:a+?)+": "1 -1 false",
		"(?:a?)+?": "1 -1 true, 0 1 false", "(?:a??)*": "0 -1 true", "(?:a{2}){3}": "6 6 false", "(?:a{2,3}){3}": "3 3 false, 2 3 false", "(?:a*){2,5}": "2 2 false, 0 -1 false",
		"(?:a+){0,5}": "0 1 false, 1 -1 false", "(?:a+){2,5}?": "2 5 true, 1 -1 false", "(?:a*?){2,5}": "2 5 false, 0 -1 true", "a{1}": "", "(?:a*?)*": "0 -1 true",
	} {
		tree, _, err := parse(pattern, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		tree.walk(func(n *node) {
			if n.kind == kindQuantifier {
				got = append(got, fmt.Sprint(n.min, n.max, n.lazy))
			}
		})
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: got %q, want %s", pattern, got, want)
		}
	}
}

// What groups that refer to each other are is worked out once for each.
func TestReferencesOfReferences(t *testing.T) {
	t.Parallel()
	pattern := "()"
	for i := 1; i < 60; i++ {
		pattern += fmt.Sprintf(`(\%d\%d)`, i, i)
	}
	for _, end := range []string{`(?:\60)*`, `(?<=a\60)b`} {
		if got, err := compiled(t, pattern+end, 0).NewSearch("ab", 1<<16).From(0); got == nil || err != nil {
			t.Errorf("%s: got %v, error = %v", end, got, err)
		}
	}
}

// What an expression must have in it, and how it must begin, is known, and wrong for none.
func TestHints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern string
		want    hint // without first
		any     bool // a match can begin with any byte
	}{
		{"abc", hint{literal: "abc"}, false}, {"a*", hint{}, true}, {"^a", hint{atBegin: true, literal: "a"}, false}, {"(?m)^a", hint{literal: "a"}, false},
		{".*a", hint{allLine: true, literal: "a"}, false}, {"(?s).*a", hint{all: true, literal: "a"}, true}, {"(.*)a", hint{allLine: true, literal: "a"}, false},
		{`(.*)\1`, hint{}, true}, {"(?<=a).*", hint{}, true}, {"(?:ab)+c?", hint{literal: "ab"}, false}, {"a|b", hint{}, false}, {"(?=a)b", hint{literal: "b"}, false},
		{`\Ga`, hint{literal: "a"}, false}, {`\R`, hint{}, true}, {"(?i)a", hint{}, false}, {"(?>abc|d)", hint{}, false}, {"x{0}", hint{}, true},
	} {
		got := compiled(t, c.pattern, 0).hint
		isAny := got.first == nil
		got.first = nil
		if got != c.want || isAny != c.any && !strings.Contains(c.pattern, "(?s)") {
			t.Errorf("%s: got %+v, any = %t, want %+v, any = %t", c.pattern, got, isAny, c.want, c.any)
		}
	}
}

// FuzzCompile holds the parser to its bounds.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`a(?<n>b|c)*?\k<n>[^\w-\x{41 43-45}[:alpha:]]{2,3}+`, `(?i-m:ss)(?<=ab)(?!c)\Qa\E\R\p{^Lu}\101\xc3\xa9`, `(?(1)a|b)((?#c)d)\1(?>e)(?x: f # g
		)`, "[]-]|[^]]|[a-]|[--a]", `\k<-1>\k'+1'\c?\cA\x`,
	} {
		f.Add(seed, uint16(0))
		f.Add(seed, uint16(IgnoreCase|Extended|DotAll|Longest|NotEmpty))
	}
	f.Fuzz(func(t *testing.T, pattern string, options uint16) {
		if len(pattern) > 1000 {
			t.Skip()
		}
		re, err := Compile(pattern, Option(options))
		if err != nil {
			return
		}
		if size := len(re.program.code); size > 40*(len(pattern)+1)+maxWeight {
			t.Errorf("%q becomes %d instructions", pattern, size)
		}
		text := "ab\nçß d"
		for start := range len(text) + 1 {
			found, err := re.NewSearch(text, 1<<12).From(start)
			if err != nil || found == nil {
				continue
			}
			if found[0] < 0 || found[0] > found[1] || found[1] > len(text) {
				t.Errorf("%q in %q: got %v", pattern, text, found)
			}
		}
	})
}

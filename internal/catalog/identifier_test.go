package catalog_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
)

func TestCheckIdentifier(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, s string
		want    string // a part of the error; empty when there is none
	}{
		{"plain", "svc-1_A.b@c+d:e/f\\g=h", ""},
		{"letters of any script", "日本語Ωжéאªʰ", ""},
		{"one digit", "7", ""},
		{"three dots", "...", ""},
		{"dots and more", "..a", ""},
		{"uuid without braces", "a1b2-c3", ""},
		{"longest", strings.Repeat("é", 1000), ""},
		{"empty", "", "empty"},
		{"one dot", ".", "dot"},
		{"two dots", "..", "dot"},
		{"too long", strings.Repeat("é", 1001), "1001 characters"},
		{"space", "my service", `' '`},
		{"newline at the end", "a\n", `'\n'`},
		{"braces", "{a}", `'{'`},
		{"emoji", "a🚀", "🚀"},
		{"combining mark", "e\u0301", "\u0301"},
		{"digit of another script", "٣", "٣"},
		{"letter number", "Ⅷ", "Ⅷ"},
		{"invalid UTF-8", "a\xff", "UTF-8"},
		{"surrogate", "a\xed\xa0\x80", "UTF-8"},
		{"zero", "a\x00", `\x00`},
		{"a letter of Unicode 16", "\u1c8a\U00010d4a", ""},
		{"a code point without a character", "\u0378", ""},
		{"never a character", "a\uffff", "\\uffff"},
		{"never a character either", "a\ufdd0", "\\ufdd0"},
		{"never one in another plane", "a\U0010fffe", "\\U0010fffe"},
		{"private use", "a\ue000", "\\ue000"},
		{"emoji of Unicode 15", "a\U0001fae8", "\U0001fae8"},
	}
	for _, c := range "(){}[]#&,;!?~*'\"%$^|<>` \t" {
		tests = append(tests, struct{ name, s, want string }{"sign " + string(c), "a" + string(c), "does not allow"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := catalog.CheckIdentifier(tt.s)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want one with %q", err, tt.want)
			case err != nil && len(tt.s) > 4 && strings.Contains(err.Error(), tt.s):
				t.Errorf("got %v, want it without the value", err)
			}
		})
	}
}

func TestCheckBlueprint(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"bitbucketRepository": true, "a/b\\c:d@e+f.g-h_i": true, "日本": true, strings.Repeat("é", 100): true,
		"": false, ".": false, "..": false, "a=b": false, "a b": false, strings.Repeat("a", 101): false,
	} {
		if err := catalog.CheckBlueprint(s); (err == nil) != want {
			t.Errorf("%q: got %v, want accepted %v", s, err, want)
		}
	}
}

// accepts reads Port's pattern, and what may be a letter one day, one character at a time, in another way than the code.
func accepts(s string) bool {
	signs, dots, n := "0123456789@_.+:\\/=-", 0, 0
	for _, r := range s {
		known := unicode.In(r, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
		never := strings.HasSuffix(strconv.FormatInt(int64(r)|1, 16), "ffff") || r >= 0xfdd0 && r < 0xfdf0
		if !strings.ContainsRune(signs, r) && (known || never) {
			return false
		}
		if r == '.' {
			dots++
		}
		n++
	}
	return n > 0 && n <= 1000 && (dots != n || dots > 2)
}

func TestCheckIdentifierIsThePattern(t *testing.T) {
	t.Parallel()
	mostly := rapid.StringOfN(rapid.RuneFrom([]rune("aZ09@_.+:\\/=-é日 \u0301{🚀\n\u0378\ufdd0\U0001ffff\U00010d4a")), 0, 12, -1)
	anything := rapid.OneOf(mostly, rapid.String(), rapid.StringMatching(`[.]{0,4}`), rapid.StringOfN(rapid.RuneFrom([]rune("aé日.")), 995, 1005, -1))
	rapid.Check(t, func(t *rapid.T) {
		s := anything.Draw(t, "s")
		if got, want := catalog.CheckIdentifier(s) == nil, accepts(s); got != want {
			t.Fatalf("%q: got accepted %v, want %v", s, got, want)
		}
	})
}

// FuzzIdentifier compares the checks with the pattern, read in another way. What is
// a blueprint is an identifier too.
func FuzzIdentifier(f *testing.F) {
	for _, s := range []string{"svc-1", ".", "..", "...", "a=b", "", "a b", "é", "e\u0301", "\xff", "a\x00", "a\n", "٣", "\u1c8a", "\ufdef", "\U0001fffe", "a/../b", `a\b`, strings.Repeat("a", 1001)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err, blueprint := catalog.CheckIdentifier(s), catalog.CheckBlueprint(s)
		if got, want := err == nil, accepts(s); got != want {
			t.Errorf("%q: got accepted %v, want %v", s, got, want)
		}
		if want := accepts(s) && utf8.RuneCountInString(s) <= 100 && !strings.Contains(s, "="); (blueprint == nil) != want {
			t.Errorf("%q: got accepted as a blueprint %v, want %v", s, blueprint == nil, want)
		}
		for _, err := range []error{err, blueprint} {
			if err != nil && (err.Error() == "" || strings.ContainsFunc(err.Error(), unicode.IsControl)) {
				t.Errorf("%q: got %q, want a text of one line", s, err)
			}
		}
	})
}

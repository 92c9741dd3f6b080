package content

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// object is a JSON object.
type object = map[string]any

func TestParse(t *testing.T) {
	t.Parallel()
	n := func(text string) any { return json.Number(text) }
	for _, tt := range []struct {
		name, file, text string
		want             any
	}{
		{"object", "a.json", `{"a": [1, "x", null, true]}`, object{"a": []any{n("1"), "x", nil, true}}},
		{"exact numbers", "a.json", `[12345678901234567890, 1.10, 1e400, -0]`, []any{n("12345678901234567890"), n("1.10"), n("1e400"), n("-0")}},
		{"empty JSON", "a.json", " \r\n\t", nil},
		{"nothing at all", "a.json", "", nil},
		{"byte order mark", "a.json", "\uFEFF[]", []any{}},
		{"upper case", "A.JSON", `{}`, object{}},
		{"brackets in text", "a.json", `["[[[\"[[\\"]`, []any{`[[["[[\`}},
		{"invalid UTF-8 in JSON", "a.json", "[\"a\xff\"]", []any{"a\uFFFD"}},
		{"the last of two keys", "a.json", `{"a": 1, "a": 2}`, object{"a": n("2")}},

		{"mapping", "a.yml", "a: 1\nb: [x, y]\n", object{"a": n("1"), "b": []any{"x", "y"}}},
		{"yaml", "a.yaml", "a: b", object{"a": "b"}},
		{"empty YAML", "a.yml", "", nil},
		{"a comment alone", "a.yml", "# nothing\n", nil},
		{"null", "a.yml", "~", nil},
		{"markers alone", "a.yml", "---\n---\n", nil},
		{"scalar", "a.yml", "hello", "hello"},
		{"byte order mark in YAML", "a.yml", "\uFEFFa: 1", object{"a": n("1")}},
		{"invalid UTF-8 in YAML", "a.yml", "a: \xff\n", object{"a": "\uFFFD"}},
		{"documents", "a.yml", "a: 1\n---\nb: 2\n", []any{object{"a": n("1")}, object{"b": n("2")}}},
		{"empty documents", "a.yml", "---\na: 1\n---\n# none\n---\n", object{"a": n("1")}},
		{"a document that is null", "a.yml", "a: 1\n--- null\n", []any{object{"a": n("1")}, nil}},
		{"dates", "a.yml", "[2026-11-22, 2026-11-22T10:00:00Z, 2001-12-14 21:59:43.10 -5]",
			[]any{"2026-11-22", "2026-11-22T10:00:00Z", "2001-12-14 21:59:43.10 -5"}},
		{"big numbers", "a.yml", "[123456789012345678901234567890, 1.10, 1e400, 0.1e-3]",
			[]any{n("123456789012345678901234567890"), n("1.10"), "1e400", n("0.1e-3")}},
		{"numbers that JSON cannot write", "a.yml", "[0x1F, 0o17, 0777, 1_000, +5, .5, 5., .inf, -.INF, .nan]",
			[]any{"0x1F", "0o17", "0777", "1_000", "+5", ".5", "5.", ".inf", "-.INF", ".nan"}},
		{"versions", "a.yml", "[1.2.3, 1.20, v1]", []any{"1.2.3", n("1.20"), "v1"}},
		{"booleans and words", "a.yml", "[true, False, yes, on, y, NULL, 'true', \"1\"]",
			[]any{true, false, "yes", "on", "y", nil, "true", "1"}},
		{"tags", "a.yml", "[!Ref x, !Sub [a, 1], !Map {k: v}, !!str 5, !!int '5', !!int x, !!binary aGk=, !!float 1, !!set {a}]",
			[]any{"x", []any{"a", n("1")}, object{"k": "v"}, "5", n("5"), "x", "aGk=", n("1"), object{"a": nil}}},
		{"keys as text", "a.yml", "{1: a, true: b, null: c, 2026-01-01: d, 1.0: e}",
			object{"1": "a", "true": "b", "null": "c", "2026-01-01": "d", "1.0": "e"}},
		{"alias", "a.yml", "a: &x {k: 1}\nb: *x\n*x2 : c\nd: &x2 q\n", nil},
		{"alias and alias as a key", "a.yml", "a: &x {k: 1}\nb: *x\nd: &y q\n*y : c\n",
			object{"a": object{"k": n("1")}, "b": object{"k": n("1")}, "d": "q", "q": "c"}},
		{"merge", "a.yml", "base: &b {x: 1, y: 1}\nz: {<<: *b, y: 2}",
			object{"base": object{"x": n("1"), "y": n("1")}, "z": object{"x": n("1"), "y": n("2")}}},
		{"merge a list", "a.yml", "- &a {x: 1}\n- &b {x: 2, y: 2}\n- {<<: [*a, *b]}",
			[]any{object{"x": n("1")}, object{"x": n("2"), "y": n("2")}, object{"x": n("1"), "y": n("2")}}},
		{"merge twice", "a.yml", "- &a {x: 1}\n- &b {x: 2, y: 2}\n- <<: *a\n  <<: *b",
			[]any{object{"x": n("1")}, object{"x": n("2"), "y": n("2")}, object{"x": n("1"), "y": n("2")}}},
		{"a quoted << is a key", "a.yml", "'<<': 1", object{"<<": n("1")}},
		{"block text", "a.yml", "a: |\n  x\n  y\n", object{"a": "x\ny\n"}},

		{"text", "README.md", "# x\n", "# x\n"},
		{"no extension", "CODEOWNERS", "{", "{"},
		{"json in the folder's name", "a.json/b", "{", "{"},
		{"invalid UTF-8 in text", "a.txt", "a\xffb", "a\uFFFDb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tt.file, []byte(tt.text))
			if tt.name == "alias" { // names an anchor that comes later
				if err == nil {
					t.Errorf("got %v, want an error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("content (-want +got):\n%s", d)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	repeat, many := strings.Repeat, 1_000_000
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them: up to 50 MB
		many = 17_000_000
	}
	for _, tt := range []struct{ name, file, text, want string }{
		{"syntax", "a.json", `{"a": }`, "invalid character"},
		{"comment", "a.json", "// x\n{}", "invalid character"},
		{"cut off", "a.json", `{"a": 1`, "unexpected EOF"},
		{"two values", "a.json", "{} {}", "something follows"},
		{"brackets", "a.json", repeat("[", 10_000) + repeat("]", 10_000), "nested deeper than 1000"},
		{"very many brackets", "a.json", repeat("[", 3*many), "nested deeper"},
		{"objects", "a.json", repeat(`{"a":`, 1001) + "1" + repeat("}", 1001), "nested deeper"},
		{"very many values", "a.json", "[" + repeat("[],", many) + "1]", "too many values"},

		{"syntax", "a.yml", "a: [", "did not find"},
		{"tab", "a.yml", "a:\n\t- b", "cannot start any token"},
		{"template", "a.yml", "{{ if .Values.x }}\na: b\n{{ end }}", ""},
		{"template as a key", "a.yml", "{{ .Values.x }}: b", "a key that is no scalar"},
		{"control character", "a.yml", "a: \x01", "control characters are not allowed"},
		{"two keys", "a.yml", "a: 1\nb: 2\na: 3", `line 3: the key "a" is there already`},
		{"two keys as text", "a.yml", "{1: a, '1': b}", `the key "1"`},
		{"a very long key", "a.yml", repeat("k", 500) + ": 1\n" + repeat("k", 500) + ": 2", `"` + repeat("k", 40) + `" is there`},
		{"key that is a list", "a.yml", "[a]: b", "a key that is no scalar"},
		{"merge of text", "a.yml", "<<: x", "<< needs a mapping"},
		{"unknown alias", "a.yml", "*x", "unknown anchor"},
		{"alias of itself", "a.yml", "&a [*a]", "nested deeper"},
		{"merge of itself", "a.yml", "a: &a {<<: *a}", "nested deeper"},
		{"aliases of each other", "a.yml", "&a {x: &b {y: *a, z: *b}}", "nested deeper"},
		{"flow brackets", "a.yml", repeat("[", 10_000) + repeat("]", 10_000), "nested deeper than 1000"},
		{"open brackets", "a.yml", repeat("[", 100_000), ""},
		{"nested dashes", "a.yml", repeat("- ", 5_000) + "a", "nested deeper"},
		{"nested mappings", "a.yml", repeat("{a: ", 2_000) + "1" + repeat("}", 2_000), "nested deeper"},
		{"alias bomb", "a.yml", bomb("[%s]"), "too many values"},
		{"merge bomb", "a.yml", mergeBomb(), "too many values"},
		{"bomb of a long text", "a.yml", "- &a " + repeat("x", 1<<20) + "\n" + repeat("- *a\n", 100), "too many values"},
		{"many values", "a.yml", "[" + repeat("a,", 100_000) + "a]", "too many values"},
		{"many documents", "a.yml", repeat("---\n", 100_001), "too many values"},
		{"very many values", "a.yml", "[" + repeat("a,", many) + "a]", "too many values"},
		{"anchors", "a.yml", "[" + repeat("&a x,", 150_000) + "]", "too many values"},
	} {
		t.Run(tt.file+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tt.file, []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || got != nil {
				t.Errorf("got %.100v, %v, want an error with %q", got, err, tt.want)
			}
		})
	}
}

// bomb doubles in each of 40 lines.
func bomb(list string) string {
	var b strings.Builder
	b.WriteString("a0: &a0 lol\n")
	for i := range 40 {
		fmt.Fprintf(&b, "a%d: &a%d "+list+"\n", i+1, i+1, fmt.Sprintf("*a%d, *a%d", i, i))
	}
	return b.String()
}

func mergeBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 {k: v}\n")
	for i := range 40 {
		fmt.Fprintf(&b, "a%d: &a%d {<<: [*a%d, *a%d]}\n", i+1, i+1, i, i)
	}
	return b.String()
}

// What a long text or many lines hold does not count as values.
func TestLongContentIsParsed(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a long text":  "a: '" + strings.Repeat("x", 4_000_000) + "'",
		"a long block": "a: |\n" + strings.Repeat("  some text\n", 100_000),
		"many keys":    "a: 1\n" + manyKeys(40_000),
	} {
		if got, err := Parse("a.yml", []byte(text)); err != nil || got.(object)["a"] == nil {
			t.Errorf("%s: got %v, want it parsed", name, err)
		}
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "key%d: {x: y}\n", i)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "a: 1", "{}", "[1, {\"a\": null}]", "&a [*a]", "<<: {a: b}", "--- x\n--- y", "{{ x }}", "!Ref a", "? [a]\n: b",
		"a: |\n x", "%YAML 1.1\n---\n", "\"\\ud800\"", "\xff\xfe", "2026-01-01", "- &a x\n- *a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"a.json", "a.yml", "a.txt"} {
			value, err := Parse(name, []byte(text))
			if err != nil {
				continue
			}
			written, err := json.Marshal(value)
			if err != nil {
				t.Fatalf("%s: %q gives %v, which is no JSON: %v", name, text, value, err)
			}
			if !utf8.Valid(written) {
				t.Fatalf("%s: %q gives invalid UTF-8", name, text)
			}
		}
	})
}

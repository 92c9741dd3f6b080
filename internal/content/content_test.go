package content

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
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
			[]any{n("123456789012345678901234567890"), n("1.10"), n("1e400"), n("0.1e-3")}},
		{"numbers that JSON writes otherwise", "a.yml", "[0x1F, 0o17, 0777, 014, +5, .5, -.5, 5., +5., 1e3, -007, 00.5, 5.e3, .5E-3, -0, 0xFFFFFFFFFFFFFFFFFFFFFFFF]",
			[]any{n("31"), n("15"), n("777"), n("14"), n("5"), n("0.5"), n("-0.5"), n("5.0"), n("5.0"), n("1e3"), n("-7"), n("0.5"), n("5.0e3"), n("0.5E-3"),
				n("-0"), n("79228162514264337593543950335")}},
		{"no numbers of YAML 1.2", "a.yml", "[1_000, 0b1, 12:30:45, 0o8, 0x, 0xG, -0x1F, +0o17, ., +, e3, .e3, 1e, 1.2.3, .inf, -.INF, .nan, 5.5.]",
			[]any{"1_000", "0b1", "12:30:45", "0o8", "0x", "0xG", "-0x1F", "+0o17", ".", "+", "e3", ".e3", "1e", "1.2.3", ".inf", "-.INF", ".nan", "5.5."}},
		{"versions", "a.yml", "[1.2.3, 1.20, v1]", []any{"1.2.3", n("1.20"), "v1"}},
		{"booleans and words", "a.yml", "[true, False, FALSE, tRUE, yes, on, y, ~, null, Null, NULL, nULL, 'true', \"1\"]",
			[]any{true, false, false, "tRUE", "yes", "on", "y", nil, nil, nil, nil, "nULL", "true", "1"}},
		{"tags", "a.yml", "[!Ref x, !Sub [a, 1], !Map {k: v}, !!str 5, !!int '5', !!int x, !!binary aGk=, !!float 1, !!set {a}]",
			[]any{"x", []any{"a", n("1")}, object{"k": "v"}, "5", n("5"), "x", "aGk=", n("1"), object{"a": nil}}},
		{"keys as text", "a.yml", "{1: a, true: b, null: c, 2026-01-01: d, 1.0: e}",
			object{"1": "a", "true": "b", "null": "c", "2026-01-01": "d", "1.0": "e"}},
		{"a key without quotes keeps its spelling", "a.yml", "{014: a, 0x1F: b, 1_0: c, yes: d, ~: e, .5: f, 1e3: g}",
			object{"014": "a", "0x1F": "b", "1_0": "c", "yes": "d", "~": "e", ".5": "f", "1e3": "g"}},
		{"a key that is a list", "a.yml", "[a, 1, '<']: b\n? {x: [1]}\n: c\n? &k [z]\n: d\n", object{`["a",1,"<"]`: "b", `{"x":[1]}`: "c", `["z"]`: "d"}},
		{"braces as a key", "a.yml", "{ {a: b}: c }", object{`{"a":"b"}`: "c"}},
		{"no key", "a.yml", ": a", object{"": "a"}},
		{"JSON", "a.yml", " {\"a\": [1.50, null, \"x\\/y\", \"\\ud83d\\ude00\"],\n\"yes\": {}}\n", object{"a": []any{n("1.50"), nil, "x/y", "😀"}, "yes": object{}}},
		{"JSON with a comment", "a.yml", "{\"a\": \"x\\/y\", \"b\": \"\\ud83d\\ude00\"} # JSON\n", object{"a": "x/y", "b": "😀"}},
		{"JSON and more", "a.yml", "{}\n---\n[]\n", []any{object{}, []any{}}},
		{"surrogates in double quotes alone", "a.yml", `{a: "\ud83d\ude00 \\ud83d\ude00", b: '\ud83d\ude00', c: \uD83D\uDE00, "\ud83d\ude00": d}`,
			object{"a": "😀 \\ud83d\uFFFD", "b": `\ud83d\ude00`, "c": `\uD83D\uDE00`, "😀": "d"}},
		{"surrogates in blocks", "a.yml", "a: |\n  \"\\ud83d\\ude00\"\nb: \"\\uD83D\\uDE01\\uD83D\\uDE02\"\n", object{"a": "\"\\ud83d\\ude00\"\n", "b": "😁😂"}},
		{"half a surrogate", "a.yml", `"a\ud83d\u0041\uDE00"`, "a\uFFFDA\uFFFD"},
		{"private characters", "a.yml", "a: \uE000\nb: \"\\uE000\"", object{"a": "\uE000", "b": "\uE000"}},
		{"%YAML 1.2", "a.yml", "%YAML 1.2\n---\na: 1\n", object{"a": n("1")}},
		{"a directive of later", "a.yml", "# x\n\n%YAML 1.3 # y\n%FOO bar\n%TAG ! tag:x,2026:\n---\na: !b c\n", object{"a": "c"}},
		{"directives of every document", "a.yml", "%YAML 1.2\r\n---\r\na: |\r\n %x\r\n...\r\n%YAML 1.2\r\n--- b\r\n", []any{object{"a": "%x\n"}, "b"}},
		{"no directive", "a.yml", "--- |\n%YAML 1.2\n--\n", "%YAML 1.2\n--\n"},
		{"tabs", "a.yml", "a: |\n  \tx\n  y\tz\nb: [\n\t1,\n\t2\n]\nc:\t1 \t# x\n", object{"a": "\tx\ny\tz\n", "b": []any{n("1"), n("2")}, "c": n("1")}},
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
			got, err := NewReader().Parse(tt.file, []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got.Value); d != "" {
				t.Errorf("content (-want +got):\n%s", d)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	skipShort(t)
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
		{"template as a key", "a.yml", "{{ .Values.x }}: b", "is taken for a template"},
		{"template as a value", "a.yml", "a: {{ .Values.x }}", "is taken for a template"},
		{"a later YAML", "a.yml", "%YAML 2.0\n---\na: 1", "incompatible"},
		{"two versions", "a.yml", "%YAML 1.2\n%YAML 1.2\n---\na: 1", "incompatible"},
		{"a directive without a document", "a.yml", "%YAML 1.2\n", ""},
		{"a directive without a marker", "a.yml", "%YAML 1.2\na: 1", ""},
		{"a directive in a document", "a.yml", "a: 1\n%YAML 1.2\n---\nb: 1", ""},
		{"very many directives", "a.yml", tagDirectives(60_000), "too many values"},
		{"control character", "a.yml", "a: \x01", "control characters are not allowed"},
		{"an anchor that comes later", "a.yml", "a: &x {k: 1}\nb: *x\n*x2 : c\nd: &x2 q\n", "unknown anchor"},
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
		{"quotes", "a.yml", "[" + repeat(`""`, 450_000), "too many values"},
		{"tags", "a.yml", repeat("!a ", 450_000), "too many values"},
		{"aliases", "a.yml", repeat("*a ", 450_000), "too many values"},
		{"keys", "a.yml", "[" + repeat("x: ", 300_000), "too many values"},
		{"keys of text", "a.yml", "[" + repeat(`"x":`, 300_000), "too many values"},
		{"question marks", "a.yml", "[" + repeat("? ", 450_000), "too many values"},
		{"dashes", "a.yml", "[" + repeat("- ", 450_000), "too many values"},
		{"commas", "a.yml", "[" + repeat(",", 100_001), "too many values"},
		{"many pairs in brackets", "a.yml", "[" + repeat("a: b,\n", 100_001) + "]", "too many values"},
		{"a bomb of keys", "a.yml", "- &a [" + repeat("x", 1<<20) + "]\n" + repeat("- ? *a\n", 100), "too many values"},
	} {
		t.Run(tt.file+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := NewReader().Parse(tt.file, []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || got.Value != nil {
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

func tagDirectives(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%%TAG !a%d! x\n", i)
	}
	return b.String() + "--- a"
}

func mergeBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 {k: v}\n")
	for i := range 40 {
		fmt.Fprintf(&b, "a%d: &a%d {<<: [*a%d, *a%d]}\n", i+1, i+1, i, i)
	}
	return b.String()
}

// The last value of a key that comes twice stands, and the first such key is named.
func TestParseRepeated(t *testing.T) {
	t.Parallel()
	n := func(text string) any { return json.Number(text) }
	for _, tt := range []struct {
		name, text, repeated string
		want                 any
	}{
		{"none", "a: 1\nb: {a: 2}", "", object{"a": n("1"), "b": object{"a": n("2")}}},
		{"two", "a: 1\nb: 2\na: 3\nb: 4", `line 3: the key "a" is there already`, object{"a": n("3"), "b": n("4")}},
		{"as text", "{1: a, '1': b}", `line 1: the key "1" is there already`, object{"1": "b"}},
		{"in a list", "- {}\n- a: [1]\n  a: 2", `line 3: the key "a" is there already`, []any{object{}, object{"a": n("2")}}},
		{"long", strings.Repeat("k", 500) + ": 1\n" + strings.Repeat("k", 500) + ": 2", `line 2: the key "` + strings.Repeat("k", 40) + `" is there already`,
			object{strings.Repeat("k", 500): n("2")}},
		{"JSON", `{"a": 1, "b": {"c": 1, "c": 2}}`, `line 1: the key "c" is there already`, object{"a": n("1"), "b": object{"c": n("2")}}},
		{"merged", "a: &a {x: 1}\nb: {<<: *a, x: 2}", "", object{"a": object{"x": n("1")}, "b": object{"x": n("2")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := NewReader().Parse("a.yml", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(Parsed{Value: tt.want, Repeated: tt.repeated}, got); d != "" {
				t.Errorf("content (-want +got):\n%s", d)
			}
		})
	}
}

// What a long text or many lines hold does not count as values.
func TestLongContentIsParsed(t *testing.T) {
	skipShort(t)
	t.Parallel()
	for name, text := range map[string]string{
		"a long text":  "a: '" + strings.Repeat("x", 4_000_000) + "'",
		"a long block": "a: |\n" + strings.Repeat("  some text\n", 100_000),
		"many keys":    "a: 1\n" + manyKeys(40_000),
		"a long table": "a: |\n" + strings.Repeat("  2026-11-30 12:30:45 http://x.example/a-b c*d e&f g!\n", 100_000),
	} {
		if got, err := NewReader().Parse("a.yml", []byte(text)); err != nil || got.Value.(object)["a"] == nil {
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

// Texts that may take much memory are read one after the other, and the others meanwhile.
func TestParseTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReader()
		r.turn <- struct{}{} // as if another one were read
		done := make(chan error, 1)
		go func() {
			_, err := r.Parse("a.yml", []byte(manyKeys(10_000)))
			done <- err
		}()
		synctest.Wait()
		if len(done) > 0 {
			t.Error("a large text was read beside another one")
		}
		if got, err := r.Parse("a.yml", []byte(manyKeys(10))); err != nil || len(got.Value.(object)) != 10 {
			t.Errorf("a small text: got %v, %v", got, err)
		}
		<-r.turn
		if err := <-done; err != nil || len(r.turn) > 0 {
			t.Errorf("got %v, and %d at their turn", err, len(r.turn))
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "a: 1", "{}", "[1, {\"a\": null}]", "&a [*a]", "<<: {a: b}", "--- x\n--- y", "{{ x }}", "!Ref a", "? [a]\n: b",
		"a: |\n x", "%YAML 1.1\n---\n", "\"\\ud800\"", "\xff\xfe", "2026-01-01", "- &a x\n- *a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"a.json", "a.yml", "a.txt"} {
			parsed, err := NewReader().Parse(name, []byte(text))
			if err != nil {
				continue
			}
			written, err := json.Marshal(parsed.Value)
			if err != nil {
				t.Fatalf("%s: %q gives %v, which is no JSON: %v", name, text, parsed.Value, err)
			}
			if !utf8.Valid(written) {
				t.Fatalf("%s: %q gives invalid UTF-8", name, text)
			}
		}
	})
}

// skipShort leaves a test to a run that is not short: the race detector takes ten times as
// long, and this test starts no goroutine.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: left to a run without -short")
	}
}

package dialect

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
)

func parsed(t testing.TB, text string) *gojq.Query {
	t.Helper()
	q, err := gojq.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestRewriteCopies holds Rewrite to its promise: others look at the tree that was written.
func TestRewriteCopies(t *testing.T) {
	t.Parallel()
	const text = `try (.a[0] | first) catch (1.50 | $__loc__) | reduce .[] as $x (0; empty) | {$__loc__}`
	tree := parsed(t, text)
	if made := Rewrite(tree); made.String() == tree.String() {
		t.Error("nothing is rewritten")
	}
	if before := parsed(t, text); !reflect.DeepEqual(tree, before) {
		t.Errorf("got %s, want %s", tree, before)
	}
	if Rewrite(nil) != nil {
		t.Error("no tree becomes one")
	}
}

// TestPrelude holds the definitions that stand in front of an expression to those that it
// needs.
func TestPrelude(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		defs []string
	}{
		{`.a | tostring`, nil}, {`first`, []string{"first"}}, {`first(.a)`, nil},
		{`.created_on | fromdate`, []string{"fromdateiso8601", "fromdate"}}, {`[.[] | last] | keys_unsorted`, []string{"last", "keys_unsorted"}},
	} {
		var got []string
		for _, def := range Rewrite(parsed(t, c.text)).FuncDefs {
			got = append(got, def.Name)
		}
		if !reflect.DeepEqual(got, c.defs) {
			t.Errorf("%s: got %q, want %q", c.text, got, c.defs)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for text, refused := range map[string]bool{
		`{(1): 2}`: true, `{a: {(null): 2}}`: true, `. as {(true): $x} | $x`: true, `{("a"): 1}`: false, `{(.a): 1}`: false, `{a: 1}`: false,
		`{(1 | tostring): 2}`: false,
	} {
		if err := Check(parsed(t, text)); (err != nil) != refused {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The texts are those that jq 1.8.2 gives.
func TestNumbersAsText(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{
		1e-4: "0.0001", 1e-5: "1e-05", 1.5e-5: "1.5e-05", 1e15: "1000000000000000", 1e16: "1e+16", 1.5e17: "1.5e+17", 1234567890e9: "1234567890000000000",
		1.5e300: "1.5e+300", 5e-324: "5e-324", 123456.789: "123456.789", 12345678901234567890123: "12345678901234568000000", -1e17: "-1e+17", 0: "0",
		math.Inf(1): "1.7976931348623157e+308", math.Inf(-1): "-1.7976931348623157e+308", -0.5: "-0.5",
	} {
		if got := floatText(f); got != want {
			t.Errorf("%g: got %s, want %s", f, got, want)
		}
	}
	for text, want := range map[string]string{
		"1.10": "1.10", "1e3": "1E+3", "1E-7": "1E-7", "0.000001": "0.000001", "0.0000001": "1E-7", "12e-7": "0.0000012", "100e-2": "1.00",
		"1.0e5": "1.0E+5", "0e5": "0E+5", "0.00": "0.00", "-1.50": "-1.50", "1.5e1": "15", "15e-1": "1.5", "1.5e-7": "1.5E-7", "7": "7",
		"100000000000000000000": "100000000000000000000", "1e99999999999999999999": "1e99999999999999999999", "0.1e-9223372036854775808": "0.1e-9223372036854775808",
	} {
		if got := literalText(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// The texts are those that jq 1.8.2 shows of values in messages. Of a large value
// only the beginning is looked at.
func TestShown(t *testing.T) {
	t.Parallel()
	many := make([]any, 1_000_000)
	for _, c := range []struct {
		v    any
		want string
	}{
		{"very-long-long-long-long-string", `"very-long-long-long-long..."`}, {"☆☆☆☆☆☆☆☆☆", `"☆☆☆☆☆☆☆☆☆"`}, {"☆☆☆☆☆☆☆☆☆☆", `"☆☆☆☆☆☆☆☆..."`}, {[]any{1, "a"}, `[1,"a"]`},
		{map[string]any{"a": map[string]any{"b": 1.5}}, `{"a":{"b":1.5}}`}, {strings.Repeat("x", 27), `"` + strings.Repeat("x", 27) + `"`},
		{strings.Repeat("x", 28), `"` + strings.Repeat("x", 24) + `..."`}, {many, "[null,null,null,null,null...]"}, {json.Number("1e3"), "1E+3"},
		{map[string]any{strings.Repeat("k", 40): 1, "z": 2}, `{"kkkkkkkkkkkkkkkkkkkkkkk...}`}, {"\x01\x01\x01\x01\x01\x01", `"\u0001\u0001\u0001\u0001..."`},
	} {
		if got := shown(c.v); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	left := 10
	if first := beginning(many, &left).([]any); len(first) > 10 {
		t.Errorf("%d members are the beginning", len(first))
	}
}

// FuzzLiteral holds the text of a number to its value.
func FuzzLiteral(f *testing.F) {
	for _, seed := range []string{"1.10", "-0.00e5", "12345e-9", "0.000012e6", "9e300"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var n json.Number
		if len(text) > 40 || json.Unmarshal([]byte(text), &n) != nil || n == "" {
			t.Skip()
		}
		got := literalText(n.String())
		if !json.Valid([]byte(got)) {
			t.Fatalf("%s becomes %s", n, got)
		}
		before, errBefore := n.Float64()
		after, errAfter := json.Number(got).Float64()
		if before != after || (errBefore == nil) != (errAfter == nil) {
			t.Fatalf("%s becomes %s", n, got)
		}
	})
}

// A deep value costs a look at each part, and not at each part of each level.
func TestRespellDeep(t *testing.T) {
	t.Parallel()
	v := any(json.Number("0.50"))
	for range 100_000 {
		v = []any{v}
	}
	got, changed := respell(v)
	if changed {
		t.Error("the spelling is that of libjq already")
	}
	for range 100_000 {
		got = got.([]any)[0]
	}
	if got != json.Number("0.50") {
		t.Errorf("got %v", got)
	}
}

// The arrays are those that jq 1.8.2 gives; nil is an error.
func TestStrptime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, format string
		want         []any
	}{
		{"2015", "%Y", []any{2015, 0, 0, 0, 0, 0, 3, -1}}, {"2015-03", "%Y-%m", []any{2015, 2, 0, 0, 0, 0, 6, 58}},
		{"5", "%d", []any{1900, 0, 5, 0, 0, 0, 5, 4}}, {"064", "%j", []any{1900, 0, 0, 0, 0, 0, 8, 63}},
		{"2015 064", "%Y %j", []any{2015, 2, 5, 0, 0, 0, 4, 63}}, {"Mon", "%a", []any{1900, 0, 0, 0, 0, 0, 1, 367}},
		{"12", "%W", []any{1900, 0, 0, 0, 0, 0, 8, 367}}, {"2015-10 1", "%Y-%U %w", []any{2015, 2, 9, 0, 0, 0, 1, 67}},
		{"1425599621", "%s", []any{2015, 2, 5, 23, 53, 41, 4, 63}}, {"10 PM", "%I %p", []any{1900, 0, 0, 22, 0, 0, 8, 367}},
		{"10:15:30 am", "%r", []any{1900, 0, 0, 10, 15, 30, 8, 367}}, {"Thu Mar  5 23:51:47 2015", "%c", []any{2015, 2, 5, 23, 51, 47, 4, 63}},
		{"20 15", "%C %y", []any{2015, 0, 0, 0, 0, 0, 3, -1}}, {"69", "%y", []any{1969, 0, 0, 0, 0, 0, 2, -1}}, {"68", "%y", []any{2068, 0, 0, 0, 0, 0, 6, -1}},
		{"2015-02-31", "%Y-%m-%d", []any{2015, 1, 31, 0, 0, 0, 2, 61}}, {"2015-13-05", "%Y-%m-%d", nil}, {"2015x", "%Y", nil}, {" 2015", "%Y", []any{2015, 0, 0, 0, 0, 0, 3, -1}},
		{"2015 \nabc", "%Y", []any{2015, 0, 0, 0, 0, 0, 3, -1, " \nabc"}}, {"+01:30", "%z", []any{1900, 0, 0, 0, 0, 0, 8, 367}},
		{"2026-01-02T03:04:05+0200", "%Y-%m-%dT%H:%M:%S%z", []any{2026, 0, 2, 3, 4, 5, 5, 1}}, {"x", "%z", nil}, {"+0", "%z", nil},
		{"12345", "%Y", nil}, {"MAR 5", "%B %d", []any{1900, 2, 5, 0, 0, 0, 1, 63}}, {"61", "%S", []any{1900, 0, 0, 0, 0, 61, 8, 367}}, {"62", "%S", nil},
		{"24", "%H", nil}, {"ab", "a b", []any{1900, 0, 0, 0, 0, 0, 8, 367}}, {"7", "%u", []any{1900, 0, 0, 0, 0, 0, 0, 367}}, {"1", "%Ey", nil},
		{"15", "%Oy", []any{2015, 0, 0, 0, 0, 0, 3, -1}}, {"2024", "%EY", []any{2024, 0, 0, 0, 0, 0, 0, -1}}, {"20", "%EC", []any{2000, 0, 0, 0, 0, 0, 5, -1}}, {"15", "%Ed", nil}, {"5", "%-d", []any{1900, 0, 5, 0, 0, 0, 5, 4}}, {"1", "%", nil}, {"%", "%%", []any{1900, 0, 0, 0, 0, 0, 8, 367}},
	} {
		got, ok := strptime(c.text, []any{c.format}).([]any)
		if ok != (c.want != nil) || ok && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q by %q: got %v, want %v", c.text, c.format, got, c.want)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"%Y-%m": "%Y-%m", "%Z %%Z": "GMT %%Z", "%#Z": "gmt", "%f": "%%f", "a%": "a%%", "%3N": "%%3N", "%-d": "%-d", "100%%": "100%%",
	} {
		if got := gnuFormat(format, 2026); got != want {
			t.Errorf("%s: got %s, want %s", format, got, want)
		}
	}
	if got := gnuFormat("%Y", 7); got != "%-Y" {
		t.Errorf("the year 7: got %s", got)
	}
}

func TestBrokenUTF8(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\u00e9": "a\u00e9", "\x9e\xe9e": "\ufffd\ufffd", "\xff\xff\xff": "\ufffd\ufffd\ufffd", "\xe9ab": "\ufffdab", "\xf0\x9f\x98x": "\ufffdx",
	} {
		if got := validUTF8(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestReader reads what is not JSON and libjq takes, and refuses what it refuses.
func TestReader(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		`[01,+2,.5,1.,-.5]`: []any{json.Number("1"), json.Number("2"), json.Number("0.5"), json.Number("1"), json.Number("-0.5")},
		`-Infinity`:         math.Inf(-1), `{"a": 1.e5 , "b" :[true,false,null]}`: map[string]any{"a": json.Number("1E+5"), "b": []any{true, false, nil}},
		` "x\n" `: "x\n", `[]`: []any{}, `{}`: map[string]any{},
	} {
		r := reader{text: text}
		if got, err := r.document(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, error = %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "nan1", "1 2", "[1,2,]", `{"a":nan,}`, "tru", "[1 2]", "--1", "0x10", "1e", ".", "+", "[1]]", "{1:2}", "TRUE", "[,1]", "1,", `{"a" 1}`, `"a`, `"\x"`, "[",
	} {
		r := reader{text: text}
		if got, err := r.document(); err == nil {
			t.Errorf("%s is read as %v", text, got)
		}
	}
	deep := make([]byte, maxNested+1)
	for i := range deep {
		deep[i] = '['
	}
	if _, err := (&reader{text: string(deep)}).document(); err == nil {
		t.Error("there is no bound to the depth")
	}
}

// FuzzReader holds the reader to the one of Go: what is JSON is read alike.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{`[01,+2,.5]`, `{"a": [true, null, "\u00e9"]}`, `-Infinity`, "[[[", `"\"`, "\ufeff1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := (&reader{text: text}).document()
		var want any
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		if err != nil {
			t.Fatalf("%q is JSON: %v", text, err)
		}
		written, err := json.Marshal(got)
		var again any
		if err != nil || json.Unmarshal(written, &again) != nil || !reflect.DeepEqual(again, want) {
			t.Fatalf("%q is read as %s, want %v", text, written, want)
		}
	})
}

// FuzzTimes holds strptime and the formats to what they promise of any text: an array of at
// least eight numbers or an error, and a format that gojq takes.
func FuzzTimes(f *testing.F) {
	for _, seed := range [][2]string{{"2026-01-02T03:04:05Z", "%Y-%m-%dT%H:%M:%SZ"}, {"Mon 3", "%a %U %"}, {"+01:30", "%z"}, {"99 366", "%C %j"}, {"1", "%EY%Od%-"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, format string) {
		switch got := strptime(text, []any{format}).(type) {
		case error:
		case []any:
			if len(got) < 8 {
				t.Fatalf("%q by %q: got %v", text, format, got)
			}
			if _, ok := mktime(got, nil).(int); !ok && !reflect.DeepEqual(got[:6], []any{1969, 11, 31, 23, 59, 59}) {
				t.Fatalf("%v is no time", got)
			}
		default:
			t.Fatalf("%q by %q: got %v", text, format, got)
		}
		_ = gnuFormat(format, len(text)) // a panic is a finding
	})
}

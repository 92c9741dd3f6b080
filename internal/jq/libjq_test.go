package jq

import (
	"strings"
	"testing"
)

// TestDifferencesFromLibjq pins where results are not those of libjq, which
// Port's own integrations use. The results of libjq were observed with jq 1.6.
func TestDifferencesFromLibjq(t *testing.T) {
	t.Parallel()
	const in = `{"id": "a", "z": 1, "b": {"d": 1}, "n": 12345678901234567890, "d": 1.50, "s": "abc", "none": null}`
	for _, c := range []struct {
		name, expr string
		libjq      string // for the reader
		want       string // the value as JSON, or what the note holds
	}{
		{"keys are sorted", `to_entries[0].key`, `"id"`, `"b"`},
		{"values come in the order of keys", `[.[] | type]`, `as written`,
			`["object","number","string","number","null","string","number"]`},
		{"text of an object is sorted", `{y: 1, x: 2} | tojson`, `"{\"y\":1,\"x\":2}"`, `"{\"x\":2,\"y\":1}"`},
		{"large integers are exact", `.n`, `12345678901234567000`, `12345678901234567890`},
		{"large integers are exact in sums", `.n + 1`, `12345678901234567000`, `12345678901234567891`},
		{"numbers keep their spelling", `.d | tostring`, `"1.5"`, `"1.50"`},
		{"texts can be indexed", `.s[1]`, `an error`, `"b"`},
		{"ltrimstr of no text", `.none | ltrimstr("a")`, `null`, `ltrimstr("a") cannot be applied to: null`},
		{"dates with an offset", `"2026-01-02T03:04:05+00:00" | fromdate`, `an error`, `1767323045`},
		{"NaN is null", `[nan, infinite]`, `[null,1.7976931348623157e+308]`, `[null,null]`},
		{"times nothing", `.s * 0`, `null`, `""`},
		{"// does not stop an error", `error("x") // 1`, `an error`, `jq: error: x`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := evaluated(t, c.expr, object(t, in))
			if strings.HasPrefix(got, "jq: ") && strings.Contains(got, c.want) {
				return
			}
			if got != c.want {
				t.Errorf("%s = %s, want %s (libjq: %s)", c.expr, got, c.want, c.libjq)
			}
		})
	}
	for _, expr := range []string{"keys_unsorted", "input_line_number", "input_filename", "$__loc__", "input", "[inputs]"} {
		tree, _, err := Parse(expr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Compile(tree, nil); err == nil {
			t.Errorf("%s is compiled; libjq has it, gojq does not", expr)
		}
	}
}

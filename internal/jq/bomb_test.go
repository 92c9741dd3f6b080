//go:build !race

// The race detector makes these tests take minutes.

package jq

import (
	"strings"
	"testing"
)

// bomb is an expression that would take very much, and what becomes of it.
type bomb struct {
	name, expr string
	want       string // the note, or the value as JSON
}

// bombs are refused before they are tried, in no time. A value that contains
// itself twice, 60 deep, is small and would fill every disk when it is written out.
var bombs = []bomb{
	{"text repeated", `"x" * 2e9`, "jq: * gives more than 16 MiB"},
	{"text repeated by a text", `1e9 * "xx" | length`, "jq: * gives more than 16 MiB"},
	{"text repeated for ever", `"x" * infinite`, "jq: * gives more than 16 MiB"},
	{"text doubled", `reduce range(40) as $i ("x"; . + .)`, "jq: + gives more than 16 MiB"},
	{"array doubled", `reduce range(40) as $i ([0]; . + .)`, "jq: + gives an array of more than 4194304 members"},
	{"index far away", `null | .[536870000] = 1`, "jq: an assignment gives an array of more than 4194304 members"},
	{"index assigned", `[] | .[5e8] |= 1`, "jq: getpath gives an array of more than 4194304 members"},
	{"path set, too deep", `(reduce range(15) as $i ([0]; . + .)) as $p | null | setpath($p; 1)`, "jq: setpath reads a value nested deeper than 10000 levels"},
	{"path got, too deep", `(reduce range(15) as $i ([0]; . + .)) as $p | getpath($p)`, "jq: getpath reads a value nested deeper than 10000 levels"},
	{"path deleted, too deep", `(reduce range(15) as $i ([0]; . + .)) as $p | delpaths([$p])`, "jq: delpaths reads a value nested deeper than 10000 levels"},
	{"itself, given", `TWICE`, "jq: gives more than 16 MiB"},
	{"itself, as text", `TWICE | tojson`, "jq: tojson gives more than 16 MiB"},
	{"itself, in a text", `"\(TWICE)"`, "jq: tostring gives more than 16 MiB"},
	{"itself, raised", `error(TWICE)`, "jq: error gives more than 16 MiB"},
	{"itself, halted", `TWICE | halt_error`, "jq: halt_error gives more than 16 MiB"},
	{"itself, compared", `TWICE == TWICE`, "jq: == reads more than 64 MiB"},
	{"itself, ordered", `TWICE < TWICE`, "jq: < reads more than 64 MiB"},
	{"itself, sorted", `[TWICE, TWICE] | sort`, "jq: sort reads more than 64 MiB"},
	{"itself, a key to sort by", `[1, 2] | sort_by(TWICE)`, "jq: sort_by reads more than 64 MiB"},
	{"itself, grouped", `[1, 2] | group_by(TWICE)`, "jq: group_by reads more than 64 MiB"},
	{"itself, unique", `[TWICE, TWICE] | unique`, "jq: unique reads more than 64 MiB"},
	{"itself, flattened", `TWICE | flatten`, "jq: flatten reads more than 64 MiB"},
	{"itself, contained", `TWICE | contains(TWICE)`, "jq: contains reads more than 64 MiB"},
	{"itself, without a part", `TWICE | del(.[0][0])`, "jq: delpaths reads more than 64 MiB"},
	{"itself, merged", `(reduce range(60) as $i ({}; {a: ., b: .})) | . * .`, "jq: * reads more than 64 MiB"},
	{"a number squared", `reduce range(40) as $i (3; . * .)`, "1.7976931348623157e+308"},
	{"a long number read", `("1" * 1e6) | tonumber`, "jq: tonumber reads a number of more than 10000 digits"},
	{"a long number parsed", `("1" * 1e6) | fromjson + 1`, "jq: + reads a number of more than 10000 digits"},
	{"a long number of the object", `.long + 1`, "jq: + reads a number of more than 10000 digits"},
	{"a long number of the object, given", `.long`, "jq: gives a number of more than 10000 digits"},
	{"an exponent", `1e1000000000`, "1E+1000000000"},
	{"rows of columns", `[limit(3000; repeat([])), [limit(3000; repeat(0))]] | transpose`, "jq: transpose gives an array of more than 4194304 members"},
	{"joined by a large text", `("x" * 1e6) as $s | [limit(1e3; repeat("y"))] | join($s)`, "jq: join gives more than 16 MiB"},
	{"added large texts", `("x" * 1e6) as $s | [limit(1e3; repeat($s))] | add`, "jq: add gives more than 16 MiB"},
	{"added large arrays", `(reduce range(20) as $i ([0]; . + .)) as $s | [limit(1e3; repeat($s))] | add`, "jq: add gives an array of more than 4194304 members"},
	{"characters", `("x" * 16e6) | explode`, "jq: explode gives an array of more than 4194304 members"},
	{"characters split", `("x" * 16e6) | split("")`, "jq: split gives an array of more than 4194304 members"},
	{"characters divided", `("x" * 16e6) / ""`, "jq: / gives an array of more than 4194304 members"},
	{"JSON of many values", `("0," * 4e6) | "[" + . + "0]" | fromjson`, "jq: fromjson reads more than 64 MiB"},
	{"JSON nested deep", `("[" * 1e5) | fromjson`, "exceeded max depth"},
	{"each with each, subtracted", `[range(2e4)] - [range(2e4)]`, "jq: - takes longer than 2s"},
	{"each with each, contained", `[range(2e4)] | contains([range(2e4)])`, "jq: contains takes longer than 2s"},
	{"each with each, searched", `[limit(2e4; repeat(0))] | indices([limit(1e4; repeat(0))])`, "jq: indices takes longer than 2s"},
	{"text searched", `("a" * 1e6) | index("a" * 5e5)`, "jq: index takes longer than 2s"},
	{"gsub of nothing", `("x" * 1e6) | gsub(""; "y")`, "jq: a regular expression finds more than 65536 matches and groups"},
	{"gsub of many", `("ab" * 5e5) | gsub("a"; "y")`, "jq: a regular expression finds more than 65536 matches and groups"},
	{"gsub that looks ahead to the end", `("a" * 2e5) | gsub("a*b|a"; "y")`, "jq: a regular expression takes longer than 2s"},
	{"gsub with a quotation without an end", `("a" * 2e5) | gsub("a*b|a\\Q"; "y")`, "jq: a regular expression takes longer than 2s"},
	{"a long regular expression", `("a" * 1e6) | test("(a{0,30}){0,30}[bc]")`, "jq: a regular expression takes longer than 2s"},
	{"a longer one", `"((a{0,30}){0,30}){0,1}b{0,1000}{0,20}" as $r | "x" | test($r)`, "true"},
	{"nested quantifiers", `("a" * 1e6) | test("(a*)*b")`, "false"},
	{"nested quantifiers that are tried", `("a" * 1e6) | test("(a*)*[bc]")`, "jq: a regular expression takes longer than 2s"},
	{"a match that remembers much", `("ab" * 1e6) | test("(?:(a)|b)*c|d")`, "jq: a regular expression takes too much memory"},
	{"all letters again and again", `("[\\w]" * 1e4) as $r | "x" | test($r)`, "the regular expression is too large"},
	{"the other case of many sets", `("[a]" * 2e4) as $r | "x" | test($r; "i")`, "the regular expression is too large"},
	{"the other case of a long text", `("ss" * 3e4) as $r | "x" | test($r; "i")`, "the regular expression is too large"},
	{"nested groups", `("(" * 3e4 + ")" * 3e4) as $r | "x" | test($r)`, "parse depth limit over"},
	{"quantifiers behind each other", `("a" + "{2,3}" * 1e4) as $r | "x" | test($r)`, "parse depth limit over"},
	{"a repetition of repetitions", `"x" | test("(((((a{1000}){1000}){1000}){1000}){1000})|x")`, "true"},
	{"a Bessel function", `jn(1e18; 1e18)`, "jq: jn takes longer than 2s"},
	{"another", `yn(1e18; 2e18)`, "jq: yn takes longer than 2s"},
	{"a long format", `now | strftime("%1024Y" * 1e6)`, "jq: strftime gives more than 16 MiB"},
	{"caught", `try ("x" * 2e9) catch .`, `"Repeat string result too long"`},

	{"halt", `halt`, "jq: halt"},
	{"halt_error", `{a: 1} | halt_error`, `jq: halt error: {"a":1}`},
	{"halt_error, null", `null | halt_error`, "jq: halt"},
	{"error, null", `error(null)`, "jq: error: null"},
	{"error, object", `error({})`, "jq: error: {}"},
	{"error, long", `error("x" * 1e6)`, "jq: error: xxx"},
	{"environment", `env`, "{}"},
	{"environment, variable", `$ENV`, "{}"},
	{"a negative limit", `[limit(-1; 1, 2)]`, "jq: error: limit doesn't support negative count"},
	{"debug", `"x" | debug("y") | stderr`, `"x"`},
	{"a module", `"x" | modulemeta`, `jq: cannot load module: "x"`},
	{"no numbers", `[nan, infinite, -infinite]`, "[null,1.7976931348623157e+308,-1.7976931348623157e+308]"},
}

func TestBombs(t *testing.T) {
	o := func() map[string]any { return object(t, `{"id": "a", "long": `+strings.Repeat("7", 1<<20)+`}`) }
	for _, b := range bombs {
		t.Run(b.name, func(t *testing.T) {
			expr := strings.ReplaceAll(b.expr, "TWICE", "(reduce range(60) as $i (1; [., .]))")
			got := evaluated(t, expr, o())
			// On a busy machine the clock or the memory may end first what a limit would.
			ended := strings.HasPrefix(b.want, "jq:") && (got == "jq: takes too much memory" || got == "jq: takes longer than 2s")
			if !strings.Contains(got, b.want) && !ended {
				t.Errorf("%s: got %.200s, want %s", b.expr, got, b.want)
			}
		})
	}
}

// What is usual is not refused: a large file that is searched, cut, sorted and
// written again.
func TestLargeButUsual(t *testing.T) {
	t.Parallel()
	lines := strings.Repeat("a line of a README that is not very long\n", 500)
	items := strings.Repeat(`{"name": "package", "version": "1.2.3", "tags": ["a", "b", "c"]},`, 3_000)
	o := object(t, `{"id": "a", "text": `+encode(t, lines)+`, "items": [`+strings.TrimSuffix(items, ",")+`]}`)
	for _, expr := range []string{
		`.text | split("\n") | length`, `.text | gsub("README"; "x") | length`, `.text | test("(?i)licen[cs]e")`,
		`.text | [match("l[a-z]*"; "g").string] | length`, `.text | index("that is not there, with a long name")`, `.text | explode | implode | length`,
		`.items | map(.name) | unique | length`, `.items | group_by(.version) | length`, `.items | sort_by(.name) | .[0].name`,
		`.items | tojson | fromjson | length`, `.items | [.[].tags] | add | length`, `.items | del(.[0]) | length`,
		`.items | map(.name) | join(", ") | length`, `.items == .items`, `.items | [.[] | select(.name | startswith("p"))] | length`,
		`.items | map(.tags) | flatten | length`, `.items | map(.tags) | transpose | length`, `.items | walk(.) | length`,
		`[.items[:300][].version] - [.items[:300][].name] | length`,
	} {
		got := evaluated(t, expr, o)
		if strings.HasPrefix(got, "jq:") {
			t.Errorf("%s: %s", expr, got)
		}
	}
}

package transform

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/mapping"
)

// TestNothingToTell holds expressions that look like mistakes and are none.
func TestNothingToTell(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`.size-1`, `.size - .size`, `.owner["full-name"]`, `.name // "none"`, `(.language // "none") == "none"`, `.name | not`,
		`first(.links.clone[] | select(.name == "ssh") | .href)`, `[.links.clone[].href]`, `.links.clone | map(.href) | first`,
		`any(.links.clone[]; .name == "ssh")`, `.links.clone | length > 1`, `if .size > 0 then "a" else "b" end`,
		`.description != null and .description != ""`, `(.name | test("^a")) and .is_private`, `.name | test("^a") and test("b$")`,
		`.is_private == true`, `.name == "true"`, `env.ALLOWED // "x"`, `$ENV.ALLOWED`, `.name | ascii_downcase | gsub("[^a-z]+"; "-")`,
		`.name | test("a"; "gi")`, `.name | split("-")`, `.name | split("(a|b)"; "g")`, `"\(.name)/\(.slug)"`, `@base64 "\(.name)"`,
		`.name | @uri`, `def type: "x"; type`, `def select(f): true; select(.size)`, `.links | to_entries | map(.key)`, `.owner | .name`,
		`.project as $p | $p.nmae`, `.links.clone[0].nmae`, `.mainbranch.nmae`, `.name | .[0:3]`, `try .nonsense catch "x"`, `.nonsense // "x"`, `.nonsense?`, `.mainbranch.target.hash`, `.owner.nonsense`, `.links.nonsense`, `.size = 1`,
		`.links | with_entries(.value |= .href)`, `reduce .links.clone[] as $c (0; . + 1)`, `{name, slug}`, `.links | .url`,
		`.created_on | sub("\\.[0-9]+"; "") | fromdate`, `from_entries.x`, `first .name`, `.name | match("a").string`,
	} {
		c := newCompiler(mapping.Resource{Kind: "repository"}, Environment{"ALLOWED": "x"})
		c.checkValue(c.expr(mapping.Expr{Text: expr, Name: "p"}, strict))
		if len(c.problems) > 0 {
			t.Errorf("%s:\n%v", expr, c.problems)
		}
	}
}

// TestSelectorsThatGiveBooleans holds queries that must not be refused.
func TestSelectorsThatGiveBooleans(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`true`, `.is_private`, `.name`, `.is_private | not`, `.a // true`, `if .a then true else false end`, `if .a then .b end`, `[.a] | .[0]`,
		`.name as $n | $n == "x"`, `try (.a | test("x")) catch false`, `.a |= true | .a`, `def f: true; f`, `first(.a[], 0) == 1`, `error("x")`,
		`.name | IN("a", "b")`, `.a.b?`, `. as {a: $x} | $x`, `. == {}`, `null + true`, `"x" | fromjson`, `label $out | true`,
	} {
		c := newCompiler(mapping.Resource{}, nil)
		c.checkSelector(c.expr(mapping.Expr{Text: expr, Name: "selector.query"}, strict))
		if len(c.problems) > 0 {
			t.Errorf("%s:\n%v", expr, c.problems)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	var got []string
	for _, tok := range tokens(`.a."b c" | foo("x\"\(.y + "(")z"; $v) # "no" ` + "\n" + `@csv 1.5 "open`) {
		got = append(got, fmt.Sprintf("%d%s", tok.kind, tok.value))
	}
	want := []string{
		`2.a`, `0.`, `5"b c"`, `0|`, `1foo`, `0(`, `5"x\"\(.y + "(")z"`, `2.y`, `0+`, `5"("`, `0;`, `3$v`, `0)`, `4@csv`, `11.5`, `5"open`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Every field that an alias names exists, so that no fix leads into the void.
func TestOtherNames(t *testing.T) {
	t.Parallel()
	var all []string
	for _, of := range shapes {
		all = append(all, of.names...)
	}
	for name, path := range otherNames {
		if !slices.Contains(all, leadingPath(path)[0]) || !strings.HasPrefix(path, ".") {
			t.Errorf("%s: no kind has %s", name, path)
		}
	}
}

// The fields of real objects are known.
func TestFieldsOfObjects(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"project", "repository", "pull-request"} {
		_, o, _ := loadKind(t, kind)
		var check func(path []step, v any)
		check = func(path []step, v any) {
			if at, _ := shapes[kind].unknownStep(path); at >= 0 {
				t.Errorf("%s: %s is not known", kind, written(path))
				return
			}
			switch v := v.(type) {
			case map[string]any:
				for key, inner := range v {
					check(append(slices.Clone(path), step{key: key}), inner)
				}
			case []any:
				for _, inner := range v {
					check(append(slices.Clone(path), step{member: true}), inner)
				}
			}
		}
		check(nil, o)
	}
}

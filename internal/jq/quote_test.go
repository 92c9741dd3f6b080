package jq

import "testing"

func TestDoubleQuotes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"at the end", `.state == 'OPEN'`, `.state == "OPEN"`},
		{"in the middle", `.state == 'OPEN' or .draft`, `.state == "OPEN" or .draft`},
		{"whole", `'service'`, `"service"`},
		{"no space before", `.a=='x'`, `.a=='x"`},
		{"no space at all", `select(.a=='x')`, `select(.a=='x')`},
		{"two inside", `'it''s'`, `"it''s"`},
		{"apostrophe inside", `'it's'`, `"it's"`},
		{"apostrophe in a text", `"it's"`, `"it's"`},
		{"spaces inside", `'a b'`, `"a b"`},
		{"before a double quote", `'"x"'`, `'"x"'`},
		{"empty", `''`, `"'`},
		{"alone", `'`, `"`},
		{"alone between spaces", `a ' b`, `a ' b`},
		{"before space at the start", `' a`, `" a`},
		{"after space at the end", `a '`, `a "`},
		{"newlines and tabs", ".a ==\n'x'\t", ".a ==\n\"x\"\t"},
		{"wide space", ".a ==\u00a0'x'\u2003", ".a ==\u00a0\"x\"\u2003"},
		{"letters of several bytes", `'é'`, `"é"`},
		{"nothing to do", `.a`, `.a`},
		{"no text", ``, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := DoubleQuotes(c.text)
			if got != c.want {
				t.Errorf("DoubleQuotes(%s) = %s, want %s", c.text, got, c.want)
			}
			if len(got) != len(c.text) {
				t.Errorf("length = %d, want %d", len(got), len(c.text))
			}
		})
	}
}

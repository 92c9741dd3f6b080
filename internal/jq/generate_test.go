package jq

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator makes regular expressions, flags and texts that meet each other.
type generator struct {
	*rand.Rand
	groups int
	names  []string
	behind int // how many look-behinds are around
}

func newGenerator() *generator { return &generator{Rand: rand.New(rand.NewPCG(1, 8))} }

func (g *generator) one(of ...string) string { return of[g.IntN(len(of))] }

// chance is true in so many of a hundred cases.
func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// next gives a function, an expression, its flags and a text.
func (g *generator) next() [4]string {
	g.groups, g.names = 0, nil
	re := g.choice(g.IntN(4))
	if g.chance(3) {
		at := g.IntN(len(re) + 1)
		re = strings.ToValidUTF8(re[:at], "") + g.one("(", ")", "[", "]", "{", "}", "*", "|", `\`, "$", "(?", `\k<`, "[[:", "{2") + strings.ToValidUTF8(re[at:], "")
	}
	flags := g.one("", "", "g", "g", "i", "gi", "x", "n", "l", "s", "m", "p", "gn", "gl", "im", "gix")
	if g.chance(1) {
		flags += "z"
	}
	function := g.one("match", "match", "match", "test", "capture", "scan", "split", "splits", "sub", "gsub")
	return [4]string{function, re, flags, g.text()}
}

func (g *generator) text() string {
	text := ""
	for range g.IntN(8) {
		text += g.one("a", "b", "c", "ab", "abc", "s", "S", "A", "B", "x", "1", "_", "-", " ", ".", "\n", "é", "ß", "ſ", "ü", "Σ", "½", "日", "\u212a", "ﬀ")
	}
	return text
}

func (g *generator) choice(depth int) string {
	all := g.sequence(depth)
	for g.chance(22) {
		all += "|" + g.sequence(depth)
	}
	return all
}

func (g *generator) sequence(depth int) string {
	all := ""
	for range g.IntN(4) + g.IntN(2) {
		all += g.part(depth)
		if last := all[max(len(all)-2, 0):]; g.chance(35) && (!strings.ContainsAny(last, "^$AZzbBGK") || g.chance(10)) {
			all += g.one("*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{0,2}", "{2,}", "{1,3}?", "{2,3}+", "{3}?", "{,2}", "{0}", "{1}", "{4,}")
		}
		if g.chance(3) {
			all += g.one("*", "+", "?", "*?", "+?", "??", "{2,3}")
		}
	}
	return all
}

func (g *generator) character() string {
	return g.one("a", "b", "c", "a", "b", "c", "s", "x", "A", "B", "1", "_", "-", " ", "é", "ß", "ü", "Σ", "½", "日", "ss", "ab", "abc", "ff")
}

func (g *generator) part(depth int) string {
	switch n := g.IntN(100); {
	case n < 35:
		return g.character()
	case n < 42:
		return g.one(`\.`, `\x62`, `\n`, `\t`, `\Qa.b\E`, `\x{62 63}`, `\141`, `\cA`, `\xc3\xa9`, `\x{e9}`, "(?#b)", `\h`, `\/`)
	case n < 51:
		return g.one(`\w`, `\W`, `\d`, `\D`, `\s`, `\S`, ".", `\R`, `\N`, `\O`, `\p{L}`, `\P{Ll}`, `\p{^N}`, `\p{Alpha}`, `\p{Greek}`, `\p{Punct}`)
	case n < 59:
		return g.brackets()
	case n < 66:
		return g.one("^", "$", `\A`, `\Z`, `\z`, `\b`, `\B`, `\G`)
	case n < 71:
		return g.reference()
	case n < 72 && g.behind == 0:
		return `\K`
	case n < 74:
		return g.one("(?i)", "(?m)", "(?s)", "(?x)", "(?-i)", "(?-m)", "(?is-m)")
	case n < 75 && g.chance(20):
		return g.one(`\X`, "(?~a)", "(?R)", "(*FAIL)", `\p{InGreek}`)
	case depth == 0:
		return g.character()
	}
	return g.group(depth - 1)
}

func (g *generator) reference() string {
	if g.groups == 0 {
		return g.one("a", "b", "a", "b", "ab", `\0`, `\1`)
	}
	all := []string{fmt.Sprintf(`\%d`, 1+g.IntN(g.groups)), fmt.Sprintf(`\k<%d>`, 1+g.IntN(g.groups)), `\k<-1>`, `\k'1'`}
	for _, name := range g.names {
		all = append(all, `\k<`+name+">")
	}
	return g.one(all...)
}

func (g *generator) brackets() string {
	all := "[" + g.one("", "", "^")
	for range 1 + g.IntN(3) {
		switch g.IntN(4) {
		case 0:
			all += g.character()
		case 1:
			all += g.one("a-c", "A-Z", "0-9", "a-ü", "é-ü", "x-", `\x41-\x43`, `\x{e9}`, `\n`, "-", "]a", "&&[a-b]", `\-`, "^", "[", `\]`, `\b`, `\x{61-63 65}`, "z-a")
		case 2:
			all += g.one("[:alpha:]", "[:digit:]", "[:^space:]", "[:word:]", "[:punct:]", "[:upper:]", "[:lower:]", "[:alnum:]", "[:xdigit:]", "[:print:]",
				"[:graph:]", "[:cntrl:]", "[:blank:]", "[:ascii:]", "[:x:]")
		default:
			all += g.one(`\w`, `\W`, `\d`, `\D`, `\s`, `\S`, `\p{L}`, `\P{Lu}`)
		}
	}
	return all + "]"
}

func (g *generator) group(depth int) string {
	switch n := g.IntN(100); {
	case n < 30:
		g.groups++
		return "(" + g.choice(depth) + ")"
	case n < 45:
		g.groups++
		name := g.one("n", "n", "m")
		g.names = append(g.names, name)
		return "(?<" + name + ">" + g.choice(depth) + ")"
	case n < 62:
		return "(?:" + g.choice(depth) + ")"
	case n < 75:
		return "(?:" + g.one("(?=", "(?!") + g.choice(depth) + "))"
	case n < 85:
		g.behind++
		defer func() { g.behind-- }()
		return g.one("(?<=", "(?<!") + g.choice(g.IntN(2)*depth) + ")"
	case n < 90:
		return "(?>" + g.choice(depth) + ")"
	case n < 95:
		return g.one("(?i:", "(?m:", "(?s:", "(?-i:", "(?x:", "(?mi-s:") + g.choice(depth) + ")"
	case g.groups == 0:
		return "(?(" + g.character() + ")" + g.character() + "|" + g.character() + ")"
	}
	return fmt.Sprintf("(?(%d)%s%s)", 1+g.IntN(g.groups), g.sequence(depth), g.one("|"+g.character(), "|"+g.character(), "|", "|", ""))
}

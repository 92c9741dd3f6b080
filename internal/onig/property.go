package onig

import (
	"maps"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// since15 are the characters and the changes of Unicode 16, which Oniguruma 6.9.10 has,
// against Unicode 15, which Go 1.26 has: a category or script, or one that is not of
// them any more, and ranges in hexadecimal.
//
// Source: https://www.unicode.org/Public/16.0.0/ucd/ (DerivedGeneralCategory.txt,
// PropList.txt, Scripts.txt), read 2026-11.
const since15 = `Ll 1c8a a7cd a7db 10d70-10d85
Lm 10d4e 10d6f 16d40-16d42 16d6b-16d6c
Lo 105c0-105f3 10d4a-10d4d 10d4f 10ec2-10ec4 11380-11389 1138b 1138e 11390-113b5 113b7 113d1 113d3 11bc0-11be0 13460-143fa 16100-1611d 16d43-16d6a 18cff 1e5d0-1e5ed 1e5f0 2ebf0-2ee5d
Lu 1c89 a7cb-a7cc a7da a7dc 10d50-10d65
Mc 113b8-113ba 113c2 113c5 113c7-113ca 113cc-113cd 113cf 1171e 1612a-1612c
Mn 897 10d69-10d6d 10efc 113bb-113c0 113ce 113d0 113d2 113e1-113e2 11f5a 1611e-16129 1612d-1612f 1e5ee-1e5ef
-Mn 1171e
Nd 10d40-10d49 116d0-116e3 11bf0-11bf9 16130-16139 16d70-16d79 1ccf0-1ccf9 1e5f1-1e5fa
Pd 10d6e
Po 1b4e-1b4f 1b7f 113d4-113d5 113d7-113d8 11be1 16d6d-16d6f 1e5ff
Sm 10d8e-10d8f
So 2427-2429 2ffc-2fff 31e4-31e5 31ef 1cc00-1ccef 1cd00-1ceb3 1f8b2-1f8bb 1f8c0-1f8c1 1fa89 1fa8f 1fabe 1fac6 1fadc 1fadf 1fae9 1fbcb-1fbef
Other_Alphabetic 363-36f 897 1dd3-1de6 10d69 10efc 113b8-113c0 113c2 113c5 113c7-113ca 113cc-113cd 1611e-1612e
Arabic 897 10ec2-10ec4 10efc
Balinese 1b4e-1b4f 1b7f
Common 2427-2429 2ffc-2fff 31e4-31e5 31ef 1cc00-1ccf9 1cd00-1ceb3 1f8b2-1f8bb 1f8c0-1f8c1 1fa89 1fa8f 1fabe 1fac6 1fadc 1fadf 1fae9 1fbcb-1fbef
Cyrillic 1c89-1c8a
Egyptian_Hieroglyphs 13460-143fa
Han 2ebf0-2ee5d
Kawi 11f5a
Khitan_Small_Script 18cff
Latin a7cb-a7cd a7da-a7dc
Myanmar 116d0-116e3`

// changes is since15 by name.
var changes = sync.OnceValue(func() map[string][]rune {
	all := map[string][]rune{}
	for line := range strings.Lines(since15) {
		fields := strings.Fields(line)
		for _, field := range fields[1:] {
			from, to, isRange := strings.Cut(field, "-")
			if !isRange {
				to = from
			}
			all[fields[0]] = append(all[fields[0]], hexadecimal(from), hexadecimal(to))
		}
	}
	return all
})

func hexadecimal(digits string) rune {
	n, err := strconv.ParseInt(digits, 16, 32)
	if err != nil {
		panic(err) // since15 is wrong
	}
	return rune(n)
}

// table gives the ranges of a table of Go's with what is newer.
func table(name string, of *unicode.RangeTable) []rune {
	var ranges []rune
	for _, r := range of.R16 {
		ranges = appendRange(ranges, rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range of.R32 {
		ranges = appendRange(ranges, rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	ranges = united(append(ranges, changes()[name]...))
	if gone := changes()["-"+name]; gone != nil {
		ranges = united(append(complement(ranges), gone...))
		ranges = complement(ranges)
	}
	return ranges
}

func appendRange(ranges []rune, lo, hi, stride rune) []rune {
	if stride == 1 {
		return append(ranges, lo, hi)
	}
	for c := lo; c <= hi; c += stride {
		ranges = append(ranges, c, c)
	}
	return ranges
}

// category gives a general category by the name of one or two letters.
func category(name string) []rune {
	if len(name) == 2 {
		return table(name, unicode.Categories[name])
	}
	var all []rune
	for of := range unicode.Categories {
		if len(of) == 2 && of[:1] == name && of != "LC" && of != "Cn" {
			all = append(all, category(of)...)
		}
	}
	return united(all)
}

// union joins sets that are given by functions.
func union(sets ...func() []rune) []rune {
	var all []rune
	for _, s := range sets {
		all = append(all, s()...)
	}
	return united(all)
}

func of(name string) func() []rune { return func() []rune { return category(name) } }

func ascii(ranges ...rune) func() []rune { return func() []rune { return ranges } }

func property(name string) func() []rune {
	return func() []rune { return table(name, unicode.Properties[name]) }
}

func assigned() []rune { return union(of("C"), of("L"), of("M"), of("N"), of("P"), of("S"), of("Z")) }

func invisible() []rune { return union(property("White_Space"), of("Cc"), of("Cs"), unassigned) }

func unassigned() []rune { return complement(assigned()) }

// posix are the sets that have the names of POSIX brackets. Those of \w, \d and \s are
// word, digit and space.
//
// Source: https://github.com/kkos/oniguruma/blob/v6.9.10/doc/RE, section 6, read 2026-11.
var posix = map[string]func() []rune{
	"alnum":  sync.OnceValue(func() []rune { return union(alphabetic, of("Nd")) }),
	"alpha":  sync.OnceValue(alphabetic),
	"ascii":  ascii(0, 0x7F),
	"blank":  sync.OnceValue(func() []rune { return union(of("Zs"), ascii('\t', '\t')) }),
	"cntrl":  of("Cc"),
	"digit":  sync.OnceValue(of("Nd")),
	"graph":  sync.OnceValue(func() []rune { return complement(invisible()) }),
	"lower":  sync.OnceValue(func() []rune { return union(of("Ll"), property("Other_Lowercase")) }),
	"print":  sync.OnceValue(func() []rune { return union(of("Zs"), func() []rune { return complement(invisible()) }) }),
	"punct":  sync.OnceValue(func() []rune { return union(of("P"), of("S")) }),
	"space":  sync.OnceValue(property("White_Space")),
	"upper":  sync.OnceValue(func() []rune { return union(of("Lu"), property("Other_Uppercase")) }),
	"word":   words,
	"xdigit": ascii('0', '9', 'A', 'F', 'a', 'f'),
}

var words = sync.OnceValue(func() []rune { return union(alphabetic, of("M"), of("Nd"), of("Pc")) })

func alphabetic() []rune { return union(of("L"), of("Nl"), property("Other_Alphabetic")) }

// isWord reports whether \w matches c. Outside of brackets it knows six numbers that
// [\w] does not: Oniguruma has a table of its own for the first 256 characters.
func isWord(c rune) bool {
	if c < 0x80 {
		return c == '_' || '0' <= c && c <= '9' || 'A' <= c&^0x20 && c&^0x20 <= 'Z'
	}
	switch c {
	case '²', '³', '¹', '¼', '½', '¾':
		return true
	}
	return inRanges(words(), c)
}

// categories are the long names of the general categories.
const categories = "L=letter Lu=uppercaseletter Ll=lowercaseletter Lt=titlecaseletter Lm=modifierletter Lo=otherletter " +
	"M=mark M=combiningmark Mn=nonspacingmark Mc=spacingmark Me=enclosingmark N=number Nd=decimalnumber Nl=letternumber No=othernumber " +
	"P=punctuation P=punct Pc=connectorpunctuation Pd=dashpunctuation Ps=openpunctuation Pe=closepunctuation Pi=initialpunctuation " +
	"Pf=finalpunctuation Po=otherpunctuation S=symbol Sm=mathsymbol Sc=currencysymbol Sk=modifiersymbol So=othersymbol " +
	"Z=separator Zs=spaceseparator Zl=lineseparator Zp=paragraphseparator Cc=control Cf=format Cs=surrogate Co=privateuse"

// propertySets are the sets of \p{name}, by name as propertyName gives it. They are the
// sets of the brackets, the general categories and the scripts.
var propertySets = sync.OnceValue(func() map[string]func() []rune {
	all := map[string]func() []rune{
		"any": ascii(0, unicode.MaxRune), "assigned": assigned, "cn": unassigned, "unassigned": unassigned,
		"c": func() []rune { return union(of("C"), unassigned) }, "other": func() []rune { return union(of("C"), unassigned) },
		"alphabetic": posix["alpha"], "lowercase": posix["lower"], "uppercase": posix["upper"], "whitespace": posix["space"],
		"posixpunct": posix["punct"],
	}
	maps.Copy(all, posix)
	for entry := range strings.FieldsSeq(categories) {
		short, long, _ := strings.Cut(entry, "=")
		all[long], all[strings.ToLower(short)] = of(short), of(short)
	}
	for name, of := range unicode.Scripts {
		all[strings.ToLower(strings.ReplaceAll(name, "_", ""))] = func() []rune { return table(name, of) }
	}
	for name, set := range all {
		all[name] = sync.OnceValue(set)
	}
	return all
})

func propertyOf(name string) []rune {
	set := propertySets()[name]
	if set == nil {
		unsupported(`\p{`+name+"}", "this property")
	}
	return set()
}

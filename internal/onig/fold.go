package onig

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// fullFolds are the characters that stand for several when case does not count: ß for
// ss.
//
// Source: https://www.unicode.org/Public/16.0.0/ucd/CaseFolding.txt, status F, read
// 2026-11.
const fullFolds = "a\u02be=\u1e9a ff=\ufb00 fi=\ufb01 fl=\ufb02 h\u0331=\u1e96 j\u030c=\u01f0 ss=\u00df\u1e9e " +
	"st=\ufb05\ufb06 t\u0308=\u1e97 w\u030a=\u1e98 y\u030a=\u1e99 \u02bcn=\u0149 \u03ac\u03b9=\u1fb4 " +
	"\u03ae\u03b9=\u1fc4 \u03b1\u0342=\u1fb6 \u03b1\u03b9=\u1fb3\u1fbc \u03b7\u0342=\u1fc6 " +
	"\u03b7\u03b9=\u1fc3\u1fcc \u03b9\u0342=\u1fd6 \u03c1\u0313=\u1fe4 \u03c5\u0313=\u1f50 " +
	"\u03c5\u0342=\u1fe6 \u03c9\u0342=\u1ff6 \u03c9\u03b9=\u1ff3\u1ffc \u03ce\u03b9=\u1ff4 " +
	"\u0565\u0582=\u0587 \u0574\u0565=\ufb14 \u0574\u056b=\ufb15 \u0574\u056d=\ufb17 \u0574\u0576=\ufb13 " +
	"\u057e\u0576=\ufb16 \u1f00\u03b9=\u1f80\u1f88 \u1f01\u03b9=\u1f81\u1f89 \u1f02\u03b9=\u1f82\u1f8a " +
	"\u1f03\u03b9=\u1f83\u1f8b \u1f04\u03b9=\u1f84\u1f8c \u1f05\u03b9=\u1f85\u1f8d " +
	"\u1f06\u03b9=\u1f86\u1f8e \u1f07\u03b9=\u1f87\u1f8f \u1f20\u03b9=\u1f90\u1f98 " +
	"\u1f21\u03b9=\u1f91\u1f99 \u1f22\u03b9=\u1f92\u1f9a \u1f23\u03b9=\u1f93\u1f9b " +
	"\u1f24\u03b9=\u1f94\u1f9c \u1f25\u03b9=\u1f95\u1f9d \u1f26\u03b9=\u1f96\u1f9e " +
	"\u1f27\u03b9=\u1f97\u1f9f \u1f60\u03b9=\u1fa0\u1fa8 \u1f61\u03b9=\u1fa1\u1fa9 " +
	"\u1f62\u03b9=\u1fa2\u1faa \u1f63\u03b9=\u1fa3\u1fab \u1f64\u03b9=\u1fa4\u1fac " +
	"\u1f65\u03b9=\u1fa5\u1fad \u1f66\u03b9=\u1fa6\u1fae \u1f67\u03b9=\u1fa7\u1faf \u1f70\u03b9=\u1fb2 " +
	"\u1f74\u03b9=\u1fc2 \u1f7c\u03b9=\u1ff2 i\u0307=\u0130 ffi=\ufb03 ffl=\ufb04 " +
	"\u03b1\u0342\u03b9=\u1fb7 \u03b7\u0342\u03b9=\u1fc7 \u03b9\u0308\u0300=\u1fd2 " +
	"\u03b9\u0308\u0301=\u0390\u1fd3 \u03b9\u0308\u0342=\u1fd7 \u03c5\u0308\u0300=\u1fe2 " +
	"\u03c5\u0308\u0301=\u03b0\u1fe3 \u03c5\u0308\u0342=\u1fe7 \u03c5\u0313\u0300=\u1f52 " +
	"\u03c5\u0313\u0301=\u1f54 \u03c5\u0313\u0342=\u1f56 \u03c9\u0342\u03b9=\u1ff7"

// newPairs are the letters of two cases that Unicode 16 has and Unicode 15 has not, with
// status C in the same file. Garay has 22 in a row.
var newPairs = map[rune]rune{
	0xA7DC: 0x019B, 0xA7CB: 0x0264, 0x1C89: 0x1C8A, 0xA7CC: 0xA7CD, 0xA7DA: 0xA7DB,
}

const garayUpper, garayLower, garayLetters = 0x10D50, 0x10D70, 22

// folding is which characters are the same when case does not count.
type folding struct {
	orbits [][]rune          // of two or more, sorted
	orbit  map[rune][]rune   // by each of its members
	whole  map[rune][]rune   // the several that a character stands for, as smallest members
	short  map[string][]rune // the characters that stand for several
	longs  []string          // the keys of short, shorter ones first
}

var folds = sync.OnceValue(func() *folding {
	f := &folding{orbit: map[rune][]rune{}, whole: map[rune][]rune{}, short: map[string][]rune{}}
	for entry := range strings.FieldsSeq(fullFolds) {
		_, singles, _ := strings.Cut(entry, "=")
		for _, c := range singles {
			f.whole[c] = nil // not in an orbit
		}
	}
	for upper, lower := range newPairs {
		f.addOrbit([]rune{lower, upper})
	}
	for i := range rune(garayLetters) {
		f.addOrbit([]rune{garayUpper + i, garayLower + i})
	}
	for _, r := range unicode.CaseRanges {
		for c := rune(r.Lo); c <= rune(r.Hi); c++ {
			f.addOrbit(orbitOf(c))
		}
	}
	slices.SortFunc(f.orbits, func(a, b []rune) int { return int(a[0] - b[0]) })
	for entry := range strings.FieldsSeq(fullFolds) {
		several, singles, _ := strings.Cut(entry, "=")
		key := make([]rune, 0, 3)
		for _, c := range several {
			key = append(key, f.smallest(c))
		}
		f.longs = append(f.longs, string(key))
		f.short[string(key)] = []rune(singles)
		for _, c := range singles {
			f.whole[c] = key
		}
	}
	slices.SortStableFunc(f.longs, func(a, b string) int { return len([]rune(a)) - len([]rune(b)) })
	return f
})

// orbitOf gives the characters that Go takes for the same as c.
func orbitOf(c rune) []rune {
	orbit := []rune{c}
	for next := unicode.SimpleFold(c); next != c; next = unicode.SimpleFold(next) {
		orbit = append(orbit, next)
	}
	slices.Sort(orbit)
	return orbit
}

func (f *folding) addOrbit(orbit []rune) {
	if len(orbit) < 2 || f.orbit[orbit[0]] != nil {
		return
	}
	for _, c := range orbit {
		if _, isFull := f.whole[c]; isFull {
			return
		}
	}
	f.orbits = append(f.orbits, orbit)
	for _, c := range orbit {
		f.orbit[c] = orbit
	}
}

// same gives the orbit of c, which is c alone for most.
func (f *folding) same(c rune) []rune {
	if orbit := f.orbit[c]; orbit != nil {
		return orbit
	}
	return []rune{c}
}

// smallest stands for the orbit of c.
func (f *folding) smallest(c rune) rune { return f.same(c)[0] }

// fold gives what c is compared by.
func (f *folding) fold(c rune) []rune {
	if whole := f.whole[c]; whole != nil {
		return whole
	}
	return []rune{f.smallest(c)}
}

// variants gives, for the beginning of text, how many of its characters are taken
// together, the single characters that they are the same as, and the sequences.
func (f *folding) variants(text []rune) (width int, singles []rune, several []string) {
	for width := min(3, len(text)); width >= 2; width-- {
		key := make([]rune, 0, 3)
		for _, c := range text[:width] {
			key = append(key, f.smallest(c))
		}
		if singles := f.short[string(key)]; singles != nil {
			return width, singles, f.spellings(key)
		}
	}
	if whole := f.whole[text[0]]; whole != nil {
		return 1, f.short[string(whole)], f.spellings(whole)
	}
	return 1, f.same(text[0]), nil
}

// spellings are all ways to write a sequence, each character in any case.
func (f *folding) spellings(key []rune) []string {
	out := []string{""}
	for _, c := range key {
		var longer []string
		for _, begin := range out {
			for _, same := range f.same(c) {
				longer = append(longer, begin+string(same))
			}
		}
		out = longer
	}
	return out
}

package onig

import "unicode/utf8"

// Oniguruma makes a* possessive when what follows cannot begin with an a. That changes no
// match, but which look-behinds it refuses: it makes other quantifiers at the beginning of
// one shorter.
//
// Source: https://github.com/kkos/oniguruma/blob/v6.9.10/src/regcomp.c, tune_next and
// is_exclusive, read 2026-11.

// endsAt reports whether a loop is made possessive for what follows it.
func (n *node) endsAt(next *node) bool {
	if n.kind != kindQuantifier || n.lazy || n.max != infinite || n.min > 1 {
		return false
	}
	x, y := n.subs[0], next.head()
	return (x.kind == kindSet || x.kind == kindWord || x.kind == kindText && x.text != "") && y != nil && exclude(x, y)
}

// head gives the text, the set or the \w that a node begins with, or nil.
func (n *node) head() *node {
	switch n.kind {
	case kindSet, kindWord:
		return n
	case kindText:
		if n.text != "" {
			return n
		}
	case kindGroup, kindAtomic:
		return n.subs[0].head()
	case kindList:
		if len(n.subs) > 0 {
			return n.subs[0].head()
		}
	case kindQuantifier:
		if n.min > 0 {
			return n.subs[0].head()
		}
	}
	return nil
}

// exclude reports whether it is plain that no text begins with both.
func exclude(x, y *node) bool {
	switch {
	case x.kind == kindText && y.kind == kindText:
		n := min(len(x.text), len(y.text))
		return x.text[:n] != y.text[:n]
	case x.kind == kindText:
		return !y.takesFirst(x.text)
	case y.kind == kindText:
		return !x.takesFirst(y.text)
	case x.kind == kindWord && y.kind == kindWord:
		return x.not != y.not
	case x.kind == kindWord:
		return y.excludesWord(x)
	case y.kind == kindWord:
		return x.excludesWord(y)
	}
	for c := range rune(0x80) {
		if x.takes(c) && y.takes(c) {
			return false
		}
	}
	return x.set.isASCII() || y.set.isASCII()
}

func (n *node) excludesWord(word *node) bool {
	for c := range rune(0x80) {
		if n.takes(c) && word.takes(c) {
			return false
		}
	}
	return n.set.isASCII()
}

// takes reports whether a set or \w matches a character.
func (n *node) takes(c rune) bool {
	if n.kind == kindWord {
		return isWord(c) != n.not
	}
	return n.set.holds(c) != n.set.not
}

func (n *node) takesFirst(text string) bool {
	c, _ := utf8.DecodeRuneInString(text)
	return n.takes(c)
}

func (s *set) isASCII() bool {
	return !s.not && (len(s.ranges) == 0 || s.ranges[len(s.ranges)-1] < 0x80)
}

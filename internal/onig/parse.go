package onig

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds the nesting of groups.
const maxNesting = 1000

// parser makes a tree of an expression.
type parser struct {
	scanner
	nesting  int
	bodies   []*node // of groups, by number
	isBranch bool    // what comes next begins a branch of a conditional
}

// parse reads an expression. The parser knows the groups afterwards.
func parse(pattern string, options Option) (tree *node, p *parser, err error) {
	defer func() { err = recovered(recover()) }()
	if !utf8.ValidString(pattern) {
		fail("invalid wide-char value")
	}
	p = &parser{scanner: scanner{reader: reader{source: pattern}, options: options, named: map[string][]int{}, closed: []bool{true}}, bodies: []*node{nil}}
	p.next()
	tree = newChoice(p.branches(tokenEnd))
	return tree, p, nil
}

// branches reads alternatives up to the end, or the parenthesis that ends them, which is
// read, too. Options that change within end with them.
func (p *parser) branches(end tokenKind) []*node {
	options := p.options
	if p.nesting++; p.nesting > maxNesting {
		fail("parse depth limit over")
	}
	all := []*node{p.branch(end)}
	for p.token.kind == tokenAlternative {
		p.next()
		all = append(all, p.branch(end))
	}
	if p.token.kind != end {
		fail("end pattern with unmatched parenthesis")
	}
	p.options = options
	p.nesting--
	return all
}

func (p *parser) atBranchEnd(end tokenKind) bool {
	k := p.token.kind
	return k == tokenEnd || k == end || k == tokenAlternative
}

// branch reads what follows one another.
func (p *parser) branch(end tokenKind) *node {
	first := p.quantified(end)
	if p.atBranchEnd(end) {
		return first
	}
	list := &node{kind: kindList, subs: []*node{first}}
	for !p.atBranchEnd(end) {
		next := p.quantified(end)
		if next.kind == kindList {
			list.subs = append(list.subs, next.subs...)
		} else {
			list.subs = append(list.subs, next)
		}
	}
	return list
}

// quantified reads one part with its quantifiers. Of several characters the quantifiers
// are for the last one.
func (p *parser) quantified(end tokenKind) *node {
	for {
		if p.atBranchEnd(end) {
			return newText("", 0)
		}
		isBranch := p.isBranch
		p.isBranch = false
		n, isGroup, ok := p.single()
		if !ok {
			continue // it was a change of options
		}
		// Oniguruma keeps a plain group there, and a group can be repeated whatever it holds.
		anything := isBranch && isGroup
		for count := 0; p.isRepeated(count); count++ {
			if n.isPlace() && !anything {
				fail("target of repeat operator is invalid")
			}
			before := ""
			if n.kind == kindText && !isGroup {
				_, last := utf8.DecodeLastRuneInString(n.text)
				before = n.text[:len(n.text)-last]
			}
			if before == "" || p.token.isOnce() {
				n = repeat(n, p.token)
			} else {
				last := &node{kind: kindText, text: n.text[len(before):], fold: n.fold}
				return p.split(&node{kind: kindText, text: before, fold: n.fold}, last)
			}
			isGroup, anything = false, false
			p.next()
		}
		return n
	}
}

// isRepeated reports whether the token is a quantifier, after so many others.
func (p *parser) isRepeated(behind int) bool {
	if p.token.kind != tokenRepeat && p.token.kind != tokenInterval {
		return false
	}
	if behind > maxNesting {
		fail("parse depth limit over")
	}
	return true
}

// split reads the quantifiers of the last character of a text.
func (p *parser) split(before, last *node) *node {
	for count := 0; p.isRepeated(count); count++ {
		last = repeat(last, p.token)
		p.next()
	}
	return &node{kind: kindList, subs: []*node{before, last}}
}

// single reads one part without quantifiers, and the token after it. It reports
// whether the part stands in a group of its own, and whether there is one.
func (p *parser) single() (n *node, isGroup, ok bool) {
	t := p.token
	switch t.kind {
	case tokenOpen:
		return p.open()
	case tokenClose:
		fail("unmatched close parenthesis")
	case tokenRepeat, tokenInterval:
		fail("target of repeat operator is not specified")
	case tokenText:
		return p.characters(), false, true
	case tokenByte:
		return p.bytes(), false, true
	}
	n = p.simple(t)
	p.next()
	return n, false, true
}

// simple makes a node of a token that is one by itself.
func (p *parser) simple(t token) *node {
	switch t.kind {
	case tokenCode:
		if t.code > maxCode {
			fail("invalid code point value")
		}
		return newText(encode(t.code), p.options)
	case tokenQuote:
		text, _, found := strings.Cut(p.source[p.at:], `\E`)
		p.at += len(text)
		if found {
			p.at += len(`\E`)
		}
		return newText(text, p.options)
	case tokenDot:
		return &node{kind: kindAny, dotAll: p.options&DotAll != 0}
	case tokenNotNewline, tokenAnything:
		return &node{kind: kindAny, dotAll: t.kind == tokenAnything}
	case tokenType:
		return p.ofClass(t.class, t.not)
	case tokenProperty:
		name := p.propertyName()
		if name == "word" {
			return &node{kind: kindWord, not: t.not}
		}
		return newSet(propertyOf(name), t.not)
	case tokenBracket:
		return p.foldedSet(p.bracket())
	case tokenBackreference:
		return p.backReference(kindReference, t.refs)
	case tokenAnchor:
		return &node{kind: kindAnchor, anchor: t.anchor}
	case tokenKeep:
		return &node{kind: kindKeep}
	}
	return newlines()
}

func newSet(ranges []rune, not bool) *node {
	s := &set{ranges: ranges, not: not}
	s.index()
	return &node{kind: kindSet, set: s}
}

func (p *parser) ofClass(name string, not bool) *node {
	if name == "word" {
		return &node{kind: kindWord, not: not}
	}
	return newSet(posix[name](), not)
}

// newlines is \R: both characters of the end of a line, or one.
func newlines() *node {
	one := newSet([]rune{'\n', '\r', 0x85, 0x85, 0x2028, 0x2029}, false)
	return &node{kind: kindIf, subs: []*node{newText("\r\n", 0), nil, one}}
}

// backReference makes a node that refers to groups.
func (p *parser) backReference(kind kind, refs []int) *node {
	n := &node{kind: kind, refs: refs, fold: p.options&IgnoreCase != 0}
	for _, ref := range refs {
		if ref <= p.groups && !p.closed[ref] {
			n.pending = true
		}
	}
	return n
}

// characters reads a text.
func (p *parser) characters() *node {
	n := newText(p.token.text, p.options)
	for p.next() == tokenText {
		n.text += p.token.text
	}
	return n
}

// bytes reads a character whose bytes are written one by one.
func (p *parser) bytes() *node {
	text := []byte{byte(p.token.code)}
	for len(text) < width(text[0]) {
		if p.next() != tokenByte {
			fail("too short multibyte string")
		}
		text = append(text, byte(p.token.code))
	}
	for i, b := range text {
		if isInside(b) != (i > 0) {
			fail("invalid wide-char value")
		}
	}
	p.next()
	return newText(string(text), p.options)
}

// foldedSet adds the other case. A character that stands for several makes a choice: the
// set, or the several.
func (p *parser) foldedSet(s *set) *node {
	n := &node{kind: kindSet, set: s}
	if p.options&IgnoreCase == 0 {
		return n
	}
	p.weigh(100 + len(s.ranges)) // all pairs of letters are tried
	f := folds()
	var more []rune
	for _, orbit := range f.orbits {
		if holdsAny(s, orbit) {
			more = append(more, pairs(orbit)...)
		}
	}
	branches := []*node{n}
	for _, long := range f.longs {
		if !holdsAny(s, f.short[long]) {
			continue
		}
		more = append(more, pairs(f.short[long])...)
		list := &node{kind: kindList}
		for _, part := range long {
			list.subs = append(list.subs, newSet(pairs(f.same(part)), false))
		}
		if !s.not {
			branches = append(branches, list)
		}
	}
	s.addAll(more, false)
	s.close()
	return newChoice(branches)
}

func holdsAny(s *set, all []rune) bool {
	return slices.ContainsFunc(all, s.holds)
}

// pairs are ranges of single characters.
func pairs(all []rune) []rune {
	var ranges []rune
	for _, c := range all {
		ranges = append(ranges, c, c)
	}
	return united(ranges)
}

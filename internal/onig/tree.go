package onig

// kind is what a node of the tree is.
type kind int

const (
	kindText       kind = iota
	kindSet             // one character of a set
	kindWord            // \w
	kindAny             // a dot
	kindAnchor          // a place
	kindAhead           // (?=
	kindNotAhead        // (?!
	kindBehind          // (?<=
	kindNotBehind       // (?<!
	kindGroup           // (
	kindAtomic          // (?>
	kindIf              // (?(1)a|b), of a condition, what is then, and what is else
	kindIsSet           // whether a group is set
	kindReference       // \1
	kindQuantifier      // *
	kindList            // one after another
	kindChoice          // |
	kindKeep            // \K
	kindFail            // never
)

// anchor is a place in the text.
type anchor int

const (
	beginText     anchor = iota // \A
	endText                     // \z
	endTextOrLine               // \Z: before a line feed at the end of the text, too
	beginLine
	endLine
	beginSearch // \G
	wordBoundary
	notWordBoundary
)

// node is a part of an expression.
type node struct {
	kind    kind
	subs    []*node
	text    string // of kindText, in UTF-8
	fold    bool   // case does not count in kindText and kindReference
	set     *set
	not     bool // of kindWord
	dotAll  bool // of kindAny
	anchor  anchor
	group   int
	refs    []int
	pending bool // a reference from within its group

	min, max int // of a quantifier; max is infinite for no bound
	lazy     bool
	empty    bool  // the body of a quantifier can match nothing
	watched  []int // groups whose change lets the loop go on then
	length   int   // of a look-behind, in characters
}

func newText(text string, options Option) *node {
	return &node{kind: kindText, text: text, fold: options&IgnoreCase != 0}
}

func newChoice(branches []*node) *node {
	if len(branches) == 1 {
		return branches[0]
	}
	return &node{kind: kindChoice, subs: branches}
}

// walk calls visit on the node and all below it.
func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, sub := range n.subs {
		if sub != nil {
			sub.walk(visit)
		}
	}
}

// isPlace reports whether a quantifier cannot stand after the node.
func (n *node) isPlace() bool {
	switch n.kind {
	case kindAnchor, kindAhead, kindNotAhead, kindBehind, kindNotBehind, kindKeep:
		return true
	case kindChoice:
		for _, sub := range n.subs {
			if sub.isPlace() {
				return true
			}
		}
	}
	return false
}

// width is the length of a character in bytes, by its first byte. A byte from within a
// character has the width 1.
func width(first byte) int {
	switch {
	case first < 0xC0:
		return 1
	case first < 0xE0:
		return 2
	case first < 0xF0:
		return 3
	case first < 0xF5:
		return 4
	}
	return 1
}

// encode writes a code point as UTF-8, also one that is not a character.
func encode(c rune) string {
	switch {
	case c < 0x80:
		return string([]byte{byte(c)})
	case c < 0x800:
		return string([]byte{0xC0 | byte(c>>6), 0x80 | byte(c)&0x3F})
	case c < 0x10000:
		return string([]byte{0xE0 | byte(c>>12), 0x80 | byte(c>>6)&0x3F, 0x80 | byte(c)&0x3F})
	}
	return string([]byte{0xF0 | byte(c>>18), 0x80 | byte(c>>12)&0x3F, 0x80 | byte(c>>6)&0x3F, 0x80 | byte(c)&0x3F})
}

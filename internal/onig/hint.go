package onig

// hint is what a search can know without a try.
type hint struct {
	atBegin bool       // a match begins at the begin of the text only
	allLine bool       // it begins with .*, so that what fails fails in the whole line
	all     bool       // as allLine, for the text
	first   *[256]bool // the bytes that a match can begin with; nil for any
	literal string     // what each match has in it
}

func hintOf(tree *node) hint {
	var h hint
	simple := true
	tree.walk(func(n *node) {
		switch n.kind {
		case kindReference, kindIsSet, kindBehind, kindNotBehind, kindKeep:
			simple = false
		case kindAnchor:
			simple = simple && n.anchor != beginSearch
		}
	})
	begin := tree.begin()
	h.atBegin = begin.kind == kindAnchor && begin.anchor == beginText
	if simple && begin.kind == kindQuantifier && begin.max == infinite && begin.subs[0].kind == kindAny {
		h.all, h.allLine = begin.subs[0].dotAll, !begin.subs[0].dotAll
	}
	var first [256]bool
	if !tree.firstBytes(&first) {
		h.first = &first
	}
	h.literal = tree.literal()
	return h
}

// begin gives what the node begins with.
func (n *node) begin() *node {
	for n.kind == kindGroup || n.kind == kindList && len(n.subs) > 0 {
		n = n.subs[0]
	}
	return n
}

// firstBytes adds the bytes that a match of the node can begin with, and reports whether
// it can be empty.
func (n *node) firstBytes(first *[256]bool) (empty bool) {
	switch n.kind {
	case kindText:
		if n.text == "" {
			return true
		}
		first[n.text[0]] = true
		return false
	case kindSet, kindWord, kindAny:
		n.firstOfOne(first)
		return false
	case kindList:
		for _, sub := range n.subs {
			if !sub.firstBytes(first) {
				return false
			}
		}
		return true
	case kindChoice:
		for _, sub := range n.subs {
			empty = sub.firstBytes(first) || empty
		}
		return empty
	case kindGroup, kindAtomic:
		return n.subs[0].firstBytes(first)
	case kindQuantifier:
		if n.max == 0 {
			return true
		}
		return n.subs[0].firstBytes(first) || n.min == 0
	case kindReference, kindIf:
		for i := range first {
			first[i] = true
		}
	}
	return true
}

// firstOfOne adds the first bytes of single characters.
func (n *node) firstOfOne(first *[256]bool) {
	for b := range 256 {
		switch {
		case b >= 0x80 && width(byte(b)) > 1:
			first[b] = true // whatever the character
		case n.kind == kindWord:
			first[b] = first[b] || isWord(rune(b)) != n.not
		case n.kind == kindAny:
			first[b] = first[b] || b != '\n' || n.dotAll
		case b < 0x80:
			first[b] = first[b] || n.set.holds(rune(b)) != n.set.not
		default:
			first[b] = first[b] || n.set.holdsByte(byte(b)) != n.set.not
		}
	}
}

// literal gives a text that each match of the node has in it.
func (n *node) literal() string {
	longest := ""
	switch n.kind {
	case kindText:
		longest = n.text
	case kindList:
		for _, sub := range n.subs {
			if text := sub.literal(); len(text) > len(longest) {
				longest = text
			}
		}
	case kindGroup, kindAtomic:
		longest = n.subs[0].literal()
	case kindQuantifier:
		if n.min > 0 {
			longest = n.subs[0].literal()
		}
	}
	return longest
}

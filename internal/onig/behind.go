package onig

// maxLength stands for a length without a bound, and maxBehind bounds a look-behind.
const (
	maxLength = 1 << 40
	maxBehind = 65535
)

// extent is how long a match of a node is, in characters.
type extent struct {
	min, max int
	sure     bool // nothing within asks for more than its length
}

func (e *extent) add(other extent) {
	e.min, e.max = min(e.min+other.min, maxLength), min(e.max+other.max, maxLength)
	e.sure = e.sure && other.sure
}

// merge makes it the extent of a choice.
func (e *extent) merge(other extent) {
	switch {
	case e.min > other.min:
		e.min, e.sure = other.min, other.sure
	case e.min == other.min:
		e.sure = e.sure || other.sure
	}
	e.max = max(e.max, other.max)
}

func (e *extent) isFixed() bool { return e.min == e.max && e.min != maxLength }

// tuneBehind gives a look-behind its length, or refuses one whose length is not fixed.
// One for nothing is true everywhere.
func (t *tuner) tuneBehind(n *node) {
	body := n.subs[0]
	uses := t.checkBehind(body, n.kind == kindNotBehind)
	t.tune(body, true)
	shorten(body)
	length := t.extent(body)
	if length.max != maxLength && length.max > maxBehind || length.min > maxBehind {
		fail("invalid pattern in look-behind")
	}
	switch {
	case length.min == 0 && length.sure && !uses && n.kind == kindBehind:
		*n = node{kind: kindText}
	case length.min == 0 && length.sure && !uses:
		*n = node{kind: kindFail}
	case length.min != length.max:
		fail("invalid pattern in look-behind")
	default:
		n.length = length.min
	}
}

// checkBehind refuses what cannot stand in a look-behind, and reports whether something
// in it has an effect outside.
func (t *tuner) checkBehind(n *node, not bool) (uses bool) {
	refused := false
	switch n.kind {
	case kindAhead, kindNotAhead:
		refused = true
	case kindNotBehind:
		refused = !not
	case kindAnchor:
		refused = n.anchor == endText || n.anchor == endTextOrLine
	case kindGroup:
		refused, uses = not, t.referred[n.group]
	case kindKeep:
		uses = true
	}
	if refused {
		fail("invalid pattern in look-behind")
	}
	for _, sub := range n.subs {
		if sub != nil && t.checkBehind(sub, not) {
			uses = true
		}
	}
	return uses
}

// shorten makes quantifiers at the beginning of a look-behind, and of each of its
// alternatives, as short as they can be: more would change nothing.
func shorten(n *node) {
	if n.kind != kindChoice {
		shortenList(n)
		return
	}
	for _, sub := range n.subs {
		shortenList(sub)
	}
}

func shortenList(n *node) {
	if n.kind != kindList {
		shortenOne(n)
		return
	}
	for i, sub := range n.subs {
		if i+1 < len(n.subs) && sub.endsAt(n.subs[i+1]) || !shortenOne(sub) {
			return
		}
	}
	if len(n.subs) > 0 {
		fail("invalid pattern in look-behind") // Oniguruma has no word for it
	}
}

// shortenOne reports whether nothing is left of a quantifier.
func shortenOne(n *node) bool {
	if n.kind != kindQuantifier {
		return false
	}
	switch n.subs[0].kind {
	case kindText, kindWord, kindAny, kindSet, kindReference:
		n.max = n.min
		return n.max == 0
	}
	return false
}

// extent gives the length of a node. A choice of different lengths is refused on top and
// allowed, with the lengths from the shortest to the longest, below.
func (t *tuner) extent(n *node) extent {
	switch n.kind {
	case kindText:
		if n.fold { // it is behind the look-behind
			fail("invalid pattern in look-behind")
		}
		return extent{runes(n.text), runes(n.text), true}
	case kindSet, kindWord, kindAny:
		return extent{1, 1, true}
	case kindList:
		e := extent{0, 0, true}
		for _, sub := range n.subs {
			e.add(t.extent(sub))
		}
		return e
	case kindChoice:
		e := t.extent(n.subs[0])
		for _, sub := range n.subs[1:] {
			e.merge(t.extent(sub))
		}
		return e
	case kindQuantifier:
		return t.extentOfQuantifier(n)
	case kindGroup:
		if e, known := t.extents[n]; known {
			return e
		}
		if t.visiting[n] {
			return extent{0, maxLength, false}
		}
		t.visiting[n] = true
		e := t.extent(n.subs[0])
		delete(t.visiting, n)
		e.sure = false
		t.extents[n] = e
		return e
	case kindAtomic:
		return t.extent(n.subs[0])
	case kindIf:
		return t.extentOfConditional(n)
	case kindReference:
		return t.extentOfReference(n)
	case kindKeep, kindFail:
		return extent{0, 0, true}
	}
	return extent{}
}

func (t *tuner) extentOfQuantifier(n *node) extent {
	if n.max == 0 && n.min == 0 {
		return extent{0, 0, true}
	}
	e := t.extent(n.subs[0])
	e.min = min(e.min*n.min, maxLength)
	if n.max == infinite {
		e.max = maxLength
	} else {
		e.max = min(e.max*n.max, maxLength)
	}
	return e
}

func (t *tuner) extentOfConditional(n *node) extent {
	e := t.extent(n.subs[0])
	if n.subs[1] != nil {
		e.add(t.extent(n.subs[1]))
	}
	otherwise := extent{0, 0, true}
	if n.subs[2] != nil {
		otherwise = t.extent(n.subs[2])
	}
	e.merge(otherwise)
	return e
}

func (t *tuner) extentOfReference(n *node) extent {
	if n.pending {
		return extent{}
	}
	var e extent
	for i, ref := range n.refs {
		one := t.extent(t.bodies[ref])
		one.sure = one.sure && one.isFixed()
		if i == 0 {
			e = one
		} else {
			e.merge(one)
		}
	}
	return e
}

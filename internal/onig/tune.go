package onig

import (
	"slices"
	"unicode/utf8"
)

// tune makes of a tree as written one that can be compiled: texts that stand together
// become one, texts of either case become choices, loops that can go on for ever are
// marked, and look-behinds get their length. The error is an *Error.
func tune(tree *node, p *parser) (err error) {
	defer func() { err = recovered(recover()) }()
	tree.join()
	referred := map[int]bool{}
	tree.walk(func(n *node) {
		for _, ref := range n.refs {
			if ref > p.groups {
				fail("invalid backref number/name")
			}
			referred[ref] = true
		}
	})
	t := tuner{p, referred, map[*node]bool{}, map[*node]bool{}, map[*node]extent{}}
	t.tune(tree, false)
	if len(referred) > 0 {
		t.watch(tree)
	}
	return nil
}

// join makes one text of those that follow each other.
func (n *node) join() {
	if n.kind == kindList {
		var joined []*node
		for _, sub := range n.subs {
			last := len(joined) - 1
			if last >= 0 && sub.kind == kindText && joined[last].kind == kindText && sub.fold == joined[last].fold {
				joined[last] = &node{kind: kindText, text: joined[last].text + sub.text, fold: sub.fold}
				continue
			}
			joined = append(joined, sub)
		}
		n.subs = joined
	}
	for _, sub := range n.subs {
		if sub != nil {
			sub.join()
		}
	}
}

type tuner struct {
	*parser
	referred map[int]bool
	visiting map[*node]bool // groups whose length is asked for
	// What is known of groups: asking again would take twice as long for each that refers
	// to another.
	takes   map[*node]bool
	extents map[*node]extent
}

func (t *tuner) tune(n *node, behind bool) {
	switch n.kind {
	case kindText:
		fold := n.fold && utf8.ValidString(n.text)
		n.fold = false
		switch {
		case fold && behind:
			foldBehind(n)
		case fold:
			t.foldText(n)
		}
		return
	case kindBehind, kindNotBehind:
		t.tuneBehind(n)
		return
	case kindQuantifier:
		n.empty = n.max != 0 && !t.takesText(n.subs[0])
	}
	for _, sub := range n.subs {
		if sub != nil {
			t.tune(sub, behind)
		}
	}
	if n.kind == kindQuantifier {
		n.spell()
	}
}

// maxSpelled bounds a repeated text that is written out, in bytes.
const maxSpelled = 100

// spell writes a repeated text out.
func (n *node) spell() {
	body := n.subs[0]
	if body.kind != kindText || n.min != n.max || n.min <= 1 || n.min > maxSpelled || len(body.text)*n.min > maxSpelled {
		return
	}
	text := ""
	for range n.min {
		text += body.text
	}
	*n = node{kind: kindText, text: text}
}

// takesText reports whether a match of the node has at least one character.
func (t *tuner) takesText(n *node) bool {
	switch n.kind {
	case kindText:
		return n.text != ""
	case kindSet, kindWord, kindAny, kindFail:
		return true
	case kindList:
		return t.anyTakesText(n.subs)
	case kindChoice:
		for _, sub := range n.subs {
			if !t.takesText(sub) {
				return false
			}
		}
		return true
	case kindIf:
		return n.subs[2] != nil && t.takesText(n.subs[2]) && t.anyTakesText(n.subs[:2])
	case kindGroup:
		takes, known := t.takes[n]
		if known || t.visiting[n] {
			return takes
		}
		t.visiting[n] = true
		t.takes[n] = t.takesText(n.subs[0])
		delete(t.visiting, n)
		return t.takes[n]
	case kindAtomic:
		return t.takesText(n.subs[0])
	case kindQuantifier:
		return n.min > 0 && t.takesText(n.subs[0])
	case kindReference:
		for _, ref := range n.refs {
			if n.pending || !t.takesText(t.bodies[ref]) {
				return false
			}
		}
		return true
	}
	return false
}

func (t *tuner) anyTakesText(nodes []*node) bool {
	for _, n := range nodes {
		if n != nil && t.takesText(n) {
			return true
		}
	}
	return false
}

// foldText makes choices of a text whose case does not count.
func (t *tuner) foldText(n *node) {
	f := folds()
	list := &node{kind: kindList}
	for rest := []rune(n.text); len(rest) > 0; {
		width, singles, several := f.variants(rest)
		taken := string(rest[:width])
		rest = rest[width:]
		switch {
		case len(several) > 0:
			t.weigh(10 * len(several))
			choice := &node{kind: kindChoice, subs: []*node{newText(taken, 0)}}
			for _, c := range singles {
				choice.subs = append(choice.subs, newText(string(c), 0))
			}
			for _, spelling := range several {
				choice.subs = append(choice.subs, newText(spelling, 0))
			}
			list.subs = append(list.subs, choice)
		default:
			list.addSame(taken, singles)
		}
	}
	*n = *list.alone()
}

// alone gives the member of a list of one.
func (n *node) alone() *node {
	if len(n.subs) == 1 {
		return n.subs[0]
	}
	return n
}

// foldBehind is foldText in a look-behind, where each character stays one.
func foldBehind(n *node) {
	f := folds()
	list := &node{kind: kindList}
	for _, c := range n.text {
		_, singles, _ := f.variants([]rune{c})
		list.addSame(string(c), singles)
	}
	*n = *list.alone()
}

// addSame adds a character that is the same as others, or as itself only.
func (n *node) addSame(text string, same []rune) {
	last := len(n.subs) - 1
	switch {
	case len(same) > 1:
		n.subs = append(n.subs, newSet(pairs(same), false))
	case last >= 0 && n.subs[last].kind == kindText:
		n.subs[last].text += text
	default:
		n.subs = append(n.subs, newText(text, 0))
	}
}

// watch notes for each loop whose body can match nothing which groups within it are
// referred to from without: it goes on when one of these changes.
func (t *tuner) watch(tree *node) {
	loops := map[int]*node{} // the innermost around a group
	t.findLoops(tree, nil, loops)
	watchFrom(tree, nil, loops)
}

func (t *tuner) findLoops(n, loop *node, loops map[int]*node) {
	switch {
	case n.kind == kindAhead, n.kind == kindBehind:
		loop = nil
	case n.kind == kindQuantifier && n.empty:
		loop = n
	case n.kind == kindGroup && loop != nil && t.referred[n.group]:
		loops[n.group] = loop
	}
	for _, sub := range n.subs {
		if sub != nil {
			t.findLoops(sub, loop, loops)
		}
	}
}

// watchFrom looks for references. The nodes around one are those that Oniguruma finds: up
// to a list or a choice in which it is not the first.
func watchFrom(n *node, around []*node, loops map[int]*node) {
	for _, ref := range n.refs {
		if loop := loops[ref]; loop != nil && !slices.Contains(around, loop) && loop.subs[0].hasGroup() {
			loop.watched = append(loop.watched, ref)
		}
	}
	around = append(slices.Clip(around), n)
	for i, sub := range n.subs {
		switch {
		case sub == nil:
		case i > 0 && (n.kind == kindList || n.kind == kindChoice):
			watchFrom(sub, nil, loops)
		default:
			watchFrom(sub, around, loops)
		}
	}
}

// hasGroup reports whether there is a group in the node, not counting what only looks.
func (n *node) hasGroup() bool {
	switch {
	case n.kind == kindGroup:
		return true
	case n.kind == kindAhead, n.kind == kindNotAhead, n.kind == kindBehind, n.kind == kindNotBehind, n.kind == kindQuantifier && n.max == 0:
		return false
	}
	for _, sub := range n.subs {
		if sub != nil && sub.hasGroup() {
			return true
		}
	}
	return false
}

// runes is the length of a text in characters.
func runes(text string) int { return utf8.RuneCountInString(text) }

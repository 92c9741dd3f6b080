package onig

// open reads what begins with a parenthesis, from after it, and the token after its
// end. It reports whether the part is a plain group, and whether there is a part: a
// change of options is none.
func (p *parser) open() (n *node, isGroup, ok bool) {
	if p.end() {
		fail("end pattern with unmatched parenthesis")
	}
	if p.peek() == '*' {
		unsupported("(*", "a callout")
	}
	if !p.skip("?") {
		n = p.capture("")
		p.next()
		return n, false, true
	}
	if p.end() {
		fail("end pattern in group")
	}
	switch c := p.read(); c {
	case ':':
		n, isGroup = p.body(), true
	case '=':
		n = p.enclosed(kindAhead)
	case '!':
		n = p.enclosed(kindNotAhead)
	case '>':
		n = p.enclosed(kindAtomic)
	case '\'':
		n = p.capture(p.groupName('\''))
	case '<':
		n = p.behindOrNamed()
	case '~':
		unsupported("(?~", "an absent operator")
	case '{':
		unsupported("(?{", "a callout")
	case '(':
		n = p.conditional()
	case '-', 'i', 'm', 's', 'x':
		n = p.changeOptions(c)
	default:
		fail("undefined group option")
	}
	p.next()
	return n, isGroup, n != nil
}

// body reads alternatives up to the parenthesis.
func (p *parser) body() *node {
	p.next()
	return newChoice(p.branches(tokenClose))
}

func (p *parser) enclosed(kind kind) *node { return &node{kind: kind, subs: []*node{p.body()}} }

func (p *parser) behindOrNamed() *node {
	switch {
	case p.end():
		fail("end pattern with unmatched parenthesis")
	case p.skip("="):
		return p.enclosed(kindBehind)
	case p.skip("!"):
		return p.enclosed(kindNotBehind)
	}
	return p.capture(p.groupName('>'))
}

// capture reads a group that is kept.
func (p *parser) capture(name string) *node {
	p.groups++
	n := &node{kind: kindGroup, group: p.groups}
	p.closed = append(p.closed, false)
	p.bodies = append(p.bodies, n)
	p.nameOf = append(p.nameOf, name)
	if name != "" {
		p.named[name] = append(p.named[name], n.group)
	}
	n.subs = []*node{p.body()}
	p.closed[n.group] = true
	return n
}

// changeOptions reads the rest of (?imsx-imsx) or (?imsx-imsx:…). It returns nil for the
// first, which is for the rest of the group.
func (p *parser) changeOptions(c rune) *node {
	options, not := p.options, false
	for {
		var option Option
		switch c {
		case '-':
			not = true
		case 'x':
			option = Extended
		case 'i':
			option = IgnoreCase
		case 's':
			option = DotAll
		case 'm':
			option = SingleLine
		case ')':
			p.options = options
			return nil
		case ':':
			before := p.options
			p.options = options
			n := p.body()
			p.options = before
			return &node{kind: kindList, subs: []*node{{kind: kindList, subs: []*node{n}}}}
		default:
			fail("undefined group option")
		}
		if not == (c == 'm') {
			options |= option
		} else {
			options &^= option
		}
		if p.end() {
			fail("end pattern in group")
		}
		c = p.read()
	}
}

// conditional reads the rest of (?(condition)then|else).
func (p *parser) conditional() *node {
	begin := p.at
	condition, isCheck := p.condition()
	if p.end() {
		fail("end pattern in group")
	}
	if p.skip(")") {
		if !isCheck {
			fail("invalid if-else syntax")
		}
		return condition
	}
	thenEmpty := p.skip("|")
	p.isBranch = true
	p.next()
	branches := p.branches(tokenClose)
	n := &node{kind: kindIf, subs: []*node{condition, nil, nil}}
	switch {
	case thenEmpty:
		n.subs[2] = newChoice(branches)
	case len(branches) > 1:
		n.subs[1], n.subs[2] = branches[0], newChoice(branches[1:])
	default:
		// Oniguruma 6.9.10 then takes what stands before and after for one text, and
		// finds nothing: "abc" does not match (a)(?(1)b)c, and matches (a)(?(1)b|)c.
		unsupported("(?("+p.source[begin:p.at], "a conditional without |")
	}
	return n
}

// condition reads the condition of a conditional: a group, or any expression. It reports
// whether it is a group.
func (p *parser) condition() (n *node, isCheck bool) {
	if p.end() {
		fail("end pattern in group")
	}
	begin := p.at
	c := p.read()
	if p.end() {
		fail("end pattern in group")
	}
	ending := rune(')')
	switch {
	case c == '<':
		ending = '>'
	case c == '\'':
		ending = c
	case c == '?' && p.peek() == '{', c == '*':
		unsupported("(?("+string(c), "a callout")
	}
	if isDigit(c) || c == '-' || c == '+' || ending != ')' {
		if ending == ')' {
			p.at = begin
		}
		refs, reason := p.reference(ending)
		switch {
		case reason == "":
			if ending != ')' && !p.skip(")") {
				fail("end pattern in group")
			}
			return p.backReference(kindIsSet, refs), true
		case ending != ')':
			fail("%s", reason)
		}
	}
	p.at = begin
	return p.body(), false
}

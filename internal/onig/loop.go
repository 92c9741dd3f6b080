package onig

// quantifier compiles a loop. Which loops count, and which are written out, is as in
// Oniguruma: a loop that counts ends when its body matches nothing, and one that is
// written out goes on.
func (c *compiler) quantifier(n *node) {
	body := n.subs[0]
	size := body.size()
	switch {
	case size == 0 || n.max == 0:
	case n.max == infinite && (n.min <= 1 || size*n.min <= longLoop):
		c.endless(n, size)
	case n.max != infinite && !n.lazy && (n.max == 1 || (size+1)*n.max <= longLoop):
		for range n.min {
			c.node(body)
		}
		var splits []int
		for range n.max - n.min {
			splits = append(splits, c.add(instruction{op: opSplit}))
			c.node(body)
		}
		for _, split := range splits {
			c.land(split)
		}
	case n.lazy && n.min == 0 && n.max == 1:
		split := c.add(instruction{op: opSplit})
		end := c.add(instruction{op: opJump})
		c.land(split)
		c.node(body)
		c.land(end)
	default:
		c.counted(n)
	}
}

// endless compiles a loop without an upper bound.
func (c *compiler) endless(n *node, size int) {
	body := n.subs[0]
	if body.isSingle() && !n.lazy {
		c.star(n)
		return
	}
	inside := -1
	if n.min == 1 && size > longLoop {
		inside = c.add(instruction{op: opJump})
	} else {
		for range n.min {
			c.node(body)
		}
	}
	if !n.lazy {
		split := c.add(instruction{op: opSplit})
		if inside >= 0 {
			c.land(inside)
		}
		emptyStop := c.checkedBody(n)
		c.add(instruction{op: opJump, to: split})
		c.land(split)
		c.landEmpty(emptyStop)
		return
	}
	entry := c.add(instruction{op: opJump})
	start := len(c.code)
	if inside >= 0 {
		c.land(inside)
	}
	emptyStop := c.checkedBody(n)
	c.land(entry)
	c.add(instruction{op: opSplit, to: start})
	c.landEmpty(emptyStop)
}

// star compiles a loop of one character.
func (c *compiler) star(n *node) {
	for range n.min {
		c.characters(n.subs[0])
	}
	c.add(instruction{op: opStar})
	c.characters(n.subs[0])
}

// checkedBody compiles the body of a loop that must end when the body matches nothing.
func (c *compiler) checkedBody(n *node) (emptyStop int) {
	if !n.empty {
		c.node(n.subs[0])
		return -1
	}
	slot := c.register(1 + 2*len(n.watched))
	c.add(instruction{op: opEmptyStart, slot: slot, refs: n.watched})
	c.node(n.subs[0])
	return c.add(instruction{op: opEmptyStop, slot: slot, refs: n.watched})
}

func (c *compiler) landEmpty(at int) {
	if at >= 0 {
		c.land(at)
	}
}

// counted compiles a loop with a counter.
func (c *compiler) counted(n *node) {
	slot := c.register(1)
	zero := c.add(instruction{op: opZero, slot: slot, min: n.min, lazy: n.lazy})
	start := len(c.code)
	emptyStop := c.checkedBody(n)
	c.add(instruction{op: opCount, slot: slot, min: n.min, max: n.max, lazy: n.lazy, to: start})
	c.land(zero)
	c.landEmpty(emptyStop)
}

// size is how many instructions Oniguruma makes of the node, where that decides how a
// loop is compiled.
func (n *node) size() int {
	size := 0
	for _, sub := range n.subs {
		if sub != nil {
			size += sub.size()
		}
	}
	switch n.kind {
	case kindText:
		return sizeOfText(n.text)
	case kindGroup, kindAhead, kindAtomic:
		return size + 2
	case kindNotAhead:
		return size + 5
	case kindBehind:
		return size + 3
	case kindNotBehind:
		return size + 6
	case kindChoice:
		return size + 2*(len(n.subs)-1)
	case kindIf:
		return size + 5
	case kindQuantifier:
		return n.sizeOfLoop(size)
	case kindList:
		return size
	}
	return 1
}

// sizeOfText counts runs of characters of the same length in bytes.
func sizeOfText(text string) int {
	runs, last := 0, 0
	for i := 0; i < len(text); i += width(text[i]) {
		if w := width(text[i]); w != last {
			runs, last = runs+1, w
		}
	}
	return runs
}

func (n *node) sizeOfLoop(size int) int {
	checked := size
	if n.empty {
		checked += 2
	}
	switch {
	case size == 0 || n.max == 0:
		return 0
	case n.max == infinite && !n.lazy && n.subs[0].kind == kindAny && (n.min <= 1 || size*n.min <= longLoop):
		return 1 + size*n.min
	case n.max == infinite && n.min == 1 && size > longLoop:
		return checked + 3
	case n.max == infinite && (n.min <= 1 || size*n.min <= longLoop):
		return size*n.min + checked + 2
	case n.max != infinite && !n.lazy && (n.max == 1 || (size+1)*n.max <= longLoop):
		return size*n.min + (n.max-n.min)*(size+1)
	case n.lazy && n.min == 0 && n.max == 1:
		return size + 2
	}
	return checked + 2
}

package onig

// opcode is what an instruction does.
type opcode int

const (
	opText opcode = iota
	opByte        // a text of one byte
	opSet
	opWord
	opNotWord
	opLine // a dot
	opAny  // a dot that is a line feed, too
	opStar // as often as can be, one of the single ones above, which is after it
	opAnchor
	opSplit // remembers a place to go on from
	opJump
	opStart // of a group
	opStop
	opReference
	opIsSet
	opMark // remembers how far the stack is, and the place in the text
	opCut  // forgets the places to go on from since a mark
	opCutBack
	opFailOver // gives up what was since a mark
	opBack
	opKeep
	opZero // a counter
	opCount
	opEmptyStart
	opEmptyStop
	opFail
	opMatch
)

// instruction is a step of a program. What its fields mean depends on the opcode.
type instruction struct {
	op       opcode
	to       int // where else to go on
	slot     int // a register, or a group
	min, max int
	lazy     bool
	fold     bool
	anchor   anchor
	text     string
	set      *set
	refs     []int
}

// program is a compiled expression. Registers 0 and 1 are the start and the end of the
// match; those of groups follow, and then counters and marks.
type program struct {
	code      []instruction
	groups    int
	registers int
}

const (
	// longLoop is the size in instructions up to which a body is repeated by writing it
	// out. It is Oniguruma's: another one would be another meaning of some loops
	// whose body can match nothing.
	//
	// Source: https://github.com/kkos/oniguruma/blob/v6.9.10/src/regcomp.c,
	// QUANTIFIER_EXPAND_LIMIT_SIZE, read 2026-11.
	longLoop = 10
)

type compiler struct {
	code      []instruction
	registers int
}

func compile(tree *node, groups int) program {
	c := &compiler{registers: 2 * (groups + 1)}
	c.node(tree)
	c.add(instruction{op: opMatch})
	return program{c.code, groups, c.registers}
}

func (c *compiler) add(i instruction) int {
	c.code = append(c.code, i)
	return len(c.code) - 1
}

// land makes an instruction go on at the next one.
func (c *compiler) land(at int) { c.code[at].to = len(c.code) }

func (c *compiler) register(n int) int {
	c.registers += n
	return c.registers - n
}

func (c *compiler) node(n *node) {
	switch n.kind {
	case kindText, kindSet, kindWord, kindAny:
		c.characters(n)
	case kindAnchor:
		c.add(instruction{op: opAnchor, anchor: n.anchor})
	case kindAhead, kindAtomic, kindBehind:
		c.enclosed(n)
	case kindNotAhead, kindNotBehind:
		c.not(n)
	case kindGroup:
		c.add(instruction{op: opStart, slot: 2 * n.group})
		c.node(n.subs[0])
		c.add(instruction{op: opStop, slot: 2 * n.group})
	case kindIf:
		c.conditional(n)
	case kindIsSet:
		c.add(instruction{op: opIsSet, refs: n.refs})
	case kindReference:
		c.add(instruction{op: opReference, refs: n.refs, fold: n.fold})
	case kindQuantifier:
		c.quantifier(n)
	case kindList:
		for _, sub := range n.subs {
			c.node(sub)
		}
	case kindChoice:
		c.choice(n)
	case kindKeep:
		c.add(instruction{op: opKeep})
	case kindFail:
		c.add(instruction{op: opFail})
	}
}

// characters compiles what matches characters by themselves.
func (c *compiler) characters(n *node) {
	switch {
	case n.kind == kindSet:
		c.add(instruction{op: opSet, set: n.set})
	case n.kind == kindWord && n.not:
		c.add(instruction{op: opNotWord})
	case n.kind == kindWord:
		c.add(instruction{op: opWord})
	case n.kind == kindAny && n.dotAll:
		c.add(instruction{op: opAny})
	case n.kind == kindAny:
		c.add(instruction{op: opLine})
	case len(n.text) == 1:
		c.add(instruction{op: opByte, text: n.text})
	case n.text != "":
		c.add(instruction{op: opText, text: n.text})
	}
}

// enclosed compiles what is not tried again in another way.
func (c *compiler) enclosed(n *node) {
	mark := c.register(2)
	c.add(instruction{op: opMark, slot: mark})
	if n.kind == kindBehind {
		c.add(instruction{op: opBack, min: n.length})
	}
	c.node(n.subs[0])
	op := opCut
	if n.kind == kindAhead {
		op = opCutBack
	}
	c.add(instruction{op: op, slot: mark})
}

func (c *compiler) not(n *node) {
	mark := c.register(2)
	c.add(instruction{op: opMark, slot: mark})
	split := c.add(instruction{op: opSplit})
	if n.kind == kindNotBehind {
		c.add(instruction{op: opBack, min: n.length})
	}
	c.node(n.subs[0])
	c.add(instruction{op: opFailOver, slot: mark})
	c.land(split)
}

func (c *compiler) conditional(n *node) {
	mark := c.register(2)
	c.add(instruction{op: opMark, slot: mark})
	split := c.add(instruction{op: opSplit})
	c.node(n.subs[0])
	c.add(instruction{op: opCut, slot: mark})
	if n.subs[1] != nil {
		c.node(n.subs[1])
	}
	end := c.add(instruction{op: opJump})
	c.land(split)
	if n.subs[2] != nil {
		c.node(n.subs[2])
	}
	c.land(end)
}

func (c *compiler) choice(n *node) {
	var ends []int
	last := len(n.subs) - 1
	for _, sub := range n.subs[:last] {
		split := c.add(instruction{op: opSplit})
		c.node(sub)
		ends = append(ends, c.add(instruction{op: opJump}))
		c.land(split)
	}
	c.node(n.subs[last])
	for _, end := range ends {
		c.land(end)
	}
}

// isSingle reports whether a match of the node is one character, whatever the character.
func (n *node) isSingle() bool {
	return n.kind == kindSet || n.kind == kindWord || n.kind == kindAny || n.kind == kindText && runes(n.text) == 1
}

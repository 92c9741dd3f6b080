package onig

import "unicode/utf8"

// maxStack bounds the places to go on from that a search remembers, at 24 bytes each.
const maxStack = 1 << 19

// machine runs a program on a text.
type machine struct {
	program *program
	options Option
	hint    *hint
	text    string
	start   int // of the search
	at      int // where the attempt began
	steps   int
	slots   []int
	stack   []frame
	best    int // the length of the longest match; -1 without one
	found   []int
	over    error
}

// frame is a place to go on from, or a register to restore.
type frame struct {
	pc  int // or the register, as -1 minus its number
	at  int // or its value
	low int // for a star, which gives back one character after the other, its begin; or -1
}

// perStep is how many bytes or registers are looked at in the time of a step.
const perStep = 16

const keepSlot = 0 // the register of keep: no group has it

// run tries for a match at one place.
func (m *machine) run(at int) (bool, error) {
	m.stack = m.stack[:0]
	m.steps -= len(m.slots) / perStep
	for i := range m.slots {
		m.slots[i] = -1
	}
	m.at, m.slots[keepSlot] = at, at
	code := m.program.code
	pc, p := 0, at
	for {
		m.steps--
		if m.steps < 0 {
			return false, ErrSteps
		}
		i := &code[pc]
		ok := true
		switch i.op {
		case opText, opByte, opSet, opWord, opNotWord, opLine, opAny:
			n := m.one(i, p)
			ok = n > 0
			p += n
			pc++
		case opStar:
			p = m.star(&code[pc+1], pc+2, p)
			pc += 2
		case opSplit:
			m.push(i.to, p)
			pc++
		case opJump:
			pc = i.to
		case opAnchor:
			ok = m.isAt(i.anchor, p)
			pc++
		case opStart:
			m.set(i.slot, p)
			m.set(i.slot+1, -1)
			pc++
		case opStop:
			m.set(i.slot+1, p)
			pc++
		case opMatch:
			if m.accept(p) {
				return true, nil
			}
			ok = false
		default:
			pc, p, ok = m.rare(i, pc, p)
		}
		if m.over != nil {
			return false, m.over
		}
		if !ok {
			if pc, p, ok = m.pop(); !ok {
				return false, nil
			}
		}
	}
}

// rare does what is done less often.
func (m *machine) rare(i *instruction, pc, p int) (int, int, bool) {
	switch i.op {
	case opReference:
		n, ok := m.reference(i, p)
		return pc + 1, p + n, ok
	case opIsSet:
		m.steps -= len(i.refs) / perStep
		for _, ref := range i.refs {
			if m.slots[2*ref+1] >= 0 {
				return pc + 1, p, true
			}
		}
		return pc, p, false
	case opMark:
		m.slots[i.slot], m.slots[i.slot+1] = len(m.stack), p
	case opCut:
		m.cut(m.slots[i.slot])
	case opCutBack:
		m.cut(m.slots[i.slot])
		p = m.slots[i.slot+1]
	case opFailOver:
		m.unwind(m.slots[i.slot])
		return pc, p, false
	case opBack:
		m.steps -= i.min
		for range i.min {
			if p == 0 {
				return pc, p, false
			}
			p = m.before(p)
		}
	case opKeep:
		m.set(keepSlot, p)
	case opFail:
		return pc, p, false
	default:
		return m.loop(i, pc, p)
	}
	return pc + 1, p, true
}

// loop does what belongs to loops.
func (m *machine) loop(i *instruction, pc, p int) (int, int, bool) {
	switch i.op {
	case opZero:
		m.set(i.slot, 0)
		switch {
		case i.min > 0:
		case i.lazy:
			m.push(pc+1, p)
			return i.to, p, true
		default:
			m.push(i.to, p)
		}
	case opCount:
		n := m.slots[i.slot] + 1
		m.set(i.slot, n)
		switch {
		case i.max != infinite && n >= i.max:
		case n < i.min:
			return i.to, p, true
		case i.lazy:
			m.push(i.to, p)
		default:
			m.push(pc+1, p)
			return i.to, p, true
		}
	case opEmptyStart:
		m.steps -= len(i.refs)
		m.set(i.slot, p)
		for k, ref := range i.refs {
			m.set(i.slot+1+2*k, m.slots[2*ref])
			m.set(i.slot+2+2*k, m.slots[2*ref+1])
		}
	case opEmptyStop:
		m.steps -= len(i.refs) / perStep
		if m.slots[i.slot] == p && !m.changed(i) {
			return i.to, p, true
		}
	}
	return pc + 1, p, true
}

// changed reports whether a watched group is another one than when the loop began.
func (m *machine) changed(i *instruction) bool {
	for k, ref := range i.refs {
		begin, end := m.slots[2*ref], m.slots[2*ref+1]
		begin0, end0 := m.slots[i.slot+1+2*k], m.slots[i.slot+2+2*k]
		switch {
		case end < 0:
		case end0 < 0:
			return true
		case (begin != begin0 || end != end0) && (begin != end || begin0 != end0):
			return true
		}
	}
	return false
}

// accept keeps a match, and reports whether it is the one that is looked for.
func (m *machine) accept(end int) bool {
	length := end - m.at
	if length == 0 && m.options&NotEmpty != 0 || length <= m.best {
		return false
	}
	m.found[0], m.found[1] = min(m.slots[keepSlot], end), end
	for group := 1; group <= m.program.groups; group++ {
		m.found[2*group], m.found[2*group+1] = m.slots[2*group], m.slots[2*group+1]
		if m.slots[2*group+1] < 0 {
			m.found[2*group] = -1
		}
	}
	if m.options&Longest == 0 {
		return true
	}
	m.best = length
	return false
}

func (m *machine) push(pc, at int) { m.remember(frame{pc, at, -1}) }

func (m *machine) remember(f frame) {
	if len(m.stack) == maxStack {
		m.over = ErrMemory
		return
	}
	m.stack = append(m.stack, f)
}

// set writes a register, so that its value comes back when the machine goes back.
func (m *machine) set(slot, value int) {
	if len(m.stack) > 0 {
		m.remember(frame{-1 - slot, m.slots[slot], -1})
	}
	m.slots[slot] = value
}

// pop goes back to the last place to go on from, and reports whether there is one.
// Registers are as they were there.
func (m *machine) pop() (pc, at int, ok bool) {
	for len(m.stack) > 0 {
		top := &m.stack[len(m.stack)-1]
		switch {
		case top.pc < 0:
			m.slots[-1-top.pc] = top.at
		case top.low < 0:
			pc, at = top.pc, top.at
			m.stack = m.stack[:len(m.stack)-1]
			return pc, at, true
		default:
			if pc, at, ok = m.giveBack(top); ok {
				return pc, at, true
			}
			continue
		}
		m.stack = m.stack[:len(m.stack)-1]
	}
	return 0, 0, false
}

// unwind restores the registers as they were at a height of the stack.
func (m *machine) unwind(height int) {
	m.steps -= len(m.stack) - height
	for i := len(m.stack) - 1; i >= height; i-- {
		if f := m.stack[i]; f.pc < 0 {
			m.slots[-1-f.pc] = f.at
		}
	}
	m.stack = m.stack[:height]
}

// giveBack takes a character from a star.
func (m *machine) giveBack(f *frame) (pc, at int, ok bool) {
	next := &m.program.code[f.pc]
	at = f.at
	for at > f.low {
		m.steps--
		before := at - 1
		for before > f.low && isInside(m.text[before]) {
			before--
		}
		if before == f.low && isInside(m.text[before]) {
			before = at - 1 // the star began within a character
		}
		at = before
		if next.op != opByte || m.text[at] == next.text[0] {
			f.at, pc = at, f.pc
			if at == f.low {
				m.stack = m.stack[:len(m.stack)-1]
			}
			return pc, at, true
		}
	}
	m.stack = m.stack[:len(m.stack)-1]
	return 0, 0, false
}

// isInside reports whether a byte is not the first of a character.
func isInside(b byte) bool { return b&0xC0 == 0x80 }

// cut forgets the places to go on from above a height, and keeps the registers.
func (m *machine) cut(height int) {
	kept := height
	for _, f := range m.stack[height:] {
		if f.pc < 0 {
			m.stack[kept] = f
			kept++
		}
	}
	m.steps -= len(m.stack) - height
	m.stack = m.stack[:kept]
}

// before is the place of the character before p.
func (m *machine) before(p int) int {
	p--
	for p > 0 && isInside(m.text[p]) {
		p--
	}
	return p
}

// character gives the character at p, or the byte within one, and its length in bytes.
func (m *machine) character(p int) (rune, int) {
	b := m.text[p]
	if width(b) == 1 {
		return rune(b), 1
	}
	return utf8.DecodeRuneInString(m.text[p:])
}

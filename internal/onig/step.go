package onig

import "strings"

// one gives the length of what an instruction that matches characters matches at p, or
// -1.
func (m *machine) one(i *instruction, p int) int {
	if i.op == opText {
		if strings.HasPrefix(m.text[p:], i.text) {
			m.steps -= len(i.text) / perStep
			return len(i.text)
		}
		return -1
	}
	if p >= len(m.text) {
		return -1
	}
	b := m.text[p]
	switch i.op {
	case opByte:
		if b == i.text[0] {
			return 1
		}
	case opSet:
		return m.inSet(i.set, p)
	case opWord, opNotWord:
		c, width := m.character(p)
		if isWord(c) == (i.op == opWord) {
			return width
		}
	case opLine:
		if b != '\n' {
			return width(b)
		}
	case opAny:
		return width(b)
	}
	return -1
}

func (m *machine) inSet(s *set, p int) int {
	b := m.text[p]
	switch {
	case b < 0x80:
		if s.ascii[b/64]&(1<<(b%64)) != 0 != s.not {
			return 1
		}
	case width(b) == 1:
		if s.holdsByte(b) != s.not {
			return 1
		}
	default:
		if c, width := m.character(p); inRanges(s.ranges, c) != s.not {
			return width
		}
	}
	return -1
}

// star matches as many as there are, and remembers to give back.
func (m *machine) star(i *instruction, next, p int) int {
	begin := p
	if i.op == opLine {
		if p = strings.IndexByte(m.text[begin:], '\n'); p < 0 {
			p = len(m.text)
		} else {
			p += begin
		}
	} else {
		for n := m.one(i, p); n > 0; n = m.one(i, p) {
			p += n
		}
	}
	if p > begin {
		m.steps -= p - begin
		m.remember(frame{next, p, begin})
	}
	return p
}

// isAt reports whether p is a place of a kind.
func (m *machine) isAt(a anchor, p int) bool {
	end := p == len(m.text)
	switch a {
	case beginText:
		return p == 0
	case endText:
		return end
	case endTextOrLine:
		return end || p == len(m.text)-1 && m.text[p] == '\n'
	case beginLine:
		return p == 0 || !end && m.text[m.before(p)] == '\n'
	case endLine:
		return end || m.text[p] == '\n'
	case beginSearch:
		return p == m.start
	case wordBoundary:
		return m.isBoundary(p)
	case notWordBoundary:
		return !m.isBoundary(p)
	}
	return false
}

// isBoundary reports whether a word begins or ends at p.
func (m *machine) isBoundary(p int) bool {
	var left, right bool
	if p > 0 {
		c, _ := m.character(m.before(p))
		left = isWord(c)
	}
	if p < len(m.text) {
		c, _ := m.character(p)
		right = isWord(c)
	}
	return left != right
}

// reference matches what a group has matched. Of several with one name it is the last
// that fits.
func (m *machine) reference(i *instruction, p int) (length int, ok bool) {
	m.steps -= len(i.refs) / perStep
	for k := len(i.refs) - 1; k >= 0; k-- {
		begin, end := m.slots[2*i.refs[k]], m.slots[2*i.refs[k]+1]
		if begin < 0 || end < 0 {
			continue
		}
		n := end - begin
		switch {
		case n <= 0: // a look-behind can end before it begins
			return 0, true
		case n > len(m.text)-p:
			continue
		}
		m.steps -= n
		if !i.fold {
			if m.text[begin:end] == m.text[p:p+n] {
				return n, true
			}
			continue
		}
		if n, ok := sameFold(m.text[begin:end], m.text[p:p+n]); ok {
			return n, true
		}
	}
	return 0, false
}

// sameFold compares the whole of a with the beginning of b, of the same length in bytes,
// without regard to case. It gives the length in b.
func sameFold(a, b string) (length int, ok bool) {
	f := folds()
	i, k := 0, 0
	for i < len(a) {
		x, widthX := firstOf(a[i:])
		y, widthY := firstOf(b[k:])
		if x != y && string(f.fold(x)) != string(f.fold(y)) {
			return 0, false
		}
		i, k = i+widthX, k+widthY
		if k >= len(b) && i < len(a) {
			return 0, false
		}
	}
	return k, true
}

// firstOf gives the first character of a text and its length. Of one that is cut it is
// the first byte.
func firstOf(text string) (rune, int) {
	if n := width(text[0]); n == 1 || n > len(text) {
		return rune(text[0]), n
	}
	m := machine{text: text}
	return m.character(0)
}

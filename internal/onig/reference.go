package onig

// numberedReference reads \1, from after the backslash. A number that no group can have
// is an octal one, or its first digit.
func (s *scanner) numberedReference() {
	t := &s.token
	begin := s.at
	n, _ := s.number()
	if n <= maxGroup && (n <= s.groups || n <= 9) {
		t.kind, t.refs = tokenBackreference, []int{n}
		return
	}
	s.at = begin
	if s.source[begin] >= '8' {
		s.at++
		return
	}
	code, _ := s.digits(8, 3)
	if code >= 256 {
		fail("too big number")
	}
	t.kind, t.code, t.base = tokenByte, code, 8
}

// namedReference reads the rest of \k<name>, or nothing.
func (s *scanner) namedReference() {
	var end rune
	switch {
	case s.skip("<"):
		end = '>'
	case s.skip("'"):
		end = '\''
	default:
		return
	}
	refs, reason := s.reference(end)
	if reason != "" {
		fail("%s", reason)
	}
	s.token.kind, s.token.refs = tokenBackreference, refs
}

// reference reads the name or the number of a group, with what ends it. The reason is
// why it is not such a name; the group not being there is a failure.
func (s *scanner) reference(end rune) (refs []int, reason string) {
	begin := s.at
	name, number, reason := s.referenceName(end)
	if reason != "" {
		return nil, reason
	}
	if !number {
		if s.named[name] == nil {
			fail("undefined name <%s> reference", name)
		}
		return s.named[name], ""
	}
	sign := name[0]
	if sign == '+' || sign == '-' {
		name = name[1:]
	}
	digits := reader{source: name}
	n, _ := digits.number()
	switch {
	case n > maxNumber:
		return nil, "too big number"
	case n == 0 && len(name) < s.at-begin-1:
		return nil, "invalid group name <" + name + ">"
	case sign == '+':
		n += s.groups
	case sign == '-':
		n = s.groups + 1 - n
	}
	if n <= 0 {
		fail("invalid backref number/name")
	}
	return []int{n}, ""
}

// referenceName reads up to what ends a name, and reports whether it is a number.
func (s *scanner) referenceName(end rune) (name string, number bool, reason string) {
	begin, digits := s.at, 0
	for first := true; !s.end(); first = false {
		stop := s.at
		c := s.read()
		switch {
		case c == end && first:
			return "", false, "group name is empty"
		case c == end || !first && (c == ')' || c == '+' || c == '-'):
			if number && digits == 0 {
				reason = "invalid group name <" + s.source[begin:stop] + ">"
			}
			return s.ended(begin, stop, c, end, number, reason)
		case first && (c == '+' || c == '-'):
			number = true
		case first && isDigit(c):
			number, digits = true, 1
		case number && isDigit(c):
			digits++
		case number:
			number, reason = false, "invalid group name <"+s.source[begin:s.at]+">"
		case !isWord(c):
			reason = "invalid char in group name <" + s.source[begin:s.at] + ">"
		}
	}
	if begin == len(s.source) {
		return "", false, "group name is empty"
	}
	return "", false, "invalid group name <" + s.source[begin:] + ">"
}

// ended looks at what ended a name: a sign begins the level of a recursion.
func (s *scanner) ended(begin, stop int, c, end rune, number bool, reason string) (string, bool, string) {
	name := s.source[begin:stop]
	switch {
	case reason != "":
		return "", false, reason
	case c == end:
		return name, number, ""
	case c == ')':
		return "", false, "invalid group name <" + name + ">"
	}
	if _, found := s.number(); found && s.peek() == end {
		unsupported(`\k<`+s.source[begin:s.at]+">", "a back-reference with a level")
	}
	return "", false, "invalid group name <" + s.source[begin:] + ">"
}

// groupName reads the name of a group that is made here, with what ends it. Only its
// first character must be one of a word.
func (s *scanner) groupName(end rune) string {
	begin := s.at
	first := s.peek()
	for !s.end() {
		stop := s.at
		c := s.read()
		name := s.source[begin:stop]
		switch {
		case c == end && name == "":
			fail("group name is empty")
		case c == end && (isDigit(first) || first == '-' || first == '+'), c == ')':
			fail("invalid group name <%s>", name)
		case c == end:
			return name
		case name == "" && !isWord(c) && c != '-' && c != '+':
			fail("invalid char in group name <%s>", s.source[begin:s.at])
		}
	}
	if begin == len(s.source) {
		fail("group name is empty")
	}
	fail("invalid group name <%s>", s.source[begin:])
	return ""
}

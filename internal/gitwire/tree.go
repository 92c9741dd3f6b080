package gitwire

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// item is an item of a tree. Name and hash lie in the text of the tree.
type item struct {
	mode Mode
	name []byte
	hash []byte
}

// nextItem reads the first item of the text of a tree: its mode in octal digits, a space, its
// name, a zero, its hash.
func nextItem(text []byte) (i item, rest []byte, err error) {
	const maxMode = 7
	raw, at := Mode(0), 0
	for at < len(text) && at <= maxMode && text[at] >= '0' && text[at] <= '7' {
		raw = raw<<3 | Mode(text[at]-'0')
		at++
	}
	if at == 0 || at > maxMode || at == len(text) || text[at] != ' ' {
		return i, nil, fmt.Errorf("%w: the mode of an item of a folder", ErrBroken)
	}
	text = text[at+1:]
	end := bytes.IndexByte(text, 0)
	if end < 0 || len(text) < end+1+len(Hash{}) {
		return i, nil, fmt.Errorf("%w: an item of a folder is cut off", ErrBroken)
	}
	i.name, i.hash, rest = text[:end], text[end+1:end+1+len(Hash{})], text[end+1+len(Hash{}):]
	if i.mode = raw.canonical(); i.mode == 0 {
		return i, nil, fmt.Errorf("%w: the mode of an item of a folder is %o", ErrBroken, raw)
	}
	if end == 0 || bytes.IndexByte(i.name, '/') >= 0 {
		return i, nil, fmt.Errorf("%w: the name of an item of a folder is %q", ErrBroken, i.name)
	}
	return i, rest, nil
}

// canonical reads a mode as git does, of which old programs wrote more. It returns 0 for a mode
// of nothing.
func (m Mode) canonical() Mode {
	const kinds, regular, executable = 0o170000, 0o100000, 0o100
	switch m & kinds {
	case regular:
		if m&executable != 0 {
			return Executable
		}
		return File
	case Folder, Link, Submodule:
		return m & kinds
	}
	return 0
}

// listing returns the text of a tree without the items that no work tree could hold, their
// number, and the name of the first. The text is that of the tree where there are none.
func listing(text []byte) (clean []byte, leftOut int, first []byte, err error) {
	var names map[string]bool // where equal names are possible
	var before item
	clean = text
	for rest := text; len(rest) > 0; {
		from := rest
		var i item
		if i, rest, err = nextItem(rest); err != nil {
			return nil, 0, nil, err
		}
		if names == nil && !follows(i, before) {
			names = namesBefore(text, len(text)-len(from))
		}
		twice := names[string(i.name)]
		if names != nil {
			names[string(i.name)] = true
		}
		before = i
		if !twice && usual(i.name) {
			if leftOut > 0 {
				clean = append(clean, from[:len(from)-len(rest)]...)
			}
			continue
		}
		if leftOut++; leftOut == 1 {
			first = i.name
			clean = append([]byte(nil), text[:len(text)-len(from)]...)
		}
	}
	return clean, leftOut, first, nil
}

// follows reports whether an item stands after the one before it so that it cannot have the
// name of an earlier one: in git's order, in which a folder stands as if "/" ended its name,
// only a folder can, and only after a name that begins with its own.
func follows(i, before item) bool {
	n := min(len(i.name), len(before.name))
	if order := bytes.Compare(i.name[:n], before.name[:n]); order != 0 {
		return order > 0
	}
	return len(i.name) > n && (before.mode != Folder || i.name[n] > '/')
}

// namesBefore are the names in the first n bytes of a tree.
func namesBefore(text []byte, n int) map[string]bool {
	names := map[string]bool{}
	for rest := text[:n]; len(rest) > 0; {
		i, after, err := nextItem(rest)
		if err != nil {
			break // was read before
		}
		names[string(i.name)] = true
		rest = after
	}
	return names
}

// usual reports whether a name is one that a work tree can hold and a line can show.
func usual(name []byte) bool {
	if len(name) > maxName || len(name) <= 2 && strings.Trim(string(name), ".") == "" {
		return false
	}
	ascii := true
	for _, b := range name {
		if b < ' ' || b == 0x7f {
			return false
		}
		ascii = ascii && b < utf8.RuneSelf
	}
	if len(name) == 4 && strings.EqualFold(string(name), ".git") {
		return false
	}
	return ascii || utf8.Valid(name) && !hasControl(name)
}

// hasControl reports whether a name holds a control character beyond ASCII.
func hasControl(name []byte) bool {
	for _, r := range string(name) {
		if r >= 0x80 && r < 0xa0 {
			return true
		}
	}
	return false
}

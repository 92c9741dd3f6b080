// Package shape describes the fields of JSON objects that are known before one is read.
// A kind says with it what its objects hold; whoever looks at expressions compares.
package shape

import (
	"slices"
	"strings"
)

// Kind is what is known of the objects of a kind. The zero Kind is one of which nothing
// is known.
type Kind struct {
	// Object holds the fields of an object; nil when any field may be there.
	Object *Shape
	// Identifier is an expression whose text Port takes as an identifier and that no two
	// objects share; empty when none is known.
	Identifier string
	// Missing says what to do instead of reading a field that one may expect and no object
	// has, by its path as Path.String writes it.
	Missing map[string]string
}

// Form is what a value is when it is not null.
type Form int

const (
	Unknown Form = iota // it can be anything
	Text
	Number
	Flag // true or false
	Object
	List
)

// Shape is what is known of a value. A nil Shape is a value of which nothing is known.
type Shape struct {
	Form  Form
	Names []string // of an object's fields, in the order of the notation
	More  bool     // an object may have further fields

	fields  []*Shape // by Names: there are so few that a search through those is quick
	members *Shape   // of a list
}

// The shapes of values without parts, which all notations share.
var (
	anything = &Shape{Form: Unknown}
	text     = &Shape{Form: Text}
	number   = &Shape{Form: Number}
	flag     = &Shape{Form: Flag}
)

// Of reads the notation of an object: names with what their values are after them. A
// name alone is a text, "name?" true or false, "name#" a number, "name*" anything,
// "name{…}" an object, "name[…]" a list of objects, "name[]" one of texts; "+" says that
// an object may hold more.
func Of(notation string) *Shape {
	s, _ := read(notation)
	return s
}

// read reads fields up to a closing bracket, and returns what stands behind it.
func read(notation string) (s *Shape, rest string) {
	s = &Shape{Form: Object}
	for rest = notation; ; {
		rest = strings.TrimLeft(rest, " ")
		if rest == "" {
			return s, ""
		}
		switch rest[0] {
		case '}', ']':
			return s, rest[1:]
		case '+':
			s.More, rest = true, rest[1:]
			continue
		}
		name := rest
		if end := strings.IndexFunc(rest, func(r rune) bool { return !isName(r) && r != '-' }); end >= 0 {
			name = rest[:end]
		}
		var field *Shape
		field, rest = value(rest[len(name):])
		s.Names, s.fields = append(s.Names, name), append(s.fields, field)
	}
}

// value reads what stands behind a name.
func value(notation string) (s *Shape, rest string) {
	if notation == "" {
		return text, ""
	}
	switch rest = notation[1:]; notation[0] {
	case '?':
		return flag, rest
	case '#':
		return number, rest
	case '*':
		return anything, rest
	case '{':
		return read(rest)
	case '[':
		members, rest := read(rest)
		if len(members.Names) == 0 && !members.More {
			members = text
		}
		return &Shape{Form: List, members: members}, rest
	}
	return text, notation
}

// isName reports whether a character can stand in the name of a field without quotes.
func isName(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
}

// Field returns what stands at a key; nil when nothing is known of it.
func (s *Shape) Field(key string) *Shape {
	if s == nil {
		return nil
	}
	if i := slices.Index(s.Names, key); i >= 0 {
		return s.fields[i]
	}
	return nil
}

// Member returns what the members of a list are; nil when nothing is known of them.
func (s *Shape) Member() *Shape {
	if s == nil {
		return nil
	}
	return s.members
}

// Step is one step of a path.
type Step struct {
	Key    string // .key
	Member bool   // [] or [0]
	Each   bool   // [] alone, which an object has as well
}

// Path leads from an object to a part of it.
type Path []Step

// String writes the path as jq has it.
func (p Path) String() string {
	var b strings.Builder
	for _, one := range p {
		switch {
		case one.Member:
			b.WriteString("[]")
		case one.Key != "" && !strings.ContainsFunc(one.Key, func(r rune) bool { return !isName(r) }):
			b.WriteString("." + one.Key)
		default:
			b.WriteString(`["` + one.Key + `"]`)
		}
	}
	return b.String()
}

// At returns what stands at a path; nil when that is not known.
func (s *Shape) At(path Path) *Shape {
	for _, one := range path {
		switch {
		case s == nil:
			return nil
		case one.Member:
			s = s.members
		default:
			s = s.Field(one.Key)
		}
	}
	return s
}

// DeadEnd returns the first step of a path that leads nowhere, and what that step is
// taken from; -1 when the path may lead somewhere.
func (s *Shape) DeadEnd(path Path) (at int, of *Shape) {
	for i, one := range path {
		switch {
		case s == nil || s.Form == Unknown:
			return -1, nil
		case s.Form == Object && one.Each:
			return -1, nil
		case s.Form == Object && !one.Member:
			if !slices.Contains(s.Names, one.Key) {
				if s.More {
					return -1, nil
				}
				return i, s
			}
			s = s.Field(one.Key)
		case s.Form == List && one.Member:
			s = s.members
		default:
			return i, s
		}
	}
	return -1, nil
}

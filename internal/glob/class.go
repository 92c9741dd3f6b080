package glob

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// named are the classes of characters that have a name, as POSIX has them for ASCII. No
// class holds "/", which is in no name, none begins with "!", which would turn it round, and
// each ends with a range, so that what is behind it is not taken for one.
//
// Source: https://facelessuser.github.io/wcmatch/fnmatch/#posix-character-classes, read 2026-11.
var named = map[string]string{
	"alnum":  "0-9A-Za-z",
	"alpha":  "A-Za-z",
	"ascii":  "\x00-.0-\x7f",
	"blank":  " \t-\t",
	"cntrl":  "\x7f\x00-\x1f",
	"digit":  "0-9",
	"graph":  "0-~!-.",
	"lower":  "a-z",
	"print":  " -.0-~",
	"punct":  ":-@!-.\\[-`{-~",
	"space":  " \t-\r",
	"upper":  "A-Z",
	"word":   "_0-9A-Za-z",
	"xdigit": "0-9A-Fa-f",
}

// Invalid is a pattern that is none, where the way out is known.
type Invalid struct{ Problem, Fix string }

func (i *Invalid) Error() string { return i.Problem }

// classNames are the names of named, for messages.
var classNames = strings.Join(slices.Sorted(maps.Keys(named)), ", ")

// writeOut replaces the named classes within the brackets of a pattern by their characters:
// [[:digit:]_] is [0-9_].
func writeOut(pattern string) (string, error) {
	var out strings.Builder
	for {
		open := indexOutside(pattern, "[")
		if open < 0 {
			return out.String() + pattern, nil
		}
		out.WriteString(pattern[:open])
		inside, length, err := class(pattern[open:])
		if err != nil {
			return "", err
		}
		out.WriteString(inside)
		pattern = pattern[open+length:]
	}
}

// class writes out the brackets that a text begins with, and returns how much of the text
// they are.
func class(text string) (written string, length int, err error) {
	if name, ok := className(text); ok && named[name] != "" {
		return "", 0, &Invalid{fmt.Sprintf(`has "[:%s:]" outside of brackets`, name), fmt.Sprintf(`write "[[:%s:]]"`, name)}
	}
	begin := 1
	if strings.HasPrefix(text[1:], "!") || strings.HasPrefix(text[1:], "^") {
		begin = 2
	}
	var ranges, rest strings.Builder
	for i := begin; i < len(text); {
		name, isClass := className(text[i:])
		switch {
		case isClass && strings.HasPrefix(name, "^"):
			return "", 0, &Invalid{fmt.Sprintf(`has "[:%s:]", which is not a class`, name), fmt.Sprintf(`for all but a class write "[![:%s:]]"`, name[1:])}
		case isClass && named[name] == "":
			return "", 0, &Invalid{fmt.Sprintf(`has "[:%s:]", which is not a class`, name), "the classes are " + classNames}
		case isClass:
			ranges.WriteString(named[name])
			i += len("[::]") + len(name)
			if strings.HasPrefix(text[i:], "-") { // after a class it begins no range
				rest.WriteString(`\-`)
				i++
			}
		case text[i] == ']' && (i > begin || ranges.Len() > 0):
			return text[:begin] + ranges.String() + rest.String() + "]", i + 1, nil
		case text[i] == '-' && isClassAt(text[i+1:]): // before one it begins none either
			rest.WriteString(`\-`)
			i++
		default:
			one, err := oneOrRange(text[i:])
			if err != nil {
				return "", 0, err
			}
			rest.WriteString(one)
			i += len(one)
		}
	}
	return text, len(text), nil // a pattern that is not valid
}

// oneOrRange returns the character, or the range of them, that a text within brackets
// begins with.
func oneOrRange(text string) (string, error) {
	low, size := character(text)
	behind, isRange := strings.CutPrefix(text[size:], "-")
	if !isRange || behind == "" || behind[0] == ']' || isClassAt(behind) {
		return text[:size], nil
	}
	high, n := character(behind)
	one := text[:size+1+n]
	if high < low {
		return "", &Invalid{fmt.Sprintf("has the range %q, which ends before it begins", one), fmt.Sprintf(`write "%s-%s"`, behind[:n], text[:size])}
	}
	return one, nil
}

// character reads a character, maybe after "\".
func character(text string) (r rune, size int) {
	if text[0] == '\\' && len(text) > 1 {
		r, size = utf8.DecodeRuneInString(text[1:])
		return r, size + 1
	}
	return utf8.DecodeRuneInString(text)
}

// className returns the name of the class that a text begins with: [:name:].
func className(text string) (name string, ok bool) {
	if !strings.HasPrefix(text, "[:") {
		return "", false
	}
	name, _, ok = strings.Cut(text[2:], ":]")
	return name, ok && !strings.ContainsFunc(name, func(r rune) bool { return r != '^' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
}

func isClassAt(text string) bool {
	name, ok := className(text)
	return ok && named[name] != ""
}

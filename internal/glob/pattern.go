// Package glob compares the paths of a repository with patterns, and finds out which
// folders must be listed to see all that the patterns match.
package glob

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// MaxDepth is how many levels of folders one listing asks for where a pattern holds "**".
// What lies deeper is listed from there on. It is deeper than most repositories are, and
// Bitbucket lists it in one request where the repository is not too large.
const MaxDepth = 20

const (
	// maxPattern is longer than any pattern that a person writes, in bytes.
	maxPattern = 1000
	// maxAlternatives bounds what the braces of one pattern expand to: each further pair
	// of braces multiplies it.
	maxAlternatives = 200
)

// Pattern is a pattern of paths, from the root of a repository: "*" and "?" stay
// within a segment, "**" as a whole segment stands for any number of them, also
// none, "[…]" is a class of characters, with names as in "[[:digit:]]", and "{a,b}" a choice. A last "**" stands for
// everything below, not for the folder itself. Hidden names match, case counts, and
// "\" takes a character as it is.
type Pattern struct {
	text         string // as it was written
	alternatives []segments
}

// segments are a pattern without a choice that spans several of them.
type segments []segment

type segment struct {
	text    string // unescaped when literal
	literal bool
	any     bool     // "**"
	choices []string // of its braces, written out: to match braces themselves takes exponential time
}

// Parse reads a pattern. A leading "/" means the root, as does none; a trailing "/" is
// ignored. The error completes a sentence that begins with the pattern; it is an *Invalid
// where the way out is known.
func Parse(pattern string) (Pattern, error) {
	if pattern == "" || pattern == "/" {
		return Pattern{text: pattern}, nil
	}
	text := strings.TrimSuffix(strings.TrimPrefix(pattern, "/"), "/")
	switch {
	case text == "":
		return Pattern{}, errors.New("is empty")
	case len(text) > maxPattern:
		return Pattern{}, fmt.Errorf("is longer than %d bytes", maxPattern)
	case !doublestar.ValidatePattern(text):
		return Pattern{}, errors.New(`has a "[" or "{" that is not closed, an empty "[]", a "}" too many, or a "\" at its end`)
	}
	text, err := writeOut(text)
	if err != nil {
		return Pattern{}, err
	}
	expanded, spans, err := expand(text)
	if err != nil {
		return Pattern{}, err
	}
	if !spans {
		expanded = []string{text}
	}
	p := Pattern{text: pattern}
	for _, one := range expanded {
		parsed, err := parseSegments(one)
		if err != nil {
			return Pattern{}, err
		}
		p.alternatives = append(p.alternatives, parsed)
	}
	return p, nil
}

func parseSegments(pattern string) (segments, error) {
	var list segments
	for text := range strings.SplitSeq(pattern, "/") {
		switch {
		case text == "":
			return nil, errors.New(`has an empty segment ("//")`)
		case text == "." || text == "..":
			return nil, fmt.Errorf("has the segment %q, and is compared with whole paths from the root", text)
		case text == "**":
			if n := len(list); n == 0 || !list[n-1].any {
				list = append(list, segment{any: true})
			}
		case !doublestar.ValidatePattern(text):
			return nil, errors.New(`has a "/" inside "[…]", or after "\"`)
		default:
			plain, literal := unescape(text)
			choices, _, err := expand(text)
			if err != nil {
				return nil, err
			}
			for i, choice := range choices {
				choices[i] = oneStar(choice)
			}
			list = append(list, segment{text: plain, literal: literal, choices: choices})
		}
	}
	if list[len(list)-1].any {
		list = append(list, segment{text: "*", choices: []string{"*"}})
	}
	return list, nil
}

// oneStar writes several "*" within a segment as one: they mean the same, and of three at
// the end doublestar makes something else.
func oneStar(choice string) string {
	for from := 0; ; {
		at := indexOutside(choice[from:], "*")
		if at < 0 {
			return choice
		}
		from += at + 1
		choice = choice[:from] + strings.TrimLeft(choice[from:], "*")
	}
}

// unescape returns the text that a segment without wildcards stands for; one with
// wildcards stays as it is.
func unescape(text string) (plain string, literal bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '*', '?', '[', '{':
			return text, false
		case '\\':
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String(), true
}

// expand writes out the choices of a valid pattern, and reports whether one of them spans
// segments, or could.
func expand(pattern string) (expanded []string, spans bool, err error) {
	open := indexOutside(pattern, "{")
	if open < 0 {
		return []string{pattern}, false, nil
	}
	var choices []string
	rest := pattern[open+1:]
	for depth, start, i := 0, 0, 0; ; {
		at := indexOutside(rest[i:], "{},")
		if at < 0 {
			return nil, false, errors.New(`has a "{" that is not closed`)
		}
		i += at + 1
		switch c := rest[i-1]; {
		case c == '{':
			depth++
			continue
		case depth > 0:
			if c == '}' {
				depth--
			}
			continue
		case c == ',':
			choices = append(choices, rest[start:i-1])
			start = i
			continue
		}
		choices = append(choices, rest[start:i-1])
		rest = rest[i:]
		break
	}
	return join(pattern[:open], choices, rest)
}

func join(before string, choices []string, after string) (expanded []string, spans bool, err error) {
	tails, spans, err := expand(after)
	if err != nil {
		return nil, false, err
	}
	for _, choice := range choices {
		middles, inner, err := expand(choice)
		if err != nil {
			return nil, false, err
		}
		spans = spans || inner || strings.Contains(choice, "/") || strings.Contains(choice, "**")
		for _, middle := range middles {
			if len(expanded)+len(tails) > maxAlternatives {
				return nil, false, fmt.Errorf("has more than %d alternatives", maxAlternatives)
			}
			for _, tail := range tails {
				expanded = append(expanded, before+middle+tail)
			}
		}
	}
	return expanded, spans, nil
}

// indexOutside finds the first of some characters that is neither escaped nor in a class.
func indexOutside(pattern, characters string) int {
	class := -1
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case class >= 0:
			if c == ']' && i > class+1 {
				class = -1
			}
		case strings.IndexByte(characters, c) >= 0:
			return i
		case c == '[':
			class = i
			if i+1 < len(pattern) && (pattern[i+1] == '!' || pattern[i+1] == '^') {
				class++
			}
		}
	}
	return -1
}

// String is the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Root reports whether the pattern is empty, or "/": it stands for the root itself, which is
// in no listing, and matches no path.
func (p Pattern) Root() bool { return len(p.alternatives) == 0 }

// Literal returns the one path that a pattern without wildcards matches.
func (p Pattern) Literal() (path string, ok bool) {
	if len(p.alternatives) != 1 {
		return "", false
	}
	var names []string
	for _, of := range p.alternatives[0] {
		if !of.literal {
			return "", false
		}
		names = append(names, of.text)
	}
	return strings.Join(names, "/"), true
}

package kind

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// maxDepth is how many levels of folders one listing asks for where a pattern
// holds "**". What lies deeper is listed from there on.
const maxDepth = 20

const (
	maxPattern      = 1000 // bytes
	maxAlternatives = 200  // of all braces of one pattern
)

// glob is a pattern of paths, from the root of a repository: "*" and "?" stay
// within a segment, "**" as a whole segment stands for any number of them, also
// none, "[…]" is a class of characters and "{a,b}" a choice. A last "**" stands for
// everything below, not for the folder itself. Hidden names match, case counts, and
// "\" takes a character as it is.
type glob struct {
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

// parseGlob reads a pattern. A leading "/" means the root, as does none; a
// trailing "/" says nothing. The error says what is wrong with it.
func parseGlob(pattern string) (glob, error) {
	text := strings.TrimSuffix(strings.TrimPrefix(pattern, "/"), "/")
	switch {
	case text == "":
		return glob{}, errors.New("is empty")
	case len(text) > maxPattern:
		return glob{}, fmt.Errorf("is longer than %d bytes", maxPattern)
	case !doublestar.ValidatePattern(text):
		return glob{}, errors.New(`has a "[" or "{" that is not closed, an empty "[]", a "}" too many, or a "\" at its end`)
	}
	expanded, spans, err := expand(text)
	if err != nil {
		return glob{}, err
	}
	if !spans {
		expanded = []string{text}
	}
	g := glob{text: pattern}
	for _, one := range expanded {
		parsed, err := parseSegments(one)
		if err != nil {
			return glob{}, err
		}
		g.alternatives = append(g.alternatives, parsed)
	}
	return g, nil
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
			list = append(list, segment{text: plain, literal: literal, choices: choices})
		}
	}
	if list[len(list)-1].any {
		list = append(list, segment{text: "*", choices: []string{"*"}})
	}
	return list, nil
}

// unescape gives the text that a segment without wildcards stands for; one with
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

// expand writes out the choices of a valid pattern. It tells whether one of them
// spans segments, or could.
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
		case c == '[':
			class = i
			if i+1 < len(pattern) && (pattern[i+1] == '!' || pattern[i+1] == '^') {
				class++
			}
		case strings.IndexByte(characters, c) >= 0:
			return i
		}
	}
	return -1
}

// String is the pattern as it was written.
func (g glob) String() string { return g.text }

// matches compares the pattern with a whole path.
func (g glob) matches(path string) bool {
	for _, s := range g.alternatives {
		if s.after(path)[len(s)] {
			return true
		}
	}
	return false
}

// reach is how many levels below a folder the pattern can match something, at most
// maxDepth; 0 is none. The root is "".
func (g glob) reach(folder string) int {
	depth := 0
	for _, s := range g.alternatives {
		depth = max(depth, s.reach(folder))
	}
	return depth
}

func (s segments) reach(folder string) int {
	for i, live := range s.after(folder) {
		if !live || i == len(s) {
			continue
		}
		for _, rest := range s[i:] {
			if rest.any {
				return maxDepth
			}
		}
		return min(len(s)-i, maxDepth) // the first that is alive has the most before it
	}
	return 0
}

// after tells, for each number of segments of the pattern, whether so many can
// stand for the whole path.
func (s segments) after(path string) []bool {
	now, next := make([]bool, len(s)+1), make([]bool, len(s)+1)
	now[0] = true
	s.skip(now)
	if path == "" {
		return now
	}
	for name := range strings.SplitSeq(path, "/") {
		clear(next)
		for i, of := range s {
			switch {
			case !now[i]:
			case of.any:
				next[i] = true
			case of.match(name):
				next[i+1] = true
			}
		}
		s.skip(next)
		now, next = next, now
		if !slices.Contains(now, true) {
			break
		}
	}
	return now
}

// skip goes on behind each "**", which may stand for nothing.
func (s segments) skip(alive []bool) {
	for i, of := range s {
		if alive[i] && of.any {
			alive[i+1] = true
		}
	}
}

func (s segment) match(name string) bool {
	if s.literal {
		return s.text == name
	}
	return slices.ContainsFunc(s.choices, func(c string) bool { return doublestar.MatchUnvalidated(c, name) })
}

// base is the folder that the pattern's literal beginning names.
func (s segments) base() string {
	var names []string
	for _, of := range s[:len(s)-1] {
		if !of.literal {
			break
		}
		names = append(names, of.text)
	}
	return strings.Join(names, "/")
}

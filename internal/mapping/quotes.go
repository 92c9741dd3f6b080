package mapping

import (
	"regexp"
	"slices"
	"strings"
)

// What is meant as a text or as a path, whatever quotes stand around it.
var (
	aWord = regexp.MustCompile(`^[\w-]+$`)
	aPath = regexp.MustCompile(`^(?:\.\w+(?:\[\d*\])?)+$`)
)

// unquoted returns the jq expression that a value was meant to be which begins with a
// quote and does not end with the one that closes it: `"(.a | split("/"))"` is the
// expression in quotes of YAML, `"a: " + .b` the expression alone.
func unquoted(value string) string {
	switch bare := strings.Trim(value, `'"`); {
	case aWord.MatchString(bare):
		return `"` + bare + `"`
	case aPath.MatchString(bare):
		return bare
	}
	quote := value[0]
	if last := len(value) - 1; last > 0 && value[last] == quote {
		inner := value[1:last]
		if quote == '"' {
			inner = strings.ReplaceAll(inner, `\"`, `"`)
		} else {
			inner = doubled(inner)
		}
		if plausible(inner) {
			return inner
		}
	}
	if quote == '\'' {
		return doubled(value)
	}
	return value
}

// doubled returns an expression with its texts in double quotes: jq has no others.
func doubled(text string) string {
	if strings.Contains(text, `"`) {
		return text
	}
	return strings.ReplaceAll(text, "'", `"`)
}

// InSingleQuotes is a text as one writes it in YAML.
func InSingleQuotes(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// keywords of jq after which a value is due.
var keywords = []string{"and", "or", "if", "then", "else", "elif", "as", "def", "reduce", "foreach", "try", "catch", "label"}

// plausible reports whether a text looks like jq: brackets and texts are closed, and
// between two values stands an operator. It takes some that is not jq.
func plausible(text string) bool {
	p := prose{text: text, due: true}
	for p.at < len(text) {
		if !p.step() {
			return false
		}
	}
	return len(p.open) == 0 && !p.due
}

// prose reads a text that may be jq.
type prose struct {
	text string
	at   int
	due  bool   // a value is due, and not an operator
	open []byte // the brackets
}

const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// word reads a name, which may be empty.
func (p *prose) word() string {
	rest := p.text[p.at:]
	word := rest[:len(rest)-len(strings.TrimLeft(rest, nameBytes))]
	p.at += len(word)
	return word
}

// step reads one token. It returns false where jq does not go on like that.
func (p *prose) step() bool {
	c, start := p.text[p.at], p.at
	p.at++
	switch c {
	case ' ', '\t', '\n':
		return true
	case '"':
		end := closing(p.text[start:])
		if end < 0 || !p.value() && p.text[max(start-1, 0)] != '.' {
			return false
		}
		p.at = start + end + 1
		return true
	case '(', '[', '{':
		p.open, p.due = append(p.open, c), true
		return true
	case ')', ']', '}':
		return p.close(c)
	case '.', '$', '@':
		p.word()
		p.due = false
		return true
	}
	if strings.IndexByte(nameBytes, c) >= 0 {
		p.at--
		word := p.word()
		if slices.Contains(keywords, word) {
			p.due = true
			return true
		}
		return p.value() || word == "end"
	}
	return p.operator(c)
}

// value is where one stands. It returns false where none is due.
func (p *prose) value() bool {
	due := p.due
	p.due = false
	return due
}

func (p *prose) close(c byte) bool {
	last := len(p.open) - 1
	if last < 0 || c != map[byte]byte{'(': ')', '[': ']', '{': '}'}[p.open[last]] {
		return false
	}
	if empty := strings.HasSuffix(strings.TrimRight(p.text[:p.at-1], " "), string(p.open[last])); p.due && !empty {
		return false
	}
	p.open, p.due = p.open[:last], false
	return true
}

const operators = ",;|+-*/%=<>!:"

func (p *prose) operator(c byte) bool {
	switch {
	case c == '?':
		return true
	case strings.IndexByte(operators, c) < 0:
		return false
	case c == ':' && (len(p.open) == 0 || p.open[len(p.open)-1] == '('):
		return false
	}
	twice := p.at > 1 && strings.IndexByte(operators+"?", p.text[p.at-2]) >= 0
	if p.due && c != '-' && !twice {
		return false
	}
	p.due = true
	return true
}

// closing returns the index of the quote that closes a value; -1 when none does.
func closing(value string) int {
	quote := value[0]
	for i := 1; i < len(value); i++ {
		switch {
		case quote == '"' && value[i] == '\\':
			i++
		case value[i] != quote:
		case quote == '\'' && i+1 < len(value) && value[i+1] == quote:
			i++
		default:
			return i
		}
	}
	return -1
}

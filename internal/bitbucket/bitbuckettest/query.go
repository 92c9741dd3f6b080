package bitbuckettest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The query language of `q`: comparisons joined by AND and OR, with parentheses.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#querying, read 2026-11. IN and
// date-times in quotes are not in its tables, and are in use.

// parser is recursive: expression = term {OR term}, term = factor {AND factor}, factor = "(" expression ")"
// | field operator value | field IN "(" value {"," value} ")".
type parser struct {
	tokens []token
	known  node
	depth  int
}

const maxQueryDepth = 100

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenString
	tokenNumber
	tokenTime
	tokenOperator // also parentheses and the comma
)

type token struct {
	kind tokenKind
	text string
	at   int
}

// node is an example of the listed objects, in which nothing is null: the fields that `q` and `sort` may name.
type node struct{ example object }

// has reports whether the objects have a field of that path.
func (n node) has(path []string) bool {
	var v any = n.example
	for _, name := range path {
		if l, ok := v.(list); ok && len(l) > 0 {
			v = l[0]
		}
		o, ok := v.(object)
		if !ok {
			return false
		}
		m, ok := o.lookup(name)
		if !ok {
			return false
		}
		v = m.value
	}
	return true
}

// parseQuery compiles a query against the fields that the listed objects have.
func parseQuery(text string, known node) (condition, error) {
	tokens, err := scanQuery(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, known: known}
	c, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, unexpected(t)
	}
	return c, nil
}

func scanQuery(text string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(text); {
		c := text[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '"':
			s, n, err := scanString(text[i:])
			if err != nil {
				return nil, fmt.Errorf("at %d: %w", i, err)
			}
			i += n
			tokens = append(tokens, token{tokenString, s, start})
		case isLetter(c):
			i = scanWhile(text, i, func(c byte) bool { return isLetter(c) || isDigit(c) || c == '.' || c == '-' })
			tokens = append(tokens, token{tokenName, text[start:i], start})
		case isDigit(c) || (c == '-' && i+1 < len(text) && isDigit(text[i+1])):
			i = scanWhile(text, i+1, func(c byte) bool { return isDigit(c) || strings.IndexByte(".:-+TZ", c) >= 0 })
			tokens = append(tokens, number(text[start:i], start))
		default:
			n := 1
			if i+1 < len(text) && strings.Contains(" != !~ >= <= ", " "+text[i:i+2]+" ") {
				n = 2
			} else if strings.IndexByte("=~><(),", c) < 0 {
				r, _ := utf8.DecodeRuneInString(text[i:])
				return nil, fmt.Errorf("at %d: unexpected character %q", i, r)
			}
			i += n
			tokens = append(tokens, token{tokenOperator, text[start:i], start})
		}
	}
	return append(tokens, token{tokenEnd, "", len(text)}), nil
}

func number(text string, at int) token {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return token{tokenNumber, text, at}
	}
	return token{tokenTime, text, at}
}

func scanWhile(text string, i int, accept func(byte) bool) int {
	for i < len(text) && accept(text[i]) {
		i++
	}
	return i
}

func isLetter(c byte) bool {
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// scanString returns the text between the quotes, with \" and \\ resolved, and the length with quotes.
func scanString(text string) (string, int, error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), i + 1, nil
		case '\\':
			i++
			if i < len(text) {
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(text[i])
		}
	}
	return "", 0, errors.New("string is not closed")
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) word(w string) bool {
	if t := p.peek(); t.kind == tokenName && strings.EqualFold(t.text, w) {
		p.next()
		return true
	}
	return false
}

func (p *parser) operator(op string) error {
	if t := p.next(); t.kind != tokenOperator || t.text != op {
		return fmt.Errorf("%w, want %q", unexpected(t), op)
	}
	return nil
}

func (p *parser) expression() (condition, error) {
	first, err := p.term()
	if err != nil {
		return nil, err
	}
	alternatives := anyOf{first}
	for p.word("OR") {
		c, err := p.term()
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, c)
	}
	return alternatives, nil
}

func (p *parser) term() (condition, error) {
	first, err := p.factor()
	if err != nil {
		return nil, err
	}
	parts := allOf{first}
	for p.word("AND") {
		c, err := p.factor()
		if err != nil {
			return nil, err
		}
		parts = append(parts, c)
	}
	return parts, nil
}

func (p *parser) factor() (condition, error) {
	t := p.next()
	if t.kind == tokenOperator && t.text == "(" {
		if p.depth++; p.depth > maxQueryDepth {
			return nil, errors.New("too many parentheses")
		}
		c, err := p.expression()
		if err != nil {
			return nil, err
		}
		p.depth--
		return c, p.operator(")")
	}
	if t.kind != tokenName {
		return nil, unexpected(t)
	}
	path := strings.Split(t.text, ".")
	if !p.known.has(path) {
		return nil, fmt.Errorf("at %d: no field %q", t.at, t.text)
	}
	cmp := comparison{path: path, isTime: timeField(path[len(path)-1])}
	if p.word("IN") {
		return p.in(cmp)
	}
	op := p.next()
	if op.kind != tokenOperator || strings.ContainsAny(op.text, "(),") {
		return nil, fmt.Errorf("%w, want an operator", unexpected(op))
	}
	value, err := p.value(cmp.isTime)
	cmp.op, cmp.value = op.text, value
	return cmp, err
}

func (p *parser) in(cmp comparison) (condition, error) {
	if err := p.operator("("); err != nil {
		return nil, err
	}
	cmp.op = "="
	var alternatives anyOf
	for {
		value, err := p.value(cmp.isTime)
		if err != nil {
			return nil, err
		}
		cmp.value = value
		alternatives = append(alternatives, cmp)
		if t := p.peek(); t.kind == tokenOperator && t.text == "," {
			p.next()
			continue
		}
		return alternatives, p.operator(")")
	}
}

// value is nil, string, float64, bool or time.Time.
func (p *parser) value(isTime bool) (any, error) {
	t := p.next()
	switch {
	case t.kind == tokenName && strings.EqualFold(t.text, "null"):
		return nil, nil
	case isTime && (t.kind == tokenTime || t.kind == tokenString):
		return parseTime(t)
	case t.kind == tokenString:
		return t.text, nil
	case t.kind == tokenNumber:
		return strconv.ParseFloat(t.text, 64)
	case t.kind == tokenName && strings.EqualFold(t.text, "true"):
		return true, nil
	case t.kind == tokenName && strings.EqualFold(t.text, "false"):
		return false, nil
	}
	return nil, fmt.Errorf("%w, want a value", unexpected(t))
}

// timeField tells date-times by name, as all of Bitbucket's are called so.
func timeField(name string) bool { return strings.HasSuffix(name, "_on") || name == "date" }

// parseTime reads a date or a date-time; UTC when it has no zone.
func parseTime(t token) (time.Time, error) {
	for _, layout := range []string{
		time.DateOnly, "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04",
	} {
		if at, err := time.Parse(layout, t.text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("at %d: %q is not a date-time", t.at, t.text)
}

func unexpected(t token) error {
	if t.kind == tokenEnd {
		return fmt.Errorf("at %d: unexpected end", t.at)
	}
	return fmt.Errorf("at %d: unexpected %q", t.at, t.text)
}

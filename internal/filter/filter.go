// Package filter finds mistakes in a filter of Bitbucket's query language.
package filter

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Fault is what Bitbucket refuses in a filter.
type Fault struct {
	Offset  int    // in bytes
	Message string // what is wrong
	Fix     string // how to mend it, without the filter itself
	// Mended is the whole filter as it was most likely meant; empty when that is not known.
	Mended string
}

// Check finds what Bitbucket refuses in a filter, without asking it: a text stands in double
// quotes there, and dates, numbers, true, false and null stand without them. It returns nil
// when it finds nothing. It knows no fields, and takes the operator NOT, which is not
// documented, and IN, which is documented for one route and in use for others. It takes the times
// that At replaces.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#querying, read 2026-11.
func Check(query string) *Fault {
	f := read(query)
	if plain := fromAddress(query); plain != query && (f != nil || named.MatchString(query)) {
		inner := read(plain)
		if inner != nil {
			plain = inner.Mended
		}
		if plain != "" {
			return &Fault{Message: "the filter is written as in an address", Fix: "write it without q= and without % codes", Mended: plain}
		}
	}
	return f
}

// Name is the name of a field in a filter.
type Name struct {
	Text   string
	Offset int // in bytes
}

// Fields returns the fields that a filter compares, in their order.
func Fields(query string) (names []Name) {
	all := tokens(query)
	for i, t := range all[:len(all)-1] {
		if behind := all[i+1]; t.kind == word && field.MatchString(t.value) &&
			(behind.is("IN") || behind.is("NOT") || behind.kind == sign && strings.ContainsAny(behind.value, "=~<>")) && !t.is("NOT") && !t.is("AND") && !t.is("OR") {
			names = append(names, Name{t.value, t.start})
		}
	}
	return names
}

// read finds what is wrong with the comparisons of a filter.
func read(query string) *Fault {
	p := parse(query)
	if mended := p.mended(); p.fault != nil && !p.lost && parse(mended).fault == nil {
		p.fault.Mended = mended
	}
	return p.fault
}

func parse(query string) *parser {
	p := &parser{query: query, tokens: tokens(query)}
	p.read()
	return p
}

var (
	// encoded is a sign of the language as an address has it.
	encoded = regexp.MustCompile(`%(?:2[0289]|3[CDEcde]|7[Ee])`)
	// named is the parameter of an address before its value.
	named = regexp.MustCompile(`^\s*[?&]?q=`)
)

// fromAddress returns a filter that was copied from an address as it is meant there.
func fromAddress(query string) string {
	plain := query
	if encoded.MatchString(query) {
		if decoded, err := url.QueryUnescape(query); err == nil {
			plain = decoded
		}
	}
	return strings.TrimSpace(plain[len(named.FindString(plain)):])
}

// parser reads a filter once, from left to right, and notes how it was meant.
type parser struct {
	query  string
	tokens []token
	at     int

	fault *Fault
	lost  bool   // what was meant is not known
	edits []edit // in their order
	dates []edit // times before now, which are no faults
}

// edit is a part of the query, and what was meant.
type edit struct {
	start, end int
	meant      string
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.peek()
	if t.kind != end {
		p.at++
	}
	return t
}

// note keeps the first fault.
func (p *parser) note(offset int, message, fix string) {
	if p.fault == nil {
		p.fault = &Fault{Offset: offset, Message: message, Fix: fix}
	}
}

// giveUp is for what cannot be mended.
func (p *parser) giveUp(offset int, message, fix string) {
	p.note(offset, message, fix)
	p.lost = true
}

func (p *parser) replace(start, end int, meant string) {
	p.edits = append(p.edits, edit{start, end, meant})
}

// mended is the query with all edits.
func (p *parser) mended() string {
	var out strings.Builder
	at := 0
	for _, e := range p.edits {
		out.WriteString(p.query[at:e.start] + e.meant)
		at = e.end
	}
	return out.String() + p.query[at:]
}

// read reads comparisons, and what joins them.
func (p *parser) read() {
	var parentheses []int // offsets of those that are open
	for !p.lost {
		for p.peek().is("(") || p.peek().is("NOT") {
			if t := p.next(); t.kind == sign {
				parentheses = append(parentheses, t.start)
			}
		}
		p.comparison()
		for !p.lost && p.peek().is(")") {
			t := p.next()
			if len(parentheses) == 0 {
				p.note(t.start, `")" closes nothing`, "remove it")
				p.replace(t.start, t.end, "")
				continue
			}
			parentheses = parentheses[:len(parentheses)-1]
		}
		if p.lost || !p.joined() {
			break
		}
	}
	if n := len(parentheses); n > 0 && !p.lost {
		p.note(parentheses[n-1], `"(" is not closed`, `write ")" at the end`)
		p.replace(len(p.query), len(p.query), strings.Repeat(")", n))
	}
}

// joined reads what stands between two comparisons; false at the end.
func (p *parser) joined() bool {
	t := p.next()
	switch {
	case t.kind == end:
		return false
	case t.is("AND") || t.is("OR"):
		return true
	case t.is("&&") || t.is("&"):
		p.note(t.start, strconv.Quote(t.value)+" is not an operator of Bitbucket", "write AND")
		p.replace(t.start, t.end, p.apart(t, "AND"))
		return true
	case t.is("||") || t.is("|"):
		p.note(t.start, strconv.Quote(t.value)+" is not an operator of Bitbucket", "write OR")
		p.replace(t.start, t.end, p.apart(t, "OR"))
		return true
	}
	p.giveUp(t.start, "AND or OR is missing before "+p.shown(t), "write AND or OR between two comparisons")
	return false
}

// apart returns a keyword with blanks around it, where the query has none.
func (p *parser) apart(t token, keyword string) string {
	if t.start > 0 && p.query[t.start-1] != ' ' {
		keyword = " " + keyword
	}
	if t.end < len(p.query) && p.query[t.end] != ' ' {
		keyword += " "
	}
	return keyword
}

// shown is a token for a message.
func (p *parser) shown(t token) string {
	const most = 60
	switch shown := p.query[t.start:t.end]; {
	case t.kind == end:
		return "the end"
	case t.kind == text || len(shown) > most:
		return "the text" // its quotes within quotes are hard to read
	default:
		return strconv.Quote(shown)
	}
}

const example = `a comparison is a field, an operator and a value: state="OPEN"`

// field is the path of a field.
var field = regexp.MustCompile(`^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*$`)

// foreign are operators of other languages, and what Bitbucket has for them.
var foreign = map[string]string{
	"==": "=", "===": "=", "=~": "~", "!==": "!=", "<>": "!=",
	"is": "=", "eq": "=", "ne": "!=", "like": "~", "contains": "~", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=",
}

// comparison reads one comparison.
func (p *parser) comparison() {
	f := p.next()
	if name, value, ok := strings.Cut(f.value, ":"); ok && f.kind == word && field.MatchString(name) && value != "" {
		p.note(f.start, `":" is not an operator of Bitbucket`, `write "=", and a text in double quotes`)
		if !plain(value) {
			value = Quote(value)
		}
		p.replace(f.start, f.end, name+"="+value)
		return
	}
	if bare, ok := strings.CutPrefix(f.value, "."); ok && f.kind == word && field.MatchString(bare) {
		p.note(f.start, "a field is written without a dot before it", "write "+bare)
		p.replace(f.start, f.end, bare)
		f.start, f.value = f.start+1, bare
	}
	if f.kind != word || f.is("AND") || f.is("OR") || !field.MatchString(f.value) {
		p.giveUp(f.start, "a field is missing before "+p.shown(f), example)
		return
	}
	op := p.next()
	switch {
	case op.is("NOT") && p.peek().is("IN"):
		p.next()
		p.list(f)
	case op.is("IN"):
		p.list(f)
	case op.is("=") || op.is("!=") || op.is("~") || op.is("!~") || op.is(">") || op.is(">=") || op.is("<") || op.is("<="):
		p.value(f, op, op.value)
	case foreign[strings.ToLower(op.value)] != "" && op.kind != text:
		right := foreign[strings.ToLower(op.value)]
		p.note(op.start, strconv.Quote(op.value)+" is not an operator of Bitbucket", fmt.Sprintf("write %q", right))
		p.replace(op.start, op.end, right)
		p.value(f, op, right)
	default:
		p.giveUp(op.start, fmt.Sprintf("an operator is missing after %q", f.value), example)
	}
}

package filter

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	number = regexp.MustCompile(`^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$`)
	// date is a date, or a date-time.
	date = regexp.MustCompile(`(?i)^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$`)
	// dateField is the name of a field that holds a date-time: all of Bitbucket's are called so.
	dateField = regexp.MustCompile(`(?:_on|\bdate)$`)
)

// plain reports whether a value stands without quotes.
func plain(value string) bool {
	return number.MatchString(value) || date.MatchString(value) || slices.Contains([]string{"true", "false", "null"}, strings.ToLower(value))
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// Quote returns a text as a filter has it.
func Quote(value string) string {
	return `"` + escapes.Replace(value) + `"`
}

// value reads what is compared with a field. Bitbucket takes one value, and several after IN
// only.
func (p *parser) value(f, op token, operator string) {
	start := p.peek().start
	values := []string{p.one(f.value)}
	for !p.lost && p.peek().is(",") {
		p.next()
		values = append(values, p.one(f.value))
	}
	if len(values) == 1 || p.lost {
		return
	}
	p.note(start, fmt.Sprintf("%q takes one value", op.value), "write a comparison for each value, with OR between them")
	join := " OR "
	if strings.HasPrefix(operator, "!") {
		join = " AND "
	}
	for i, value := range values {
		values[i] = f.value + operator + value
	}
	p.edits = slices.DeleteFunc(p.edits, func(e edit) bool { return e.start >= f.start })
	p.replace(f.start, p.tokens[p.at-1].end, "("+strings.Join(values, join)+")")
}

// list reads the values after IN.
func (p *parser) list(f token) {
	t := p.peek()
	bare := !t.is("(")
	if bare {
		p.note(t.start, "IN takes its values in parentheses", `write IN ("OPEN", "MERGED")`)
		p.replace(t.start, t.start, "(")
	} else {
		p.next()
	}
	p.one(f.value)
	for !p.lost && p.peek().is(",") {
		p.next()
		p.one(f.value)
	}
	switch t := p.peek(); {
	case p.lost:
	case bare:
		last := p.tokens[p.at-1].end
		p.replace(last, last, ")")
	case t.is(")"):
		p.next()
	default:
		p.giveUp(t.start, "a comma or \")\" is missing before "+p.shown(t), `write IN ("OPEN", "MERGED")`)
	}
}

// one reads one value of a field, and returns it as it was meant.
func (p *parser) one(of string) string {
	t := p.next()
	switch {
	case dateField.MatchString(of) && p.quotedDate(t):
		return p.query[t.start+1 : t.end-1]
	case t.kind == text:
		return t.value
	case t.kind == quoted:
		p.note(t.start, "a text is written in double quotes, and not in "+p.quotes(t), "write plain double quotes")
		p.replace(t.start, t.end, Quote(t.value))
		return Quote(t.value)
	case t.kind == open:
		p.note(t.start, "the quote of a text is not closed", "write a double quote at the end of the text")
		p.lost = t.value[0] != '"' || strings.ContainsAny(t.value, `=~<>\`) // more stands after the text
		meant := t.value + `"`
		p.replace(t.start, t.end, meant)
		return meant
	case t.kind != word || t.is("AND") || t.is("OR"):
		p.giveUp(t.start, "a value is missing before "+p.shown(t), example)
		return ""
	}
	last := p.rest(t)
	value := p.query[t.start:last.end]
	switch {
	case dateField.MatchString(of) && ago.MatchString(value) && !p.peek().is("("):
		p.dates = append(p.dates, edit{start: t.start, end: last.end})
		return value
	case plain(value):
		return value
	case p.peek().is("("):
		p.giveUp(t.start, "Bitbucket's query language has no functions", "write the value itself"+relativeFix(value))
		return ""
	case !dateField.MatchString(of):
		p.note(t.start, fmt.Sprintf("%s is a text, and lacks its double quotes", strconv.Quote(value)), "a text is written in double quotes")
		p.replace(t.start, last.end, Quote(value))
		return Quote(value)
	}
	return p.notADate(t, last, value)
}

// notADate is for a value of a date without quotes that is none.
func (p *parser) notADate(t, last token, value string) string {
	fix := "write a date such as 2026-11-01, a time such as 2026-11-01T14:00:00+00:00, or " + relative
	switch meant := strings.ToLower(strings.Join(strings.Fields(value), "")); {
	case ago.MatchString(meant):
		p.note(t.start, fmt.Sprintf("%q is not a date-time", value), "write it in small letters and without blanks")
		p.replace(t.start, last.end, meant)
		return meant
	case strings.HasPrefix(meant, "now-") && strings.HasSuffix(meant, "m"):
		fix = `"m" could be minutes or months: write ` + relative
	case strings.HasPrefix(meant, "now"):
		fix = "write " + relative
	}
	if joined := strings.Join(strings.Fields(value), "T"); date.MatchString(joined) {
		p.note(t.start, fmt.Sprintf("%q is not a date-time", value), fix)
		p.replace(t.start, last.end, joined)
		return joined
	}
	p.giveUp(t.start, fmt.Sprintf("%q is not a date-time", value), fix)
	return ""
}

func (p *parser) quotes(t token) string {
	if strings.HasPrefix(p.query[t.start:], "'") {
		return "single quotes"
	}
	return "quotes of another kind"
}

// rest returns the last word of a value of several words: up to what joins comparisons.
func (p *parser) rest(first token) token {
	last := first
	for p.peek().kind == word && !p.joins() && !plain(p.query[first.start:last.end]) || p.dateAndTime(last) {
		last = p.next()
	}
	return last
}

// joins reports whether AND or OR stands before another comparison.
func (p *parser) joins() bool {
	if t := p.peek(); !t.is("AND") && !t.is("OR") {
		return false
	}
	behind := p.tokens[p.at+1:]
	return behind[0].is("(") || behind[0].is("NOT") || behind[0].kind == end ||
		behind[0].kind == word && (behind[1].kind == sign && !behind[1].is(")") && !behind[1].is(",") || behind[1].is("IN") || behind[1].is("NOT"))
}

// aTime is the time of a day.
var aTime = regexp.MustCompile(`^\d{1,2}:\d{2}`)

// dateAndTime reports whether a blank stands between a date and its time.
func (p *parser) dateAndTime(last token) bool {
	return date.MatchString(last.value) && p.peek().kind == word && aTime.MatchString(p.peek().value)
}

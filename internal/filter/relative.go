package filter

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ago is a time before another one: now, or so many hours, days or weeks before it. There is no unit
// m: it could be minutes or months.
var ago = regexp.MustCompile(`^now(?:-(\d{1,5})([hdw]))?$`)

const relative = "how long ago: now-12h, now-30d, now-4w, or now"

// relativeFix adds to a fix how a time is written that is meant as one of a function.
func relativeFix(value string) string {
	if strings.HasPrefix(strings.ToLower(value), "now") {
		return ", or " + relative
	}
	return ""
}

// quotedDate reports whether a token is such a time in quotes, which it notes: the text would go to
// Bitbucket as it is.
func (p *parser) quotedDate(t token) bool {
	if t.kind != text && t.kind != quoted {
		return false
	}
	value := strings.Trim(p.query[t.start:t.end], `"'`)
	if !ago.MatchString(value) {
		return false
	}
	p.note(t.start, strconv.Quote(value)+" in quotes is a text, and no date-time", "write it without quotes")
	p.replace(t.start, t.end, value)
	return true
}

// At returns a filter in which now and now-30d, outside of quotes and where a date is due, are that
// time in full. Bitbucket's query language has no such values.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#querying, read 2026-11.
func At(query string, now time.Time) string {
	if !strings.Contains(query, "now") {
		return query
	}
	p := parse(query)
	p.edits = p.dates
	for i, d := range p.dates {
		p.edits[i].meant = before(query[d.start:d.end], now).Format("2006-01-02T15:04:05+00:00")
	}
	return p.mended()
}

// before is the time that one before now means.
func before(value string, now time.Time) time.Time {
	parts := ago.FindStringSubmatch(value)
	n, _ := strconv.Atoi(parts[1])
	switch now = now.UTC(); parts[2] {
	case "h":
		return now.Add(-time.Duration(n) * time.Hour)
	case "w":
		n *= 7
	}
	return now.AddDate(0, 0, -n)
}

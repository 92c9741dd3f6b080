package dialect

import (
	"strings"
	"time"
)

// strptime reads a time as the GNU C library does in the locale C: numbers may have blanks
// before them, names may be short, and an offset is read and ignored. What the format does
// not name is 0, with the year 1900, the weekday 8 and the day 367. A rest that begins with
// a blank follows as a ninth member.
//
// Source: https://sourceware.org/glibc/manual/latest/html_node/Low_002dLevel-Time-String-Parsing.html,
// read 2026-11, and recorded answers.
func strptime(v any, args []any) any {
	text, isText := v.(string)
	format, isFormat := args[0].(string)
	if !isText || !isFormat {
		return errRefused
	}
	p := parser{text: text, year: 1900, weekday: 8, yearDay: 367, hour12: -1, century: -1, week: -1}
	if !p.read(format) || p.text != "" && !blank(p.text[0]) {
		return errRefused
	}
	p.finish()
	got := []any{p.year, p.month, p.day, p.hour, p.minute, p.second, p.weekday, p.yearDay}
	if p.text != "" {
		got = append(got, p.text)
	}
	return got
}

// parser holds the rest of the text, and what was read.
type parser struct {
	text                                   string
	year, month, day, hour, minute, second int
	weekday, yearDay                       int
	hour12, century, week                  int // -1 when they are not given
	afternoon, sunday                      bool
	hasMonth, hasDay, hasWeekday, hasDate  bool
	hasYearDay, hasYear                    bool
}

func blank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func (p *parser) skipBlanks() { p.text = strings.TrimLeft(p.text, " \t\n\v\f\r") }

// read reads the text by a format.
func (p *parser) read(format string) bool {
	for i := 0; i < len(format); i++ {
		switch c := format[i]; {
		case blank(c):
			p.skipBlanks()
			continue
		case c != '%':
			if p.text == "" || p.text[0] != c {
				return false
			}
			p.text = p.text[1:]
			continue
		}
		rest := strings.TrimLeft(format[i+1:], "-_0^#123456789")
		switch { // other numbers, and other calendars, than the usual ones: here there are none
		case strings.HasPrefix(rest, "O"), len(rest) > 1 && rest[0] == 'E' && strings.IndexByte("cCxXY", rest[1]) >= 0:
			rest = rest[1:]
		}
		if rest == "" || !p.directive(rest[0]) {
			return false
		}
		i = len(format) - len(rest)
	}
	return true
}

// composed are the directives that stand for several.
var composed = map[byte]string{
	'D': "%m/%d/%y", 'x': "%m/%d/%y", 'F': "%Y-%m-%d", 'T': "%H:%M:%S", 'X': "%H:%M:%S", 'R': "%H:%M", 'r': "%I:%M:%S %p",
	'c': "%a %b %e %H:%M:%S %Y",
}

func (p *parser) directive(c byte) bool {
	if format, ok := composed[c]; ok {
		return p.read(format)
	}
	switch c {
	case '%':
		rest, ok := strings.CutPrefix(p.text, "%")
		p.text = rest
		return ok
	case 'n', 't':
		p.skipBlanks()
		return true
	case 'a', 'A':
		p.hasWeekday = true
		return p.name(&p.weekday, 7, func(i int) string { return time.Weekday(i).String() })
	case 'b', 'B', 'h':
		p.hasMonth, p.hasDate = true, true
		return p.name(&p.month, 12, func(i int) string { return time.Month(i + 1).String() })
	case 'p':
		return p.halfDay()
	case 'z':
		return p.offset()
	case 'Z':
		p.skipBlanks()
		p.text = strings.TrimLeftFunc(p.text, func(r rune) bool { return r > ' ' })
		return true
	case 's':
		return p.epoch()
	}
	return p.numbered(c)
}

// numbered reads a directive that is a number.
func (p *parser) numbered(c byte) bool {
	n := 0
	switch c {
	case 'Y':
		p.hasYear, p.hasDate, p.century = true, true, -1
		return p.number(0, 9999, 4, &p.year)
	case 'C':
		p.hasDate = true
		return p.number(0, 99, 2, &p.century)
	case 'y':
		p.hasYear, p.hasDate = true, true
		if !p.number(0, 99, 2, &n) {
			return false
		}
		const pivot = 69 // of POSIX
		p.year = 1900 + n
		if n < pivot {
			p.year += 100
		}
		return true
	case 'm':
		p.hasMonth, p.hasDate = true, true
		ok := p.number(1, 12, 2, &n)
		p.month = n - 1
		return ok
	case 'd', 'e':
		p.hasDay, p.hasDate = true, true
		return p.number(1, 31, 2, &p.day)
	case 'H', 'k':
		p.hour12 = -1
		return p.number(0, 23, 2, &p.hour)
	case 'I', 'l':
		ok := p.number(1, 12, 2, &n)
		p.hour12 = n % 12
		return ok
	case 'M':
		return p.number(0, 59, 2, &p.minute)
	case 'S':
		return p.number(0, 61, 2, &p.second)
	case 'j':
		p.hasYearDay = true
		ok := p.number(1, 366, 3, &n)
		p.yearDay = n - 1
		return ok
	case 'U', 'W':
		p.sunday = c == 'U'
		return p.number(0, 53, 2, &p.week)
	case 'w':
		p.hasWeekday = true
		return p.number(0, 6, 1, &p.weekday)
	case 'u':
		p.hasWeekday = true
		ok := p.number(1, 7, 1, &n)
		p.weekday = n % 7
		return ok
	case 'V':
		return p.number(0, 53, 2, &n)
	case 'g':
		return p.number(0, 99, 2, &n)
	case 'G':
		return p.number(0, 9999, 4, &n)
	}
	return false
}

// number reads up to so many digits.
func (p *parser) number(least, most, digits int, into *int) bool {
	p.text = strings.TrimLeft(p.text, " ")
	n, count := 0, 0
	for count < digits && count < len(p.text) && '0' <= p.text[count] && p.text[count] <= '9' {
		n = 10*n + int(p.text[count]-'0')
		if count++; n > most {
			return false
		}
	}
	p.text = p.text[count:]
	*into = n
	return count > 0 && n >= least
}

// name reads one of so many names, in whole or its first three letters.
func (p *parser) name(into *int, count int, name func(int) string) bool {
	for i := range count {
		for _, text := range []string{name(i), name(i)[:3]} {
			if len(p.text) >= len(text) && strings.EqualFold(p.text[:len(text)], text) {
				p.text = p.text[len(text):]
				*into = i
				return true
			}
		}
	}
	return false
}

func (p *parser) halfDay() bool {
	if len(p.text) < 2 || !strings.EqualFold(p.text[:2], "AM") && !strings.EqualFold(p.text[:2], "PM") {
		return false
	}
	p.afternoon = strings.EqualFold(p.text[:2], "PM")
	p.text = p.text[2:]
	return true
}

// offset reads Z, +hh, +hhmm or +hh:mm.
func (p *parser) offset() bool {
	p.skipBlanks()
	if p.text == "" {
		return false
	}
	sign := p.text[0]
	p.text = p.text[1:]
	if sign == 'Z' {
		return true
	}
	digits := 0
	for digits < 4 && p.text != "" {
		switch c := p.text[0]; {
		case '0' <= c && c <= '9':
			digits++
		case c == ':' && digits == 2:
		default:
			return (sign == '+' || sign == '-') && digits == 2
		}
		p.text = p.text[1:]
	}
	return (sign == '+' || sign == '-') && (digits == 2 || digits == 4)
}

// epoch reads seconds since 1970.
func (p *parser) epoch() bool {
	n := 0
	if !p.number(0, maxSeconds, 17, &n) {
		return false
	}
	t := time.Unix(int64(n), 0).UTC()
	p.year, p.month, p.day = t.Year(), int(t.Month())-1, t.Day()
	p.hour, p.minute, p.second = t.Hour(), t.Minute(), t.Second()
	p.hasDate, p.hasMonth, p.hasDay, p.hour12 = true, true, true, -1
	return true
}

// finish works out what follows from what was read.
func (p *parser) finish() {
	if p.hour12 >= 0 {
		p.hour = p.hour12
		if p.afternoon {
			p.hour += 12
		}
	}
	if p.century >= 0 {
		if p.hasYear {
			p.year = p.year%100 + 100*p.century
		} else {
			p.year = 100 * p.century
		}
	}
	if p.hasDate && !(p.hasMonth && p.hasDay) {
		switch {
		case p.hasYearDay:
			t := time.Date(p.year, 1, 1+p.yearDay, 0, 0, 0, 0, time.UTC)
			p.month, p.day = int(t.Month())-1, t.Day()
		case p.week >= 0 && p.hasWeekday:
			p.byWeek()
		}
	}
	date := time.Date(p.year, time.Month(p.month+1), p.day, 0, 0, 0, 0, time.UTC)
	if !p.hasWeekday && (p.hasDate || p.day != 0) {
		p.weekday = int(date.Weekday())
	}
	if !p.hasYearDay && (p.hasDate || p.day != 0) {
		first := time.Date(p.year, time.Month(p.month+1), 1, 0, 0, 0, 0, time.UTC)
		p.yearDay = first.YearDay() - 1 + p.day - 1
	}
}

// byWeek finds the day by the number of a week and a weekday.
func (p *parser) byWeek() {
	first := time.Date(p.year, 1, 1, 0, 0, 0, 0, time.UTC)
	start, day := int(first.Weekday()), p.weekday
	if !p.sunday { // weeks begin on Monday
		start, day = (start+6)%7, (day+6)%7
	}
	t := first.AddDate(0, 0, (7-start)%7+(p.week-1)*7+day)
	p.month, p.day = int(t.Month())-1, t.Day()
}

package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// keyAndValue splits a line of a block mapping.
var keyAndValue = regexp.MustCompile(`^([ \t]*(?:- +)*)("[^"]*"|'[^']*'|[^\s:#'"{\[,]+):[ \t]+(.*?)[ \t]*$`)

// maxHint bounds the expressions that a hint repeats, in bytes.
const maxHint = 120

// hint is what is known of a value that is jq and that YAML does not read as text.
type hint struct {
	cause  string // what YAML takes it for
	fix    string // what to type
	column int    // of the value
	value  string
	quoted string // the value in single quotes
	inside bool   // the value is text to YAML, up to a comment
	open   bool   // a quote that is not closed
	tail   bool   // something stands after the closing quote
	inOne  bool   // several keys stand in one line
	glob   bool   // the value is a pattern of paths, and no jq
}

// noExpression are the signs with which no jq begins.
const noExpression = "`%,]}*&|>"

// begins is what a character means to YAML where a value begins.
//
// Source: https://yaml.org/spec/1.2.2/#53-indicator-characters, read 2026-11.
var begins = map[byte]string{
	'@': `a value cannot begin with "@"`,
	'`': "a value cannot begin with \"`\"",
	'%': `a value cannot begin with "%"`,
	',': `a value cannot begin with ","`,
	']': `a value cannot begin with "]"`,
	'}': `a value cannot begin with "}"`,
	'*': `to YAML "*" begins an alias`,
	'&': `to YAML "&" begins an anchor`,
	'!': `to YAML "!" begins a tag`,
	'[': `to YAML "[" begins a list`,
	'{': `to YAML "{" begins a mapping`,
	'|': `to YAML "|" begins a text in the lines below`,
	'>': `to YAML ">" begins a text in the lines below`,
}

// blocks are the keys whose value is no expression.
var blocks = []string{"resources", "selector", "port", "entity", "mappings", "properties", "relations", "rules", "files", "folders"}

// innerKey is a key where a value should be.
var innerKey = regexp.MustCompile(`^[A-Za-z][\w-]*: +\S`)

// findHint recognises a line whose value is jq that YAML does not read as text.
func findHint(line string) (hint, bool) {
	if h, ok := globHint(line); ok {
		return h, true
	}
	m := keyAndValue.FindStringSubmatch(line)
	if m == nil || m[3] == "" {
		return hint{}, false
	}
	key, value := m[2], m[3]
	h := hint{
		column: utf8.RuneCountInString(strings.TrimRight(line, " \t")) - utf8.RuneCountInString(value) + 1,
		value:  value,
		quoted: InSingleQuotes(value),
	}
	quote := value[0]
	switch cause := begins[quote]; {
	case quote == '\'' || quote == '"':
		return h.quote(key)
	case strings.HasPrefix(value, "{{"):
		expr, _ := WithoutBraces(value)
		h.cause, h.quoted = cause, InSingleQuotes(expr)
		h.fix = "this is the language of templates, and not jq: write " + key + ": " + h.quoted
		return h, true
	case strings.IndexByte(noExpression, quote) >= 0:
		h.cause = cause
		h.fix = fmt.Sprintf("begin the expression otherwise: jq does not begin with %q either; a field is written .name", string(quote))
		if quote == '|' || quote == '>' {
			h.fix = fmt.Sprintf("remove the %q, or write the expression in the lines below", string(quote))
		}
		return h, true
	case (quote == '{' || quote == '[') && slices.Contains(blocks, key):
		h.cause, h.inOne = cause+", in which commas, colons and brackets are its own", true
		h.fix = "put each expression within it in single quotes"
		return h, true
	case cause != "":
		h.cause = cause
	case innerKey.MatchString(value):
		h.cause, h.inOne = "two keys are in one line", true
		h.fix = "write the second one in the line below, with deeper indentation: " + cutHint(value)
		return h, true
	case strings.Contains(value, ": "), strings.HasSuffix(value, ":"):
		h.cause = `to YAML ": " ends a key, and a value cannot hold one`
		left, more, _ := strings.Cut(value, ":")
		if more = strings.TrimSpace(more); !plausible(value) && plausible(left) {
			h.fix = "remove the colon at the end: " + key + ": " + left
			if more != "" {
				h.fix = "jq has a colon in texts and in braces only; for a default write " + key + ": " + left + " // " + more
			}
			return h, true
		}
	case strings.Contains(value, " #"):
		h.cause, h.inside = `to YAML " #" begins a comment`, true
	default:
		return hint{}, false
	}
	h.quoteFix(key)
	return h, true
}

func (h *hint) quoteFix(key string) {
	h.fix = "put the whole expression in single quotes: " + key + ": " + h.quoted
	if len(h.value) > maxHint {
		h.fix = "put the whole expression in single quotes, and write each ' in it twice"
	}
}

// quote is for a value that begins with a quote.
func (h hint) quote(key string) (hint, bool) {
	value := h.value
	last := len(value) - 1
	switch end := closing(value); {
	case end == last:
		return hint{}, false
	case end < 0:
		h.cause, h.fix, h.open = "the quote that begins here is not closed", "close the quote at the end of the value", true
		return h, true
	}
	h.cause, h.tail = "to YAML the value ends with its second quote, and more follows", true
	bare := unquoted(value)
	h.quoted = InSingleQuotes(bare)
	h.quoteFix(key)
	if inner := value[1:last]; value[0] == '\'' && value[last] == '\'' && strings.Count(inner, "'")%2 == 1 {
		h.fix = "write each single quote inside twice: " + key + ": '" + strings.ReplaceAll(inner, "'", "''") + "'"
	} else if aWord.MatchString(strings.Trim(bare, `"`)) {
		h.fix = "write a text in both quotes, each once: " + key + ": " + h.quoted
	} else if value[0] == '"' && strings.HasPrefix(h.quoted[1:], value[1:last]) && len(value) <= maxHint {
		h.fix = "write single quotes around the whole value, and not double ones: " + key + ": " + h.quoted
	}
	return h, true
}

// ofTemplate is a field as the language of templates has it.
var ofTemplate = regexp.MustCompile(`\{\{\s*(.*?)\s*\}\}`)

// WithoutBraces returns the jq expression for a text with {{ .name }} in it. It returns
// false when there is none in it.
func WithoutBraces(text string) (expr string, ok bool) {
	m := ofTemplate.FindStringSubmatch(text)
	if m != nil && m[0] == strings.TrimSpace(text) {
		return m[1], true
	}
	return `"` + ofTemplate.ReplaceAllString(text, `\($1)`) + `"`, m != nil
}

// glob is a value that is a pattern of paths.
var glob = regexp.MustCompile(`^([ \t]*(?:- +)*)((?:path|repos?|name|branch|filenames): +|- +)([*{\[][^\s'":]*)[ \t]*$`)

// globHint recognises a pattern of paths that YAML does not read as text.
func globHint(line string) (hint, bool) {
	m := glob.FindStringSubmatch(line)
	if m == nil || m[3][0] != '*' && (!strings.ContainsAny(m[3], "/*") || strings.HasPrefix(m[3], "[.")) {
		return hint{}, false
	}
	value := m[3]
	return hint{
		cause:  begins[value[0]],
		fix:    "put the pattern in single quotes: " + strings.TrimSpace(m[2]) + " " + InSingleQuotes(value),
		column: utf8.RuneCountInString(m[1]+m[2]) + 1,
		value:  value,
		quoted: InSingleQuotes(value),
		glob:   true,
	}, true
}

// mend returns the text with the value of a line in quotes, as it was meant. It returns
// false when that is not known, or was tried.
func (s *source) mend(text string, number int) (string, bool) {
	lines := newSource("", text).lines
	if number < 1 || number > len(lines) {
		return "", false
	}
	line := strings.TrimRight(lines[number-1], " \t")
	h, found := findHint(line)
	if _, tried := s.mended[number]; tried || !found || h.inside || h.inOne || continues(lines, number) {
		return "", false
	}
	if s.mended == nil {
		s.mended = map[int]bool{}
	}
	s.mended[number] = true
	lines[number-1] = h.mended(line)
	return strings.Join(lines, "\n"), true
}

// mended is the line of a hint with the value in quotes.
func (h hint) mended(line string) string { return string([]rune(line)[:h.column-1]) + h.quoted }

// continues reports whether the value of a line goes on in the next one.
func continues(lines []string, number int) bool {
	own := indent(lines[number-1])
	for _, line := range lines[number:] {
		if strings.TrimSpace(line) != "" {
			return indent(line) > own
		}
	}
	return false
}

// indent counts the blanks, and the dashes of list items, before a line's text.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t-")) }

// maxReread bounds the text that is read again to find what is wrong with it, in bytes
// of all readings together.
const maxReread = 16 << 20

// reread reports whether a text may be read once more.
func (s *source) reread(text string) bool {
	s.readAgain += len(text)
	return s.readAgain <= maxReread
}

// openQuote finds the line that opens a quote and does not close it, if closing it
// there solves a syntax error. YAML itself reports it where some later quote ends
// the value.
func (s *source) openQuote(text string, lines []string, reached int) (line int, ok bool) {
	for number := min(strings.Count(text[:reached], "\n"), len(lines)); number > 0; number-- {
		h, found := findHint(lines[number-1])
		if !found || !h.open && !h.tail {
			continue
		}
		if !s.reread(text) {
			return 0, false
		}
		mended := append([]string(nil), lines...)
		mended[number-1] = h.mended(lines[number-1])
		joined := strings.Join(mended, "\n")
		if readable(joined) || readUntilError(joined) > reached+len(joined)-len(text) {
			return number, true
		}
	}
	return 0, false
}

func cutHint(text string) string {
	if len(text) > maxHint {
		return "…"
	}
	return text
}

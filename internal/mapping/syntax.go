package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// document reads the one YAML document of the text. The problem is nil when
// there is exactly one.
func document(src *source, text string) (*yaml.Node, *Problem) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	first, err := next(decoder)
	start := Position{File: src.file, Line: 1, Column: 1}
	switch {
	case errors.Is(err, io.EOF):
		p := src.problem(Error, start, "", "", "the mapping is empty", `write a list of resources under "resources:"`)
		return nil, &p
	case err != nil:
		return nil, syntaxProblem(src, text, err)
	}
	second, err := next(decoder)
	switch {
	case errors.Is(err, io.EOF):
		return first.Content[0], nil
	case err != nil:
		return nil, syntaxProblem(src, text, err)
	}
	pos := Position{File: src.file, Line: second.Line, Column: second.Column}
	p := src.problem(Error, pos, "", "", `a mapping is one YAML document, and "---" starts another here`,
		"keep one document: put all resources into one list")
	return nil, &p
}

// next reads one document. A panic of the YAML library is an error: foreign
// text must not end the program.
func next(decoder *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("yaml: the text cannot be read: %v", r)
		}
	}()
	doc = new(yaml.Node)
	if err := decoder.Decode(doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("yaml: the text has no value")
	}
	return doc, nil
}

// syntaxError takes the message of the YAML library apart.
var syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

// syntaxProblem tells where a text stops being YAML, and names the ways in
// which jq is known to break it.
func syntaxProblem(src *source, text string, err error) *Problem {
	message, reported := err.Error(), 0
	if m := syntaxError.FindStringSubmatch(message); m != nil {
		message = m[2]
		reported, _ = strconv.Atoi(m[1])
	}
	line := badLine(src, text, reported)
	written := src.line(line)
	column := 1 + utf8.RuneCountInString(written) - utf8.RuneCountInString(strings.TrimLeft(written, " \t"))
	fix := "check the indentation, the colons and the quotes of this line and of the one above"
	indent := written[:len(written)-len(strings.TrimLeft(written, " \t"))]
	if hint, at, ok := quoteHint(written); ok {
		fix, column = hint, at
	} else if i := strings.IndexByte(indent, '\t'); i >= 0 {
		fix, column = "indent with spaces: YAML takes no tabs", i+1
	}
	pos := Position{File: src.file, Line: line, Column: column}
	p := src.problem(Error, pos, "", "", "not YAML: "+message, fix)
	return &p
}

// byteReader gives one byte a call and counts them, so that after an error the
// count tells how far the YAML library has looked.
type byteReader struct {
	text string
	read int
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.read >= len(r.text) {
		return 0, io.EOF
	}
	n := copy(p[:min(1, len(p))], r.text[r.read:])
	r.read += n
	return n, nil
}

// badLine finds the line of a syntax error. The line that the YAML library
// names is often the start of the value that it was reading, and one too low.
// It looks ahead as far as the next line, so the error is in the first line,
// of the last ones it read, without which the text can be read. When nothing
// could be decided before the end of the text, the library's own line is used.
func badLine(src *source, text string, reported int) int {
	r := &byteReader{text: text}
	decoder := yaml.NewDecoder(r)
	var err error
	for err == nil {
		_, err = next(decoder)
	}
	lines := newSource("", text[:r.read]).lines
	last := len(lines)
	if last > 1 && lines[last-1] == "" {
		last--
	}
	for line := last; line > 0 && line > last-4; line-- {
		if readable(strings.Join(src.lines[:line-1], "\n")) {
			return line
		}
	}
	if r.read >= len(text) && reported > 0 {
		return min(reported, len(src.lines))
	}
	return min(last, len(src.lines))
}

func readable(text string) bool {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := next(decoder); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// keyAndValue splits a line of a block mapping.
var keyAndValue = regexp.MustCompile(`^([ \t]*(?:- +)*)("[^"]*"|'[^']*'|[^\s:#'"{\[,]+):[ \t]+(.*?)[ \t]*$`)

// maxHint bounds the expressions that a hint repeats, in bytes.
const maxHint = 120

// quoteHint recognises a line whose value is jq that YAML does not read as
// text. It says what to type and gives the column of the value.
func quoteHint(line string) (fix string, column int, ok bool) {
	m := keyAndValue.FindStringSubmatch(line)
	if m == nil || m[3] == "" {
		return "", 0, false
	}
	key, value := m[2], m[3]
	column = utf8.RuneCountInString(strings.TrimRight(line, " \t")) - utf8.RuneCountInString(value) + 1
	quote := value[0]
	switch {
	case quote == '\'' || quote == '"':
		if strings.Count(value, string(quote))%2 == 1 {
			return "close the quote at the end of the value", column, true
		}
		if closed(value) {
			return "", 0, false
		}
	case strings.IndexByte("@*&![{%`|>,]}", quote) >= 0,
		strings.Contains(value, ": "), strings.HasSuffix(value, ":"), strings.Contains(value, " #"):
	default:
		return "", 0, false
	}
	if len(value) > maxHint {
		return "put the whole expression in single quotes, and write each ' in it twice", column, true
	}
	return "put the whole expression in single quotes: " + key + ": '" + strings.ReplaceAll(value, "'", "''") + "'", column, true
}

// closed reports whether the value is one quoted scalar and nothing behind it.
func closed(value string) bool {
	quote := value[0]
	for i := 1; i < len(value); i++ {
		switch {
		case quote == '"' && value[i] == '\\':
			i++
		case value[i] != quote:
		case quote == '\'' && i+1 < len(value) && value[i+1] == quote:
			i++
		default:
			return i == len(value)-1
		}
	}
	return false
}

// jsonEscapes are the escapes of JSON that the YAML library does not read: a
// character beyond 16 bits as two surrogates, and a slash.
var jsonEscapes = regexp.MustCompile(`\\(?:/|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})`)

// writeOut replaces these escapes in a JSON text. A backslash that is escaped
// itself starts none.
func writeOut(text []byte) []byte {
	var out bytes.Buffer
	end := 0
	for _, at := range jsonEscapes.FindAllIndex(text, -1) {
		slashes := 0
		for i := at[0] - 1; i >= 0 && text[i] == '\\'; i-- {
			slashes++
		}
		if slashes%2 == 1 {
			continue
		}
		out.Write(text[end:at[0]])
		end = at[1]
		escape := string(text[at[0]:end])
		if escape == `\/` {
			out.WriteByte('/')
			continue
		}
		high, _ := strconv.ParseUint(escape[2:6], 16, 16)
		low, _ := strconv.ParseUint(escape[8:12], 16, 16)
		out.WriteRune(utf16.DecodeRune(rune(high), rune(low)))
	}
	out.Write(text[end:])
	return out.Bytes()
}

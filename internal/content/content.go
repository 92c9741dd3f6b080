// Package content reads the files of repositories: it makes JSON values of their texts,
// within bounds.
package content

import (
	"bytes"
	"path"
	"strings"
)

// byteOrderMark may begin a text, and is not a part of it.
const byteOrderMark = "\uFEFF"

// Parsed is what a file holds, as JSON values with numbers as json.Number.
type Parsed struct {
	Value any
	// Repeated names the first key that a mapping of a YAML file has twice, and its line: the
	// last value stands. It is empty where there is none.
	Repeated string
	// Older is what the value would be in Port's own integration, where it Differs: PyYAML takes
	// yes for true, 014 for 12, and 1e3 for a text, by YAML 1.1, and Python writes 1.10 as 1.1.
	Older   any
	Differs bool
}

// Format is the name of the format that a file is parsed as, by its name; empty
// for a file that is text alone.
func Format(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		return "JSON"
	case ".yaml", ".yml":
		return "YAML"
	}
	return ""
}

// Text is the text of a file, with U+FFFD for invalid UTF-8.
func Text(text []byte) string { return strings.ToValidUTF8(string(text), "\uFFFD") }

// Binary reports whether a file is not text: text has no NUL.
func Binary(body []byte) bool { return bytes.IndexByte(body, 0) >= 0 }

// Reader reads the files of a run, and is safe for concurrent use: of those that may take
// much memory it reads one at a time.
type Reader struct{ turn chan struct{} }

// NewReader returns a reader.
func NewReader() *Reader { return &Reader{make(chan struct{}, 1)} }

// Parse returns the content of a file: parsed by the extension of its name, or
// else as text. A file that holds nothing to parse is nil. A YAML file of several
// documents is an array of them; documents without anything in them are left out.
//
// Time and memory are bounded by the size of the text, whatever it holds. The
// error is why it does not parse.
func (r *Reader) Parse(name string, text []byte) (Parsed, error) {
	switch Format(name) {
	case "JSON":
		value, err := parseJSON(plainText(text))
		return parsedJSON(value), err
	case "YAML":
		text = plainText(text)
		if value, ok := jsonInYAML(text); ok {
			return parsedJSON(value), nil
		}
		tokens, flow := countTokens(text)
		switch {
		case tokens > maxYAMLTokens, flow > maxFlowMarks:
			return Parsed{}, errMany
		case tokens > sideBySide:
			r.turn <- struct{}{}
			defer func() { <-r.turn }()
		}
		return parseYAML(text)
	}
	return Parsed{Value: Text(text)}, nil
}

func parsedJSON(value any) Parsed {
	parsed := Parsed{Value: value}
	if older, differs := pythonNumbers(value); differs {
		parsed.Older, parsed.Differs = older, true
	}
	return parsed
}

func plainText(text []byte) []byte {
	return bytes.ToValidUTF8(bytes.TrimPrefix(text, []byte(byteOrderMark)), []byte("\uFFFD"))
}

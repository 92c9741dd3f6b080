// Package content reads the files of repositories: it makes JSON values of their texts,
// within bounds.
package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strings"
)

const (
	// maxJSONValues bounds the values of a JSON file, in which each takes two bytes at least.
	maxJSONValues = 1_000_000
	// byteOrderMark may begin a text, and is not a part of it.
	byteOrderMark = "\uFEFF"
)

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

// Parse returns the content of a file as a JSON value, with numbers as
// json.Number: parsed by the extension of its name, or else as text. A file that
// holds nothing to parse is nil. A YAML file of several documents is an array of
// them; documents without anything in them are left out.
//
// Time and memory are bounded by the size of the text, whatever it holds. The
// error is why it does not parse.
func Parse(name string, text []byte) (any, error) {
	switch Format(name) {
	case "JSON":
		return parseJSON(plainText(text))
	case "YAML":
		return parseYAML(plainText(text))
	}
	return Text(text), nil
}

func plainText(text []byte) []byte {
	return bytes.ToValidUTF8(bytes.TrimPrefix(text, []byte(byteOrderMark)), []byte("\uFFFD"))
}

func parseJSON(text []byte) (any, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	if err := checkJSONSize(text); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the value")
	}
	return value, nil
}

// checkJSONSize counts brackets and commas before anything is made of them.
func checkJSONSize(text []byte) error {
	depth, values, quoted := 0, 1, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[', c == '{':
			depth++
			values++
		case c == ']', c == '}':
			depth--
		case c == ',':
			values++
		}
		if depth > maxContentDepth {
			return errDeep
		}
	}
	if values > maxJSONValues {
		return errMany
	}
	return nil
}

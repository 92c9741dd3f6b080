package mapping

import (
	"strconv"
	"unicode"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
)

// walker reads the characters of a scalar where they stand in the file.
type walker struct {
	src    *source
	style  yaml.Style
	number int    // of the line, from 1
	line   []rune // that line
	at     int    // index in line; len(line) is the line break
}

func newWalker(src *source, pos diag.Position, style yaml.Style) *walker {
	return &walker{src: src, style: style, number: pos.Line, line: []rune(src.line(pos.Line)), at: max(0, pos.Column-1)}
}

func (w *walker) position() diag.Position {
	return diag.Position{File: w.src.file, Line: w.number, Column: w.at + 1}
}

// down goes to the start of the next line. It returns false at the end.
func (w *walker) down() bool {
	if w.number >= len(w.src.lines) {
		return false
	}
	w.number++
	w.line, w.at = []rune(w.src.line(w.number)), 0
	return true
}

// enter goes past anchor, tag and opening quote, or past the head of a block.
func (w *walker) enter() bool {
	for w.at < len(w.line) && (w.line[w.at] == '&' || w.line[w.at] == '!') {
		for w.at < len(w.line) && !isBlank(w.line[w.at]) {
			w.at++
		}
		if !w.skipBlanks() {
			return false
		}
	}
	switch w.style {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		return w.down()
	case yaml.SingleQuotedStyle:
		return w.pass('\'')
	case yaml.DoubleQuotedStyle:
		return w.pass('"')
	}
	return true
}

func (w *walker) pass(want rune) bool {
	if w.at >= len(w.line) || w.line[w.at] != want {
		return false
	}
	w.at++
	return true
}

// skipBlanks goes to the next character that is not blank. It returns false when
// there is none.
func (w *walker) skipBlanks() bool {
	for {
		if w.at >= len(w.line) {
			if !w.down() {
				return false
			}
			continue
		}
		r, width := w.peek()
		if width == 0 || !isBlank(r) {
			return width > 0
		}
		w.at += width
	}
}

// nextBlank goes past this blank if it stands here. A line break stays: it is
// folded, and the blank is not in the file.
func (w *walker) nextBlank(want rune) {
	if r, width := w.peek(); width > 0 && r == want {
		w.at += width
	}
}

func (w *walker) next() (rune, bool) {
	r, width := w.peek()
	w.at += width
	return r, width > 0
}

// escapes are the escapes of one letter in double quotes. An escape of a blank
// returns that blank.
// Source: scannerc.go of gopkg.in/yaml.v3 v3.0.1, read 2026-11.
var escapes = map[rune]rune{
	'0': 0, 'a': '\a', 'b': '\b', 't': '\t', '\t': '\t', 'n': '\n', 'v': '\v', 'f': '\f',
	'r': '\r', 'e': 0x1B, ' ': ' ', '"': '"', '\'': '\'', '\\': '\\',
	'N': 0x85, '_': 0xA0, 'L': 0x2028, 'P': 0x2029,
}

// peek returns the character here as YAML reads it, and how many characters it
// takes in the file: 0 when there is none or it is not understood.
func (w *walker) peek() (r rune, width int) {
	rest := w.line[min(w.at, len(w.line)):]
	if len(rest) == 0 {
		return 0, 0
	}
	switch {
	case w.style == yaml.SingleQuotedStyle && rest[0] == '\'' && len(rest) > 1 && rest[1] == '\'':
		return '\'', 2
	case w.style != yaml.DoubleQuotedStyle || rest[0] != '\\':
		return rest[0], 1
	case len(rest) == 1:
		return ' ', 1 // an escaped line break
	}
	if r, ok := escapes[rest[1]]; ok {
		return r, 2
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[rest[1]]
	if digits == 0 || len(rest) < 2+digits {
		return 0, 0
	}
	code, err := strconv.ParseUint(string(rest[2:2+digits]), 16, 32)
	if err != nil || code > unicode.MaxRune {
		return 0, 0
	}
	return rune(code), 2 + digits
}

// isBlank reports whether YAML may fold the character, or it breaks a line.
func isBlank(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

package content

import (
	"bytes"
	"regexp"
)

// maxTags bounds the %TAG directives of a text: the parsers compare each with all before.
const maxTags = 1000

// Directives are lines such as "%YAML 1.2" before the first line of a document. Our YAML
// libraries refuse versions other than 1.1, and names that are reserved for later, which
// a processor should pass over with a warning.
//
// Source: https://yaml.org/spec/1.2.2/#68-directives, read 2026-11.
var (
	version  = regexp.MustCompile(`^%YAML[ \t]+1\.[0-9]+[ \t]*(?:[ \t]#.*)?$`)
	reserved = regexp.MustCompile(`^%[^ \t%]`)
)

// Directives returns a YAML text in which the directives that our libraries refuse, and that
// YAML tells a processor to pass over, are comments: at the same place and of the same length.
// Wrong ones stay, for the library to refuse. The error is that there are too many.
func Directives(text []byte) ([]byte, error) {
	if !bytes.HasPrefix(text, []byte("%")) && !bytes.Contains(text, []byte("\n%")) && !bytes.Contains(text, []byte("\r%")) {
		return text, nil
	}
	out := text
	p := prologue{open: true}
	for from := 0; from < len(text); {
		line := text[from:]
		if end := bytes.IndexAny(line, "\r\n"); end >= 0 {
			line = line[:end]
		}
		if p.read(line, from); p.tags > maxTags {
			return nil, errMany
		}
		if p.whole {
			if &out[0] == &text[0] {
				out = bytes.Clone(text)
			}
			for _, at := range p.passed {
				out[at] = '#'
			}
			p = prologue{tags: p.tags}
		}
		from += len(line) + 1
	}
	return out, nil
}

// prologue is the state between two documents, where directives may stand.
type prologue struct {
	open    bool  // no document has begun
	whole   bool  // a document begins, and its directives are right
	passed  []int // where directives begin that can be passed over
	version bool
	wrong   bool
	tags    int
}

func (p *prologue) read(line []byte, at int) {
	marker := func(mark string) bool {
		rest, ok := bytes.CutPrefix(line, []byte(mark))
		return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t')
	}
	content := bytes.TrimLeft(line, " \t")
	switch {
	case marker("..."):
		*p = prologue{open: true, tags: p.tags}
	case !p.open, len(content) == 0, content[0] == '#':
	case line[0] == '%':
		p.directive(line, at)
	default:
		p.open = false
		p.whole = marker("---") && !p.wrong && len(p.passed) > 0
	}
}

func (p *prologue) directive(line []byte, at int) {
	name := line
	if end := bytes.IndexAny(line, " \t"); end >= 0 {
		name = line[:end]
	}
	switch {
	case string(name) == "%TAG":
		p.tags++
	case string(name) == "%YAML":
		p.wrong = p.wrong || p.version || !version.Match(line)
		p.version = true
		p.passed = append(p.passed, at)
	case reserved.Match(line):
		p.passed = append(p.passed, at)
	default:
		p.wrong = true
	}
}

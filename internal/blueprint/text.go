package blueprint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"port-bitbucket-exporter/internal/diag"
)

// maxDepth bounds how deep values lie in each other: blueprints have ten levels.
const maxDepth = 100

// text is a file whose bytes have a line and a column.
type text struct {
	file    string
	content string
	starts  []int // of the lines
}

func newText(file, content string) *text {
	t := &text{file: file, content: strings.TrimPrefix(content, "\uFEFF"), starts: []int{0}}
	for i := range len(t.content) {
		if t.content[i] == '\n' {
			t.starts = append(t.starts, i+1)
		}
	}
	return t
}

// line returns the number of the line that a byte stands in, from 1, and its text.
func (t *text) line(offset int) (number int, line string) {
	low, high := 0, len(t.starts)
	for high-low > 1 {
		if middle := (low + high) / 2; t.starts[middle] <= offset {
			low = middle
		} else {
			high = middle
		}
	}
	end := len(t.content)
	if low+1 < len(t.starts) {
		end = t.starts[low+1] - 1
	}
	return low + 1, t.content[t.starts[low]:end]
}

func (t *text) position(offset int) diag.Position {
	offset = min(max(offset, 0), len(t.content))
	number, _ := t.line(offset)
	return diag.Position{File: t.file, Line: number, Column: 1 + utf8.RuneCountInString(t.content[t.starts[number-1]:offset])}
}

func (t *text) problem(offset int, rule diag.Rule, s diag.Severity, where diag.Where, message, fix string) diag.Problem {
	at := t.position(offset)
	_, line := t.line(offset)
	return diag.Problem{Rule: rule, Severity: s, At: at, Where: where, Message: message, Fix: fix, Snippet: strings.ToValidUTF8(strings.TrimSuffix(line, "\r"), "\uFFFD")}
}

// node is a value of the file.
type node struct {
	kind    jsontext.Kind
	start   int              // byte offset
	value   any              // of a scalar: string, bool, nil or json.Number
	keys    []string         // of an object, in file order
	members map[string]*node // of an object
	name    int              // byte offset of its key, or start
	items   []*node          // of an array
}

// parse reads the whole file, or says why it is not JSON.
func (t *text) parse() (*node, *diag.Problem) {
	p := &parser{t, jsontext.NewDecoder(strings.NewReader(t.content))}
	root, err := p.next(0)
	if err == nil {
		if _, end := p.ReadToken(); end != io.EOF {
			err = errBehind
		}
	}
	if err == nil {
		return root, nil
	}
	problem := p.explain(err)
	return nil, &problem
}

var (
	errBehind = errors.New("something follows the list")
	errDeep   = fmt.Errorf("values lie in each other more than %d levels deep", maxDepth)
)

type parser struct {
	*text
	*jsontext.Decoder
}

func (p *parser) next(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	n := &node{kind: p.PeekKind()}
	if n.kind != '{' && n.kind != '[' {
		raw, err := p.ReadValue()
		n.start = int(p.InputOffset()) - len(raw)
		n.name = n.start
		if err == nil {
			n.value, err = scalar(raw)
		}
		return n, err
	}
	if _, err := p.ReadToken(); err != nil {
		return nil, err
	}
	n.start = int(p.InputOffset()) - 1
	n.name = n.start
	read, end := p.item, jsontext.Kind(']')
	if n.kind == '{' {
		n.members = map[string]*node{}
		read, end = p.member, '}'
	}
	for p.PeekKind() != end {
		if err := read(n, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := p.ReadToken()
	return n, err
}

func (p *parser) item(n *node, depth int) error {
	item, err := p.next(depth)
	n.items = append(n.items, item)
	return err
}

func (p *parser) member(n *node, depth int) error {
	raw, err := p.ReadValue()
	if err != nil {
		return err
	}
	at := int(p.InputOffset()) - len(raw)
	key, err := scalar(raw)
	if err != nil {
		return err
	}
	value, err := p.next(depth)
	if err != nil {
		return err
	}
	value.name = at
	name, _ := key.(string)
	n.keys = append(n.keys, name)
	n.members[name] = value
	return nil
}

// scalar decodes a value that is neither an object nor an array.
func scalar(raw []byte) (v any, err error) {
	switch raw[0] {
	case '"':
		var s string
		err = json.Unmarshal(raw, &s)
		return s, err
	case 't', 'f':
		return raw[0] == 't', nil
	case 'n':
		return nil, nil
	}
	return json.Number(raw), nil
}

// explain says what is wrong with the JSON, and where.
func (p *parser) explain(err error) diag.Problem {
	offset := int(p.InputOffset())
	var e *jsontext.SyntacticError
	if errors.As(err, &e) {
		offset, err = int(e.ByteOffset), e.Err
	}
	rest := p.content[min(max(offset, 0), len(p.content)):]
	message, fix := "is not JSON: "+err.Error(), "look at the brackets, the commas and the double quotes here and in the line above"
	switch {
	case errors.Is(err, errBehind), errors.Is(err, errDeep):
		message, fix = err.Error(), listFix
	case errors.Is(err, jsontext.ErrDuplicateName):
		message, fix = "is not JSON: a key is written twice", "remove one of the two"
	case strings.TrimSpace(p.content) == "":
		message, fix = "the file is empty", listFix
	case rest == "":
		message, fix = "is not JSON: it ends before it is complete", "look for a missing ] or } or double quote"
	case closes(rest):
		message, fix = "is not JSON: a comma follows the last value of a list or of an object", "remove the comma"
	case rest[0] == '/' || rest[0] == '#':
		message, fix = "is not JSON: it has no comments", "remove the comment"
	case rest[0] == '\'':
		message, fix = "is not JSON: a text is in single quotes", "write double quotes"
	case rest[0] == '\n' || rest[0] == '\r':
		message, fix = "is not JSON: a text does not end in its line", `write the double quote at its end, and \n for the end of a line in it`
	case rest[0] == '"' || rest[0] == '{':
		fix = "look for a missing comma or colon before it"
	case rest[0] >= utf8.RuneSelf:
		fix = "save the file as UTF-8"
	}
	return p.problem(offset, RuleSyntax, diag.Error, diag.Where{}, message, fix)
}

const listFix = "a file is one list of blueprints: [{\"identifier\": …}, …]"

// closes reports whether a text begins with a comma that nothing follows.
func closes(rest string) bool {
	behind := strings.TrimLeft(rest[1:], " \t\r\n")
	return rest[0] == ',' && behind != "" && (behind[0] == ']' || behind[0] == '}')
}

// find returns the value at the end of a way of names and of numbers of items; nil where
// it ends before.
func (n *node) find(path []string) *node {
	for _, name := range path {
		if n == nil {
			return nil
		}
		if n.kind == '[' {
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(n.items) {
				return nil
			}
			n = n.items[i]
			continue
		}
		n = n.members[name]
	}
	return n
}

// text returns a value that is text, and else "".
func (n *node) text() string {
	if n == nil {
		return ""
	}
	s, _ := n.value.(string)
	return s
}

// any returns the value as plain JSON.
func (n *node) any(number func(json.Number) any) any {
	switch n.kind {
	case '{':
		m := make(map[string]any, len(n.members))
		for k, v := range n.members {
			m[k] = v.any(number)
		}
		return m
	case '[':
		list := make([]any, len(n.items))
		for i, v := range n.items {
			list[i] = v.any(number)
		}
		return list
	}
	if v, ok := n.value.(json.Number); ok {
		return number(v)
	}
	return n.value
}

func exact(v json.Number) any { return v }

// describe names the type of a value.
func (n *node) describe() string {
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a text"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "true or false"
}

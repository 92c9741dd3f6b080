package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/content"
	"port-bitbucket-exporter/internal/diag"
)

// maxBytes bounds the text of a mapping.
const maxBytes = 1 << 20

// Parse reads a mapping, YAML or JSON. The file is what positions name; nothing
// is opened. The error is Problems: every problem and warning, in file order, up
// to maxProblems. Then the Mapping is nil, or holds what could be read, to be
// checked further and never to be run.
func Parse(file string, src []byte) (*Mapping, error) {
	if p := checkText(file, src); p != nil {
		return nil, diag.Problems{*p}
	}
	src = bytes.TrimPrefix(src, []byte("\uFEFF"))
	if json.Valid(src) {
		src = content.ReplaceEscapes(src, content.Unescape)
	} else if read, err := content.Directives(src); err == nil {
		src = read
	}
	text := string(src)
	lines := newSource(file, text)
	doc, problems := readDocument(lines, text)
	if doc == nil {
		return nil, problems
	}
	m, problems := build(lines, doc, problems)
	problems.Sort()
	if len(problems.Errors()) > 0 {
		return m, cut(problems, diag.Error)
	}
	m.Warnings = cut(problems, diag.Warning)
	return m, nil
}

// build reads a document, and adds what is wrong with it to the problems.
func build(src *source, doc *yaml.Node, problems diag.Problems) (*Mapping, diag.Problems) {
	g := &grower{src: src, active: make(map[*yaml.Node]bool), problems: problems}
	root := g.grow(doc, 1)
	b := &builder{src: src, problems: g.problems}
	if g.stopped {
		return nil, b.problems
	}
	m := mappingBuilder{b}.mapping(root)
	return m, b.problems
}

// maxProblems bounds how many problems of one mapping are reported.
const maxProblems = 100

// cut keeps the first problems and counts the others in one more.
func cut(problems diag.Problems, severity diag.Severity) diag.Problems {
	more := len(problems) - maxProblems
	if more <= 0 {
		return problems
	}
	return append(problems[:maxProblems:maxProblems], diag.Problem{
		Rule:     RuleTooMany,
		Severity: severity,
		At:       problems[maxProblems].At,
		Message:  fmt.Sprintf("there are %d problems more", more),
		Fix:      "solve the others first",
	})
}

// checkText refuses what is not text before YAML sees it.
func checkText(file string, src []byte) *diag.Problem {
	if len(src) > maxBytes {
		return &diag.Problem{
			Rule:    RuleText,
			At:      diag.Position{File: file},
			Message: fmt.Sprintf("the mapping has more than %d bytes", maxBytes),
			Fix:     "check that this is the mapping file",
		}
	}
	if bytes.HasPrefix(src, []byte("\xFF\xFE")) || bytes.HasPrefix(src, []byte("\xFE\xFF")) {
		return &diag.Problem{Rule: RuleText, At: diag.Position{File: file}, Message: "the text is UTF-16, and not UTF-8",
			Fix: `save the file as UTF-8; in PowerShell write it with "Out-File -Encoding utf8"`}
	}
	offset, message := badCharacter(src)
	if message == "" {
		return nil
	}
	before := newSource(file, string(src[:offset])).lines
	pos := diag.Position{File: file, Line: len(before), Column: utf8.RuneCountInString(before[len(before)-1]) + 1}
	p := newSource(file, string(src)).problem(RuleText, diag.Error, pos, diag.Where{}, message, "save the file as plain text in UTF-8")
	return &p
}

// badCharacter finds the first byte that no YAML text may hold. The message is
// empty when there is none.
// Source: readerc.go of gopkg.in/yaml.v3 v3.0.1, read 2026-11.
func badCharacter(src []byte) (offset int, message string) {
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return i, "the text is not UTF-8"
		case r == 0:
			return i, "the text has a NUL character"
		case unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' && r != '\u0085':
			return i, fmt.Sprintf("the text has the control character %U", r)
		}
		i += size
	}
	return 0, ""
}

// mappingBuilder reads the top level.
type mappingBuilder struct{ *builder }

func (b mappingBuilder) mapping(root *node) *Mapping {
	m := &Mapping{}
	if root.kind != yaml.MappingNode {
		fix := `write a list of resources under "resources:"`
		if root.kind == yaml.SequenceNode {
			fix = `write "resources:" above the list`
		}
		b.error(RuleWrongType, root.pos, "", "the text of a mapping begins with the key \"resources\", found "+root.describe(), fix)
		return nil
	}
	m.Config, _ = root.plain().(map[string]any)
	values, ignored, _ := b.object(b.camelCase(root), "", Language)
	b.settings(m, values)
	b.unread(func() { b.settings(&Mapping{}, ignored) })
	b.resources(m, values, root)
	return m
}

func (b mappingBuilder) settings(m *Mapping, values values) {
	m.CreateMissingRelatedEntities = b.boolean(values, "createMissingRelatedEntities", "createMissingRelatedEntities", true)
	m.DeleteDependentEntities = b.boolean(values, "deleteDependentEntities", "deleteDependentEntities", false)
	m.EnableMergeEntity = b.boolean(values, "enableMergeEntity", "enableMergeEntity", true)
	m.EntityDeletionThreshold = b.threshold(values)
}

// camelCase returns the top level with snake_case keys renamed. A key in both
// spellings is a problem.
func (b mappingBuilder) camelCase(root *node) *node {
	names := make(map[string]string, len(Language))
	for _, key := range Language {
		names[SnakeCase(key.Name)] = key.Name
	}
	renamed := *root
	renamed.entries = nil
	for _, e := range root.entries {
		camel := names[e.key]
		if camel != "" && camel != e.key {
			if other := root.child(camel); other != nil {
				b.error(RuleDuplicateKey, e.pos, "", fmt.Sprintf("%q and %q are the same key: the other is in line %d", e.key, camel, other.at.Line),
					"remove one of the two")
				continue
			}
			e.key = camel
		}
		renamed.entries = append(renamed.entries, e)
	}
	return &renamed
}

func (b mappingBuilder) threshold(values values) float64 {
	const name = "entityDeletionThreshold"
	const fix = "write a number from 0 (never delete) to 1 (no limit), such as 0.9"
	n := b.optional(values, name, name)
	if n == nil {
		return defaultThreshold
	}
	value, ok := n.number()
	if !ok {
		b.error(RuleWrongType, n.pos, name, "expected a number, found "+n.describe(), fix)
		return defaultThreshold
	}
	if value < 0 || value > 1 {
		b.error(RuleRange, n.pos, name, n.text+" is not between 0 and 1", fix)
	} else if _, text := n.value.(string); text {
		number := strconv.FormatFloat(math.Abs(value), 'f', -1, 64)
		b.taken(n, name, "the number "+number, "write "+number+", without quotes")
	}
	return value
}

// resources reads all of them; those with a problem of their own are apart.
func (b mappingBuilder) resources(m *Mapping, values values, root *node) {
	const fix = `write a list under "resources:", each item with kind, selector and port`
	n := b.required(values, "resources", root, "resources", fix)
	if n == nil {
		return
	}
	if n.kind != yaml.SequenceNode {
		how := fix
		if n.child("kind") != nil {
			how = `write "- " before "kind:", and indent the other lines of the resource as far as that key`
		}
		b.error(RuleWrongType, n.at, "resources", "expected a list, found "+n.describe(), how)
		return
	}
	if len(n.items) == 0 {
		b.error(RuleEmptyList, n.at, "", "resources is empty: nothing would be read, and every entity would be stale",
			"write at least one resource")
		return
	}
	for i, item := range n.items {
		before := len(b.problems.Errors())
		r := b.resource(i+1, item)
		if len(b.problems.Errors()) == before {
			m.Resources = append(m.Resources, r)
		} else {
			m.Broken = append(m.Broken, r)
		}
	}
}

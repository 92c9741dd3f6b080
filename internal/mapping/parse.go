package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/nearest"
)

// maxBytes bounds the text of a mapping.
const maxBytes = 1 << 20

const defaultThreshold = 0.9

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
		src = writeOut(src)
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
	m := b.mapping(root)
	return m, b.problems
}

// maxProblems bounds what is told of one mapping.
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
	p := newSource(file, string(src)).problem(RuleText, diag.Error, pos, "", "", message, "save the file as plain text in UTF-8")
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

// builder reads the tree and collects what is wrong with it.
type builder struct {
	src      *source
	problems diag.Problems
	where    string // the resource that is being read
}

func (b *builder) error(rule diag.Rule, pos diag.Position, name, message, fix string) {
	b.problems = append(b.problems, b.src.problem(rule, diag.Error, pos, b.where, name, message, fix))
}

func (b *builder) warn(rule diag.Rule, pos diag.Position, name, message, fix string) {
	b.problems = append(b.problems, b.src.problem(rule, diag.Warning, pos, b.where, name, message, fix))
}

// object gives the values of a mapping by key, and warns of unknown keys. It
// gives false, and the problem is told, when the value is no mapping.
func (b *builder) object(n *node, name string, keys []Key) (map[string]*node, bool) {
	valid := keyNames(keys)
	if n.kind != yaml.MappingNode {
		if n = b.noObject(n, name, "the keys here are "+strings.Join(valid, ", ")); n == nil {
			return nil, false
		}
	}
	values := make(map[string]*node, len(n.entries))
	for _, e := range n.entries {
		if slices.Contains(valid, e.key) {
			values[e.key] = e.value
		}
	}
	told := b.beside(n, values, name, keys)
	for _, e := range n.entries {
		if slices.Contains(valid, e.key) || told[e.key] {
			continue
		}
		if !b.misspelt(e, values, name, keys) {
			b.unknownKey(e, name, valid)
		}
	}
	return values, true
}

// misspelt tells of a key that was most likely meant to be a required one that is not
// there, and takes its value for that one's: it is not missing as well, and checked.
func (b *builder) misspelt(e entry, values map[string]*node, name string, keys []Key) bool {
	near, _ := nearest.Name(e.key, keyNames(keys))
	required := slices.ContainsFunc(keys, func(k Key) bool { return k.Name == near && k.Required })
	if !required || home(e.key) != "" || values[near] != nil {
		return false
	}
	b.error(RuleUnknownKey, e.pos, name, "unknown key "+strconv.Quote(e.key), fmt.Sprintf("did you mean %q? it is required here", near))
	values[near] = e.value
	return true
}

// unknownKey warns of a key that has no meaning where it stands.
func (b *builder) unknownKey(e entry, name string, valid []string) {
	if place := home(e.key); place != "" {
		b.warn(RuleMisplacedKey, e.pos, name, fmt.Sprintf("the key %q belongs to %s, and is ignored here", e.key, place), moveFix(place))
		return
	}
	fix := unknownKeyFix(e.key, valid)
	if _, near := nearest.Name(e.key, valid); !near && slices.Contains(valid, "selector") {
		fix += `; the keys of a selector stand below "selector:"`
	}
	b.warn(RuleUnknownKey, e.pos, name, "unknown key "+strconv.Quote(e.key)+" is ignored", fix)
}

// moveFix says how to bring a key home.
func moveFix(place string) string {
	switch place {
	case "the top level":
		return "move it to the top level, without indentation"
	case "the resource":
		return "move it into the resource, beside kind, selector and port"
	case "port.entity.mappings":
		return `move it below "mappings:", beside identifier and blueprint`
	}
	return "move it below \"" + place[strings.LastIndex(place, ".")+1:] + ":\", with deeper indentation"
}

// optional gives the value of a key, or nil when it is absent. Null counts as
// absent, with a warning.
func (b *builder) optional(values map[string]*node, key, name string) *node {
	n := values[key]
	if n == nil || !n.null() {
		return n
	}
	b.warn(RuleNull, n.at, name, "is null, and counts as absent", b.nullFix(n, "remove the key, or give it a value"))
	return nil
}

// required gives the value of a key of parent. It gives nil, and the problem is
// told, when the key is absent or null.
func (b *builder) required(values map[string]*node, key string, parent *node, name, fix string) *node {
	n := values[key]
	switch {
	case n == nil:
		b.error(RuleMissingKey, parent.at, name, "is missing", fix)
	case n.null():
		b.error(RuleNull, n.at, name, "is null", b.nullFix(n, fix))
		return nil
	}
	return n
}

// boolean reads a flag; absent gives the default.
func (b *builder) boolean(values map[string]*node, key, name string, standard bool) bool {
	n := b.optional(values, key, name)
	if n == nil {
		return standard
	}
	value, ok := n.value.(bool)
	if !ok {
		b.error(RuleWrongType, n.pos, name, "expected true or false, found "+n.describe(), "write true or false, without quotes")
		return standard
	}
	return value
}

func (b *builder) mapping(root *node) *Mapping {
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
	values, _ := b.object(b.camelCase(root), "", Language)
	m.CreateMissingRelatedEntities = b.boolean(values, "createMissingRelatedEntities", "createMissingRelatedEntities", true)
	m.DeleteDependentEntities = b.boolean(values, "deleteDependentEntities", "deleteDependentEntities", false)
	m.EnableMergeEntity = b.boolean(values, "enableMergeEntity", "enableMergeEntity", true)
	m.EntityDeletionThreshold = b.threshold(values)
	b.resources(m, values, root)
	return m
}

// camelCase gives the top level with snake_case keys renamed. A key in both
// spellings is a problem.
func (b *builder) camelCase(root *node) *node {
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

func (b *builder) threshold(values map[string]*node) float64 {
	const name = "entityDeletionThreshold"
	const fix = "write a number from 0 (never delete) to 1 (no limit), such as 0.9"
	n := b.optional(values, name, name)
	if n == nil {
		return defaultThreshold
	}
	var value float64
	switch v := n.value.(type) {
	case int:
		value = float64(v)
	case float64:
		value = v
	default:
		b.error(RuleWrongType, n.pos, name, "expected a number, found "+n.describe(), fix)
		return defaultThreshold
	}
	if value < 0 || value > 1 {
		b.error(RuleRange, n.pos, name, n.text+" is not between 0 and 1", fix)
	}
	return value
}

// resources reads all of them; those with a problem of their own are apart.
func (b *builder) resources(m *Mapping, values map[string]*node, root *node) {
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

// unknownKeyFix returns what to write instead of a key that is not known.
func unknownKeyFix(key string, valid []string) string {
	list := "the keys here are " + strings.Join(valid, ", ")
	if near, ok := nearest.Name(key, valid); ok {
		return "did you mean " + strconv.Quote(near) + "? " + list
	}
	return list
}

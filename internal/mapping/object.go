package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/nearest"
)

// builder reads the tree and collects what is wrong with it.
type builder struct {
	src      *source
	problems diag.Problems
	where    diag.Where // the resource that is being read
}

func (b *builder) error(rule diag.Rule, pos diag.Position, name, message, fix string) {
	b.problems = append(b.problems, b.src.problem(rule, diag.Error, pos, b.where.In(name), message, fix))
}

func (b *builder) warn(rule diag.Rule, pos diag.Position, name, message, fix string) {
	b.problems = append(b.problems, b.src.problem(rule, diag.Warning, pos, b.where.In(name), message, fix))
}

// values are those of a mapping by key.
type values map[string]*node

// object returns the values of a mapping, and warns of unknown keys. What stands below a
// key that is ignored, and was most likely meant to be another one, is in ignored. It
// returns false, and the problem is reported, when the value is not a mapping.
func (b *builder) object(n *node, name string, keys []Key) (known, ignored values, ok bool) {
	valid := keyNames(keys)
	if n.kind != yaml.MappingNode {
		if n = b.noObject(n, name, "the keys here are "+strings.Join(valid, ", ")); n == nil {
			return nil, nil, false
		}
	}
	values, ignored := make(values, len(n.entries)), values{}
	for _, e := range n.entries {
		if slices.Contains(valid, e.key) {
			values[e.key] = e.value
		}
	}
	reported := b.beside(n, values, name, keys)
	for _, e := range n.entries {
		if slices.Contains(valid, e.key) || reported[e.key] {
			continue
		}
		if b.misspelt(e, values, name, keys) {
			continue
		}
		b.unknownKey(e, name, valid)
		if near, ok := meant(e.key, valid); ok && home(e.key) == "" && ignored[near] == nil {
			ignored[near] = e.value
		}
	}
	return values, ignored, true
}

// unread reads what stands below keys that are ignored. What is wrong with it stops no run:
// its errors are warnings.
func (b *builder) unread(read func()) {
	before := len(b.problems)
	read()
	for i := range b.problems[before:] {
		p := &b.problems[before+i]
		p.Severity = max(p.Severity, diag.Warning)
	}
}

// misspelt reports a key that was most likely meant to be a required one that is not
// there, and takes its value for that one's: it is not missing as well, and checked.
func (b *builder) misspelt(e entry, values values, name string, keys []Key) bool {
	near, ok := meant(e.key, keyNames(keys))
	required := ok && slices.ContainsFunc(keys, func(k Key) bool { return k.Name == near && k.Required })
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
	if _, near := meant(e.key, valid); !near && slices.Contains(valid, "selector") {
		fix += `; the keys of a selector belong below "selector:"`
	}
	b.warn(RuleUnknownKey, e.pos, name, "unknown key "+strconv.Quote(e.key)+" is ignored", fix)
}

// moveFix returns how to bring a key home.
func moveFix(place string) string {
	switch place {
	case "the top level":
		return "move it to the top level, without indentation"
	case "the resource":
		return "move it into the resource, next to kind, selector and port"
	case "port.entity.mappings":
		return `move it below "mappings:", next to identifier and blueprint`
	}
	return "move it below \"" + place[strings.LastIndex(place, ".")+1:] + ":\", with deeper indentation"
}

// otherWords are what people write for keys that are spelled otherwise.
var otherWords = map[string]string{
	"entities": "entity",
	"id":       "identifier",
	"name":     "title",
	"props":    "properties",
	"type":     "kind",
}

// meant returns the valid key that another one was most likely meant to be.
func meant(key string, valid []string) (string, bool) {
	if near, ok := nearest.Name(key, valid); ok {
		return near, true
	}
	word := otherWords[strings.ToLower(key)]
	return word, word != "" && slices.Contains(valid, word)
}

// unknownKeyFix returns what to write instead of a key that is not known.
func unknownKeyFix(key string, valid []string) string {
	list := "the keys here are " + strings.Join(valid, ", ")
	if near, ok := meant(key, valid); ok {
		return "did you mean " + strconv.Quote(near) + "? " + list
	}
	return list
}

// optional returns the value of a key, or nil when it is absent. Null counts as
// absent, with a warning.
func (b *builder) optional(values values, key, name string) *node {
	n := values[key]
	if n == nil || !n.null() {
		return n
	}
	b.warn(RuleNull, n.at, name, "is null, and counts as absent", b.nullFix(n, "remove the key, or give it a value"))
	return nil
}

// required returns the value of a key of parent. It returns nil, and the problem is
// reported, when the key is absent or null.
func (b *builder) required(values values, key string, parent *node, name, fix string) *node {
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

// boolean reads a flag; absent is the default.
func (b *builder) boolean(values values, key, name string, standard bool) bool {
	n := b.optional(values, key, name)
	if n == nil {
		return standard
	}
	value, ok := b.flag(n, name)
	return ok && value || !ok && standard
}

// beside finds the lines that were meant to stand below a key, and stand beside it, or
// where it is missing: they are read as if they stood there, and are reported once. It
// returns their keys.
func (b *builder) beside(n *node, values values, name string, keys []Key) map[string]bool {
	reported := map[string]bool{}
	valid := keyNames(keys)
	for _, k := range keys {
		value := values[k.Name]
		if k.Shape != Object && k.Holds != Named || value != nil && !value.null() || value == nil && !k.Required {
			continue
		}
		var found []entry
		for i, e := range n.entries {
			below := slices.Contains(keyNames(k.Keys), e.key)
			if k.Holds == Named && value != nil {
				below = home(e.key) == "" && afterKey(n.entries[:i], k.Name, valid)
			}
			if below && !slices.Contains(valid, e.key) && !reported[e.key] {
				found = append(found, e)
			}
		}
		if len(found) == 0 {
			continue
		}
		first, last := found[0], found[len(found)-1]
		lines := fmt.Sprintf("lines %d to %d", first.pos.Line, last.value.lastLine())
		if last.value.lastLine() == first.pos.Line {
			lines = fmt.Sprintf("line %d", first.pos.Line)
		}
		if value != nil {
			b.error(RuleMisplacedKey, value.at, name, fmt.Sprintf("%q is empty: what belongs to it is next to it, and not below it", k.Name),
				fmt.Sprintf("indent %s deeper than %s:", lines, k.Name))
		} else {
			b.error(RuleMissingKey, first.pos, name, fmt.Sprintf("%q is missing above %q", k.Name, first.key),
				fmt.Sprintf("write %s: in a line above, and indent %s deeper than it", k.Name, lines))
		}
		values[k.Name] = &node{kind: yaml.MappingNode, pos: first.pos, at: first.pos, entries: found}
		for _, e := range found {
			reported[e.key] = true
		}
	}
	return reported
}

// afterKey reports whether a key is the last of the valid ones among the entries.
func afterKey(entries []entry, key string, valid []string) bool {
	for _, e := range slices.Backward(entries) {
		if slices.Contains(valid, e.key) {
			return e.key == key
		}
	}
	return false
}

// lastLine is the line in which the value's last part begins.
func (n *node) lastLine() int {
	line := max(n.pos.Line, n.at.Line)
	for _, e := range n.entries {
		line = max(line, e.value.lastLine())
	}
	for _, item := range n.items {
		line = max(line, item.lastLine())
	}
	return line
}

// commented is a key whose value is, to YAML, a comment.
var commented = regexp.MustCompile(`^[ \t]*(?:- +)*([\w-]+):[ \t]+#[ \t]*(\S.*?)[ \t]*$`)

// nullFix is what to do about a value that is null: fix, if no comment stands in its place.
func (b *builder) nullFix(n *node, fix string) string {
	m := commented.FindStringSubmatch(b.src.line(n.at.Line))
	if m == nil || !plausible(m[2]) || len(m[2]) > maxHint {
		return fix
	}
	return `to YAML "#" begins a comment: remove it, and write ` + m[1] + ": " + InSingleQuotes(m[2])
}

// noObject reports a value that should be lines of keys and values. It returns the
// lines, if they stand after a dash.
func (b *builder) noObject(n *node, name, fix string) *node {
	var inner *node
	if n.kind == yaml.SequenceNode && len(n.items) > 0 && n.items[0].kind == yaml.MappingNode && len(n.items[0].entries) > 0 {
		fix = `remove the "- " before ` + strconv.Quote(n.items[0].entries[0].key)
		if inner = n.items[0]; len(n.items) > 1 {
			fix, inner = `remove each "- " of the list`, nil
		}
	}
	b.error(RuleWrongType, n.at, name, `expected "key: value" lines, found `+n.describe(), fix)
	return inner
}

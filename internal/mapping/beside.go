package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// beside finds the lines that were meant to stand below a key, and stand beside it, or
// where it is missing: they are read as if they stood there, and are told of once. It
// gives their keys.
func (b *builder) beside(n *node, values map[string]*node, name string, keys []Key) map[string]bool {
	told := map[string]bool{}
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
			if below && !slices.Contains(valid, e.key) && !told[e.key] {
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
			b.error(RuleMisplacedKey, value.at, name, fmt.Sprintf("%q is empty: what belongs to it stands beside it, and not below it", k.Name),
				fmt.Sprintf("indent %s deeper than %s:", lines, k.Name))
		} else {
			b.error(RuleMissingKey, first.pos, name, fmt.Sprintf("%q is missing above %q", k.Name, first.key),
				fmt.Sprintf("write %s: in a line above, and indent %s deeper than it", k.Name, lines))
		}
		values[k.Name] = &node{kind: yaml.MappingNode, pos: first.pos, at: first.pos, entries: found}
		for _, e := range found {
			told[e.key] = true
		}
	}
	return told
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

// noObject tells of a value that is due to be lines of keys and values. It gives the
// lines, if they stand behind a dash.
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

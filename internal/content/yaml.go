package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	// maxContentDepth bounds how deep a parsed file may be nested: as deep as no file is that
	// a person writes, and no deeper than a recursion can go.
	maxContentDepth = 1000
	// maxYAMLValues bounds the values of a YAML file with all aliases written out.
	maxYAMLValues = 100_000
	// maxYAMLMarks bounds the characters that can begin a value: a parsed value
	// takes about 200 bytes, and the parser cannot be stopped on its way.
	maxYAMLMarks = 4 * maxYAMLValues
	// maxAliased bounds what aliases add to the text of a file, in bytes.
	maxAliased = 16 << 20
)

var (
	errDeep = fmt.Errorf("it is nested deeper than %d levels", maxContentDepth)
	errMany = errors.New("it holds too many values")
)

// parseYAML returns one document as it is, and several as an array.
func parseYAML(text []byte) (value any, err error) {
	if marks(text) > maxYAMLMarks {
		return nil, errMany
	}
	defer func() {
		if r := recover(); r != nil { // the parser has panicked on foreign text before
			value, err = nil, fmt.Errorf("%v", r)
		}
	}()
	c := converter{values: maxYAMLValues, bytes: 2*len(text) + maxAliased}
	documents := []any{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err == io.EOF {
			break
		} else if err != nil {
			return nil, plainYAMLError(err)
		}
		if emptyDocument(&document) {
			if c.values--; c.values < 0 {
				return nil, errMany
			}
			continue
		}
		v, err := c.value(document.Content[0], 0)
		if err != nil {
			return nil, err
		}
		documents = append(documents, v)
	}
	switch len(documents) {
	case 0:
		return nil, nil
	case 1:
		return documents[0], nil
	}
	return documents, nil
}

// marks counts the characters of which one at least stands before each value but the first.
func marks(text []byte) (n int) {
	for _, c := range text {
		switch c {
		case '\n', ',', ':', '[', '{', '-', '?':
			n++
		}
	}
	return n
}

// plainYAMLError leaves the parser's name out.
func plainYAMLError(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
}

func emptyDocument(document *yaml.Node) bool {
	if len(document.Content) != 1 {
		return len(document.Content) == 0
	}
	root := document.Content[0]
	return root.Kind == yaml.ScalarNode && root.Value == "" && root.ShortTag() == "!!null"
}

// converter makes JSON values of YAML nodes, with aliases written out.
type converter struct {
	values int // that may still come
	bytes  int // of scalars that may still come
}

func (c *converter) value(n *yaml.Node, depth int) (any, error) {
	if c.values--; c.values < 0 {
		return nil, errMany
	}
	if depth > maxContentDepth {
		return nil, errDeep
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.value(n.Alias, depth+1) // deeper, so that an alias within its own anchor ends
	case yaml.ScalarNode:
		if c.bytes -= len(n.Value); c.bytes < 0 {
			return nil, errMany
		}
		return scalar(n), nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			var err error
			if list[i], err = c.value(item, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.MappingNode:
		return c.mapping(n, depth)
	}
	return nil, fmt.Errorf("line %d: not understood", n.Line)
}

// mapping writes merged mappings out: keys of its own win, then those of earlier ones.
//
// Source: https://yaml.org/type/merge.html, read 2026-11.
func (c *converter) mapping(n *yaml.Node, depth int) (any, error) {
	object := make(map[string]any, len(n.Content)/2)
	var merged []*yaml.Node
	for pair := range slices.Chunk(n.Content, 2) {
		if pair[0].ShortTag() == "!!merge" {
			merged = append(merged, pair[1])
			continue
		}
		key, err := c.key(pair[0])
		if err != nil {
			return nil, err
		}
		if _, ok := object[key]; ok {
			return nil, fmt.Errorf("line %d: the key %.40q is there already", pair[0].Line, key)
		}
		if object[key], err = c.value(pair[1], depth+1); err != nil {
			return nil, err
		}
	}
	for _, n := range merged {
		if err := c.merge(object, n, depth+1); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// merge adds the keys that are not there yet, of a mapping or of a list of mappings.
func (c *converter) merge(object map[string]any, n *yaml.Node, depth int) error {
	value, err := c.value(n, depth)
	if err != nil {
		return err
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, v := range list {
		other, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("line %d: << needs a mapping, or a list of mappings", n.Line)
		}
		for key, v := range other {
			if _, ok := object[key]; !ok {
				object[key] = v
			}
		}
	}
	return nil
}

// key returns a key as text, whatever its type.
func (c *converter) key(n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return "", fmt.Errorf("line %d: a key that is no scalar", n.Line)
	}
	if c.bytes -= len(n.Value); c.bytes < 0 {
		return "", errMany
	}
	return n.Value, nil
}

// scalar returns null, booleans, and numbers that JSON can write; all else is its
// text: dates, binary data, 0x1F, .inf, and what has a tag of its own, such as !Ref.
func scalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		switch strings.ToLower(n.Value) {
		case "true":
			return true
		case "false":
			return false
		}
	case "!!int", "!!float":
		if number(n.Value) {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

func number(text string) bool {
	return strings.Trim(text, "0123456789+-.eE") == "" && json.Valid([]byte(text))
}

package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

const (
	// maxYAMLValues bounds the values of a YAML file with all aliases written out.
	maxYAMLValues = 100_000
	// maxYAMLTokens bounds the tokens that a text can have: the parser cannot be stopped on
	// its way, and keeps all that is in brackets, or in one line, until it knows that it is
	// no key. A token takes about 200 bytes.
	maxYAMLTokens = 8 * maxYAMLValues
	// maxFlowMarks bounds what stands before the values in brackets and braces.
	maxFlowMarks = maxYAMLValues
	// sideBySide is with how many tokens texts are read beside each other.
	sideBySide = 20_000
	// maxAliased bounds what aliases add to the text of a file, in bytes.
	maxAliased = 16 << 20
)

func parseYAML(text []byte) (Parsed, error) {
	nodes, c, err := compose(text)
	if err != nil {
		return Parsed{}, err
	}
	again := *c
	value, err := c.stream(nodes)
	if err != nil {
		return Parsed{}, err
	}
	parsed := Parsed{Value: value, Repeated: c.repeated}
	if c.differs {
		again.older = true
		parsed.Older, err = again.stream(nodes)
		parsed.Differs = err == nil
	}
	return parsed, nil
}

// jsonInYAML reads a YAML text that is JSON, as the parser of YAML would: it does so in
// less time and memory. It reports false for what the other must look at: a key that comes
// twice, and numbers that YAML 1.1 takes for text.
func jsonInYAML(text []byte) (any, bool) {
	start := bytes.TrimLeft(text, " \t\r\n")
	if len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return nil, false
	}
	size := measureJSON(text)
	if size.deep || size.exponents || size.values > maxYAMLValues {
		return nil, false
	}
	value, err := decodeJSON(text)
	return value, err == nil && keys(value) == size.keys
}

// compose returns the documents of a text as the library has them, and what makes values
// of them.
func compose(text []byte) (documents []*yaml.Node, c *converter, err error) {
	if text, err = Directives(text); err != nil {
		return nil, nil, err
	}
	c = &converter{values: maxYAMLValues, bytes: 2*len(text) + maxAliased}
	text, c.standIns = standIn(text)
	defer func() {
		if r := recover(); r != nil { // the parser has panicked on foreign text before
			documents, c, err = nil, nil, fmt.Errorf("%v", r)
		}
	}()
	deep := false
	limit := loaderlimits.DepthFunc(func(depth int, _ *loaderlimits.DepthContext) error {
		if deep = depth > maxDepth+1; deep {
			return errDeep
		}
		return nil
	})
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithV3Defaults(), yaml.WithPlugin(loaderlimits.New(limit)))
	if err != nil {
		return nil, nil, err
	}
	for {
		document := new(yaml.Node)
		switch err := loader.Load(document); {
		case err == io.EOF:
			return documents, c, nil
		case deep:
			return nil, nil, errDeep
		case err != nil:
			return nil, nil, plainYAMLError(err)
		}
		documents = append(documents, document)
	}
}

// countTokens returns more than the tokens that a text can have, by the characters of which
// one at least stands between two of them, and how many of these begin a value in brackets.
func countTokens(text []byte) (all, flow int) {
	ordinary := func(i int) bool { // a part of a word
		return i >= 0 && i < len(text) && (text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z' || text[i] >= '-' && text[i] <= '9')
	}
	for i, c := range text {
		switch c {
		case ':': // a key, its mark, the colon
			if !ordinary(i-1) || !ordinary(i+1) {
				all += 3
			}
		case ',', '[', '{':
			all += 2
			flow++
		case '?':
			all += 2
		case '-', '!', '&', '*':
			if !ordinary(i - 1) {
				all += 2
			}
		case ']', '}', '"', '\'', '|', '>', '\n', '\r':
			all++
		}
	}
	return all, flow
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
	standIns *standIns
	values   int    // that may still come
	bytes    int    // of scalars that may still come
	repeated string // the first key that a mapping has twice
	differs  bool   // YAML 1.1 reads a scalar otherwise
	older    bool   // read by YAML 1.1
}

// stream returns one document as it is, and several as an array.
func (c *converter) stream(nodes []*yaml.Node) (any, error) {
	documents := []any{}
	for _, node := range nodes {
		if emptyDocument(node) {
			if c.values--; c.values < 0 {
				return nil, errMany
			}
			continue
		}
		v, err := c.value(node.Content[0], 0)
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

func (c *converter) value(n *yaml.Node, depth int) (any, error) {
	if c.values--; c.values < 0 {
		return nil, errMany
	}
	if depth > maxDepth {
		return nil, errDeep
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.value(n.Alias, depth+1) // deeper, so that an alias within its own anchor ends
	case yaml.ScalarNode:
		text, err := c.text(n)
		if err != nil {
			return nil, err
		}
		return c.scalar(n, text), nil
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

// text returns the text of a scalar.
func (c *converter) text(n *yaml.Node) (string, error) {
	if c.bytes -= len(n.Value); c.bytes < 0 {
		return "", errMany
	}
	return c.standIns.text(n.Value, n.Style&yaml.DoubleQuotedStyle != 0), nil
}

// mapping writes merged mappings out: keys of its own win, then those of earlier ones. Of
// a key that comes twice, the last one wins, as in JSON.
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
		key, err := c.key(pair[0], n, depth)
		if err != nil {
			return nil, err
		}
		if _, ok := object[key]; ok && c.repeated == "" {
			c.repeated = fmt.Sprintf("line %d: the key %.40q is there already", pair[0].Line, key)
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

// key returns a key as text, whatever its type: a list or a mapping is JSON. {{ is refused: it
// begins a template, and hardly a mapping that is the key of another.
func (c *converter) key(n, of *yaml.Node, depth int) (string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind == yaml.ScalarNode:
		text, err := c.text(n)
		if err == nil && plain(n) {
			by := olderKey(text)
			c.differs = c.differs || by != text
			if c.older {
				text = by
			}
		}
		return text, err
	case n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && n.Line == of.Line && n.Column == of.Column+1:
		return "", fmt.Errorf("line %d: {{ is taken for a template, and not for a mapping that is a key", n.Line)
	}
	value, err := c.value(n, depth+1)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return "", err
	}
	if c.bytes -= b.Len(); c.bytes < 0 {
		return "", errMany
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// plain reports whether a scalar gets its type from its text.
func plain(n *yaml.Node) bool {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Style&(quoted|yaml.TaggedStyle) == 0 && n.Tag != "!"
}

// scalar returns null, booleans and numbers; all else is its text: dates, binary data,
// and what has a tag of its own, such as !Ref.
func (c *converter) scalar(n *yaml.Node, text string) any {
	switch {
	case plain(n) && c.older:
		return older(text)
	case plain(n):
		c.differs = c.differs || !same(text)
		return core(text)
	case n.Style&yaml.TaggedStyle == 0:
		return text
	}
	tag := n.ShortTag()
	if tag == "!!null" {
		return nil
	}
	switch value := core(text).(type) {
	case bool:
		if tag == "!!bool" {
			return value
		}
	case json.Number:
		if tag == "!!int" || tag == "!!float" {
			return value
		}
	}
	return text
}

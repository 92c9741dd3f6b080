package mapping

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
)

// A setting may be written as another type than its own, where Port's integration takes it
// for the same value: it reads a mapping by pydantic 1, which converts. What pydantic
// refuses is an error here too.
//
// Source: https://docs.pydantic.dev/1.10/usage/types/, read 2026-11, and pydantic 1.10.4 by
// trial. A boolean in place of a number or a text, which it converts to 1.0 and to
// "True", stays an error here: that is not what was meant.

// flags are the texts that are taken for true or false, in lower case.
var flags = map[string]bool{
	"true": true, "t": true, "yes": true, "y": true, "on": true, "1": true,
	"false": false, "f": false, "no": false, "n": false, "off": false, "0": false,
}

// flag returns the value of a setting that is true or false; ok is false when it is neither.
func (n *node) flag() (value, ok bool) {
	switch v := n.value.(type) {
	case bool:
		return v, true
	case string:
		value, ok = flags[strings.ToLower(v)]
	case int:
		value, ok = v == 1, v == 0 || v == 1
	case float64:
		value, ok = v == 1, v == 0 || v == 1
	}
	return value, ok
}

// decimal is a number as Python reads one from a text. It has no hexadecimal numbers.
var decimal = regexp.MustCompile(`^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$`)

// number returns the value of a setting that is a number; ok is false when it is none.
func (n *node) number() (value float64, ok bool) {
	switch v := n.value.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	case string:
		text := strings.TrimSpace(v)
		if !decimal.MatchString(text) {
			return 0, false
		}
		value, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
		return value, err == nil
	}
	return 0, false
}

// asText returns the value of a setting that is a text; ok is false when it is none. A
// number is one as long as all readers of it write it in the same digits: not 1.10, 0x1F
// and 1e3.
func (n *node) asText() (text string, ok bool) {
	switch v := n.value.(type) {
	case string:
		return v, true
	case int:
		text = strconv.Itoa(v)
	case float64:
		if v == math.Trunc(v) || math.Abs(v) < 1e-4 {
			return "", false
		}
		text = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return text, text != "" && text == n.text
}

// taken adds a notice that a setting is written as another type than its own. The value is
// what it is taken for, as a mapping has it.
func (b *builder) taken(n *node, name, value, fix string) {
	written := "the number " + n.text
	if _, text := n.value.(string); text {
		written = "the text " + strconv.Quote(n.text)
	}
	b.problems = append(b.problems, b.src.problem(RuleTaken, diag.Notice, n.pos, b.where.In(name),
		fmt.Sprintf("%s is taken for %s", written, value), fix))
}

// flag reads a setting that is true or false, and reports what is neither.
func (b *builder) flag(n *node, name string) (value, ok bool) {
	value, ok = n.flag()
	if !ok {
		b.error(RuleWrongType, n.pos, name, "expected true or false, found "+n.describe(), "write true or false, without quotes")
		return false, false
	}
	if _, exact := n.value.(bool); !exact {
		word := strconv.FormatBool(value)
		b.taken(n, name, word, "write "+word+", without quotes")
	}
	return value, true
}

// maxCount bounds a number of things or days: what is beyond it is a mistake.
const maxCount = 1_000_000

// count reads a setting that is a whole number, and reports what is none.
func (b *builder) count(n *node, name string) (value int, ok bool) {
	number, ok := n.number()
	value = int(number)
	if !ok || number < 1 || number > maxCount || float64(value) != number {
		b.error(RuleWrongType, n.pos, name, "expected a whole number from 1 to "+strconv.Itoa(maxCount)+", found "+n.describe(), "write a number, such as 30, without quotes")
		return 0, false
	}
	if _, exact := n.value.(int); !exact {
		word := strconv.Itoa(value)
		b.taken(n, name, word, "write "+word+", without quotes")
	}
	return value, true
}

// text reads a setting that is a text, and reports what is none: expected and fix say so.
func (b *builder) text(n *node, name, expected, fix string) (value string, ok bool) {
	value, ok = n.asText()
	quote := `quote it: "` + n.text + `"`
	if !ok {
		if n.kind == yaml.ScalarNode && !n.null() {
			fix = quote
		}
		b.error(RuleWrongType, n.pos, name, "expected "+expected+", found "+n.describe(), fix)
		return "", false
	}
	if _, exact := n.value.(string); !exact {
		b.taken(n, name, "the text "+strconv.Quote(value), quote)
	}
	return value, true
}

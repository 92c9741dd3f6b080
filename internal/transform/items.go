package transform

import (
	"encoding/json"
	"maps"
	"strings"

	"port-bitbucket-exporter/internal/jq"
)

// elements evaluates the expression. A fault means that it gave no array.
func (t *items) elements(e *jq.Evaluator, object map[string]any) ([]any, *Fault) {
	e.SetRoom(maxElementBytes)
	v, err := e.Value(t.expr.code, object)
	elements, ok := v.([]any)
	if len(elements) > maxElements {
		err = errElements
	}
	if err != nil && err != jq.ErrNotFinite {
		return nil, &Fault{
			Expr:    t.expr.Expr,
			Raised:  true,
			Message: jq.Message(err),
			Fix:     elementsFix(err),
		}
	}
	if ok {
		return elements, nil
	}
	return nil, &Fault{
		Expr:    t.expr.Expr,
		Message: "gives " + describe(v) + ", and itemsToParse must give an array",
		Fix:     "put it in brackets ([.field]), or (.field // []) where the field may not be there",
	}
}

func elementsFix(err error) string {
	if isLimit(err) {
		return raisedFix(err)
	}
	return `guard it: (.field // []) gives no elements where the field is not there`
}

// without returns the object without the source array. Objects on the way to it
// are copied, so the object itself stays as it is.
func (t *items) without(object map[string]any) map[string]any {
	if t.drop == nil {
		return object
	}
	return remove(object, t.drop)
}

func remove(object map[string]any, path []string) map[string]any {
	inner, ok := object[path[0]]
	if !ok {
		return object
	}
	rest := maps.Clone(object)
	if len(path) == 1 {
		delete(rest, path[0])
		return rest
	}
	nested, ok := inner.(map[string]any)
	if !ok {
		return object
	}
	rest[path[0]] = remove(nested, path[1:])
	return rest
}

// sourcePath returns the first simple path with which a step of the expression
// begins, such as .content.dependencies in `.content.dependencies | to_entries`;
// brackets and parentheses around a step do not count. It returns nil when there
// is none: then nothing is left out of the copies, where Port's own
// integrations would skip the object.
func sourcePath(text string) []string {
	for step := range strings.SplitSeq(jq.DoubleQuotes(text), "|") {
		if path := leadingPath(strings.TrimLeft(step, "[( \t\r\n")); path != nil {
			return path
		}
	}
	return nil
}

// leadingPath returns the keys of the path that s begins with: .a, ."a" and ["a"],
// up to the first [] or the end of the path.
func leadingPath(s string) []string {
	var path []string
	for {
		key, rest, ok := leadingKey(s, len(path) == 0)
		if !ok {
			break
		}
		path, s = append(path, key), rest
	}
	// An index or a slice is a part of the array, not the array.
	if strings.HasPrefix(s, "[") && !strings.HasPrefix(s, "[]") {
		return nil
	}
	return path
}

func leadingKey(s string, first bool) (key, rest string, ok bool) {
	var quoted string // with the closing bracket
	switch {
	case strings.HasPrefix(s, ".["):
		quoted = s[2:]
	case !first && strings.HasPrefix(s, "["):
		quoted = s[1:]
	case strings.HasPrefix(s, `."`):
		return leadingText(s[1:])
	case strings.HasPrefix(s, "."):
		end := 1
		for end < len(s) && jq.IsNameByte(s[end]) {
			end++
		}
		isName := end > 1 && (s[1] < '0' || s[1] > '9')
		return s[1:end], strings.TrimPrefix(s[end:], "?"), isName
	default:
		return "", s, false
	}
	if key, rest, ok = leadingText(quoted); !ok || !strings.HasPrefix(rest, "]") {
		return "", s, false
	}
	return key, strings.TrimPrefix(rest[1:], "?"), true
}

// leadingText reads a text in double quotes.
func leadingText(s string) (text, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, false
	}
	for end := 1; end < len(s); end++ {
		switch s[end] {
		case '\\':
			end++
		case '"':
			err := json.Unmarshal([]byte(s[:end+1]), &text)
			return text, s[end+1:], err == nil
		}
	}
	return "", s, false
}

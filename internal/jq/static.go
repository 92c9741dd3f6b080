package jq

import "github.com/itchyny/gojq"

// keysOf returns the keys of an expression that goes down by keys and does nothing else, such as
// .author.display_name; nil for any other. "." has none.
func keysOf(q *gojq.Query) []string {
	if q.Meta != nil || len(q.Imports) > 0 || len(q.FuncDefs) > 0 || len(q.Patterns) > 0 {
		return nil
	}
	if q.Op == gojq.OpPipe {
		left, right := keysOf(q.Left), keysOf(q.Right)
		if left == nil || right == nil {
			return nil
		}
		return append(left, right...)
	}
	var keys []string
	switch t := q.Term; {
	case t == nil:
		return nil
	case t.Type == gojq.TermTypeQuery:
		keys = keysOf(t.Query)
	case t.Type == gojq.TermTypeIndex:
		if key, ok := Key(t.Index); ok {
			keys = []string{key}
		}
	}
	if keys == nil {
		return nil
	}
	for _, s := range q.Term.SuffixList {
		key, ok := Key(s.Index)
		if !ok || s.Iter || s.Optional {
			return nil
		}
		keys = append(keys, key)
	}
	return keys
}

// at returns what is at the keys of a value, as jq does: null where a key is not there. It
// reports false where jq raises an error, of which only gojq knows the text.
func at(v any, keys []string) (any, bool) {
	for _, key := range keys {
		switch object := v.(type) {
		case nil:
			return nil, true
		case map[string]any:
			v = object[key]
		default:
			return nil, false
		}
	}
	return v, true
}

package jq

import (
	"encoding/json"
	"strings"

	"github.com/itchyny/gojq"
)

// shortcut evaluates an expression without gojq, whose machine takes ten times as long for what
// most expressions of a mapping do. It reports false where it does not know what jq does, as
// where that raises an error: gojq then evaluates the expression.
//
// What it follows is bounded by the size of the value; texts that it adds, by maxAdded.
type shortcut func(v any) (got any, ok bool)

const (
	// maxAdded bounds a text that a shortcut makes, in bytes.
	maxAdded = 64 << 10
	// maxWhole is the number of digits up to which a whole number has one spelling in jq.
	maxWhole = 15
)

// shortcutOf returns the shortcut of an expression; nil without one. There is one for
//
//	.author.display_name         keys, one below the other
//	[.reviewers[].display_name]  what is at keys and in arrays, collected
//	.slug + "-" + (.id|tostring) texts, and whole numbers made texts, added
func shortcutOf(q *gojq.Query) shortcut {
	if steps, ok := stepsOf(q); ok && !each(steps) {
		return func(v any) (any, bool) { return at(v, steps) }
	}
	if t := OnlyTerm(q); t != nil && t.Type == gojq.TermTypeArray && len(t.SuffixList) == 0 && t.Array.Query != nil {
		if steps, ok := stepsOf(t.Array.Query); ok {
			return func(v any) (any, bool) {
				all, ok := collect([]any{}, v, steps)
				return all, ok
			}
		}
	}
	if parts, ok := partsOf(q); ok && len(parts) > 1 {
		return func(v any) (any, bool) { return joined(parts, v) }
	}
	return nil
}

// step goes to what is at a key of an object, or to each element of an array.
type step struct {
	key  string
	each bool
}

func each(steps []step) bool {
	for _, s := range steps {
		if s.each {
			return true
		}
	}
	return false
}

// bare reports whether a query is no more than its operation or its term.
func bare(q *gojq.Query) bool {
	return q.Meta == nil && len(q.Imports) == 0 && len(q.FuncDefs) == 0 && len(q.Patterns) == 0
}

// stepsOf returns the steps of an expression that does nothing but go down. "." is none.
func stepsOf(q *gojq.Query) (steps []step, ok bool) {
	if !bare(q) {
		return nil, false
	}
	if q.Op == gojq.OpPipe {
		left, ok := stepsOf(q.Left)
		if !ok {
			return nil, false
		}
		right, ok := stepsOf(q.Right)
		return append(left, right...), ok
	}
	switch t := q.Term; {
	case t == nil:
		return nil, false
	case t.Type == gojq.TermTypeQuery:
		steps, ok = stepsOf(t.Query)
	case t.Type == gojq.TermTypeIndex:
		steps = make([]step, 1)
		steps[0].key, ok = Key(t.Index)
	case t.Type == gojq.TermTypeIdentity:
		ok = len(t.SuffixList) > 0
	}
	if !ok {
		return nil, false
	}
	for _, s := range q.Term.SuffixList {
		key, isKey := Key(s.Index)
		if !isKey && !s.Iter {
			return nil, false
		}
		steps = append(steps, step{key, s.Iter})
	}
	return steps, true
}

// at returns what is at the keys of a value: null where a key is not there.
func at(v any, keys []step) (any, bool) {
	for _, s := range keys {
		switch object := v.(type) {
		case nil:
			return nil, true
		case map[string]any:
			v = object[s.key]
		default:
			return nil, false
		}
	}
	return v, true
}

// collect appends what is behind the steps.
func collect(all []any, v any, steps []step) ([]any, bool) {
	for i, s := range steps {
		if !s.each {
			var ok bool
			if v, ok = at(v, steps[i:i+1]); !ok {
				return nil, false
			}
			continue
		}
		elements, ok := v.([]any)
		for _, element := range elements {
			if !ok {
				break
			}
			all, ok = collect(all, element, steps[i+1:])
		}
		return all, ok
	}
	return append(all, v), true
}

// part is a text of a sum: a literal, or what is at keys.
type part struct {
	literal string
	keys    []step // nil for the literal
	number  bool   // tostring is applied to it
}

// partsOf returns the parts of a sum of texts, or of one.
func partsOf(q *gojq.Query) ([]part, bool) {
	if !bare(q) {
		return nil, false
	}
	if q.Term != nil && q.Term.Type == gojq.TermTypeQuery && len(q.Term.SuffixList) == 0 {
		return partsOf(q.Term.Query)
	}
	if q.Op == gojq.OpAdd {
		left, ok := partsOf(q.Left)
		if !ok {
			return nil, false
		}
		right, ok := partsOf(q.Right)
		return append(left, right...), ok
	}
	if text, ok := Text(q); ok {
		return []part{{literal: text}}, true
	}
	p := part{}
	if q.Op == gojq.OpPipe {
		if f := Call(q.Right); f != nil && f.Name == "tostring" && len(f.Args) == 0 {
			q, p.number = q.Left, true
		}
	}
	var ok bool
	p.keys, ok = stepsOf(q)
	return []part{p}, ok && !each(p.keys)
}

// joined adds texts.
func joined(parts []part, v any) (any, bool) {
	var room [16]string
	texts, size := room[:0], 0
	for _, p := range parts {
		text := p.literal
		if p.keys != nil {
			got, ok := at(v, p.keys)
			if !ok {
				return nil, false
			}
			switch got := got.(type) {
			case string:
				text = got
			case json.Number:
				if text = string(got); !p.number || !isWhole(text) {
					return nil, false
				}
			default:
				return nil, false
			}
		}
		if size += len(text); size > maxAdded {
			return nil, false
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ""), true
}

// isWhole reports whether a number is written as jq writes it.
func isWhole(text string) bool {
	if len(text) > maxWhole || text == "" || text[0] == '0' && text != "0" {
		return false
	}
	return strings.Trim(text, "0123456789") == ""
}

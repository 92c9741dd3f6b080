package jq

import (
	"slices"
	"strings"
	"sync"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/dialect"
)

// Walk calls f for every node of a syntax tree, from the outside in: a *gojq.Query, a
// *gojq.Term, a *gojq.Func and so on.
func Walk(tree *gojq.Query, f func(node any)) { dialect.Walk(tree, f) }

// Constant returns the value of an expression that is only a text without interpolation,
// true, false or null.
func Constant(q *gojq.Query) (v any, ok bool) {
	t := OnlyTerm(q)
	if t == nil || len(t.SuffixList) > 0 {
		return nil, false
	}
	switch t.Type {
	case gojq.TermTypeString:
		return t.Str.Str, t.Str.Queries == nil
	case gojq.TermTypeTrue:
		return true, true
	case gojq.TermTypeFalse:
		return false, true
	case gojq.TermTypeNull:
		return nil, true
	}
	return nil, false
}

// Text returns the text that an expression is, as Constant does.
func Text(q *gojq.Query) (string, bool) {
	v, constant := Constant(q)
	s, ok := v.(string)
	return s, constant && ok
}

// OnlyTerm returns the term that a query is, without parentheses around it; nil when it
// is more than a term.
func OnlyTerm(q *gojq.Query) *gojq.Term {
	for q != nil && q.Term != nil && q.Meta == nil && len(q.Imports) == 0 && len(q.FuncDefs) == 0 {
		if q.Term.Type != gojq.TermTypeQuery || len(q.Term.SuffixList) > 0 {
			return q.Term
		}
		q = q.Term.Query
	}
	return nil
}

// Call returns the function that a query is a call of, and nothing else; nil when it is
// more, or something else.
func Call(q *gojq.Query) *gojq.Func {
	if t := OnlyTerm(q); t != nil && t.Type == gojq.TermTypeFunc && len(t.SuffixList) == 0 {
		return t.Func
	}
	return nil
}

// Key returns the key of .key, ."key" and ["key"].
func Key(i *gojq.Index) (string, bool) {
	switch {
	case i == nil || i.IsSlice:
		return "", false
	case i.Name != "":
		return i.Name, true
	case i.Str != nil:
		return i.Str.Str, i.Str.Queries == nil
	case i.Start != nil:
		return Text(i.Start)
	}
	return "", false
}

// Assigns reports whether an operator is one of the assignments.
func Assigns(op gojq.Operator) bool { return dialect.Assigns(op) }

// Defined returns the names of the functions, and of their parameters, that an
// expression defines itself. They hide the functions of jq.
func Defined(tree *gojq.Query) map[string]bool {
	own := map[string]bool{}
	Walk(tree, func(node any) {
		if f, ok := node.(*gojq.FuncDef); ok {
			own[f.Name] = true
			for _, arg := range f.Args {
				own[arg] = true
			}
		}
	})
	return own
}

// Builtins returns the functions of jq, as name/arity and as names, both sorted. They
// are shared and must not be written.
var Builtins = sync.OnceValues(func() (signatures, names []string) {
	query, err := gojq.Parse("builtins")
	if err != nil {
		return nil, nil
	}
	all, _ := query.Run(nil).Next()
	list, _ := all.([]any)
	for _, added := range dialect.Added() {
		list = append(list, added)
	}
	for _, v := range list {
		if s, ok := v.(string); ok {
			name, _, _ := strings.Cut(s, "/")
			signatures, names = append(signatures, s), append(names, name)
		}
	}
	slices.Sort(signatures)
	slices.Sort(names)
	return signatures, slices.Compact(names)
})

// IsNameByte reports whether the names of jq hold a byte.
func IsNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

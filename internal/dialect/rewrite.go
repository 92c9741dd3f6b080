package dialect

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// rewriter changes a tree from the inside out, and collects the names of the functions that
// it calls.
type rewriter struct {
	calls  map[string]bool // name/arity
	caught int             // the handlers around that see the text of an error
	paths  int             // what is around that asks for paths, and not for values
}

func (r *rewriter) walk(v reflect.Value) {
	visit(v, func(node any) bool {
		if try, ok := node.(*gojq.Try); ok {
			r.try(try)
			return false
		}
		return !r.asksForPaths(node)
	}, r.node)
}

// pathFunctions take expressions for the paths that they go.
var pathFunctions = []string{"path", "del", "pick"}

// asksForPaths walks through what asks for paths, and reports whether the node did.
func (r *rewriter) asksForPaths(node any) bool {
	switch n := node.(type) {
	case *gojq.Query:
		if !Assigns(n.Op) {
			return false
		}
		r.paths++
		r.walk(reflect.ValueOf(n.Left))
		r.paths--
		r.walk(reflect.ValueOf(n.Right))
		return true
	case *gojq.Func:
		if !slices.Contains(pathFunctions, n.Name) || len(n.Args) == 0 {
			return false
		}
		r.paths++
		r.walk(reflect.ValueOf(n.Args))
		r.paths--
		r.node(n)
		return true
	}
	return false
}

func (r *rewriter) node(node any) {
	switch n := node.(type) {
	case *gojq.Term:
		r.term(n)
	case *gojq.Index:
		r.index(n)
	case *gojq.Object:
		r.object(n)
	case *gojq.Func:
		r.call(n)
	case *gojq.Reduce:
		n.Update = lastOrNull(n.Update)
	case *gojq.Foreach:
		if r.paths == 0 { // an array of the state would be none of the paths
			nullState(n)
		}
	}
}

func (r *rewriter) call(f *gojq.Func) {
	if r.calls == nil {
		r.calls = map[string]bool{}
	}
	r.calls[f.Name+"/"+strconv.Itoa(len(f.Args))] = true
}

// term keeps the spelling of a number, and knows where the expression stands.
func (r *rewriter) term(t *gojq.Term) {
	switch {
	case t.Type == gojq.TermTypeNumber:
		if text := literalText(jsonNumber(t.Number)); text != plainText(t.Number) {
			*t = gojq.Term{Type: gojq.TermTypeFunc, SuffixList: t.SuffixList, Func: &gojq.Func{Name: "_literal", Args: []*gojq.Query{textQuery(text)}}}
		}
	case t.Type == gojq.TermTypeFunc && t.Func.Name == "$__loc__":
		suffixes := t.SuffixList
		*t = *location().Term
		t.SuffixList = suffixes
	}
}

// object makes a member of {$__loc__}.
func (r *rewriter) object(o *gojq.Object) {
	for _, kv := range o.KeyVals {
		if kv.Key == "$__loc__" && kv.Val == nil {
			kv.Key, kv.Val = "__loc__", location()
		}
	}
}

// location is what $__loc__ gives. Nearly all expressions are one line.
func location() *gojq.Query {
	return termQuery(&gojq.Term{Type: gojq.TermTypeObject, Object: &gojq.Object{KeyVals: []*gojq.ObjectKeyVal{
		{Key: "file", Val: textQuery("<top-level>")},
		{Key: "line", Val: termQuery(&gojq.Term{Type: gojq.TermTypeNumber, Number: "1"})},
	}}})
}

// jsonNumber writes a number of jq as JSON writes it: .5 and 5. are numbers of jq alone.
func jsonNumber(text string) string {
	mantissa, power := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, power = text[:i], text[i:]
	}
	if strings.HasPrefix(mantissa, ".") {
		mantissa = "0" + mantissa
	}
	return strings.TrimSuffix(mantissa, ".") + power
}

// plainText is the text of a number of an expression as gojq reads it.
func plainText(text string) string {
	if strings.ContainsAny(text, ".eE") {
		if f, ok := double(json.Number(text)).(float64); ok {
			return floatText(f)
		}
	}
	return text
}

// index makes a constant index of an array a computed one: the function for those can be
// replaced. Where an error may be seen, this goes for constant keys as well.
func (r *rewriter) index(i *gojq.Index) {
	switch {
	case i.IsSlice && r.caught > 0:
		i.Start, i.End = computed(i.Start), computed(i.End)
	case i.IsSlice:
	case i.Start != nil && constantNumber(i.Start):
		i.Start = inParentheses(i.Start)
	case r.caught == 0:
	case i.Name != "":
		*i = gojq.Index{Start: inParentheses(textQuery(i.Name))}
	case i.Str != nil && i.Str.Queries == nil:
		*i = gojq.Index{Start: inParentheses(termQuery(&gojq.Term{Type: gojq.TermTypeString, Str: i.Str}))}
	}
}

// computed puts a bound of a slice in parentheses.
func computed(q *gojq.Query) *gojq.Query {
	if q == nil {
		return nil
	}
	return inParentheses(q)
}

func constantNumber(q *gojq.Query) bool {
	t := q.Term
	if t == nil || len(t.SuffixList) > 0 {
		return false
	}
	return t.Type == gojq.TermTypeNumber || t.Type == gojq.TermTypeUnary
}

// try lets a handler that looks at an error see it as libjq has it.
func (r *rewriter) try(t *gojq.Try) {
	sees := t.Catch != nil && looks(t.Catch)
	if sees {
		r.caught++
	}
	r.walk(reflect.ValueOf(t.Body))
	if sees {
		r.caught--
	}
	r.walk(reflect.ValueOf(t.Catch))
	if sees {
		call := termQuery(&gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: "_caught"}})
		t.Catch = inParentheses(&gojq.Query{Left: call, Op: gojq.OpPipe, Right: t.Catch})
	}
}

// looks reports whether a handler is more than a constant.
func looks(q *gojq.Query) bool {
	t := q.Term
	if t == nil || len(t.SuffixList) > 0 {
		return true
	}
	switch t.Type {
	case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber:
		return false
	case gojq.TermTypeString:
		return t.Str.Queries != nil
	case gojq.TermTypeFunc:
		return t.Func.Name != "empty"
	}
	return true
}

// lastOrNull gives the last result of an update of reduce, and null without one.
func lastOrNull(update *gojq.Query) *gojq.Query {
	if single(update) {
		return update
	}
	return fill("reduce UPDATE as $__last (null; $__last)", map[string]*gojq.Query{"UPDATE": update})
}

// nullState makes null the state of a foreach after an update without a result: the state
// becomes an array of it, and of whether it is a result.
func nullState(f *gojq.Foreach) {
	if single(f.Update) {
		return
	}
	parts := map[string]*gojq.Query{"START": f.Start, "UPDATE": f.Update, "EXTRACT": f.Extract}
	if f.Extract == nil {
		parts["EXTRACT"] = termQuery(&gojq.Term{Type: gojq.TermTypeIdentity})
	}
	f.Start = fill("[START, true]", parts)
	f.Update = fill("(.[0] | UPDATE | [., true]) // [null, false]", parts)
	f.Extract = fill("if .[1] then .[0] | EXTRACT else empty end", parts)
}

// fill puts queries in the places of names in an expression.
func fill(text string, parts map[string]*gojq.Query) *gojq.Query {
	tree, err := gojq.Parse(text)
	if err != nil {
		panic(fmt.Sprintf("dialect: %s is not jq: %v", text, err)) // a constant of this file
	}
	visit(reflect.ValueOf(tree), func(node any) bool {
		t, ok := node.(*gojq.Term)
		if !ok || t.Type != gojq.TermTypeFunc || parts[t.Func.Name] == nil {
			return true
		}
		*t = *inParentheses(parts[t.Func.Name]).Term
		return false // what was put there is rewritten already
	}, nil)
	return tree
}

// single reports whether a query certainly gives one result, or an error.
func single(q *gojq.Query) bool {
	if q.Term != nil {
		return singleTerm(q.Term)
	}
	switch q.Op {
	case gojq.OpComma, gojq.OpAlt, gojq.OpAssign, gojq.OpModify:
		return false
	}
	return len(q.Patterns) == 0 && q.Left != nil && single(q.Left) && single(q.Right)
}

func singleTerm(t *gojq.Term) bool {
	for _, suffix := range t.SuffixList {
		if suffix.Iter || suffix.Optional || suffix.Index != nil && !singleIndex(suffix.Index) {
			return false
		}
	}
	switch t.Type {
	case gojq.TermTypeIdentity, gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber, gojq.TermTypeArray:
		return true
	case gojq.TermTypeIndex:
		return singleIndex(t.Index)
	case gojq.TermTypeQuery:
		return single(t.Query)
	case gojq.TermTypeFunc:
		return t.Func.Name[0] == '$' || t.Func.Name == "_literal"
	case gojq.TermTypeString:
		return t.Str.Queries == nil
	}
	return false
}

func singleIndex(i *gojq.Index) bool {
	return !i.IsSlice && (i.Start == nil || single(i.Start)) && (i.Str == nil || i.Str.Queries == nil)
}

func termQuery(t *gojq.Term) *gojq.Query { return &gojq.Query{Term: t} }

func textQuery(s string) *gojq.Query {
	return termQuery(&gojq.Term{Type: gojq.TermTypeString, Str: &gojq.String{Str: s}})
}

func inParentheses(q *gojq.Query) *gojq.Query {
	return termQuery(&gojq.Term{Type: gojq.TermTypeQuery, Query: q})
}

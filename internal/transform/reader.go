package transform

import (
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/jq"
)

// reader finds what expressions reach. Without any object, it follows at which places of
// the object the results of each step can be.
type reader struct {
	root    *Reads
	split   bool   // the object holds an element of itemsToParse
	element string // its key
}

// places are where in the object a value can come from. Any other value that it can be was
// made from what counts as read already.
type places []*Reads

// maxPlaces bounds the places of one value.
const maxPlaces = 64

// expression adds what one expression reads of the object; its result is read.
func (r *reader) expression(x *expression) {
	if x == nil || x.tree == nil {
		return // no expression, or a file
	}
	r.tree(x.tree)
}

func (r *reader) tree(q *gojq.Query) {
	if len(jq.Defined(q)) > 0 { // functions of its own, which may hide those of jq
		r.root.whole = true
		return
	}
	r.read(r.query(q, places{r.root}, nil))
}

// read marks places of which anything may matter.
func (r *reader) read(all places) {
	for _, p := range all {
		p.whole = true
	}
}

func (r *reader) union(all ...places) places {
	var one places
	for _, p := range slices.Concat(all...) {
		if !slices.Contains(one, p) {
			one = append(one, p)
		}
	}
	if len(one) > maxPlaces {
		r.read(one)
		return nil
	}
	return one
}

// child returns the places of a key of a value. That the value is an object then matters.
func (r *reader) child(of places, key string) places {
	var all places
	for _, p := range of {
		if p == r.root && r.split && key == r.element {
			continue // the element comes from what itemsToParse reads
		}
		all = append(all, p.at(key))
	}
	return all
}

// scope is one variable, with the places of its value, and the variables around it.
type scope struct {
	name   string
	places places
	outer  *scope
}

func (s *scope) find(name string) (places, bool) {
	for ; s != nil; s = s.outer {
		if s.name == name {
			return s.places, true
		}
	}
	return nil, false
}

// query returns the places of the results of a query.
func (r *reader) query(q *gojq.Query, in places, vars *scope) places {
	switch {
	case q == nil:
		return nil
	case q.Meta != nil || len(q.Imports) > 0:
		r.root.whole = true
		return nil
	case q.Term != nil:
		return r.term(q.Term, in, vars)
	case q.Op == gojq.OpPipe && len(q.Patterns) > 0:
		return r.query(q.Right, in, r.bind(q.Patterns, r.query(q.Left, in, vars), vars))
	case q.Op == gojq.OpPipe:
		return r.query(q.Right, r.query(q.Left, in, vars), vars)
	case q.Op == gojq.OpComma, q.Op == gojq.OpAlt: // the latter also reads whether the left one counts as true
		return r.union(r.query(q.Left, in, vars), r.query(q.Right, in, vars))
	case jq.Assigns(q.Op):
		r.read(in)
	}
	r.read(r.query(q.Left, in, vars))
	r.read(r.query(q.Right, in, vars))
	return nil
}

func (r *reader) term(t *gojq.Term, in places, vars *scope) places {
	got := r.head(t, in, vars)
	for _, suffix := range t.SuffixList {
		if suffix.Index != nil {
			got = r.index(suffix.Index, got, in, vars)
		}
		if suffix.Iter {
			r.read(got)
			got = nil
		}
	}
	return got
}

// head returns the places of a term without its suffixes.
func (r *reader) head(t *gojq.Term, in places, vars *scope) places {
	switch t.Type {
	case gojq.TermTypeIdentity:
		return in
	case gojq.TermTypeIndex:
		return r.index(t.Index, in, in, vars)
	case gojq.TermTypeQuery:
		return r.query(t.Query, in, vars)
	case gojq.TermTypeLabel:
		return r.query(t.Label.Body, in, vars)
	case gojq.TermTypeFunc:
		return r.call(t.Func, in, vars)
	case gojq.TermTypeIf:
		return r.choice(t.If, in, vars)
	case gojq.TermTypeTry: // an error holds what has been read, or nothing of an object
		return r.union(r.query(t.Try.Body, in, vars), r.query(t.Try.Catch, nil, vars))
	case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber, gojq.TermTypeBreak:
	case gojq.TermTypeArray:
		r.read(r.query(t.Array.Query, in, vars))
	case gojq.TermTypeUnary:
		r.read(r.term(t.Unary.Term, in, vars))
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			r.member(kv, in, vars)
		}
	case gojq.TermTypeString:
		r.text(t.Str, in, vars)
	case gojq.TermTypeFormat:
		if t.Str == nil {
			r.read(in)
		}
		r.text(t.Str, in, vars)
	case gojq.TermTypeReduce:
		r.fold(t.Reduce.Query, t.Reduce.Patterns, t.Reduce.Start, []*gojq.Query{t.Reduce.Update}, in, vars)
	case gojq.TermTypeForeach:
		r.fold(t.Foreach.Query, t.Foreach.Patterns, t.Foreach.Start, []*gojq.Query{t.Foreach.Update, t.Foreach.Extract}, in, vars)
	case gojq.TermTypeRecurse:
		r.read(in)
	default:
		r.root.whole = true
	}
	return nil
}

// index returns the places of .key; a computed index reads the whole value.
func (r *reader) index(i *gojq.Index, of, in places, vars *scope) places {
	if key, ok := jq.Key(i); ok {
		return r.child(of, key)
	}
	r.read(of)
	r.read(r.query(i.Start, in, vars))
	r.read(r.query(i.End, in, vars))
	r.text(i.Str, in, vars)
	return nil
}

func (r *reader) text(s *gojq.String, in places, vars *scope) {
	if s == nil {
		return
	}
	for _, q := range s.Queries {
		r.read(r.query(q, in, vars))
	}
}

func (r *reader) choice(i *gojq.If, in places, vars *scope) places {
	r.read(r.query(i.Cond, in, vars))
	got := r.query(i.Then, in, vars)
	for _, elif := range i.Elif {
		r.read(r.query(elif.Cond, in, vars))
		got = r.union(got, r.query(elif.Then, in, vars))
	}
	if i.Else == nil {
		return r.union(got, in)
	}
	return r.union(got, r.query(i.Else, in, vars))
}

// member reads a key and a value of an object that the expression makes.
func (r *reader) member(kv *gojq.ObjectKeyVal, in places, vars *scope) {
	r.text(kv.KeyString, in, vars)
	r.read(r.query(kv.KeyQuery, in, vars))
	switch {
	case kv.Val != nil:
		r.read(r.query(kv.Val, in, vars))
	case strings.HasPrefix(kv.Key, "$"):
		r.read(r.call(&gojq.Func{Name: kv.Key}, in, vars))
	case kv.Key != "":
		r.read(r.child(in, kv.Key))
	case kv.KeyString != nil && kv.KeyString.Queries == nil:
		r.read(r.child(in, kv.KeyString.Str))
	default:
		r.read(in)
	}
}

// fold reads reduce and foreach: the value that goes around comes from what has been read.
func (r *reader) fold(of *gojq.Query, patterns []*gojq.Pattern, start *gojq.Query, steps []*gojq.Query, in places, vars *scope) {
	r.read(r.query(of, in, vars))
	r.read(r.query(start, in, vars))
	inner := r.bind(patterns, nil, vars)
	for _, step := range steps {
		r.read(r.query(step, nil, inner))
	}
}

// bind returns the scope with the variables of patterns.
func (r *reader) bind(patterns []*gojq.Pattern, of places, vars *scope) *scope {
	if len(patterns) > 1 { // each is tried when those before raise an error
		r.read(of)
		of = nil
	}
	for _, p := range patterns {
		vars = r.pattern(p, of, vars)
	}
	return vars
}

func (r *reader) pattern(p *gojq.Pattern, of places, vars *scope) *scope {
	if p.Name != "" {
		return &scope{p.Name, of, vars}
	}
	if len(p.Array) > 0 {
		r.read(of)
		of = nil
	}
	for _, member := range p.Array {
		vars = r.pattern(member, of, vars)
	}
	for _, kv := range p.Object {
		var at places
		switch key, variable := strings.CutPrefix(kv.Key, "$"); {
		case key != "":
			at = r.child(of, key)
			if variable {
				vars = &scope{kv.Key, at, vars}
			}
		case kv.KeyString != nil && kv.KeyString.Queries == nil:
			at = r.child(of, kv.KeyString.Str)
		default:
			r.read(of)
			r.text(kv.KeyString, nil, vars)
			r.read(r.query(kv.KeyQuery, nil, vars))
		}
		if kv.Val != nil {
			vars = r.pattern(kv.Val, at, vars)
		}
	}
	return vars
}

// effect is what a function reads of its input, and what its results are.
type effect struct {
	passes bool // its input can be its result; of the input itself only the type matters
	gives  int  // the argument whose results are the function's, from 1 on; 0 for none
}

// effects are the functions of jq that do not read all of their input, by name and number
// of arguments. Every argument sees the input.
//
// Source: https://github.com/itchyny/gojq/blob/v0.12.20/builtin.jq, read 2026-11.
var effects = map[string]effect{
	"empty/0": {}, "error/1": {}, "not/0": {}, "type/0": {}, "now/0": {}, "nan/0": {}, "infinite/0": {}, "env/0": {},
	"range/1": {}, "range/2": {}, "range/3": {}, "isempty/1": {}, "add/1": {},
	"select/1": {passes: true}, "values/0": {passes: true}, "nulls/0": {passes: true}, "booleans/0": {passes: true}, "numbers/0": {passes: true},
	"strings/0": {passes: true}, "arrays/0": {passes: true}, "objects/0": {passes: true}, "iterables/0": {passes: true}, "scalars/0": {passes: true},
	"debug/0": {passes: true}, "debug/1": {passes: true}, "stderr/0": {passes: true},
	"first/1": {gives: 1}, "last/1": {gives: 1}, "limit/2": {gives: 2}, "skip/2": {gives: 2}, "nth/2": {gives: 2},
}

// call is a function, or a variable.
func (r *reader) call(f *gojq.Func, in places, vars *scope) places {
	if strings.HasPrefix(f.Name, "$") {
		held, known := vars.find(f.Name)
		r.root.whole = r.root.whole || !known && f.Name != "$ENV"
		return held
	}
	name := f.Name + "/" + strconv.Itoa(len(f.Args))
	if name == "any/2" || name == "all/2" {
		r.read(r.query(f.Args[1], r.query(f.Args[0], in, vars), vars))
		return nil
	}
	of, known := effects[name]
	if !known { // what it passes to its arguments then comes from what has been read
		r.read(in)
		in = nil
	}
	var got places
	if of.passes {
		got = in
	}
	for i, arg := range f.Args {
		if results := r.query(arg, in, vars); i+1 == of.gives {
			got = results
		} else {
			r.read(results)
		}
	}
	return got
}

// Reads returns what the expressions of the resource can reach of an object; with
// itemsToParse, of the object as it comes from Bitbucket, without the element.
func (p *Program) Reads() *Reads {
	r := reader{root: &Reads{}}
	if p.items != nil {
		r.expression(p.items.expr)
		r.element, r.split = p.items.name, true
	}
	r.expression(p.selector)
	for i := range p.entries {
		for _, x := range p.entries[i].expressions() {
			r.expression(x)
		}
	}
	return r.root
}

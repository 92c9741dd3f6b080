package transform

import (
	"strconv"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/reach"
)

// reader finds what expressions reach. Without any object, it follows at which places of
// the object the results of each step can be.
type reader struct {
	root    *reach.Paths
	split   bool   // the object holds an element of itemsToParse
	element string // its key
}

func newReader() *reader { return &reader{root: &reach.Paths{}} }

// expression adds what one expression reads of the object; its result is read.
func (r *reader) expression(x *expression) {
	if x == nil || x.tree == nil {
		return // no expression, or a file
	}
	r.tree(x.tree)
}

func (r *reader) tree(q *gojq.Query) {
	if len(jq.Defined(q)) > 0 { // functions of its own, which may hide those of jq
		r.root.Whole = true
		return
	}
	r.query(q, places{{at: r.root}}, nil).read()
}

// key returns the places of a key of a value. That the value is an object then matters.
func (r *reader) key(of places, key string) places {
	var all places
	for _, p := range of {
		switch {
		case p.at == nil: // an array: an error shows it
			p.elements.read()
		case p.at == r.root && r.split && key == r.element: // it comes from what itemsToParse reads
		default:
			all = append(all, &place{at: p.at.At(key)})
		}
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
		r.root.Whole = true
		return nil
	case q.Term != nil:
		return r.term(q.Term, in, vars)
	case q.Op == gojq.OpPipe && len(q.Patterns) > 0:
		return r.query(q.Right, in, r.bind(q.Patterns, r.query(q.Left, in, vars), vars))
	case q.Op == gojq.OpPipe:
		return r.query(q.Right, r.query(q.Left, in, vars), vars)
	case q.Op == gojq.OpComma:
		return union(r.query(q.Left, in, vars), r.query(q.Right, in, vars))
	case q.Op == gojq.OpAlt:
		return union(r.query(q.Left, in, vars).test(), r.query(q.Right, in, vars))
	case q.Op == gojq.OpAnd, q.Op == gojq.OpOr:
		r.query(q.Left, in, vars).test()
		r.query(q.Right, in, vars).test()
		return nil
	case jq.Assigns(q.Op):
		in.read()
	}
	r.query(q.Left, in, vars).read()
	r.query(q.Right, in, vars).read()
	return nil
}

func (r *reader) term(t *gojq.Term, in places, vars *scope) places {
	got := r.head(t, in, vars)
	for _, suffix := range t.SuffixList {
		if suffix.Index != nil {
			got = r.index(suffix.Index, got, in, vars)
		}
		if suffix.Iter {
			got = got.each()
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
		return union(r.query(t.Try.Body, in, vars), r.query(t.Try.Catch, nil, vars))
	case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber, gojq.TermTypeBreak:
	case gojq.TermTypeArray:
		return array(r.query(t.Array.Query, in, vars))
	case gojq.TermTypeUnary:
		r.term(t.Unary.Term, in, vars).read()
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			r.member(kv, in, vars)
		}
	case gojq.TermTypeString:
		r.text(t.Str, in, vars)
	case gojq.TermTypeFormat:
		if t.Str == nil {
			in.read()
		}
		r.text(t.Str, in, vars)
	case gojq.TermTypeReduce:
		inner := r.bind(t.Reduce.Patterns, r.query(t.Reduce.Query, in, vars), vars)
		r.fold(t.Reduce.Start, []*gojq.Query{t.Reduce.Update}, in, vars, inner)
	case gojq.TermTypeForeach:
		inner := r.bind(t.Foreach.Patterns, r.query(t.Foreach.Query, in, vars), vars)
		r.fold(t.Foreach.Start, []*gojq.Query{t.Foreach.Update, t.Foreach.Extract}, in, vars, inner)
	case gojq.TermTypeRecurse:
		in.read()
	default:
		r.root.Whole = true
	}
	return nil
}

// index returns the places of .key, .[0] and .[1:]; another index reads the whole value.
func (r *reader) index(i *gojq.Index, of, in places, vars *scope) places {
	if key, ok := jq.Key(i); ok {
		return r.key(of, key)
	}
	switch {
	case i.IsSlice && isPosition(i.Start) && isPosition(i.End):
		of.each() // a slice of an array is one of the same elements
		return of
	case !i.IsSlice && i.Start != nil && isPosition(i.Start):
		return of.each()
	}
	of.read()
	r.query(i.Start, in, vars).read()
	r.query(i.End, in, vars).read()
	r.text(i.Str, in, vars)
	return nil
}

// isPosition reports whether an index is a number such as 0 and -1, or left out.
func isPosition(q *gojq.Query) bool {
	if q == nil {
		return true
	}
	t := jq.OnlyTerm(q)
	if t != nil && t.Type == gojq.TermTypeUnary && len(t.SuffixList) == 0 {
		t = t.Unary.Term
	}
	return t != nil && t.Type == gojq.TermTypeNumber && len(t.SuffixList) == 0
}

func (r *reader) text(s *gojq.String, in places, vars *scope) {
	if s == nil {
		return
	}
	for _, q := range s.Queries {
		r.query(q, in, vars).read()
	}
}

func (r *reader) choice(i *gojq.If, in places, vars *scope) places {
	r.query(i.Cond, in, vars).test()
	got := r.query(i.Then, in, vars)
	for _, elif := range i.Elif {
		r.query(elif.Cond, in, vars).test()
		got = union(got, r.query(elif.Then, in, vars))
	}
	if i.Else == nil {
		return union(got, in)
	}
	return union(got, r.query(i.Else, in, vars))
}

// member reads a key and a value of an object that the expression makes.
func (r *reader) member(kv *gojq.ObjectKeyVal, in places, vars *scope) {
	r.text(kv.KeyString, in, vars)
	r.query(kv.KeyQuery, in, vars).read()
	switch {
	case kv.Val != nil:
		r.query(kv.Val, in, vars).read()
	case strings.HasPrefix(kv.Key, "$"):
		r.call(&gojq.Func{Name: kv.Key}, in, vars).read()
	case kv.Key != "":
		r.key(in, kv.Key).read()
	case kv.KeyString != nil && kv.KeyString.Queries == nil:
		r.key(in, kv.KeyString.Str).read()
	default:
		in.read()
	}
}

// fold reads reduce and foreach: the value that goes around comes from what has been read.
func (r *reader) fold(start *gojq.Query, steps []*gojq.Query, in places, vars, inner *scope) {
	r.query(start, in, vars).read()
	for _, step := range steps {
		r.query(step, nil, inner).read()
	}
}

// bind returns the scope with the variables of patterns.
func (r *reader) bind(patterns []*gojq.Pattern, of places, vars *scope) *scope {
	if len(patterns) > 1 { // each is tried when those before raise an error
		of.read()
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
	for _, member := range p.Array {
		vars = r.pattern(member, of.each(), vars)
	}
	for _, kv := range p.Object {
		var at places
		switch key, variable := strings.CutPrefix(kv.Key, "$"); {
		case key != "":
			at = r.key(of, key)
			if variable {
				vars = &scope{kv.Key, at, vars}
			}
		case kv.KeyString != nil && kv.KeyString.Queries == nil:
			at = r.key(of, kv.KeyString.Str)
		default:
			of.read()
			r.text(kv.KeyString, nil, vars)
			r.query(kv.KeyQuery, nil, vars).read()
		}
		if kv.Val != nil {
			vars = r.pattern(kv.Val, at, vars)
		}
	}
	return vars
}

// call is a function, or a variable.
func (r *reader) call(f *gojq.Func, in places, vars *scope) places {
	if strings.HasPrefix(f.Name, "$") {
		held, known := vars.find(f.Name)
		r.root.Whole = r.root.Whole || !known && f.Name != "$ENV"
		return held
	}
	e, known := effects[f.Name+"/"+strconv.Itoa(len(f.Args))]
	if !known { // what it passes to its arguments then comes from what has been read
		in.read()
		in = nil
	}
	if e.test {
		in.test()
	}
	seen := in // by the arguments
	if e.each {
		seen = in.each()
	}
	var given places
	for i, arg := range f.Args {
		switch results := r.query(arg, seen, vars); {
		case i+1 == e.gives:
			given = results
		case i+1 == e.from: // the arguments after it see its results
			seen = results
		case i+1 == e.tests:
			results.test()
		default:
			results.read()
		}
	}
	return e.results(in, given)
}

package transform

import "slices"

// Reads says which paths of an object expressions can reach. What stands at any other
// path can change, come or go, and no result changes. A path is of keys of objects.
// What is not provably left alone counts as reached.
type Reads struct {
	whole bool              // all that stands here, and below
	below map[string]*Reads // what stands at these keys, and that there is an object here
}

// Reach reports whether an expression can reach what stands at a path, or a part of
// it, or what it is a part of.
func (r *Reads) Reach(path ...string) bool {
	for _, key := range path {
		if r.whole {
			return true
		}
		if r = r.below[key]; r == nil {
			return false
		}
	}
	return true
}

// Only reports whether all that expressions can reach stands below these keys of the
// object.
func (r *Reads) Only(keys ...string) bool {
	if r.whole {
		return false
	}
	for key := range r.below {
		if !slices.Contains(keys, key) {
			return false
		}
	}
	return true
}

func (r *Reads) at(key string) *Reads {
	if r.below == nil {
		r.below = map[string]*Reads{}
	}
	if r.below[key] == nil {
		r.below[key] = &Reads{}
	}
	return r.below[key]
}

// Reads says what the expressions of the resource can reach of an object: with
// itemsToParse of the object as it comes from Bitbucket, without its element.
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

// expressions are all of an entry; some are nil.
func (e *entry) expressions() []*expression {
	all := append(e.identifier.expressions(), e.blueprint, e.title, e.icon)
	if e.team != nil {
		all = append(all, e.team.expressions()...)
	}
	for _, f := range slices.Concat(e.properties, e.relations) {
		all = append(all, f.value.expressions()...)
	}
	return all
}

func (v value) expressions() []*expression {
	if v.query == nil {
		return []*expression{v.expr}
	}
	return v.query.expressions()
}

func (q *query) expressions() []*expression {
	all := []*expression{q.combinator}
	for _, r := range q.rules {
		if r.nested != nil {
			all = append(all, r.nested.expressions()...)
		}
		for _, l := range r.leaves {
			all = append(all, l.expr)
		}
	}
	return all
}

// IdentifierReads is Reads for the identifier of one entry alone.
func (p *Program) IdentifierReads(entry int) *Reads {
	r := reader{root: &Reads{}}
	r.expression(p.entries[entry].identifier.expr)
	return r.root
}

package transform

import "slices"

// Reads says which paths of an object expressions can reach. A value at any other path can
// change, come or go without changing a result. A path is made of keys of objects. What
// expressions do not provably leave alone counts as reached.
type Reads struct {
	whole bool              // everything here and below is reached
	below map[string]*Reads // what is reached at these keys, and that this is an object
}

// Reach reports whether an expression can reach the value at a path, a part of it, or a
// value that contains it.
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

// Only reports whether expressions can reach nothing but what is below these keys of the
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

// expressions returns all expressions of an entry; some are nil.
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

// IdentifierReads returns what the identifier of one entry alone can reach.
func (p *Program) IdentifierReads(entry int) *Reads {
	r := reader{root: &Reads{}}
	r.expression(p.entries[entry].identifier.expr)
	return r.root
}

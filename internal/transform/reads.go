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

// within reports whether all that expressions can reach belongs to an origin.
func (r *Reads) within(o Origin, path ...string) bool {
	if len(path) == 0 && !r.whole && len(r.below) == 0 {
		return true // nothing is reached
	}
	if r.whole || len(r.below) == 0 {
		return o.has(path)
	}
	for key, next := range r.below {
		if !next.within(o, append(slices.Clone(path), key)...) {
			return false
		}
	}
	return true
}

// has reports whether all that stands at a path belongs to the origin.
func (o Origin) has(path []string) bool {
	if len(o.Except) > 0 && (len(path) == 0 || slices.Contains(o.Except, path[0])) {
		return false
	}
	return slices.ContainsFunc(o.Paths, func(own []string) bool {
		return len(own) <= len(path) && slices.Equal(own, path[:len(own)])
	})
}

package transform

import (
	"slices"

	"port-bitbucket-exporter/internal/reach"
)

// Origin is the place in an object of what the object comes from, such as a repository.
type Origin struct {
	Paths  [][]string // of keys; an empty path is the whole object
	Except []string   // keys of the object that do not belong to it all the same
}

// holds reports whether all that matters belongs to an origin.
func (o Origin) holds(reads *reach.Paths, path ...string) bool {
	if len(path) == 0 && !reads.Whole && reads.Each == nil && len(reads.Keys) == 0 {
		return true // nothing is reached
	}
	if reads.Whole || reads.Each != nil || len(reads.Keys) == 0 {
		return o.has(path)
	}
	for key, next := range reads.Keys {
		if !o.holds(next, append(slices.Clone(path), key)...) {
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

// Reads returns what the expressions of the resource can reach of an object; with
// itemsToParse, of the object as it comes from Bitbucket, without the element.
func (p *Program) Reads() *reach.Paths {
	r := newReader()
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

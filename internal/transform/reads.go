package transform

import "slices"

// Reads holds the paths of an object that expressions can reach. A value at any other path can
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

// Origin is the place in an object of what the object comes from, such as a repository.
type Origin struct {
	Paths  [][]string // of keys; an empty path is the whole object
	Except []string   // keys of the object that do not belong to it all the same
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

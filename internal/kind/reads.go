package kind

import "slices"

// includedFiles is the key of included files, in an object and in the folder of one.
const includedFiles = "__includedFiles"

// Reads reports whether the expressions of a resource can reach what stands at a path
// of its objects, given by its keys. A nil one reaches everything.
type Reads func(path ...string) bool

// Reading is the resource for expressions that reach no more than that: what none
// of them can reach, and would cost a request of its own, is left out of the objects.
func (b Bound) Reading(reads Reads) Bound {
	if b.reading == nil {
		return b
	}
	return b.reading(reads)
}

// narrow hands a selector what expressions read, if it makes a difference to it.
func narrow[S selector](s S, reads Reads) S {
	if n, ok := any(s).(interface{ reading(reads Reads) S }); ok {
		return n.reading(reads)
	}
	return s
}

// of gives those of some included files that can be reached below a path.
func (r Reads) of(names []string, path ...string) []string {
	if r == nil {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !r(append(slices.Clone(path), name)...) })
}

package kind

import "slices"

// includedFiles is the key of included files, in an object and in the folder of one.
const includedFiles = "__includedFiles"

// Reads reports whether the expressions of a resource can reach a path of its objects,
// given by its keys. A nil Reads reaches everything.
type Reads func(path ...string) bool

// Reading returns the resource for expressions that reach no more than reads says: what
// they cannot reach is left out of the objects when it would cost a request of its own.
func (b Bound) Reading(reads Reads) Bound {
	if b.reading == nil {
		return b
	}
	return b.reading(reads)
}

// narrow gives a selector what expressions read, if the selector wants to know.
func narrow[S selector](s S, reads Reads) S {
	if n, ok := any(s).(interface{ reading(reads Reads) S }); ok {
		return n.reading(reads)
	}
	return s
}

// of returns the names of included files that expressions can reach below a path.
func (r Reads) of(names []string, path ...string) []string {
	if r == nil {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !r(append(slices.Clone(path), name)...) })
}

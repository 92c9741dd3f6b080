package catalog

// Keys are the keys of an entity that a mapping names, other than identifier,
// blueprint and icon. Two entities are compared by them alone.
type Keys struct {
	Title      bool
	Team       bool
	Properties []string // sorted, without repetition
	Relations  []string // sorted, without repetition
}

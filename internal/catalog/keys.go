package catalog

import "slices"

// Keys are the keys of an entity that a mapping names, other than identifier,
// blueprint and icon. Two entities are compared by them alone.
type Keys struct {
	Title      bool
	Team       bool
	Properties []string // sorted, without repetition
	Relations  []string // sorted, without repetition
}

// Without are the keys that o does not have.
func (k Keys) Without(o Keys) Keys {
	return Keys{
		Title:      k.Title && !o.Title,
		Team:       k.Team && !o.Team,
		Properties: without(k.Properties, o.Properties),
		Relations:  without(k.Relations, o.Relations),
	}
}

// Size is how many keys there are.
func (k Keys) Size() int {
	n := len(k.Properties) + len(k.Relations)
	if k.Title {
		n++
	}
	if k.Team {
		n++
	}
	return n
}

func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

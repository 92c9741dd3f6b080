package catalog

import "slices"

// Keys are the keys of an entity that a mapping names, other than identifier and
// blueprint. Two entities are compared by them alone.
type Keys struct {
	Title      bool
	Icon       bool
	Team       bool
	Properties []string // sorted, without repetition
	Relations  []string // sorted, without repetition
}

// Without returns the keys that o does not have.
func (k Keys) Without(o Keys) Keys {
	return Keys{
		Title:      k.Title && !o.Title,
		Icon:       k.Icon && !o.Icon,
		Team:       k.Team && !o.Team,
		Properties: without(k.Properties, o.Properties),
		Relations:  without(k.Relations, o.Relations),
	}
}

// Size counts the keys.
func (k Keys) Size() int {
	n := len(k.Properties) + len(k.Relations)
	for _, named := range []bool{k.Title, k.Icon, k.Team} {
		if named {
			n++
		}
	}
	return n
}

// Union returns the keys that k or o has.
func (k Keys) Union(o Keys) Keys {
	return Keys{
		Title:      k.Title || o.Title,
		Icon:       k.Icon || o.Icon,
		Team:       k.Team || o.Team,
		Properties: union(k.Properties, o.Properties),
		Relations:  union(k.Relations, o.Relations),
	}
}

func union(names, others []string) []string {
	all := slices.Concat(names, others)
	slices.Sort(all)
	return slices.Compact(all)
}

func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

package catalog

import (
	"cmp"
	"slices"
)

// Action is what would become of an entity.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Refuse Action = "refuse" // Port would not take it
)

// Change is what a run would do to one entity.
type Change struct {
	Action Action
	Ref    Ref
	// Fields are those that would change, sorted by name; of a creation those that it sets.
	Fields []ChangedField
	// Why is why Port would refuse it, or what a deletion goes along with.
	Why string
}

// ChangedField is one value that would change.
type ChangedField struct {
	Name     string // `title`, `property "url"`, `relation "project"`
	From, To any    // nil means none
}

// Set notes the change of one value. A value that changes back is not a change.
func (c *Change) Set(name string, from, to any, as Form) {
	i, found := slices.BinarySearchFunc(c.Fields, name, func(f ChangedField, name string) int { return cmp.Compare(f.Name, name) })
	if found {
		from = c.Fields[i].From
	}
	switch same := Same(from, to, as); {
	case same && found:
		c.Fields = slices.Delete(c.Fields, i, i+1)
	case same:
	case found:
		c.Fields[i].To = to
	default:
		c.Fields = slices.Insert(c.Fields, i, ChangedField{name, from, to})
	}
}

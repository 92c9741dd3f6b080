package catalog

import "slices"

// Shape is how Port keeps the values of the entities of a blueprint. The zero value is
// for an unknown blueprint: no text in it counts as a date and time.
type Shape struct {
	Properties []string // that can be written; sorted
	Relations  []string // sorted
	// Instants are the properties that hold a date and time, which Port may write in
	// another time zone. In any other property such a text is compared as a text.
	Instants map[string]bool
	// Defaults are what Port gives to properties that a new entity, or one that
	// replaces another, leaves out.
	Defaults map[string]any
	// Inherited reports whether Port takes the team from a related entity: what an entity
	// itself gives is then not what Port holds.
	Inherited bool
}

// Digest is a hash of each value by which a Digester compares. It is small, and
// comparable.
type Digest string

func (d Digest) slot(i int) (s slot) {
	if d != "" {
		copy(s[:], d[i*slotBytes:])
	}
	return s
}

// Digester compares the entities of one blueprint. It is safe for concurrent use.
type Digester struct {
	keys     []key
	shape    Shape
	replaces bool
}

type key struct {
	group group
	name  string // of a property or a relation
	// absent is what Port holds after an entity without the key has replaced another.
	absent slot
}

type group int

const (
	title group = iota
	icon
	team
	property
	relation
)

// NewDigester compares by the keys that a mapping names for a blueprint: an entity
// leaves the others as Port holds them.
func NewDigester(k Keys, s Shape) *Digester {
	return newDigester(k, s, false)
}

// NewReplacingDigester compares by every key that can be written, since an entity
// replaces what Port holds. An icon that the mapping does not name is left alone.
func NewReplacingDigester(k Keys, s Shape) *Digester {
	return newDigester(k.Union(Keys{Title: true, Team: true, Properties: s.Properties, Relations: s.Relations}), s, true)
}

func newDigester(k Keys, s Shape, replaces bool) *Digester {
	d := &Digester{shape: s, replaces: replaces}
	if k.Title {
		d.keys = append(d.keys, key{title, "", blank})
	}
	if k.Icon {
		d.keys = append(d.keys, key{icon, "", slot{}})
	}
	if k.Team && !s.Inherited {
		d.keys = append(d.keys, key{team, "", blank})
	}
	for _, name := range k.Properties {
		absent := blank
		if v, ok := s.Defaults[name]; ok && v != nil {
			absent = d.valueOf(name, v)
		}
		d.keys = append(d.keys, key{property, name, absent})
	}
	for _, name := range k.Relations {
		d.keys = append(d.keys, key{relation, name, blank})
	}
	return d
}

// Properties are those by which the Digester compares.
func (d *Digester) Properties() (names []string) {
	for _, k := range d.keys {
		if k.group == property {
			names = append(names, k.name)
		}
	}
	return names
}

// Digest is the canonical hash of f, which a mapping gave or Port holds. What Port
// writes in another way counts as the same: null and absent; the order of a to-many
// relation, and an empty one and null; instants, to the millisecond, in whichever
// time zone; numbers, in whichever notation and as precise as Port keeps them.
func (d *Digester) Digest(f Fields) Digest {
	sum := make([]byte, 0, len(d.keys)*slotBytes)
	for _, k := range d.keys {
		s := d.slot(k, f)
		sum = append(sum, s[:]...)
	}
	return Digest(sum)
}

func (d *Digester) slot(k key, f Fields) slot {
	switch k.group {
	case title:
		return titleSlot(f)
	case icon:
		return textSlot(f.Icon)
	case team:
		return setSlot(f.Team)
	case property:
		if v, given := f.Properties[k.name]; given {
			return d.valueOf(k.name, v)
		}
	case relation:
		if v, given := f.Relations[k.name]; given {
			return relationSlot(v)
		}
	}
	return slot{}
}

func (d *Digester) valueOf(name string, v any) slot {
	if v == nil {
		return blank
	}
	if text, ok := v.(string); ok && d.shape.Instants[name] {
		v = instant(text)
	}
	return slotOf(v)
}

// titleSlot treats the identifier as no title: Port shows it for an entity without one.
func titleSlot(f Fields) slot {
	identifier, named := f.Identifier.(string)
	if text, ok := f.Title.(string); ok && named && text == identifier {
		return blank
	}
	return textSlot(f.Title)
}

func textSlot(v any) slot {
	switch v {
	case nil:
		return slot{}
	case "":
		return blank
	}
	return slotOf(v)
}

func setSlot(v any) slot {
	if v == nil {
		return slot{}
	}
	return relationSlot(v)
}

func relationSlot(v any) slot {
	if v = asSet(v); v == nil {
		return blank
	}
	return slotOf(v)
}

// Over returns the digest of what Port holds after an entity was written over another;
// before is empty when nothing was written.
func (d *Digester) Over(before, entity Digest) Digest {
	if before == "" || d.replaces {
		return entity
	}
	sum := []byte(before)
	for i := range d.keys {
		if s := entity.slot(i); s != (slot{}) {
			copy(sum[i*slotBytes:], s[:])
		}
	}
	return Digest(sum)
}

// Same reports whether writing an entity would change nothing of what Port holds.
func (d *Digester) Same(entity, stored Digest) bool {
	for i := range d.keys {
		if d.changes(i, entity, stored) {
			return false
		}
	}
	return true
}

// Covers reports whether entities with the given keys can write over everything
// that an entity would change.
func (d *Digester) Covers(entity, stored Digest, by Keys) bool {
	for i, k := range d.keys {
		if !d.replaces && d.changes(i, entity, stored) && !by.has(k) {
			return false
		}
	}
	return true
}

// changes reports whether writing an entity would change one value.
func (d *Digester) changes(i int, entity, stored Digest) bool {
	is, was := entity.slot(i), stored.slot(i)
	if is == (slot{}) && d.replaces {
		is = d.keys[i].absent
	}
	if was == (slot{}) {
		was = blank
	}
	return is != (slot{}) && is != was
}

func (k Keys) has(one key) bool {
	switch one.group {
	case title:
		return k.Title
	case icon:
		return k.Icon
	case team:
		return k.Team
	case property:
		return slices.Contains(k.Properties, one.name)
	}
	return slices.Contains(k.Relations, one.name)
}

// Form is how two values of Port are compared.
type Form int

const (
	Plain   Form = iota
	Instant      // a text that is a date and time, in whichever zone
	Set          // a relation or a team, in whichever order
)

// Same reports whether two values are the same to Port; see Digester.Digest.
func Same(a, b any, as Form) bool {
	for _, v := range []*any{&a, &b} {
		switch text, isText := (*v).(string); {
		case as == Set:
			*v = asSet(*v)
		case as == Instant && isText:
			*v = instant(text)
		}
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return slotOf(a) == slotOf(b)
}

package inventory

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
)

// Merge returns what the parts of one run know together; it leaves them as they are. A part
// may have read some of the resources, or some of the sources of a resource. Where two parts
// produced one entity, the later result of an entry counts.
//
// What one part does not know, the whole does not know: a resource is listed to its end when
// every part that has it says so, and the first reason for a gap counts.
func Merge(parts ...*Inventory) *Inventory {
	whole := New()
	for _, p := range parts {
		for ref, e := range p.Entities {
			whole.Entities[ref] = merged(whole.Entities[ref], e)
		}
		for relation, identifiers := range p.Targets {
			for id := range identifiers {
				whole.Relate(relation, id)
			}
		}
		for blueprint, s := range p.Stored {
			known, has := whole.Stored[blueprint]
			whole.Stored[blueprint] = s.with(known, has)
		}
		maps.Copy(whole.Adopted, p.Adopted)
		for _, r := range p.Resources {
			whole.add(r)
		}
	}
	slices.SortFunc(whole.Resources, func(a, b *Resource) int { return cmp.Compare(a.Index, b.Index) })
	return whole
}

func merged(before, after *Entity) *Entity {
	e := *after
	e.Results = slices.Clone(after.Results)
	if before == nil {
		return &e
	}
	earlier := slices.DeleteFunc(slices.Clone(before.Results), func(r Result) bool { return after.MadeBy(r.Entry) })
	e.Results = slices.Concat(earlier, e.Results)
	e.Source, e.Title = cmp.Or(after.Source, before.Source), cmp.Or(after.Title, before.Title)
	e.Fresh = before.Fresh && after.Fresh
	e.Written = before.Written || after.Written
	e.Counted = before.Counted || after.Counted
	e.Updated = before.Updated || after.Updated
	return &e
}

// with adds what another part knows of the blueprint.
func (s Stored) with(o Stored, known bool) Stored {
	if !known {
		s.Edges = slices.Clone(s.Edges)
		return s
	}
	seen := map[Edge]bool{}
	all := make([]Edge, 0, len(o.Edges)+len(s.Edges))
	for _, e := range slices.Concat(o.Edges, s.Edges) {
		if !seen[e] {
			seen[e] = true
			all = append(all, e)
		}
	}
	return Stored{Edges: all, Unread: s.Unread || o.Unread, Absent: s.Absent && o.Absent}
}

// add merges a resource into that of the same index.
func (v *Inventory) add(r *Resource) {
	i := slices.IndexFunc(v.Resources, func(o *Resource) bool { return o.Index == r.Index })
	if i < 0 {
		c := *r
		c.Sources, c.Held = maps.Clone(r.Sources), slices.Clone(r.Held)
		c.Partial = slices.Clone(r.Partial)
		c.Remembered, c.NotAsked = maps.Clone(r.Remembered), maps.Clone(r.NotAsked)
		if c.Sources == nil {
			c.Sources = map[string]Source{}
		}
		v.Resources = append(v.Resources, &c)
		return
	}
	o := v.Resources[i]
	o.Tasks += r.Tasks
	o.Listed = o.Listed && r.Listed
	o.Extracted += r.Extracted
	maps.Copy(o.Sources, r.Sources)
	for n, held := range r.Held {
		if n == len(o.Held) {
			o.Held = append(o.Held, 0)
		}
		o.Held[n] += held
	}
	if r.Gap != "" {
		o.Miss(r.Gap)
	}
	for _, g := range r.Partial {
		o.MissSource(g)
	}
	for key, readAt := range r.Remembered {
		o.Remember(key, readAt)
	}
	for key := range r.NotAsked {
		o.Leave(key)
	}
	o.Unnamed = cmp.Or(o.Unnamed, r.Unnamed)
}

// wire is the form of an Inventory as JSON: lists, sorted, in the place of maps whose keys
// are not texts.
type wire struct {
	Entities  []wireEntity
	Targets   []wireTargets
	Stored    map[string]Stored
	Adopted   []string
	Resources []*Resource
}

type wireEntity struct {
	Blueprint, Identifier string
	*Entity
}

type wireTargets struct {
	Relation
	Identifiers []string
}

// MarshalJSON writes the same bytes for the same knowledge.
func (v *Inventory) MarshalJSON() ([]byte, error) {
	w := wire{Stored: v.Stored, Adopted: slices.Sorted(maps.Keys(v.Adopted)), Resources: v.Resources}
	for _, ref := range slices.SortedFunc(maps.Keys(v.Entities), func(a, b catalog.Ref) int {
		return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Identifier, b.Identifier))
	}) {
		w.Entities = append(w.Entities, wireEntity{ref.Blueprint, ref.Identifier, v.Entities[ref]})
	}
	for _, relation := range slices.SortedFunc(maps.Keys(v.Targets), func(a, b Relation) int {
		return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Name, b.Name))
	}) {
		w.Targets = append(w.Targets, wireTargets{relation, slices.Sorted(maps.Keys(v.Targets[relation]))})
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Inventory) UnmarshalJSON(text []byte) error {
	var w wire
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return err
	}
	*v = *New()
	for _, e := range w.Entities {
		if e.Entity == nil {
			e.Entity = &Entity{}
		}
		v.Entities[catalog.Ref{Blueprint: e.Blueprint, Identifier: e.Identifier}] = e.Entity
	}
	for _, t := range w.Targets {
		for _, id := range t.Identifiers {
			v.Relate(t.Relation, id)
		}
	}
	if w.Stored != nil {
		v.Stored = w.Stored
	}
	for _, blueprint := range w.Adopted {
		v.Adopted[blueprint] = true
	}
	v.Resources = w.Resources
	return nil
}

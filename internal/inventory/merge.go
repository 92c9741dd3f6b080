package inventory

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
)

// Merge returns what the parts of one run know together; it leaves them as they are. A part
// may have read some of the resources, or some of the sources of a resource. Where two parts
// produced one entity, the later result of an entry counts. The error is that of reading a
// part again.
//
// What one part does not know, the whole does not know: a resource is listed to its end when
// every part that has it says so, and the first reason for a gap counts.
func Merge(parts ...*Inventory) (*Inventory, error) {
	whole := New()
	for _, p := range parts {
		if err := errors.Join(whole.addEntities(p), whole.addTargets(p), whole.addStored(p)); err != nil {
			return nil, err
		}
		maps.Copy(whole.Adopted, p.Adopted)
		for _, r := range p.Resources {
			whole.add(r)
		}
	}
	slices.SortFunc(whole.Resources, func(a, b *Resource) int { return cmp.Compare(a.Index, b.Index) })
	return whole, nil
}

func (v *Inventory) addEntities(p *Inventory) error {
	for k, err := range p.Entities.All() {
		if err != nil {
			return err
		}
		before, known, err := v.Entities.Of(k.Ref)
		if err != nil {
			return err
		}
		after := k.Entity
		if known {
			after = merged(before, after)
		}
		if err := v.Entities.Keep(k.Ref, after); err != nil {
			return err
		}
	}
	return nil
}

func merged(before, after Entity) Entity {
	earlier := slices.DeleteFunc(slices.Clone(before.Results), func(r Result) bool { return after.MadeBy(r.Entry) })
	return Entity{
		Results: slices.Concat(earlier, after.Results),
		Source:  cmp.Or(after.Source, before.Source),
		Title:   cmp.Or(after.Title, before.Title),
		Flags: Flags{
			Fresh:   before.Fresh && after.Fresh,
			Written: before.Written || after.Written,
			Counted: before.Counted || after.Counted,
			Updated: before.Updated || after.Updated,
		},
	}
}

func (v *Inventory) addTargets(p *Inventory) error {
	for t, err := range p.Targets.All() {
		if err != nil {
			return err
		}
		v.Targets.Add(t.Relation, t.Identifier)
	}
	return nil
}

func (v *Inventory) addStored(p *Inventory) error {
	for blueprint, s := range p.Stored {
		known, has := v.Stored[blueprint]
		if has {
			s.Unread, s.Absent = s.Unread || known.Unread, s.Absent && known.Absent
		}
		edges, seen := v.NewEdges(), map[Edge]bool{}
		for _, list := range []*Edges{known.Edges, s.Edges} {
			for e, err := range list.All() {
				if err != nil {
					return err
				}
				if !has || !seen[e] {
					edges.Add(e)
				}
				seen[e] = true
			}
		}
		s.Edges = edges
		v.Stored[blueprint] = s
	}
	return nil
}

// add merges a resource into that of the same index.
func (v *Inventory) add(r *Resource) {
	i := slices.IndexFunc(v.Resources, func(o *Resource) bool { return o.Index == r.Index })
	if i < 0 {
		c := *r
		c.Sources, c.Held = maps.Clone(r.Sources), slices.Clone(r.Held)
		c.Partial, c.Without = slices.Clone(r.Partial), slices.Clone(r.Without)
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
	if r.Gap.Why != "" {
		o.MissSource(r.Gap)
	}
	for _, g := range r.Partial {
		o.MissSource(g)
	}
	o.Without = append(o.Without, r.Without...)
	for key, readAt := range r.Remembered {
		o.Remember(key, readAt)
	}
	for key := range r.NotAsked {
		o.Leave(key)
	}
	o.Unnamed = cmp.Or(o.Unnamed, r.Unnamed)
}

// wireSource is the form of a Source as JSON.
type wireSource struct {
	Key, Name string
	JSON      json.RawMessage `json:",omitempty"`
}

// MarshalJSON reads what Bitbucket lists of the source.
func (s Source) MarshalJSON() ([]byte, error) {
	text, err := s.JSON()
	if err != nil {
		return nil, err
	}
	return json.Marshal(wireSource{s.Key, s.Name, text})
}

// UnmarshalJSON keeps what Bitbucket lists of the source in memory.
func (s *Source) UnmarshalJSON(text []byte) error {
	var w wireSource
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*s = Source{Key: w.Key, Name: w.Name}
	if w.JSON != nil {
		s.Read = func() ([]byte, error) { return w.JSON, nil }
	}
	return nil
}

// wire is the form of an Inventory as JSON: lists, sorted, in the place of what is not.
type wire struct {
	Entities  []wireEntity
	Targets   []wireTargets
	Stored    map[string]wireStored
	Adopted   []string
	Resources []*Resource
}

type wireEntity struct {
	Blueprint, Identifier string
	Entity
}

type wireTargets struct {
	Relation
	Identifiers []string
}

type wireStored struct {
	Edges  []Edge `json:",omitempty"`
	Unread bool   `json:",omitempty"`
	Absent bool   `json:",omitempty"`
}

// MarshalJSON writes the same bytes for the same knowledge.
func (v *Inventory) MarshalJSON() ([]byte, error) {
	w := wire{Stored: map[string]wireStored{}, Adopted: slices.Sorted(maps.Keys(v.Adopted)), Resources: v.Resources}
	for k, err := range v.Entities.All() {
		if err != nil {
			return nil, err
		}
		w.Entities = append(w.Entities, wireEntity{k.Ref.Blueprint, k.Ref.Identifier, k.Entity})
	}
	slices.SortFunc(w.Entities, func(a, b wireEntity) int {
		return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Identifier, b.Identifier))
	})
	identifiers := map[Relation][]string{}
	for t, err := range v.Targets.All() {
		if err != nil {
			return nil, err
		}
		identifiers[t.Relation] = append(identifiers[t.Relation], t.Identifier)
	}
	for _, r := range v.Targets.Relations() {
		w.Targets = append(w.Targets, wireTargets{r, slices.Sorted(slices.Values(identifiers[r]))})
	}
	for blueprint, s := range v.Stored {
		of := wireStored{Unread: s.Unread, Absent: s.Absent}
		for e, err := range s.Edges.All() {
			if err != nil {
				return nil, err
			}
			of.Edges = append(of.Edges, e)
		}
		w.Stored[blueprint] = of
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
		if err := v.Entities.Keep(catalog.Ref{Blueprint: e.Blueprint, Identifier: e.Identifier}, e.Entity); err != nil {
			return err
		}
	}
	for _, t := range w.Targets {
		for _, id := range t.Identifiers {
			v.Targets.Add(t.Relation, id)
		}
	}
	for blueprint, s := range w.Stored {
		v.Stored[blueprint] = Stored{Edges: v.NewEdges(s.Edges...), Unread: s.Unread, Absent: s.Absent}
	}
	for _, blueprint := range w.Adopted {
		v.Adopted[blueprint] = true
	}
	v.Resources = w.Resources
	return nil
}

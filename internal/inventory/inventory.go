// Package inventory holds what a run knows at its end: what it produced, what that relates
// to, and what it could not see. It is a plain value: parts of it, of one run or of several
// machines, merge into one, and it can be kept as JSON.
package inventory

import (
	"encoding/json"
	"hash/fnv"
	"io"
	"time"

	"port-bitbucket-exporter/internal/catalog"
)

// Inventory is what one run, or a part of it, knows. The zero Inventory is that of a run
// that did nothing; New returns one that can be written to.
type Inventory struct {
	// Entities are those that the run produced, whether or not Port has taken them.
	Entities map[catalog.Ref]*Entity
	// Targets are the identifiers that produced entities relate to.
	Targets map[Relation]Set
	// Stored is what Port stored of our data source when the run began, by blueprint.
	Stored map[string]Stored
	// Adopted are the blueprints of which the run wrote an entity that was not ours: what
	// it relates to is not known.
	Adopted Set
	// Resources are those of the mapping, in its order.
	Resources []*Resource
}

// Set is a set of texts.
type Set map[string]bool

// Relation names a relation of a blueprint.
type Relation struct{ Blueprint, Name string }

// Entity is what the run did with one entity.
type Entity struct {
	// Results has one result for each entry of the mapping that produced the entity; the
	// last one comes last. It is empty for an entity that a search query found.
	Results []Result `json:",omitempty"`
	Source  string   `json:",omitempty"` // the key of the Source of the last result
	Title   uint64   `json:",omitempty"` // a hash of the title; 0 for none
	Fresh   bool     `json:",omitempty"` // Port is not known to have held it when the run began
	Written bool     `json:",omitempty"` // Port has taken it from this run
	Counted bool     `json:",omitempty"` // Port is known to hold it at the end
	Updated bool     `json:",omitempty"` // Port held it when the run began, and has taken a change
}

// Result is the last of what one entry produced for an entity.
type Result struct {
	Entry   Entry
	Address string `json:",omitempty"` // of the web page, or the path, of the object
}

// Entry names an entry of the mapping.
type Entry struct {
	Resource int // Index of the resource
	Number   int // among the entries of the resource, from 0
}

// Stored is what Port stored of one blueprint.
type Stored struct {
	Edges  []Edge `json:",omitempty"`
	Unread bool   `json:",omitempty"` // it was not read to its end
	Absent bool   `json:",omitempty"` // Port knows no such blueprint
}

// Edge is a relation of a stored entity to another one.
type Edge struct{ From, Relation, To string }

// Resource is what a run read of one resource of the mapping.
type Resource struct {
	Index     int
	Tasks     int               // how many parts its list had, such as repositories
	Listed    bool              // its list was read to its end
	Extracted int               // units, as report.Counts has them
	Sources   map[string]Source // of the tasks, by key
	Held      []int             // by entry: units whose entity Port holds at the end
	// Gap is why any of its entities may be missing; empty when all is known.
	Gap string `json:",omitempty"`
	// Partial are why entities of one source may be missing; one for each source.
	Partial []Gap `json:",omitempty"`
	// Remembered are the sources of which something comes from memory, and when the oldest of
	// it was read. NotAsked are those of which something was not asked for. Both are by key,
	// since they may be thousands.
	Remembered map[string]time.Time `json:",omitempty"`
	NotAsked   Set                  `json:",omitempty"`
	// Unnamed is why an entity that was produced and not stored is not known by its
	// identifier: it could be any that Port holds.
	Unnamed string `json:",omitempty"`
}

// Source is what objects come from: a repository, or a project.
type Source struct {
	Key  string          // unique, and unchanged by a rename
	Name string          // for messages
	JSON json.RawMessage `json:",omitempty"` // as Bitbucket lists it
}

// Gap is why the entities of one source may be incomplete.
type Gap struct {
	Source Source
	Why    string
	Fix    string `json:",omitempty"`
}

// New returns an empty Inventory with a Resource for each index.
func New(indexes ...int) *Inventory {
	v := &Inventory{Entities: map[catalog.Ref]*Entity{}, Targets: map[Relation]Set{}, Stored: map[string]Stored{}, Adopted: Set{}}
	for _, index := range indexes {
		v.Resources = append(v.Resources, &Resource{Index: index, Sources: map[string]Source{}})
	}
	return v
}

// Produced reports whether the run produced an entity.
func (v *Inventory) Produced(ref catalog.Ref) bool { return v.Entities[ref] != nil }

// Relate remembers that an entity of a blueprint relates to an identifier.
func (v *Inventory) Relate(r Relation, identifier string) {
	if v.Targets[r] == nil {
		v.Targets[r] = Set{}
	}
	v.Targets[r][identifier] = true
}

// MadeBy reports whether an entry gave one of the entity's results.
func (e *Entity) MadeBy(entry Entry) bool {
	for _, r := range e.Results {
		if r.Entry == entry {
			return true
		}
	}
	return false
}

// HashTitle returns a hash of an entity's title, in the place of very many texts; 0 when
// there is none.
func HashTitle(f catalog.Fields) uint64 {
	title, _ := f.Title.(string)
	if title == "" {
		return 0
	}
	h := fnv.New64a()
	io.WriteString(h, title)
	return max(h.Sum64(), 1)
}

// Complete reports whether all that the resource can produce is known: of what comes from
// memory, as of when it was read.
func (r *Resource) Complete() bool {
	return r.Gap == "" && len(r.Partial) == 0 && len(r.NotAsked) == 0
}

// Remember adds a source of which something comes from memory. The older of two readings
// counts.
func (r *Resource) Remember(key string, readAt time.Time) {
	if known, ok := r.Remembered[key]; ok && known.Before(readAt) {
		return
	}
	if r.Remembered == nil {
		r.Remembered = map[string]time.Time{}
	}
	r.Remembered[key] = readAt
}

// Leave adds a source of which something was not asked for.
func (r *Resource) Leave(key string) {
	if r.NotAsked == nil {
		r.NotAsked = Set{}
	}
	r.NotAsked[key] = true
}

// Miss blocks the deletion of all that the resource can produce. The first reason counts.
func (r *Resource) Miss(why string) {
	if r.Gap == "" {
		r.Gap = why
	}
}

// MissSource blocks the deletion of what the resource can produce of one source, or of all
// when the source has no key. The first reason for a source counts.
func (r *Resource) MissSource(g Gap) {
	if g.Source.Key == "" {
		r.Miss(g.Why)
		return
	}
	for _, known := range r.Partial {
		if known.Source.Key == g.Source.Key {
			return
		}
	}
	r.Partial = append(r.Partial, g)
}

// Texts are the texts of edges, each kept once: many entities relate to few.
type Texts map[string]string

func (t Texts) one(s string) string {
	if known, ok := t[s]; ok {
		return known
	}
	t[s] = s
	return s
}

// Edges adds those of an entity to a list.
func (t Texts) Edges(all []Edge, f catalog.Fields) []Edge {
	identifier, _ := f.Identifier.(string)
	for _, target := range catalog.Targets(f.Relations) {
		all = append(all, Edge{identifier, t.one(target.Relation), t.one(target.Identifier)})
	}
	return all
}

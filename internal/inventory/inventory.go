// Package inventory holds what a run knows at its end: what it produced, what that relates
// to, and what it could not see. It is a plain value: parts of it, of one run or of several
// machines, merge into one, and it can be kept as JSON.
package inventory

import (
	"context"
	"hash/fnv"
	"io"
	"time"

	"port-bitbucket-exporter/internal/catalog"
)

// Inventory is what one run, or a part of it, knows. The zero Inventory is that of a run
// that did nothing; New returns one that can be written to, and must be closed.
type Inventory struct {
	// Entities are those that the run produced, whether or not Port has taken them.
	Entities *Entities
	// Targets are what produced entities relate to.
	Targets *Targets
	// Stored is what Port stored of our data source when the run began, by blueprint.
	Stored map[string]Stored
	// Adopted are the blueprints of which the run wrote an entity that was not ours: what
	// it relates to is not known.
	Adopted Set
	// Resources are those of the mapping, in its order.
	Resources []*Resource

	store *store
}

// Set is a set of texts.
type Set map[string]bool

// Resource is what a run read of one resource of the mapping.
type Resource struct {
	Index     int
	Tasks     int               // how many parts its list had, such as repositories
	Listed    bool              // its list was read to its end
	Extracted int               // units, as report.Counts has them
	Sources   map[string]Source // of the tasks, by key
	Held      []int             // by entry: units whose entity Port holds at the end
	// Gap is why any of its entities may be missing; zero when all is known.
	Gap Gap `json:",omitzero"`
	// Partial are why entities of one source may be missing; one for each source.
	Partial []Gap `json:",omitempty"`
	// Remembered are the sources of which something comes from memory, and when the oldest of
	// it was read. NotAsked are those of which something was not asked for. Both are by key,
	// since they may be thousands.
	Remembered map[string]time.Time `json:",omitempty"`
	NotAsked   Set                  `json:",omitempty"`
	// Without are sources that answered that they have no such objects.
	Without []Without `json:"-"`
	// Unnamed is why an entity that was produced and not stored is not known by its
	// identifier: it could be any that Port holds.
	Unnamed string `json:",omitempty"`
}

// Source is what objects come from: a repository, or a project.
type Source struct {
	Key  string // unique, and unchanged by a rename
	Name string // for messages
	// Read returns its JSON as Bitbucket lists it, which is not in memory; nil for none.
	Read func() ([]byte, error)
}

// JSON returns the source as Bitbucket lists it; nil when that is not known.
func (s Source) JSON() ([]byte, error) {
	if s.Read == nil {
		return nil, nil
	}
	return s.Read()
}

// Gap is why the entities of one source may be incomplete; without a key of the source, those of
// all.
type Gap struct {
	Source Source
	Why    string
	Fix    string `json:",omitempty"`
}

// Without is a source that answered that it has no objects of a resource, in a way in which it
// may also answer by a fault.
type Without struct {
	Source Source
	Why    string // in words, how it answered
	// Again asks once more. An error means that it is not certain that there is none.
	Again func(ctx context.Context) error
}

// New returns an empty Inventory with a Resource for each index.
func New(indexes ...int) *Inventory {
	s := newStore()
	v := &Inventory{store: s, Entities: newEntities(s), Targets: newTargets(s), Stored: map[string]Stored{}, Adopted: Set{}}
	for _, index := range indexes {
		v.Resources = append(v.Resources, &Resource{Index: index, Sources: map[string]Source{}})
	}
	return v
}

// Err returns why something that the inventory knows could not be read again, the first time
// that it could not; nil while all could be. Then nothing may be deleted.
func (v *Inventory) Err() error { return v.store.failed() }

// Close removes what the inventory keeps out of memory. Nothing may be read any more.
func (v *Inventory) Close() error { return v.store.log.Close() }

// AllProduced reports whether all that a relation names was produced in a blueprint. It reads
// nothing.
func (v *Inventory) AllProduced(r Relation, blueprint string) bool {
	return v.Targets.every(r, func(k key) bool { return v.Entities.producedKey(blueprint, k) })
}

// HashTitle returns a hash of an entity's title, in place of very many texts; 0 when
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
	return r.Gap.Why == "" && len(r.Partial) == 0 && len(r.NotAsked) == 0
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
func (r *Resource) Miss(why string) { r.MissSource(Gap{Why: why}) }

// MissSource blocks the deletion of what the resource can produce of one source, or of all
// when the source has no key. The first reason for a source counts.
func (r *Resource) MissSource(g Gap) {
	if g.Source.Key == "" {
		if r.Gap.Why == "" {
			r.Gap = g
		}
		return
	}
	for _, known := range r.Partial {
		if known.Source.Key == g.Source.Key {
			return
		}
	}
	r.Partial = append(r.Partial, g)
}

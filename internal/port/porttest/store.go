package porttest

import (
	"maps"
	"slices"
	"sort"
	"strings"
	"time"
)

// Entity is what the organization holds of one entity. Values are plain JSON:
// map[string]any, []any, string, json.Number, bool. A property or relation that
// is not set has no key.
type Entity struct {
	Identifier string
	Title      string // "" is none
	Icon       string // "" is none
	Team       []string
	Properties map[string]any
	Relations  map[string]any // string, or []any of strings
	Blueprint  string
	Datasource string // the User-Agent of the last write
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

func (e Entity) clone() Entity {
	e.Team = slices.Clone(e.Team)
	e.Properties, e.Relations = maps.Clone(e.Properties), maps.Clone(e.Relations)
	return e
}

type ref struct{ blueprint, identifier string }

// cell is the place of an entity in the store. Its entity's maps are replaced
// on a write, never written to.
type cell struct {
	seq    uint64 // order of creation; the key of paging
	entity Entity
}

func (c *cell) ref() ref { return ref{c.entity.Blueprint, c.entity.Identifier} }

// sequence holds cells in the order of creation. A removed one leaves a gap
// that is closed when gaps are the half.
type sequence struct {
	seqs  []uint64
	cells []*cell // nil is a gap
	gaps  int
}

func (q *sequence) add(c *cell) {
	q.seqs, q.cells = append(q.seqs, c.seq), append(q.cells, c)
}

func (q *sequence) remove(c *cell) {
	i, _ := slices.BinarySearch(q.seqs, c.seq)
	q.cells[i] = nil
	if q.gaps++; q.gaps*2 < len(q.cells) {
		return
	}
	kept := sequence{}
	for _, c := range q.cells {
		if c != nil {
			kept.add(c)
		}
	}
	*q = kept
}

// after calls visit for each cell created after seq, until it returns false.
func (q *sequence) after(seq uint64, visit func(*cell) bool) {
	i := sort.Search(len(q.seqs), func(i int) bool { return q.seqs[i] > seq })
	for ; i < len(q.cells); i++ {
		if c := q.cells[i]; c != nil && !visit(c) {
			return
		}
	}
}

type store struct {
	blueprints map[string]*blueprint
	cells      map[ref]*cell
	all        sequence
	of         map[string]*sequence // by blueprint
	// incoming has the cells whose relations name an entity.
	incoming map[ref]map[*cell]struct{}
	lastSeq  uint64
}

func newStore() *store {
	return &store{
		blueprints: map[string]*blueprint{},
		cells:      map[ref]*cell{},
		of:         map[string]*sequence{},
		incoming:   map[ref]map[*cell]struct{}{},
	}
}

// put creates or replaces an entity.
func (t *store) put(e Entity) {
	r := ref{e.Blueprint, e.Identifier}
	c := t.cells[r]
	if c == nil {
		t.lastSeq++
		c = &cell{seq: t.lastSeq}
		t.cells[r] = c
		t.all.add(c)
		t.blueprintCells(e.Blueprint).add(c)
	} else {
		t.unlink(c)
	}
	c.entity = e
	t.link(c)
}

func (t *store) remove(c *cell) {
	t.unlink(c)
	delete(t.cells, c.ref())
	t.all.remove(c)
	t.of[c.entity.Blueprint].remove(c)
}

func (t *store) blueprintCells(id string) *sequence {
	q := t.of[id]
	if q == nil {
		q = &sequence{}
		t.of[id] = q
	}
	return q
}

// targets are the entities that a cell's relations name.
func (t *store) targets(c *cell) []ref {
	b := t.blueprints[c.entity.Blueprint]
	if b == nil {
		return nil
	}
	var list []ref
	for name, value := range c.entity.Relations {
		for _, id := range stringsOf(value) {
			list = append(list, ref{b.relations[name].target, id})
		}
	}
	return list
}

func (t *store) link(c *cell) {
	for _, r := range t.targets(c) {
		if t.incoming[r] == nil {
			t.incoming[r] = map[*cell]struct{}{}
		}
		t.incoming[r][c] = struct{}{}
	}
}

func (t *store) unlink(c *cell) {
	for _, r := range t.targets(c) {
		delete(t.incoming[r], c)
		if len(t.incoming[r]) == 0 {
			delete(t.incoming, r)
		}
	}
}

// dependants are the cells with a relation to r, oldest first.
func (t *store) dependants(r ref) []*cell {
	list := slices.Collect(maps.Keys(t.incoming[r]))
	slices.SortFunc(list, func(a, b *cell) int { return int(a.seq) - int(b.seq) })
	return list
}

// PutEntity stores an entity as it is, whatever its blueprint says; it replaces
// one of the same identifier. Of the zero times, UpdatedAt becomes now and
// CreatedAt becomes UpdatedAt. The blueprint must exist.
func (s *Server) PutEntity(blueprint string, e Entity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store.blueprints[blueprint] == nil {
		panic("porttest: no blueprint " + blueprint)
	}
	e = e.clone()
	e.Blueprint = blueprint
	if e.UpdatedAt.IsZero() {
		e.UpdatedAt = now()
	}
	if e.CreatedAt.IsZero() {
		e.CreatedAt = e.UpdatedAt
	}
	e.Properties, e.Relations = withoutNulls(e.Properties), withoutNulls(e.Relations)
	s.store.put(e)
}

// RemoveEntity takes an entity away, as somebody else would who deletes it. It says
// whether it was there.
func (s *Server) RemoveEntity(blueprint, identifier string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.store.cells[ref{blueprint, identifier}]
	if c != nil {
		s.store.remove(c)
	}
	return c != nil
}

func withoutNulls(m map[string]any) map[string]any {
	kept := map[string]any{}
	for k, v := range m {
		if p := plain(v); p != nil {
			kept[k] = p
		}
	}
	return kept
}

// Entities lists a blueprint's entities, sorted by identifier.
func (s *Server) Entities(blueprint string) []Entity {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Entity
	s.store.blueprintCells(blueprint).after(0, func(c *cell) bool {
		list = append(list, c.entity.clone())
		return true
	})
	slices.SortFunc(list, func(a, b Entity) int { return strings.Compare(a.Identifier, b.Identifier) })
	return list
}

// Catalog has every entity, by blueprint and identifier. A blueprint without
// entities has no key.
func (s *Server) Catalog() map[string]map[string]Entity {
	s.mu.Lock()
	defer s.mu.Unlock()
	catalog := map[string]map[string]Entity{}
	for r, c := range s.store.cells {
		if catalog[r.blueprint] == nil {
			catalog[r.blueprint] = map[string]Entity{}
		}
		catalog[r.blueprint][r.identifier] = c.entity.clone()
	}
	return catalog
}

// Age makes every entity older by d, as if that time had passed since. Port's
// Date header counts whole seconds: outside a synctest bubble, what one run wrote
// is older than the start of the next only when that is a second later, or with this.
func (s *Server) Age(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.store.cells {
		c.entity.CreatedAt = c.entity.CreatedAt.Add(-d)
		c.entity.UpdatedAt = c.entity.UpdatedAt.Add(-d)
	}
}

// now is the time of a write, in Port's resolution.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

package dryrun

import (
	"context"
	"iter"
	"maps"
	"net/http"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// Upsert answers as port.Client.Upsert would.
func (s *Store) Upsert(ctx context.Context, blueprint string, batch []catalog.Entity, f port.Flags) []port.Outcome {
	outcomes := make([]port.Outcome, len(batch))
	fail := func(err error) []port.Outcome {
		for i := range outcomes {
			outcomes[i] = port.Outcome{Err: err, RequestFailed: true}
		}
		return outcomes
	}
	b, err := s.blueprint(ctx, blueprint)
	if err != nil {
		return fail(err)
	}
	// What search queries find depends on what is written before them.
	for part := range parts(batch) {
		bodies := make([]body, len(part.entities))
		for i, e := range part.entities {
			if bodies[i], err = s.read(ctx, blueprint, e); err != nil {
				return fail(err)
			}
		}
		stored, err := s.stored(ctx, blueprint, b, bodies)
		if err != nil {
			return fail(err)
		}
		for i := range bodies {
			if outcomes[part.from+i], err = s.upsertOne(ctx, b, &bodies[i], stored[bodies[i].ref.Identifier], f); err != nil {
				return fail(err)
			}
		}
	}
	return outcomes
}

// part is the entities of a batch that can be looked up together.
type part struct {
	from     int
	entities []catalog.Entity
}

// parts yields as many named entities as stand together, and others one by one.
func parts(batch []catalog.Entity) iter.Seq[part] {
	return func(yield func(part) bool) {
		for from := 0; from < len(batch); {
			to := from + 1
			for to < len(batch) && batch[from].Query == "" && batch[to].Query == "" {
				to++
			}
			if !yield(part{from, batch[from:to]}) {
				return
			}
			from = to
		}
	}
}

// read decodes an entity, and finds the one that a search query names.
func (s *Store) read(ctx context.Context, blueprint string, e catalog.Entity) (body, error) {
	b, err := readBody(blueprint, e)
	if _, named := b.Identifier.(string); err != nil || named {
		return b, err
	}
	found, err := s.find(ctx, blueprint, b.Identifier, 2)
	switch {
	case err != nil:
		return b, err
	case len(found) == 0:
		b.refused = refuse(http.StatusNotFound, "not_found", "the search query of the identifier matches no entity of blueprint %q", blueprint)
	case len(found) > 1:
		b.refused = refuse(http.StatusUnprocessableEntity, "invalid_request", "the search query of the identifier matches several entities of blueprint %q", blueprint)
	default:
		b.ref.Identifier = found[0]
	}
	return b, nil
}

// stored reads what Port stores of the entities that are not known yet.
func (s *Store) stored(ctx context.Context, identifier string, of *blueprint, bodies []body) (map[string]*entity, error) {
	var unknown []string
	s.mu.Lock()
	for _, b := range bodies {
		if b.refused == nil && s.written[b.ref] == nil {
			unknown = append(unknown, b.ref.Identifier)
		}
	}
	s.mu.Unlock()
	stored := map[string]*entity{}
	if len(unknown) == 0 || !of.exists {
		return stored, nil
	}
	for f, err := range s.client.Entities.Find(ctx, identifier, unknown) {
		if err != nil {
			return nil, err
		}
		id, _ := f.Identifier.(string)
		stored[id] = &entity{f.Title, f.Icon, f.Team, known(f.Properties, of.Schema.Properties), known(f.Relations, of.Relations)}
	}
	return stored, nil
}

// known leaves out what Port works out itself.
func known[V any](values map[string]any, names map[string]V) map[string]any {
	maps.DeleteFunc(values, func(name string, _ any) bool {
		_, ok := names[name]
		return !ok
	})
	return values
}

// upsertOne checks one entity, and remembers what it would change. The error is that of
// a failed request.
func (s *Store) upsertOne(ctx context.Context, b *blueprint, e *body, stored *entity, f port.Flags) (port.Outcome, error) {
	if e.refused != nil {
		return s.refused(e, e.refused), nil
	}
	s.mu.Lock()
	old := s.written[e.ref]
	stub := s.stubs[e.ref]
	s.mu.Unlock()
	if old == nil {
		old = stored
	}
	absent := old == nil
	if absent {
		old = &entity{}
	}
	relations, stubs, refused, err := s.relations(ctx, b, e, f)
	if err != nil {
		return port.Outcome{}, err
	}
	e.Relations = relations
	if e.Team, err = s.team(ctx, e.Team); err != nil {
		return port.Outcome{}, err
	}
	next := old.with(e, f.Merge)
	if !f.Merge || absent && !stub {
		fillDefaults(next, e, b.shape.Defaults)
	}
	var unchecked []Unchecked
	if refused == nil {
		refused, unchecked = b.check(e, next)
	}
	if refused != nil {
		return s.refused(e, refused), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range unchecked {
		s.unchecked[u] = true
	}
	for _, ref := range stubs {
		if s.written[ref] == nil && !s.stubs[ref] {
			s.stubs[ref] = true
			c := s.change(ref)
			c.Action, c.Why = catalog.Create, "for a relation to it"
		}
	}
	note(s.change(e.ref), b.shape, old, next, absent)
	s.written[e.ref] = next
	return port.Outcome{Identifier: e.ref.Identifier, Created: absent && !stub}, nil
}

// team returns the team that Port would store: what a search query finds, or what is given.
func (s *Store) team(ctx context.Context, team any) (any, error) {
	query, ok := team.(map[string]any)
	if !ok {
		return team, nil
	}
	found, err := s.find(ctx, "_team", query, maxTeams)
	list := make([]any, len(found))
	for i, id := range found {
		list[i] = id
	}
	return list, err
}

// maxTeams bounds what a search query finds for a team: more than an organization has.
const maxTeams = 1000

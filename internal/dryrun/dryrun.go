// Package dryrun answers writes as Port would, and writes nothing: it reads what Port
// holds, checks by the blueprints' schemas, and remembers what would change.
package dryrun

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// Store stands in Port's place for what writes. It is safe for concurrent use.
type Store struct {
	client *port.Client

	mu         sync.Mutex // guards what follows
	blueprints map[string]*schema
	given      map[string]port.Blueprint
	written    map[catalog.Ref]*entity // as they would be
	stubs      map[catalog.Ref]bool    // that would be made for relations
	there      map[catalog.Ref]bool    // whether Port holds what relations name, as far as asked
	deleted    map[catalog.Ref]bool
	all        map[string]port.Blueprint // nil before they are needed
	changes    map[catalog.Ref]*Change
}

// entity is the state of one, as it is or would be.
type entity struct {
	title      any
	icon       any
	team       any
	properties map[string]any
	relations  map[string]any
}

// New returns a Store over what Port holds. The given blueprints, by identifier, are
// taken for made where Port has none of that name.
func New(client *port.Client, given map[string]port.Blueprint) *Store {
	return &Store{
		client: client, given: given, blueprints: map[string]*schema{}, written: map[catalog.Ref]*entity{},
		stubs: map[catalog.Ref]bool{}, there: map[catalog.Ref]bool{}, deleted: map[catalog.Ref]bool{}, changes: map[catalog.Ref]*Change{},
	}
}

// Upsert is what port.Client.Upsert would answer.
func (s *Store) Upsert(ctx context.Context, blueprint string, batch []catalog.Entity, f port.Flags) []port.Outcome {
	outcomes := make([]port.Outcome, len(batch))
	fail := func(err error) []port.Outcome {
		for i := range outcomes {
			outcomes[i] = port.Outcome{Err: err, RequestFailed: true}
		}
		return outcomes
	}
	b, err := s.schema(ctx, blueprint)
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
		held, err := s.held(ctx, blueprint, b, bodies)
		if err != nil {
			return fail(err)
		}
		for i := range bodies {
			if outcomes[part.from+i], err = s.upsertOne(ctx, b, &bodies[i], held[bodies[i].ref.Identifier], f); err != nil {
				return fail(err)
			}
		}
	}
	return outcomes
}

// part is entities of a batch that can be looked up together.
type part struct {
	from     int
	entities []catalog.Entity
}

// parts are named entities as many as there are, and others one by one.
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

// body is an entity as it is sent, its identifier resolved.
type body struct {
	ref        catalog.Ref
	refused    *port.Error
	Title      any            `json:"title"`
	Icon       any            `json:"icon"`
	Team       any            `json:"team"`
	Properties map[string]any `json:"properties"`
	Relations  map[string]any `json:"relations"`
	Identifier any            `json:"identifier"`
}

// read decodes an entity, and finds the one that a search query names.
func (s *Store) read(ctx context.Context, blueprint string, e catalog.Entity) (body, error) {
	var b body
	d := json.NewDecoder(strings.NewReader(string(e.Body)))
	d.UseNumber()
	if err := d.Decode(&b); err != nil {
		return b, fmt.Errorf("plan: read an entity: %w", err)
	}
	b.ref = catalog.Ref{Blueprint: blueprint}
	if id, ok := b.Identifier.(string); ok {
		b.ref.Identifier = id
		return b, nil
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

// held reads what Port holds of the entities that are not known yet.
func (s *Store) held(ctx context.Context, blueprint string, of *schema, bodies []body) (map[string]*entity, error) {
	var unknown []string
	s.mu.Lock()
	for _, b := range bodies {
		if b.refused == nil && s.written[b.ref] == nil {
			unknown = append(unknown, b.ref.Identifier)
		}
	}
	s.mu.Unlock()
	held := map[string]*entity{}
	if len(unknown) == 0 || !of.exists {
		return held, nil
	}
	for f, err := range s.client.Find(ctx, blueprint, unknown) {
		if err != nil {
			return nil, err
		}
		id, _ := f.Identifier.(string)
		held[id] = &entity{f.Title, f.Icon, f.Team, known(f.Properties, of.Schema.Properties), known(f.Relations, of.Relations)}
	}
	return held, nil
}

// known leaves out what Port works out itself.
func known[V any](values map[string]any, names map[string]V) map[string]any {
	maps.DeleteFunc(values, func(name string, _ any) bool {
		_, ok := names[name]
		return !ok
	})
	return values
}

// upsertOne checks one entity, and remembers what it would change. The error is of
// a request that failed.
func (s *Store) upsertOne(ctx context.Context, b *schema, e *body, held *entity, f port.Flags) (port.Outcome, error) {
	if e.refused != nil {
		return s.refused(e, e.refused), nil
	}
	s.mu.Lock()
	old := s.written[e.ref]
	stub := s.stubs[e.ref]
	s.mu.Unlock()
	if old == nil {
		old = held
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
	if refused == nil {
		refused = b.check(e, next)
	}
	if refused != nil {
		return s.refused(e, refused), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range stubs {
		if s.written[ref] == nil && !s.stubs[ref] {
			s.stubs[ref] = true
			c := s.change(ref)
			c.Action, c.Why = Create, "for a relation to it"
		}
	}
	s.note(e, b.shape, old, next, absent)
	s.written[e.ref] = next
	return port.Outcome{Identifier: e.ref.Identifier, Created: absent && !stub}, nil
}

func (s *Store) refused(e *body, why *port.Error) port.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.ref.Identifier != "" {
		c := s.change(e.ref)
		if c.Action == "" {
			c.Action = Refuse
		}
		c.Why = why.Message
	}
	return port.Outcome{Err: why}
}

func refuse(status int, code, format string, args ...any) *port.Error {
	return &port.Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// with is the state after an entity has been written over it.
func (old *entity) with(e *body, merge bool) *entity {
	next := &entity{title: e.Title, icon: e.Icon, team: e.Team, properties: map[string]any{}, relations: map[string]any{}}
	if merge {
		next.title = cmp.Or(next.title, old.title)
		next.icon = cmp.Or(next.icon, old.icon)
		if next.team == nil {
			next.team = old.team
		}
		maps.Copy(next.properties, old.properties)
		maps.Copy(next.relations, old.relations)
	}
	maps.Copy(next.properties, e.Properties)
	maps.Copy(next.relations, e.Relations)
	return next
}

// fillDefaults gives next the blueprint's defaults of properties that a body leaves out.
func fillDefaults(next *entity, e *body, defaults map[string]any) {
	for name, v := range defaults {
		if _, given := e.Properties[name]; !given {
			next.properties[name] = v
		}
	}
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

// maxTeams bounds what a search query finds for a team.
const maxTeams = 1000

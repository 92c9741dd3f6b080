// Package dryrun answers writes as Port would, and writes nothing: it reads what Port
// has, checks by the blueprints' schemas, and remembers what would change.
package dryrun

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// Store stands in Port's place for a run that writes. It is safe for concurrent use.
type Store struct {
	client *port.Client

	mu         sync.Mutex // guards what follows
	blueprints map[string]*blueprint
	given      map[string]port.Blueprint
	written    map[catalog.Ref]*entity // as they would be
	stubs      map[catalog.Ref]bool    // that would be made for relations
	there      map[catalog.Ref]bool    // whether Port has what relations name, as far as asked
	deleted    map[catalog.Ref]bool
	all        map[string]port.Blueprint // nil before they are needed
	changes    map[catalog.Ref]*catalog.Change
	unchecked  map[Unchecked]bool
}

// New returns a Store over what Port has. The given blueprints, by identifier, count as
// made where Port has none of that name.
func New(client *port.Client, given map[string]port.Blueprint) *Store {
	return &Store{
		client: client, given: given, blueprints: map[string]*blueprint{}, written: map[catalog.Ref]*entity{},
		stubs: map[catalog.Ref]bool{}, there: map[catalog.Ref]bool{}, deleted: map[catalog.Ref]bool{}, changes: map[catalog.Ref]*catalog.Change{},
		unchecked: map[Unchecked]bool{},
	}
}

// Changes returns all changes, sorted by blueprint and identifier. An entity that is
// written more than once has one, from what Port has to what would be left.
func (s *Store) Changes() []catalog.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []catalog.Change
	for _, c := range slices.SortedFunc(maps.Values(s.changes), func(a, b *catalog.Change) int { return compare(a.Ref, b.Ref) }) {
		all = append(all, *c)
	}
	return all
}

// Unchecked returns by what the written entities were not checked, sorted.
func (s *Store) Unchecked() []Unchecked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.unchecked), func(a, b Unchecked) int {
		return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Property, b.Property), cmp.Compare(a.Keyword, b.Keyword))
	})
}

// blueprint reads a blueprint, once.
func (s *Store) blueprint(ctx context.Context, identifier string) (*blueprint, error) {
	s.mu.Lock()
	known := s.blueprints[identifier]
	given, made := s.given[identifier]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	b, err := s.client.Blueprints.Read(ctx, identifier)
	absent := errors.Is(err, port.ErrNotFound) && made
	switch {
	case absent:
		b = given
	case err != nil:
		return nil, err
	}
	read := newBlueprint(b, !absent)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blueprints[identifier] = read
	return read, nil
}

func (s *Store) change(ref catalog.Ref) *catalog.Change {
	c := s.changes[ref]
	if c == nil {
		c = &catalog.Change{Ref: ref}
		s.changes[ref] = c
	}
	return c
}

func (s *Store) refused(e *body, why *port.Error) port.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.ref.Identifier != "" {
		c := s.change(e.ref)
		if c.Action == "" {
			c.Action = catalog.Refuse
		}
		c.Why = why.Message
	}
	return port.Outcome{Err: why}
}

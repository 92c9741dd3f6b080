package dryrun

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// Delete answers as port.Client.Delete would.
func (s *Store) Delete(ctx context.Context, blueprint string, identifiers []string, dependants bool) (result []port.DeleteResult, refused bool) {
	result = make([]port.DeleteResult, len(identifiers))
	for i, id := range identifiers {
		result[i].Identifier = id
	}
	doomed, by, err := s.doomed(ctx, blueprint, identifiers, dependants)
	if err != nil {
		for i := range result {
			result[i].Err, result[i].HasDependants = err, by != nil
		}
		return result, by != nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for ref, why := range doomed {
		s.deleted[ref] = true
		delete(s.written, ref)
		*s.change(ref) = catalog.Change{Action: catalog.Delete, Ref: ref, Why: why}
	}
	return result, false
}

// doomed returns the entities that would go, each with what it goes along with. When an
// entity that may not go relates to them, it is by, and the error is Port's.
func (s *Store) doomed(ctx context.Context, blueprint string, identifiers []string, dependants bool) (doomed map[catalog.Ref]string, by *catalog.Ref, err error) {
	doomed = map[catalog.Ref]string{}
	for _, id := range identifiers {
		doomed[catalog.Ref{Blueprint: blueprint, Identifier: id}] = ""
	}
	queue := map[string][]string{blueprint: identifiers}
	for len(queue) > 0 {
		target := slices.Sorted(maps.Keys(queue))[0]
		going := queue[target]
		delete(queue, target)
		relating, err := s.relating(ctx, target, going)
		if err != nil {
			return nil, nil, err
		}
		for _, ref := range relating {
			if _, known := doomed[ref]; known {
				continue
			}
			if !dependants {
				return nil, &ref, refuse(http.StatusUnprocessableEntity, "has_dependents", "entities of blueprint %q have dependents: %s", blueprint, ref)
			}
			doomed[ref] = fmt.Sprintf("along with an entity of blueprint %q that it relates to", target)
			queue[ref.Blueprint] = append(queue[ref.Blueprint], ref.Identifier)
		}
	}
	return doomed, nil, nil
}

// relating returns the entities that would relate to the named ones, sorted.
func (s *Store) relating(ctx context.Context, target string, identifiers []string) ([]catalog.Ref, error) {
	if err := s.readAll(ctx); err != nil {
		return nil, err
	}
	found := map[catalog.Ref]bool{}
	for _, blueprint := range slices.Sorted(maps.Keys(s.all)) {
		for _, name := range slices.Sorted(maps.Keys(s.all[blueprint].Relations)) {
			if s.all[blueprint].Relations[name].Target != target {
				continue
			}
			by := map[catalog.Ref]bool{}
			for f, err := range s.client.Entities.Relating(ctx, blueprint, name, identifiers) {
				if err != nil {
					return nil, err
				}
				id, _ := f.Identifier.(string)
				by[catalog.Ref{Blueprint: blueprint, Identifier: id}] = true
			}
			s.mu.Lock()
			rewrite(by, s.written, blueprint, name, identifiers)
			s.mu.Unlock()
			maps.Copy(found, by)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for ref := range found {
		if s.deleted[ref] {
			delete(found, ref)
		}
	}
	return slices.SortedFunc(maps.Keys(found), compare), nil
}

// rewrite corrects which entities relate by a relation by what would be written.
func rewrite(relating map[catalog.Ref]bool, written map[catalog.Ref]*entity, blueprint, relation string, identifiers []string) {
	for ref, e := range written {
		if ref.Blueprint != blueprint {
			continue
		}
		relating[ref] = slices.ContainsFunc(catalog.Targets(map[string]any{"": e.relations[relation]}), func(t catalog.Target) bool {
			return slices.Contains(identifiers, t.Identifier)
		})
	}
	maps.DeleteFunc(relating, func(_ catalog.Ref, relates bool) bool { return !relates })
}

// readAll reads every blueprint, once.
func (s *Store) readAll(ctx context.Context) error {
	s.mu.Lock()
	known := s.all != nil
	s.mu.Unlock()
	if known {
		return nil
	}
	all, err := s.client.Blueprints.All(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = all
	return nil
}

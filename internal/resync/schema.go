package resync

import (
	"context"
	"sync"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/port"
)

// schemas reads blueprints as they are asked for, each once. It is safe for
// concurrent use.
type schemas struct {
	client *port.Client
	bound  *check.Bound

	mu    sync.Mutex // guards what follows
	known map[string]*schema
}

// schema is one blueprint, and how its entities are compared.
type schema struct {
	ready     chan struct{} // closed when what follows may be read
	blueprint port.Blueprint
	err       error // why the blueprint could not be read
	digester  *catalog.Digester
}

func newSchemas(client *port.Client, bound *check.Bound) *schemas {
	return &schemas{client: client, bound: bound, known: map[string]*schema{}}
}

// of is false, with an empty blueprint, when the blueprint could not be read.
func (s *schemas) of(ctx context.Context, blueprint string) (port.Blueprint, bool) {
	b := s.read(ctx, blueprint)
	return b.blueprint, b.err == nil
}

// digester compares the entities of a blueprint: by the keys that the entries of the
// mapping name, or by all where they replace what Port holds.
func (s *schemas) digester(ctx context.Context, blueprint string) *catalog.Digester {
	return s.read(ctx, blueprint).digester
}

func (s *schemas) read(ctx context.Context, blueprint string) *schema {
	s.mu.Lock()
	b := s.known[blueprint]
	first := b == nil
	if first {
		b = &schema{ready: make(chan struct{})}
		s.known[blueprint] = b
	}
	s.mu.Unlock()
	if !first {
		<-b.ready
		return b
	}
	defer close(b.ready)
	b.digester = s.bound.Digester(blueprint, catalog.Shape{})
	if b.blueprint, b.err = s.client.Blueprint(ctx, blueprint); b.err == nil {
		b.digester = s.bound.Digester(blueprint, b.blueprint.Shape())
	}
	return b
}

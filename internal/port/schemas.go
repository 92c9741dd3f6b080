package port

import (
	"context"
	"sync"
)

// Schemas reads blueprints as they are asked for, each once. It is safe for concurrent use.
type Schemas struct {
	client *Client

	mu    sync.Mutex // guards what follows
	known map[string]*schema
}

// schema is one blueprint.
type schema struct {
	ready     chan struct{} // closed when what follows may be read
	blueprint Blueprint
	err       error // why the blueprint could not be read
}

// NewSchemas returns a Schemas that has read nothing.
func NewSchemas(client *Client) *Schemas {
	return &Schemas{client: client, known: map[string]*schema{}}
}

// Of returns a blueprint; ok is false, and the blueprint empty, when it could not be read.
func (s *Schemas) Of(ctx context.Context, blueprint string) (b Blueprint, ok bool) {
	b, err := s.Read(ctx, blueprint)
	return b, err == nil
}

// Read returns a blueprint, or why it could not be read: the first reading decides for the
// life of the Schemas.
func (s *Schemas) Read(ctx context.Context, blueprint string) (Blueprint, error) {
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
		return b.blueprint, b.err
	}
	defer close(b.ready)
	b.blueprint, b.err = s.client.Blueprints.Read(ctx, blueprint)
	return b.blueprint, b.err
}

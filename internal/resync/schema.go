package resync

import (
	"context"

	"port-bitbucket-exporter/internal/port"
)

// schemas reads blueprints as they are asked for, each once.
type schemas struct {
	client *port.Client
	known  map[string]*port.Blueprint // nil for one that could not be read
}

func newSchemas(client *port.Client) *schemas {
	return &schemas{client: client, known: map[string]*port.Blueprint{}}
}

// of is false, with an empty blueprint, when the blueprint could not be read.
func (s *schemas) of(ctx context.Context, blueprint string) (port.Blueprint, bool) {
	b, asked := s.known[blueprint]
	if !asked {
		if read, err := s.client.Blueprint(ctx, blueprint); err == nil {
			b = &read
		}
		s.known[blueprint] = b
	}
	if b == nil {
		return port.Blueprint{}, false
	}
	return *b, true
}

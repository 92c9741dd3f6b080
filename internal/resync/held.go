package resync

import (
	"context"
	"errors"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/port"
)

// held is what Port held of our data source in one blueprint before this run
// wrote to it, as digests.
type held struct {
	digests map[string]catalog.Digest // by identifier
	edges   []edge                    // what entities relate to
	failed  bool                      // it was not read to its end
	absent  bool                      // Port knows no such blueprint
	err     error                     // why it could not be read; nil once reported
	vague   error                     // why the schema could not be read, so that dates are compared as texts; nil once reported
	reading concurrent.Group
}

// edge is a relation of an entity of a blueprint to one of another.
type edge struct{ from, relation, to string }

// readHeld begins to read a blueprint.
func readHeld(ctx context.Context, client *port.Client, schemas *schemas, blueprint string, whole bool) *held {
	h := &held{digests: map[string]catalog.Digest{}}
	h.reading.Run(func() {
		begun := false
		if begun, h.err = h.read(ctx, client, schemas, blueprint, whole); !begun && errors.Is(h.err, port.ErrNotFound) {
			h.err, h.absent = nil, true // nothing in it
		}
		h.failed = h.err != nil
	})
	return h
}

// read reads the entities of a blueprint, as digests by the blueprint's schema. When
// entities are replaced as a whole (whole), the schema is needed: the mapping alone does not
// say which other properties Port computes. begun is true once an entity was read: an error
// after that does not mean that the blueprint is absent.
func (h *held) read(ctx context.Context, client *port.Client, schemas *schemas, blueprint string, whole bool) (begun bool, err error) {
	schema := schemas.read(ctx, blueprint)
	switch {
	case schema.err == nil, errors.Is(schema.err, port.ErrNotFound) && !whole:
	case whole:
		return false, schema.err
	default:
		h.vague = schema.err
	}
	texts := interned{}
	for fields, err := range client.Held(ctx, blueprint) {
		if err != nil {
			return begun, err
		}
		begun = true
		identifier, _ := fields.Identifier.(string)
		h.edges = texts.edges(h.edges, fields)
		h.digests[identifier] = schema.digester.Digest(fields)
	}
	return begun, nil
}

// interned are the texts of edges, each kept once: many entities relate to few.
type interned map[string]string

func (i interned) one(s string) string {
	if known, ok := i[s]; ok {
		return known
	}
	i[s] = s
	return s
}

// edges adds those of an entity.
func (i interned) edges(all []edge, f catalog.Fields) []edge {
	identifier, _ := f.Identifier.(string)
	for _, t := range catalog.Targets(f.Relations) {
		all = append(all, edge{identifier, i.one(t.Relation), i.one(t.Identifier)})
	}
	return all
}

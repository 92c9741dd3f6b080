package resync

import (
	"context"
	"errors"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// held is what Port held of our data source in one blueprint before this run
// wrote to it, as digests: one for each entry that can produce the blueprint.
type held struct {
	digests map[*entry]map[string]catalog.Digest
	rest    map[*entry]map[string]catalog.Digest // of those that a later entry writes over
	edges   []edge                               // what entities relate to
	failed  bool                                 // it was not read to its end
	absent  bool                                 // Port knows no such blueprint
	err     error                                // until it is told
	reading guarded
}

// edge is a relation of an entity of a blueprint to one of another.
type edge struct{ from, relation, to string }

// readHeld begins to read a blueprint.
func readHeld(ctx context.Context, client *port.Client, blueprint string, entries []*entry, whole bool) *held {
	h := &held{digests: map[*entry]map[string]catalog.Digest{}, rest: map[*entry]map[string]catalog.Digest{}}
	for _, e := range entries {
		h.digests[e] = map[string]catalog.Digest{}
		if e.rest != nil {
			h.rest[e] = map[string]catalog.Digest{}
		}
	}
	h.reading.run(func() {
		begun := false
		if begun, h.err = h.read(ctx, client, blueprint, whole); !begun && errors.Is(h.err, port.ErrNotFound) {
			h.err, h.absent = nil, true // nothing in it
		}
		h.failed = h.err != nil
	})
	return h
}

// read compares by every key of the blueprint's schema when entities are replaced
// as a whole: what Port computes is not ours to compare. An error after it has begun
// is no absence of the blueprint.
func (h *held) read(ctx context.Context, client *port.Client, blueprint string, whole bool) (begun bool, err error) {
	var schema port.Blueprint
	if whole {
		if schema, err = client.Blueprint(ctx, blueprint); err != nil {
			return false, err
		}
	}
	texts := interned{}
	for fields, err := range client.Held(ctx, blueprint) {
		if err != nil {
			return begun, err
		}
		begun = true
		identifier, _ := fields.Identifier.(string)
		if whole {
			keep(fields.Properties, schema.Schema.Properties)
			keep(fields.Relations, schema.Relations)
		}
		h.edges = texts.edges(h.edges, fields)
		for e, digests := range h.digests {
			digests[identifier] = e.digester.Digest(fields)
		}
		for e, digests := range h.rest {
			digests[identifier] = e.rest.Digest(fields)
		}
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

func keep[V any](m map[string]any, keys map[string]V) {
	for k := range m {
		if _, ok := keys[k]; !ok {
			delete(m, k)
		}
	}
}

// lookup says what Port held of an entity, compared as the entry compares.
func (h *held) lookup(e *entry, identifier string) (catalog.Digest, bool) {
	h.reading.wait()
	d, ok := h.digests[e][identifier]
	return d, ok
}

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
	related map[string]map[string]bool           // by relation: what entities relate to
	err     error
	reading guarded
}

// readHeld begins to read a blueprint.
func readHeld(ctx context.Context, client *port.Client, blueprint string, entries []*entry, whole bool) *held {
	h := &held{digests: map[*entry]map[string]catalog.Digest{}, related: map[string]map[string]bool{}, rest: map[*entry]map[string]catalog.Digest{}}
	for _, e := range entries {
		h.digests[e] = map[string]catalog.Digest{}
		if e.rest != nil {
			h.rest[e] = map[string]catalog.Digest{}
		}
	}
	h.reading.run(func() {
		if h.err = h.read(ctx, client, blueprint, whole); errors.Is(h.err, port.ErrNotFound) {
			h.err = nil // no such blueprint: nothing in it
		}
	})
	return h
}

// read compares by every key of the blueprint's schema when entities are replaced
// as a whole: what Port computes is not ours to compare.
func (h *held) read(ctx context.Context, client *port.Client, blueprint string, whole bool) error {
	var schema port.Blueprint
	if whole {
		var err error
		if schema, err = client.Blueprint(ctx, blueprint); err != nil {
			return err
		}
	}
	for fields, err := range client.Held(ctx, blueprint) {
		if err != nil {
			return err
		}
		identifier, _ := fields.Identifier.(string)
		if whole {
			keep(fields.Properties, schema.Schema.Properties)
			keep(fields.Relations, schema.Relations)
		}
		for _, t := range catalog.Targets(fields.Relations) {
			if h.related[t.Relation] == nil {
				h.related[t.Relation] = map[string]bool{}
			}
			h.related[t.Relation][t.Identifier] = true
		}
		for e, digests := range h.digests {
			digests[identifier] = e.digester.Digest(fields)
		}
		for e, digests := range h.rest {
			digests[identifier] = e.rest.Digest(fields)
		}
	}
	return nil
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

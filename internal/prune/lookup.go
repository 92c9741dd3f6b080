package prune

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
)

// lookup reads entities of Port by name.
type lookup struct{ port *port.Client }

// findAtOnce is how many entities are read by name in one request to Port: an identifier
// of 1,000 characters each still makes a small request.
const findAtOnce = 100

// find yields what Port holds of entities, which are sorted by blueprint. It passes over
// errors: what cannot be read is left out.
func (l lookup) find(ctx context.Context, refs []catalog.Ref) iter.Seq2[catalog.Fields, catalog.Ref] {
	return func(yield func(catalog.Fields, catalog.Ref) bool) {
		for len(refs) > 0 {
			n := 1
			for n < min(len(refs), findAtOnce) && refs[n].Blueprint == refs[0].Blueprint {
				n++
			}
			identifiers := make([]string, n)
			for i, ref := range refs[:n] {
				identifiers[i] = ref.Identifier
			}
			for fields, err := range l.port.Entities.Find(ctx, refs[0].Blueprint, identifiers) {
				if err != nil {
					break
				}
				id, _ := fields.Identifier.(string)
				if !yield(fields, catalog.Ref{Blueprint: refs[0].Blueprint, Identifier: id}) {
					return
				}
			}
			refs = refs[n:]
		}
	}
}

// relating names an entity that relates to another one; empty when none can be read.
func (l lookup) relating(ctx context.Context, rel inventory.Relation, to string) string {
	for fields, err := range l.port.Entities.Relating(ctx, rel.Blueprint, rel.Name, []string{to}) {
		if err != nil {
			break
		}
		id, _ := fields.Identifier.(string)
		return fmt.Sprintf(", to which %s relates", catalog.Ref{Blueprint: rel.Blueprint, Identifier: id})
	}
	return ""
}

// lives calls each with what Port holds of entities of one blueprint, perhaps twice with one.
func (l lookup) lives(ctx context.Context, blueprint string, refs []catalog.Ref, each func(identifier string, life port.Dated)) error {
	for part := range slices.Chunk(refs, findAtOnce) {
		identifiers := make([]string, len(part))
		for i, ref := range part {
			identifiers[i] = ref.Identifier
		}
		for life, err := range l.port.Entities.FindDated(ctx, blueprint, identifiers) {
			if err != nil {
				return err
			}
			identifier, _ := life.Identifier.(string)
			each(identifier, life)
		}
	}
	return nil
}

func (p *pass) lookup() lookup { return lookup{p.Port} }

package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
)

// comparison reads what Port stored of our data source before this run wrote to it, each
// blueprint once, and what compares it with what the run produces.
type comparison struct {
	client  *port.Client
	schemas *port.Schemas
	bound   *check.Bound
	ledger  *ledger
	// beforeRead returns when nothing is written any more.
	beforeRead func(context.Context)
	stored     map[string]*stored // by blueprint

	mu        sync.Mutex // guards digesters
	digesters map[string]*catalog.Digester
}

// stored is what Port stored of one blueprint. The inventory has its entities, as digests.
type stored struct {
	reading concurrent.Group // what follows may be read when it is done

	edges  *inventory.Edges
	unread bool  // it was not read to its end
	absent bool  // Port knows no such blueprint
	err    error // why it could not be read; nil once it is reported
	vague  error // why the schema could not be read, so that dates are compared as texts; nil once it is reported
}

// digester returns what compares the entities of a blueprint: by the keys that the entries
// of the mapping name, or by all where they replace what Port holds. It is safe for
// concurrent use.
func (c *comparison) digester(ctx context.Context, blueprint string) *catalog.Digester {
	c.mu.Lock()
	d := c.digesters[blueprint]
	c.mu.Unlock()
	if d != nil {
		return d
	}
	shape := catalog.Shape{}
	if schema, err := c.schemas.Read(ctx, blueprint); err == nil {
		shape = schema.Shape()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if d = c.digesters[blueprint]; d == nil {
		d = c.bound.Digester(blueprint, shape)
		c.digesters[blueprint] = d
	}
	return d
}

// expect begins to read what Port stores of a blueprint, once, and not while something is
// written. Where entities are replaced as a whole, the schema is needed: the mapping alone
// does not say which other properties Port computes.
func (c *comparison) expect(ctx context.Context, blueprint string) *stored {
	if s := c.stored[blueprint]; s != nil {
		return s
	}
	c.beforeRead(ctx)
	s := &stored{edges: c.ledger.inventory.NewEdges()}
	s.reading.Run(func() {
		begun := false
		if begun, s.err = s.read(ctx, c, blueprint); !begun && errors.Is(s.err, port.ErrNotFound) {
			s.err, s.absent = nil, true // nothing in it
		}
		s.unread = s.err != nil
	})
	c.stored[blueprint] = s
	return s
}

// stores reports whether Port stored an entity before the run wrote to it.
func (c *comparison) stores(ctx context.Context, ref catalog.Ref) bool {
	s := c.expect(ctx, ref.Blueprint)
	s.reading.Wait()
	if s.report(ctx, ref.Blueprint, c.ledger.report.Note) {
		c.ledger.inventory.Adopted[ref.Blueprint] = true
	}
	return c.has(ref)
}

// of returns what Port stored of an entity before the run wrote to it. When that cannot be
// read again, the entity counts as written over.
func (c *comparison) of(ctx context.Context, s *state) (digest catalog.Digest, there bool) {
	if !c.stores(ctx, s.ref) {
		return "", false
	}
	if !s.known {
		var err error
		if s.held, _, err = c.ledger.inventory.Entities.Stored(s.ref); err != nil {
			c.ledger.noteUnreadable(err)
			s.Touched = true
		}
		s.known = true
	}
	return s.held, true
}

// read reads the entities of a blueprint, as digests by the blueprint's schema. begun is
// true once an entity was read: an error after that does not mean that the blueprint is
// absent.
func (s *stored) read(ctx context.Context, c *comparison, blueprint string) (begun bool, err error) {
	_, err = c.schemas.Read(ctx, blueprint)
	whole := !c.bound.Mapping.EnableMergeEntity
	switch {
	case err == nil, errors.Is(err, port.ErrNotFound) && !whole:
	case whole:
		return false, err
	default:
		s.vague = err
	}
	digester := c.digester(ctx, blueprint)
	for fields, err := range c.client.Entities.Stored(ctx, blueprint, digester.Properties()) {
		if err != nil {
			return begun, err
		}
		begun = true
		identifier, _ := fields.Identifier.(string)
		for _, e := range inventory.EdgesOf(fields) {
			s.edges.Add(e)
		}
		ref := catalog.Ref{Blueprint: blueprint, Identifier: identifier}
		_ = c.ledger.inventory.Entities.KeepStored(ref, digester.Digest(fields)) // the inventory remembers an error
	}
	return begun, nil
}

// has reports whether Port stored an entity when the run began, as far as that was read.
func (c *comparison) has(ref catalog.Ref) bool {
	f, _ := c.ledger.inventory.Entities.Flags(ref)
	return f.Stored
}

// report notes once why a blueprint, or its schema, could not be read, and reports whether
// the entities of it could not.
func (s *stored) report(ctx context.Context, blueprint string, note func(diag.Problem)) (unread bool) {
	if s.err != nil && ctx.Err() == nil {
		note(diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("what Port holds of blueprint %q could not be read: every entity is written, changed or not", blueprint),
			Fix:      cmp.Or(port.Fix(s.err), "give Port's credential a role that may read entities of this blueprint"),
			Example:  s.err.Error(),
		})
	}
	if s.err == nil && s.vague != nil && ctx.Err() == nil {
		note(diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("blueprint %q could not be read: a date and time that Port writes in another way counts as changed", blueprint),
			Fix:      cmp.Or(port.Fix(s.vague), "give Port's credential a role that may read this blueprint"),
			Example:  s.vague.Error(),
		})
	}
	unread = s.err != nil
	s.err, s.vague = nil, nil
	return unread
}

// holds reports whether Port stored an entity, as far as that was read before.
func (c *comparison) holds(ref catalog.Ref) bool {
	s := c.stored[ref.Blueprint]
	if s == nil {
		return false
	}
	s.reading.Wait()
	return c.has(ref)
}

// final returns what Port would hold of an entity after all results for it so far: where
// entities are merged, what was produced last of each key.
func (c *comparison) final(ctx context.Context, p *pending) catalog.Digest {
	d, sum := c.digester(ctx, p.entity.Ref.Blueprint), catalog.Digest("")
	for _, r := range p.state.results {
		if !r.rejected {
			sum = d.Over(sum, r.digest)
		}
	}
	return sum
}

// same reports whether Port stores already what all results for an entity so far make
// together, and no other of them is on its way.
func (c *comparison) same(ctx context.Context, p *pending, stored catalog.Digest) bool {
	if p.state.Touched {
		return false
	}
	underWay := slices.ContainsFunc(p.state.results, func(r result) bool {
		return r.pending != nil && r.pending != p && r.pending.stage != deferred
	})
	return !underWay && c.digester(ctx, p.entity.Ref.Blueprint).Same(c.final(ctx, p), stored)
}

// covered reports whether an entity differs from what Port stores in later keys only.
func (c *comparison) covered(ctx context.Context, p *pending, stored catalog.Digest, later catalog.Keys) bool {
	return c.digester(ctx, p.entity.Ref.Blueprint).Covers(c.final(ctx, p), stored, later)
}

// wait returns when nothing is read any more.
func (c *comparison) wait() {
	for _, s := range c.stored {
		s.reading.Wait()
	}
}

// release hands what is known over to the inventory: nothing is compared any more.
func (c *comparison) release(to *inventory.Inventory) {
	c.wait()
	for blueprint, s := range c.stored {
		to.Stored[blueprint] = inventory.Stored{Edges: s.edges, Unread: s.unread, Absent: s.absent}
	}
}

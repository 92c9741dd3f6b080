package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
)

// listing is what Port lists as ours and untouched since the run began, of blueprints that no
// idle resource can produce. Of what the run
// produced only the number is kept, and the inventory notes that it is listed: it may be very
// much.
type listing struct {
	others []catalog.Ref // not produced; sorted
	count  int
	counts map[string]int // by blueprint
}

func (p *pass) list(ctx context.Context) (listing, error) {
	l := listing{counts: map[string]int{}}
	count := func(ref catalog.Ref) {
		l.count++
		l.counts[ref.Blueprint]++
	}
	for ref, err := range p.old(ctx) {
		if err != nil {
			return listing{}, err
		}
		if !p.Bound.Alone(ref.Blueprint) {
			continue // it may be of a resource that does not run
		}
		switch flags, produced := p.Inventory.Entities.Flags(ref); {
		case !produced:
			l.others = append(l.others, ref)
		case flags.Written: // and listed: a dry run writes nothing
		case !p.Inventory.Entities.MarkListed(ref):
			count(ref)
		}
	}
	// A page may repeat what an earlier one had.
	slices.SortFunc(l.others, compareRefs)
	l.others = slices.Compact(l.others)
	for _, ref := range l.others {
		count(ref)
	}
	return l, nil
}

func compareRefs(a, b catalog.Ref) int {
	return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Identifier, b.Identifier))
}

// old yields what Port lists as ours and untouched since the run began. Where it has no
// list of a whole data source any more, the blueprints of the mapping are searched, and those
// of the mapping that Port shows: what is left in others is not known then.
func (p *pass) old(ctx context.Context) iter.Seq2[catalog.Ref, error] {
	return func(yield func(catalog.Ref, error) bool) {
		begun := false // the list is there
		for ref, err := range p.Port.Entities.Owned(ctx, p.Began) {
			if !begun && port.NoRoute(err) {
				p.searchOld(ctx, yield)
				return
			}
			begun = true
			if !yield(ref, err) || err != nil {
				return
			}
		}
	}
}

func (p *pass) searchOld(ctx context.Context, yield func(catalog.Ref, error) bool) {
	p.searched = true
	p.note(diag.Problem{Severity: diag.Notice, Message: "Port does not list a whole data source any more: the blueprints of the mapping were searched"})
	blueprints := map[string]bool{}
	for blueprint := range p.Inventory.Stored {
		blueprints[blueprint] = true
	}
	for blueprint := range p.Former {
		if !p.Bound.Alone(blueprint) {
			continue
		}
		blueprints[blueprint] = true
	}
	was := func(ref catalog.Ref) bool { // when the run began
		f, _ := p.Inventory.Entities.Flags(ref)
		return f.Stored
	}
	for _, blueprint := range slices.Sorted(maps.Keys(blueprints)) {
		for ref, err := range p.Port.Entities.StoredBefore(ctx, blueprint, p.Began, was) {
			if errors.Is(err, port.ErrNotFound) {
				notSearched(ctx, p, blueprint)
				break
			}
			if !yield(ref, err) || err != nil {
				return
			}
		}
	}
}

// notSearched notes a blueprint that is there, and whose entities cannot be searched: what is stale of
// them is not known, and stays.
func notSearched(ctx context.Context, p *pass, blueprint string) {
	if _, err := p.Port.Blueprints.Read(ctx, blueprint); err != nil {
		return // there is none, as the answer said
	}
	p.note(diag.Problem{
		Severity: diag.Warning,
		Message:  fmt.Sprintf("Port gives no list of the entities of blueprint %q: what is stale is not known, and stays", blueprint),
		Fix:      "look for a newer version of this program; delete in Port what is not there any more",
	})
}

// owned returns how many entities are ours in all: those that are listed, and those that
// Port holds of this run.
func (p *pass) owned(l listing) int {
	return l.count + p.Inventory.Entities.Count(func(_ string, f inventory.Flags) bool { return f.Counted && !f.Listed })
}

package prune

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
)

// Entities that would be deleted are taken for renamed when more than maxTwins of a
// blueprint, and more than twinShare of what Port holds of it, have a twin: an
// entity of another identifier for the same thing. Fewer may be chance, such as pull
// requests of one title.
const (
	maxTwins  = 10
	twinShare = 1.0 / 10
)

// renames looks for entities that live on under other identifiers.
type renames struct {
	*pass
	listed listing
}

// guards finds the blueprints whose doomed entities live on under other identifiers, as
// after a change of the mapping's identifier or of what it is made of, and returns for
// each why nothing of it is deleted.
func (r renames) guards(ctx context.Context, doomed []catalog.Ref) map[string]reconcile.Guard {
	guards := map[string]reconcile.Guard{}
	if r.ConfirmRenames {
		return guards
	}
	for len(doomed) > 0 {
		blueprint := doomed[0].Blueprint
		n := slices.IndexFunc(doomed, func(ref catalog.Ref) bool { return ref.Blueprint != blueprint })
		if n < 0 {
			n = len(doomed)
		}
		twins, err := r.twins(ctx, blueprint, doomed[:n])
		doomed = doomed[n:]
		switch {
		case err != nil && ctx.Err() == nil:
			guards[blueprint] = reconcile.Guard{Why: "whether they live on under other identifiers could not be read: " + err.Error(), Fix: "run again"}
		case twins > maxTwins && float64(twins) > twinShare*float64(r.holding(blueprint)):
			guards[blueprint] = reconcile.Guard{
				Why: fmt.Sprintf("%d entities would be replaced by others of the same title or address", twins),
				Fix: "check the mapping's identifier; if they are to be replaced, set the input confirm_renames to true for one run",
			}
		}
	}
	return guards
}

// holding returns how many entities of a blueprint were ours when the run began, as far as
// Port lists them or the run has updated them.
func (r renames) holding(blueprint string) int {
	return r.listed.counts[blueprint] + r.Inventory.Entities.Count(func(of string, f inventory.Flags) bool {
		return of == blueprint && !f.Listed && f.Updated
	})
}

// twins counts the entities that have a twin among those that the run produced: one of the
// same address, or else of the same title, that Port did not hold when the run began, or
// that was made after the other was last written. Each twin counts once, so that what
// several mappings left of one thing hides none.
func (r renames) twins(ctx context.Context, blueprint string, doomed []catalog.Ref) (int, error) {
	if len(doomed) <= maxTwins {
		return 0, nil
	}
	lives := make([]life, len(doomed))
	err := r.lookup().lives(ctx, blueprint, doomed, func(identifier string, held port.Dated) {
		if i, found := slices.BinarySearchFunc(doomed, catalog.Ref{Blueprint: blueprint, Identifier: identifier}, compareRefs); found {
			lives[i] = lifeOf(held)
		}
	})
	if err != nil {
		return 0, err
	}
	born, err := r.born(blueprint, lives)
	if err != nil {
		return 0, err
	}
	origins := newOrigins(r.pass, nil)
	older := map[string]time.Time{} // by the identifier of what may be a twin: when the other was written
	n := 0
	for i, ref := range doomed {
		twin := born.twin(lives[i])
		if twin == nil || origins.numbers(ctx, &twin.state, ref) {
			continue
		}
		twin.used = true
		if twin.state.Fresh {
			n++
		} else {
			older[twin.identifier] = lives[i].updated
		}
	}
	later, err := r.madeLater(ctx, blueprint, older)
	return n + later, err
}

// aRunApart is how long after another entity was written one must have been made, so that
// not both are of one run.
const aRunApart = time.Minute

// madeLater counts the entities that were made after the times given for them.
func (r renames) madeLater(ctx context.Context, blueprint string, times map[string]time.Time) (int, error) {
	var refs []catalog.Ref
	for _, identifier := range slices.Sorted(maps.Keys(times)) {
		refs = append(refs, catalog.Ref{Blueprint: blueprint, Identifier: identifier})
	}
	later := map[string]bool{}
	err := r.lookup().lives(ctx, blueprint, refs, func(identifier string, held port.Dated) {
		written := times[identifier]
		later[identifier] = !written.IsZero() && held.Created.After(written.Add(aRunApart))
	})
	maps.DeleteFunc(later, func(_ string, is bool) bool { return !is })
	return len(later), err
}

// life is what a doomed entity may share with its twin; the zero life is that of one that
// Port does not hold any more. The entities may be very many.
type life struct {
	// addresses are the texts of its properties, sorted by their names, as hashes: two of one
	// hash would make a twin too many, and so delete nothing.
	addresses []uint64
	title     uint64 // see inventory.HashTitle
	updated   time.Time
}

var addressSeed = maphash.MakeSeed()

func lifeOf(held port.Dated) life {
	l := life{title: inventory.HashTitle(held.Fields), updated: held.Updated}
	for _, name := range slices.Sorted(maps.Keys(held.Properties)) {
		if text, ok := held.Properties[name].(string); ok && text != "" {
			l.addresses = append(l.addresses, maphash.String(addressSeed, text))
		}
	}
	return l
}

// produce are the entities of a blueprint that a run produced and that share something with a
// doomed one, by what they share.
type produce struct {
	addresses, titles map[uint64]*siblings
}

// siblings are those that share one thing: as many as can be twins.
type siblings struct {
	all  []*sibling
	made map[inventory.Entry]bool
	// crowded is true when an entry of the mapping made several: then they are of different
	// things, and none is a twin.
	crowded bool
}

// sibling is an entity that the run produced.
type sibling struct {
	identifier string
	state      inventory.Entity
	used       bool // it is the twin of another already
}

// born looks through what the run produced for what the lives may have become.
func (r renames) born(blueprint string, lives []life) (produce, error) {
	p := produce{map[uint64]*siblings{}, map[uint64]*siblings{}}
	for _, l := range lives {
		if l.title != 0 {
			p.titles[l.title] = nil
		}
		for _, address := range l.addresses {
			p.addresses[address] = nil
		}
	}
	for k, err := range r.Inventory.Entities.All() {
		if err != nil {
			return produce{}, err
		}
		if k.Ref.Blueprint != blueprint || !k.Counted {
			continue
		}
		one := &sibling{identifier: k.Ref.Identifier, state: k.Entity}
		join(p.titles, k.Title, one, len(lives))
		for i, res := range k.Results {
			if res.Address != "" && !slices.ContainsFunc(k.Results[:i], func(o inventory.Result) bool { return o.Address == res.Address }) {
				join(p.addresses, maphash.String(addressSeed, res.Address), one, len(lives))
			}
		}
	}
	return p, nil
}

// join adds a sibling to those that share something with a doomed entity. Of more than are
// doomed, those that are new to Port are kept.
func join(groups map[uint64]*siblings, shared uint64, one *sibling, doomed int) {
	s, wanted := groups[shared]
	switch {
	case !wanted:
		return
	case s == nil:
		s = &siblings{made: map[inventory.Entry]bool{}}
		groups[shared] = s
	case s.crowded:
		return
	}
	for _, res := range one.state.Results {
		if s.made[res.Entry] {
			*s = siblings{crowded: true}
			return
		}
		s.made[res.Entry] = true
	}
	if len(s.all) < doomed {
		s.all = append(s.all, one)
	} else if i := slices.IndexFunc(s.all, func(o *sibling) bool { return !o.state.Fresh }); one.state.Fresh && i >= 0 {
		s.all[i] = one
	}
}

// free returns an entity that is not a twin yet, one that is new to Port if there is one; nil
// when there is none.
func (s *siblings) free() (one *sibling) {
	if s == nil {
		return nil
	}
	for _, o := range s.all {
		if !o.used && (one == nil || o.state.Fresh && !one.state.Fresh) {
			one = o
		}
	}
	return one
}

// twin returns an entity whose object has an address that is a property of a doomed one, or
// else one of the same title; nil when there is none.
func (p produce) twin(l life) *sibling {
	for _, address := range l.addresses {
		if one := p.addresses[address].free(); one != nil {
			return one
		}
	}
	return p.titles[l.title].free()
}

package prune

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/inventory"
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
func (r renames) guards(ctx context.Context, doomed []catalog.Ref) map[string]string {
	guards := map[string]string{}
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
		guard := ""
		switch {
		case err != nil && ctx.Err() == nil:
			guard = "whether they live on under other identifiers could not be read: " + err.Error()
			r.fixes[guard] = "run again"
		case twins > maxTwins && float64(twins) > twinShare*float64(r.holding(blueprint)):
			guard = fmt.Sprintf("%d entities would be replaced by others of the same title or address", twins)
			r.fixes[guard] = "check the mapping's identifier; if they are to be replaced, set the input confirm_renames to true for one run"
		}
		if guard != "" {
			guards[blueprint] = guard
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
	lives, err := r.lookup().lives(ctx, blueprint, doomed)
	if err != nil {
		return 0, err
	}
	born, err := r.born(blueprint)
	if err != nil {
		return 0, err
	}
	origins := newOrigins(r.pass, nil)
	older := map[string]time.Time{} // by the identifier of what may be a twin: when the other was written
	n := 0
	for _, ref := range slices.Sorted(maps.Keys(lives)) {
		l := lives[ref]
		twin := born.address(l.Fields)
		if twin == nil {
			twin = free(born.titles[inventory.HashTitle(l.Fields)])
		}
		if twin == nil || origins.numbers(ctx, twin.state, catalog.Ref{Blueprint: blueprint, Identifier: ref}) {
			continue
		}
		twin.used = true
		if twin.state.Fresh {
			n++
		} else {
			older[twin.identifier] = l.Updated
		}
	}
	later, err := r.madeLater(ctx, blueprint, older)
	return n + later, err
}

// aRunApart is how long after another entity was written one must have been made, so that
// not both are of one run.
const aRunApart = time.Minute

// madeLater counts the entities that were made after the times given for them.
func (r renames) madeLater(ctx context.Context, blueprint string, times map[string]time.Time) (n int, err error) {
	var refs []catalog.Ref
	for _, identifier := range slices.Sorted(maps.Keys(times)) {
		refs = append(refs, catalog.Ref{Blueprint: blueprint, Identifier: identifier})
	}
	lives, err := r.lookup().lives(ctx, blueprint, refs)
	for identifier, l := range lives {
		if written := times[identifier]; !written.IsZero() && l.Created.After(written.Add(aRunApart)) {
			n++
		}
	}
	return n, err
}

// produce are the entities of a blueprint that a run produced, by what twins share.
type produce struct {
	addresses map[string][]*sibling
	titles    map[uint64][]*sibling
}

// sibling is one of them.
type sibling struct {
	identifier string
	state      *inventory.Entity
	used       bool // it is the twin of another already
}

func (r renames) born(blueprint string) (produce, error) {
	all := produce{map[string][]*sibling{}, map[uint64][]*sibling{}}
	for k, err := range r.Inventory.Entities.All() {
		if err != nil {
			return produce{}, err
		}
		if k.Ref.Blueprint != blueprint || !k.Counted {
			continue
		}
		one := &sibling{identifier: k.Ref.Identifier, state: &k.Entity}
		if k.Title != 0 {
			all.titles[k.Title] = append(all.titles[k.Title], one)
		}
		for _, res := range k.Results {
			if res.Address != "" && !slices.Contains(all.addresses[res.Address], one) {
				all.addresses[res.Address] = append(all.addresses[res.Address], one)
			}
		}
	}
	return all, nil
}

// free returns an entity that is not a twin yet, one that is new to Port if there is one.
// It returns nil too when an entry of the mapping made several: then they are of different things.
func free(all []*sibling) (one *sibling) {
	made := map[inventory.Entry]bool{}
	for _, s := range all {
		for _, res := range s.state.Results {
			if made[res.Entry] {
				return nil
			}
			made[res.Entry] = true
		}
		if !s.used && (one == nil || s.state.Fresh && !one.state.Fresh) {
			one = s
		}
	}
	return one
}

// address returns an entity whose object has the address that is a property of another;
// nil when none is known.
func (p produce) address(f catalog.Fields) *sibling {
	for _, name := range slices.Sorted(maps.Keys(f.Properties)) {
		if text, ok := f.Properties[name].(string); ok {
			if one := free(p.addresses[text]); one != nil {
				return one
			}
		}
	}
	return nil
}

package prune

import (
	"context"
	"fmt"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/reconcile"
)

// many are sources of a resource of which something was not asked for in this run. They may be
// thousands, and block the deletion of their entities by one reason.
type many struct {
	keys map[string]bool
	// named is true when all of them were read under their present names: then Port holds
	// nothing else of them.
	named bool
	guard reconcile.Guard

	unknown map[int]bool    // by entry: answers of anyUnknown
	hidden  map[string]bool // by blueprint: answers of hides
}

func newMany(why, fix string) *many {
	return &many{keys: map[string]bool{}, guard: reconcile.Guard{Why: why, Fix: fix}, unknown: map[int]bool{}, hidden: map[string]bool{}}
}

// leftOut are the sources of which something was not asked for, since max_requests was
// reached.
func leftOut(of *resource) *many {
	m := newMany(fmt.Sprintf("%s: not everything of %s was asked for, since max_requests was reached", of.Where(), counted(len(of.seen.NotAsked))),
		"run again, or raise max_requests: what was left out is asked for first")
	m.keys = of.seen.NotAsked
	return m
}

// fromMemory are the sources of which something comes from memory. What that holds counts as
// produced; what else Port holds of them may have come since.
func fromMemory(of *resource) *many {
	var oldest time.Time
	keys := map[string]bool{}
	for key, readAt := range of.seen.Remembered {
		keys[key] = true
		if oldest.IsZero() || readAt.Before(oldest) {
			oldest = readAt
		}
	}
	m := newMany(fmt.Sprintf("%s: the lists of %s come from memory, and the oldest was read at %s", of.Where(), counted(len(keys)), oldest.UTC().Format(time.RFC3339)),
		"they go in a run that asks for these lists again: one with a higher max_requests or without state_dir asks for all")
	m.keys, m.named = keys, true
	return m
}

func counted(repositories int) string {
	if repositories == 1 {
		return "1 repository"
	}
	return fmt.Sprintf("%d repositories", repositories)
}

// mayAny reports whether one of many sources can have produced an entity by a resource, as
// may does for one. A source that was read under its present name cannot have produced what
// its frame does not cover.
func (o *origins) mayAny(ctx context.Context, of *resource, sources *many, ref catalog.Ref) bool {
	others := false
	for i, e := range of.Entries {
		if !e.Dynamic && e.Blueprint != ref.Blueprint {
			continue
		}
		if ctx.Err() != nil || e.QueryIdentifier || !o.trust(ctx, of, i) || o.anyUnknown(ctx, of, i, sources) {
			return true
		}
		for key := range o.covering(ctx, of, i, ref.Identifier) {
			if sources.keys[key] {
				return true
			}
		}
		others = others || o.anothers(ctx, of, i, ref) == surely
	}
	return !sources.named && !others && o.hides(ctx, of, sources, ref.Blueprint)
}

// anyUnknown reports whether the frame of one of many sources is not known.
func (o *origins) anyUnknown(ctx context.Context, of *resource, entry int, sources *many) bool {
	known, ok := sources.unknown[entry]
	if ok {
		return known
	}
	known = slices.ContainsFunc(o.index(ctx, of, entry).unknown, func(key string) bool { return sources.keys[key] })
	for key := range sources.keys {
		if _, listed := of.seen.Sources[key]; !listed {
			known = true
		}
	}
	sources.unknown[entry] = known
	return known
}

// hides reports whether one of many sources may be known to Port by an earlier name: not
// by its present one.
func (o *origins) hides(ctx context.Context, of *resource, sources *many, blueprint string) bool {
	known, ok := sources.hidden[blueprint]
	if ok {
		return known
	}
	for key := range sources.keys {
		present := false
		for i, e := range of.Entries {
			present = present || (e.Dynamic || e.Blueprint == blueprint) && o.present(ctx, of, i, key)
		}
		known = known || !present
	}
	sources.hidden[blueprint] = known
	return known
}

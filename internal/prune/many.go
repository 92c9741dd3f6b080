package prune

import (
	"context"
	"fmt"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/catalog"
)

// many are sources of a resource of which something was not asked for in this run. They may be
// thousands, and block the deletion of their entities by one reason.
type many struct {
	keys map[string]bool
	// renamed are those of them that Port may know by an earlier name alone.
	renamed  map[string]bool
	why, fix string

	unknown map[int]bool    // by entry: answers of anyUnknown
	hidden  map[string]bool // by blueprint: answers of hides
}

// leftOut are the sources of which something was not asked for, since max_requests was
// reached.
func leftOut(of *resource) *many {
	return &many{
		keys: of.seen.NotAsked, renamed: of.seen.NotAsked, unknown: map[int]bool{}, hidden: map[string]bool{},
		why: fmt.Sprintf("%s: not everything of %s was asked for, since max_requests was reached", of.Where(), counted(len(of.seen.NotAsked))),
		fix: "run again, or raise max_requests: what was left out is asked for first",
	}
}

// fromMemory are the sources of which something comes from memory. What that holds counts as
// produced; what else Port holds of them may have come since.
func fromMemory(of *resource) *many {
	m := &many{
		keys: map[string]bool{}, renamed: map[string]bool{}, unknown: map[int]bool{}, hidden: map[string]bool{},
		fix: "they go in a run that asks for these lists again: one with a higher max_requests or without state_dir asks for all",
	}
	var oldest time.Time
	for key, known := range of.seen.Remembered {
		m.keys[key] = true
		if known.Renamed {
			m.renamed[key] = true
		}
		if oldest.IsZero() || known.ReadAt.Before(oldest) {
			oldest = known.ReadAt
		}
	}
	m.why = fmt.Sprintf("%s: the lists of %s come from memory, and the oldest was read at %s", of.Where(), counted(len(m.keys)), oldest.UTC().Format(time.RFC3339))
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
	return !others && o.hides(ctx, of, sources, ref.Blueprint)
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
	for key := range sources.renamed {
		present := false
		for i, e := range of.Entries {
			present = present || (e.Dynamic || e.Blueprint == blueprint) && o.present(ctx, of, i, key)
		}
		known = known || !present
	}
	sources.hidden[blueprint] = known
	return known
}

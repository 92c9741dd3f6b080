package resync

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
)

// Entities that would be deleted are taken for renamed when more than maxTwins of a
// blueprint, and more than one in twinShare of what Port holds of it, have a twin: an
// entity of another identifier for the same thing. Fewer may be chance, such as pull
// requests of one title.
const (
	maxTwins  = 10
	twinShare = 10
)

// renamed finds the blueprints whose doomed entities live on under other identifiers, as
// after a change of the mapping's identifier or of what it is made of, and returns for
// each why nothing of it is deleted.
func (r *run) renamed(ctx context.Context, listed listing, doomed []catalog.Ref) map[string]string {
	guards := map[string]string{}
	if r.job.ConfirmRenames {
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
		case twins > maxTwins && twins > r.holding(listed, blueprint)/twinShare:
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
func (r *run) holding(listed listing, blueprint string) int {
	n := listed.counts[blueprint]
	for ref, s := range r.loader.states {
		if ref.Blueprint == blueprint && !s.listed && s.counted != nil && s.as == updated {
			n++
		}
	}
	return n
}

// twins counts the entities that have a twin among those that the run produced: an entity
// of the same address, or one that the run created under the same title. Each twin counts
// once.
func (r *run) twins(ctx context.Context, blueprint string, doomed []catalog.Ref) (int, error) {
	titles, addresses := r.fresh(blueprint)
	if len(doomed) <= maxTwins || len(titles)+len(addresses) == 0 {
		return 0, nil
	}
	n := 0
	for part := range slices.Chunk(doomed, findAtOnce) {
		identifiers := make([]string, len(part))
		for i, ref := range part {
			identifiers[i] = ref.Identifier
		}
		for fields, err := range r.job.Port.Find(ctx, blueprint, identifiers) {
			if err != nil {
				return 0, err
			}
			title, _ := fields.Title.(string)
			switch address := addressOf(fields, addresses); {
			case address != "":
				delete(addresses, address) // several entities of one object may share it
				n++
			case titles[title] > 0:
				titles[title]--
				n++
			}
		}
	}
	return n, nil
}

// fresh returns the titles of the entities of a blueprint that the run created, with how
// often, and the addresses of all that it produced.
func (r *run) fresh(blueprint string) (titles map[string]int, addresses map[string]bool) {
	titles, addresses = map[string]int{}, map[string]bool{}
	for ref, s := range r.loader.states {
		if ref.Blueprint != blueprint {
			continue
		}
		for _, res := range s.results {
			if res.source != "" {
				addresses[res.source] = true
			}
		}
		if s.title != "" && s.counted != nil && s.as == created {
			titles[s.title]++
		}
	}
	return titles, addresses
}

// addressOf returns the property that is one of the addresses; empty when none is.
func addressOf(f catalog.Fields, addresses map[string]bool) string {
	for _, name := range slices.Sorted(maps.Keys(f.Properties)) {
		if text, ok := f.Properties[name].(string); ok && addresses[text] {
			return text
		}
	}
	return ""
}

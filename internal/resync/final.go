package resync

import (
	"slices"

	"port-bitbucket-exporter/internal/catalog"
)

// digester compares the entities of the blueprint of p.
func (l *loader) digester(p *pending) *catalog.Digester {
	return l.schemas.digester(l.ctx, p.entity.Ref.Blueprint)
}

// final returns what Port would hold of an entity after all results for it so far: where
// entities are merged, what was produced last of each key.
func (l *loader) final(p *pending) catalog.Digest {
	d, sum := l.digester(p), catalog.Digest("")
	for _, r := range p.state.results {
		if !r.rejected {
			sum = d.Over(sum, r.digest)
		}
	}
	return sum
}

// settled reports whether Port holds already what all results for an entity so far
// make together, and no other of them is on its way.
func (l *loader) settled(p *pending) bool {
	held, there := l.holds(p.entity.Ref)
	if !there || p.state.touched {
		return false
	}
	underWay := slices.ContainsFunc(p.state.results, func(r result) bool {
		return r.pending != nil && r.pending != p && r.pending.stage != waiting
	})
	return !underWay && l.digester(p).Same(l.final(p), held)
}

// leave counts an entity that need not be written as unchanged, and closes the earlier
// results for it that wait.
func (l *loader) leave(p *pending) {
	held, _ := l.holds(p.entity.Ref)
	for i := range p.state.results {
		r := &p.state.results[i]
		if r.digest == held {
			r.digest = held // the same text, in memory once
		}
		if a := r.pending; a != nil && a != p {
			a.of.report.Merged++
			a.of.stored[a.entry]++
			a.close()
		}
	}
	p.close()
	l.count(p, unchanged)
}

// contested reports whether a waiting entity may turn out to be what Port holds:
// resources that are still to come can write over everything in which it differs. Entries
// whose identifier is a search query do not count: their entities are written in any case.
func (l *loader) contested(p *pending) bool {
	if p.stage != waiting || p.state.touched {
		return false
	}
	var later catalog.Keys
	any := false
	for _, e := range l.bound.Entries(p.entity.Ref.Blueprint) {
		if !l.done[e.Resource] && !e.QueryIdentifier {
			later, any = later.Union(e.Keys), true
		}
	}
	if !any {
		return false
	}
	held, there := l.holds(p.entity.Ref)
	return there && l.digester(p).Covers(l.final(p), held, later)
}

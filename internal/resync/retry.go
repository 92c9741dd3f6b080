package resync

import (
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/graph"
	"port-bitbucket-exporter/internal/port"
)

// postpone leaves an entity for when what it relates to is there, or for the end of
// the run.
func (l *loader) postpone(p *pending) {
	p.stage = postponed
	l.postponed = append(l.postponed, p)
}

// release packs what was postponed and lacks nothing any more. What Port has refused
// waits for the end of the run.
func (l *loader) release() (some bool) {
	left := l.left()
	for _, group := range graph.Components(l.dependencies(left)) {
		for _, i := range group {
			p := left[i]
			if a := p.ahead(); p.refused || a != nil && a.stage == postponed || l.lacks(p) {
				l.postpone(p)
				continue
			}
			some = true
			l.pack(p)
		}
	}
	return some
}

// left takes what is still postponed.
func (l *loader) left() []*pending {
	left := slices.DeleteFunc(l.postponed, func(p *pending) bool { return p.stage != postponed }) // a later result may have taken its place
	l.postponed = nil
	return left
}

// retry sends what is still postponed at the end of the run, in the order of its
// relations.
func (l *loader) retry() {
	for {
		left := l.left()
		if len(left) == 0 {
			return
		}
		if err := l.ctx.Err(); err != nil {
			for _, p := range left {
				l.reject(p, port.Outcome{Err: err})
			}
			return
		}
		l.sendInOrder(left)
	}
}

// sendInOrder sends each entity after those that it relates to; those of a cycle go
// together, and are told what the cycle is. Entities of one blueprint may share a
// request with what they relate to: when Port does not take them in turn, they come
// again, and others do not share one any more.
func (l *loader) sendInOrder(left []*pending) {
	ahead := l.dependencies(left)
	sent := map[int]bool{} // and not known to have arrived
	for _, group := range graph.Components(ahead) {
		shares := false
		for _, i := range group {
			for _, j := range ahead[i] {
				if !sent[j] {
					continue
				}
				if a := left[j].entity.Ref; l.apart || a.Blueprint != left[i].entity.Ref.Blueprint || a == left[i].entity.Ref {
					l.flush()
					clear(sent)
				} else {
					shares = true
				}
			}
		}
		cycle := cycleOf(left, ahead, group)
		for _, i := range group {
			p := left[i]
			p.due, p.last, p.cycle = true, !shares || len(sent) == 0, cycle
			l.pack(p)
		}
		for _, i := range group {
			sent[i] = true
		}
	}
	l.flush()
}

// dependencies are, for each entity, the others that must go before it.
func (l *loader) dependencies(left []*pending) [][]int {
	index, of := map[*pending]int{}, map[catalog.Ref][]int{}
	for i, p := range left {
		index[p] = i
		of[p.entity.Ref] = append(of[p.entity.Ref], i)
	}
	ahead := make([][]int, len(left))
	for i, p := range left {
		for _, t := range p.entity.Targets {
			if ref, ok := l.target(p, t); ok && ref != p.entity.Ref {
				ahead[i] = append(ahead[i], of[ref]...)
			}
		}
		if a := p.ahead(); a != nil {
			if j, ok := index[a]; ok {
				ahead[i] = append(ahead[i], j)
			}
		}
	}
	return ahead
}

// cycleOf is a cycle in a group, from an entity back to it; nil when there is none.
func cycleOf(left []*pending, ahead [][]int, group []int) []catalog.Ref {
	if len(group) == 1 {
		return nil
	}
	for _, next := range ahead[group[0]] {
		if !slices.Contains(group, next) {
			continue
		}
		cycle := []catalog.Ref{left[group[0]].entity.Ref}
		for _, i := range graph.Path(ahead, next, group[0]) {
			cycle = append(cycle, left[i].entity.Ref)
		}
		return slices.Compact(cycle) // two results for one entity are one of it
	}
	return nil
}

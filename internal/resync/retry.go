package resync

import (
	"slices"

	"port-bitbucket-exporter/internal/port"
)

// postpone leaves an entity for the end of the run.
func (l *loader) postpone(p *pending) {
	p.stage = postponed
	l.postponed = append(l.postponed, p)
}

// retry sends what Port refused for a missing related entity once more, in the
// order of the relations: an entity goes after those that it relates to. Those of
// a cycle go together.
func (l *loader) retry() {
	left := slices.DeleteFunc(l.postponed, func(p *pending) bool { return p.stage != postponed })
	l.postponed = nil
	for _, p := range left {
		p.last = true
	}
	for len(left) > 0 && l.ctx.Err() == nil {
		blueprints := map[string][]string{} // by identifier
		for _, p := range left {
			ref := p.entity.Ref
			blueprints[ref.Identifier] = append(blueprints[ref.Identifier], ref.Blueprint)
		}
		var ready, rest []*pending
		for _, p := range left {
			if p.ahead() != nil || dependsOn(p, blueprints) {
				rest = append(rest, p)
			} else {
				ready = append(ready, p)
			}
		}
		if len(ready) == 0 {
			ready, rest = rest, nil
		}
		for _, p := range ready {
			l.pack(p)
		}
		l.finish(allResources)
		left = rest
	}
	for _, p := range left {
		l.reject(p, port.Outcome{Err: l.ctx.Err()})
	}
}

// dependsOn says whether an entity may relate to another one that is to be sent.
func dependsOn(p *pending, blueprints map[string][]string) bool {
	for _, t := range p.entity.Targets {
		for _, b := range blueprints[t.Identifier] {
			if t.Identifier != p.entity.Ref.Identifier || b != p.entity.Ref.Blueprint {
				return true
			}
		}
	}
	return false
}

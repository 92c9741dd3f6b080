package resync

import (
	"port-bitbucket-exporter/internal/port"
)

// retry sends what Port refused for a missing related entity once more, in the
// order of the relations: an entity goes after those that it relates to. Those of
// a cycle go together.
func (l *loader) retry() {
	left := l.postponed
	l.postponed = nil
	for len(left) > 0 && l.ctx.Err() == nil {
		names := map[string]int{}
		for _, p := range left {
			names[p.entity.Ref.Identifier]++
		}
		var ready, rest []*pending
		for _, p := range left {
			if dependsOn(p, names) {
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
		l.finish()
		left = rest
	}
	for _, p := range left {
		l.reject(p, port.Outcome{Err: p.err})
	}
}

// dependsOn says whether an entity relates to another one that is to be sent.
func dependsOn(p *pending, names map[string]int) bool {
	for _, t := range p.entity.Targets {
		others := names[t.Identifier]
		if t.Identifier == p.entity.Ref.Identifier {
			others--
		}
		if others > 0 {
			return true
		}
	}
	return false
}

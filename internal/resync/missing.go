package resync

import (
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/refusal"
)

// target is the entity that a relation names; false when its blueprint is not known.
func (l *loader) target(p *pending, t catalog.Target) (catalog.Ref, bool) {
	schema, _ := l.schemas.of(l.ctx, p.entity.Ref.Blueprint)
	relation, ok := schema.Relations[t.Relation]
	return catalog.Ref{Blueprint: relation.Target, Identifier: t.Identifier}, ok
}

// there says whether Port is known to hold an entity of ours: it held it before, as
// far as that was read, or has taken it.
func (l *loader) there(ref catalog.Ref) bool {
	if s := l.states[ref]; s != nil && s.counted != nil {
		return true
	}
	h := l.held[ref.Blueprint]
	return h != nil && h.has(ref.Identifier)
}

// has says whether Port held an entity.
func (h *held) has(identifier string) bool {
	h.reading.Wait()
	_, ok := h.digests[identifier]
	return ok
}

// lacks says whether an entity relates to another one that this run may still bring:
// Port would refuse it now. One that is on its way in the same blueprint arrives
// before it.
func (l *loader) lacks(p *pending) bool {
	if l.flags.CreateMissingRelatedEntities {
		return false
	}
	return slices.ContainsFunc(p.entity.Targets, func(t catalog.Target) bool {
		ref, ok := l.target(p, t)
		if !ok || ref == p.entity.Ref || !l.bound.Produces(ref.Blueprint) {
			return false
		}
		l.expect(ref.Blueprint)
		switch {
		case l.there(ref):
			return false
		case ref.Blueprint == p.entity.Ref.Blueprint && !l.apart:
			return !l.underWay(ref)
		}
		return true
	})
}

func (l *loader) underWay(ref catalog.Ref) bool {
	s := l.states[ref]
	return s != nil && slices.ContainsFunc(s.results, func(r result) bool { return r.pending != nil && r.pending.stage == packed })
}

// sharesInVain says whether all that an entity relates to is there, and Port has not
// found it: then it was in the same request.
func (l *loader) sharesInVain(p *pending) bool {
	return !p.entry.QueryIdentifier && !slices.ContainsFunc(p.entity.Targets, func(t catalog.Target) bool {
		ref, ok := l.target(p, t)
		return !ok || ref != p.entity.Ref && !(l.bound.Produces(ref.Blueprint) && l.there(ref))
	})
}

// mayCome says whether what Port did not find may be there at the end of the run.
func (l *loader) mayCome(p *pending) bool {
	if p.entry.QueryIdentifier {
		return l.mayBeNamed(p)
	}
	return !l.flags.CreateMissingRelatedEntities && slices.ContainsFunc(p.entity.Targets, func(t catalog.Target) bool {
		ref, ok := l.target(p, t)
		return !ok || l.bound.Produces(ref.Blueprint)
	})
}

// absent returns what an entity relates to and Port does not hold, as far as is known, when
// that is why Port refused it.
func (l *loader) absent(p *pending, o port.Outcome) []refusal.Absent {
	if o.RequestFailed || !refusal.NotFound(o.Err) || p.entry.QueryIdentifier || l.flags.CreateMissingRelatedEntities {
		return nil
	}
	var absent []refusal.Absent
	for _, t := range p.entity.Targets {
		to, ok := l.target(p, t)
		if !ok || to == p.entity.Ref || l.bound.Produces(to.Blueprint) && l.there(to) {
			continue
		}
		absent = append(absent, refusal.Absent{Relation: t.Relation, Ref: to, Produced: l.states[to] != nil})
	}
	return absent
}

package resync

import (
	"cmp"
	"fmt"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/refusal"
)

// adopt notes an entity that Port held, and that another data source had written last: it
// is ours now. Where another integration gives it too, each takes it from the other,
// and writes it in every run.
func (l *loader) adopt(p *pending, ref catalog.Ref) {
	l.adopted[ref.Blueprint] = true
	if l.held[ref.Blueprint].failed || l.mayBeStub(ref) {
		return
	}
	at := p.entry.Source.Place()
	l.report.Note(diag.Problem{
		Severity: diag.Notice, At: at,
		Message: fmt.Sprintf("%s: another integration, tool or person was the last to write an entity of blueprint %q: this run takes it over", p.of.resource.Where(), ref.Blueprint),
		Fix:     "if this comes again in every run, another integration gives the same entity: leave it to one of them",
		Example: refusal.Example(ref, p.source, nil),
	})
}

// mayBeStub reports whether Port may have made an entity in this run, for a relation
// to it.
func (l *loader) mayBeStub(ref catalog.Ref) bool {
	for r, identifiers := range l.targets {
		if !l.flags.CreateMissingRelatedEntities || !identifiers[ref.Identifier] {
			continue
		}
		if schema, _ := l.schemas.of(l.ctx, r.blueprint); schema.Relations[r.name].Target == ref.Blueprint {
			return true
		}
	}
	return false
}

// noteSearched reports an entity that Port finds, or relates, by a search query. To compare
// it would take one request for each query: writing 20 entities in one request costs less.
func (l *loader) noteSearched(p *pending, identifier string) {
	at := p.entry.Source.Place()
	ref := catalog.Ref{Blueprint: p.entity.Ref.Blueprint, Identifier: cmp.Or(p.entity.Ref.Identifier, identifier)}
	l.report.Note(diag.Problem{
		Severity: diag.Notice, At: at,
		Message: p.of.resource.Where() + ": an entity with a search query as identifier, team or relation is written in every run, changed or not",
		Fix:     "where that is too much, map identifiers in place of search queries",
		Example: refusal.Example(ref, p.source, nil),
	})
}

// noteCrowded reports an entity that should wait for a later resource, and for which there
// is no room: it may be written in every run, and then again by that resource.
func (l *loader) noteCrowded(p *pending) {
	at := p.entry.Source.Place()
	l.report.Note(diag.Problem{
		Severity: diag.Notice, At: at,
		Message: fmt.Sprintf("%s: more changed entities of blueprint %q should wait for a later resource than there is room for: some are written before it, and may be written in every run", p.of.resource.Where(), p.entity.Ref.Blueprint),
		Fix:     "give each property in one resource only",
		Example: refusal.Example(p.entity.Ref, p.source, nil),
	})
}

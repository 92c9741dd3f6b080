package resync

import (
	"cmp"
	"fmt"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/report"
)

// adopt is for an entity that Port held, and our data source had not written last: it
// is ours now. Where another integration gives it too, each takes it from the other,
// and writes it in every run.
func (l *loader) adopt(p *pending, ref catalog.Ref) {
	l.adopted[ref.Blueprint] = true
	if l.held[ref.Blueprint].failed || l.mayBeStub(ref) {
		return
	}
	at := p.entry.position()
	l.report.Note(report.Problem{
		Severity: report.Notice, File: at.File, Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf("%s: somebody else wrote the entity of blueprint %q last; that it is written makes it this integration's", p.of.resource.Where(), ref.Blueprint),
		Fix:     "if this is told in every run, another integration gives the same entity: leave it to one of them",
		Example: example(ref, p.source, nil),
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

// noteSearched is for an entity that Port finds, or relates, by a search query. What
// Port would find could be asked one query at a time: writing 20 entities at once costs less.
func (l *loader) noteSearched(p *pending, identifier string) {
	at := p.entry.position()
	ref := catalog.Ref{Blueprint: p.entity.Ref.Blueprint, Identifier: cmp.Or(p.entity.Ref.Identifier, identifier)}
	l.report.Note(report.Problem{
		Severity: report.Notice, File: at.File, Line: at.Line, Column: at.Column,
		Message: p.of.resource.Where() + ": an entity with a search query as identifier, team or relation is written in every run, changed or not",
		Example: example(ref, p.source, nil),
	})
}

// noteCrowded is for an entity that should wait for a later resource, and for which
// there is no room: it may be written in every run, and then again by that resource.
func (l *loader) noteCrowded(p *pending) {
	at := p.entry.position()
	l.report.Note(report.Problem{
		Severity: report.Notice, File: at.File, Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf("%s: a later resource may write over an entity of blueprint %q, and more of them differ than can wait for it: it is written before", p.of.resource.Where(), p.entity.Ref.Blueprint),
		Fix:     "give each property in one resource only",
		Example: example(p.entity.Ref, p.source, nil),
	})
}

// searches reports whether an identifier, a team or a relation of the entry is a
// search query.
func (e *entry) searches() bool {
	byQuery := func(f mapping.Field) bool { return f.Value.Query != nil }
	return e.QueryIdentifier || e.source.Team != nil && e.source.Team.Query != nil || slices.ContainsFunc(e.source.Relations, byQuery)
}

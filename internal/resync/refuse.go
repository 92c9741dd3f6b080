package resync

import (
	"cmp"
	"fmt"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/refusal"
	"port-bitbucket-exporter/internal/report"
)

// refuse takes an entity that must not be sent. It was produced all the same, and
// is not stale.
func (l *loader) refuse(of *loading, u unit) {
	ref := u.ref
	l.rejected(of, ref.Blueprint, report.RejectedEntity)
	if u.entry.QueryIdentifier {
		of.loseName()
	}
	if ref.Blueprint == "" || ref.Identifier == "" {
		return
	}
	l.state(ref)
	if catalog.CheckBlueprint(ref.Blueprint) != nil || catalog.CheckIdentifier(ref.Identifier) != nil {
		return // Port cannot hold it
	}
	if _, there := l.holds(ref); there {
		of.stored[u.entry]++
	}
}

// loseName is for a rejected entity that only a search query names: it is not
// known which one of those that Port holds must not be stale.
func (of *loading) loseName() {
	of.unnamed = of.resource.Where() + ": an entity whose identifier is a search query was rejected"
}

func (l *loader) rejected(of *loading, blueprint string, cause report.Cause) {
	of.report.Rejected++
	l.report.Mark(cause)
	if blueprint != "" {
		l.report.Blueprint(blueprint).Rejected++
	}
}

// tooLarge is for an entity that no request can carry.
func (l *loader) tooLarge(p *pending) {
	at := p.entry.Source.Place()
	for _, f := range p.entry.Source.Properties {
		if f.Name == p.entity.Largest && f.Value.Expr != nil {
			at = f.Value.Expr.Pos
		}
	}
	l.keep(p)
	l.rejected(p.of, p.entity.Ref.Blueprint, report.RejectedEntity)
	l.report.Note(diag.Problem{
		Severity: diag.Error, At: at,
		Message: fmt.Sprintf("%s: an entity is larger than the 1 MiB that Port takes; its largest property is %q", p.of.resource.Where(), p.entity.Largest),
		Fix:     fmt.Sprintf("shorten it, such as (… | .[0:100000]), or leave property %q out", p.entity.Largest),
		Example: refusal.Example(p.entity.Ref, p.source, nil),
	})
	p.close()
}

// reject accounts for an entity that Port did not take.
func (l *loader) reject(p *pending, o port.Outcome) {
	if !o.RequestFailed && !p.last && refusal.NotFound(o.Err) && l.mayCome(p) {
		l.apart = l.apart || l.sharesInVain(p)
		p.refused = true
		l.postpone(p)
		return
	}
	l.keep(p)
	defer p.close()
	if l.ctx.Err() != nil { // told once, as the end of the run
		l.rejected(p.of, p.entity.Ref.Blueprint, report.Undelivered)
		return
	}
	cause := report.RejectedEntity
	if o.RequestFailed {
		cause = report.Undelivered
	}
	l.rejected(p.of, p.entity.Ref.Blueprint, cause)
	l.noteRejected(p, o)
}

// noteRejected reports why Port did not take an entity.
func (l *loader) noteRejected(p *pending, o port.Outcome) {
	x := refusal.Explain(refusal.Refusal{
		Mapping: p.entry.Source, Entity: p.entity, Source: p.source, Outcome: o, Planned: l.report.Planned,
		Schema: func() (port.Blueprint, bool) { return l.schemas.of(l.ctx, p.entity.Ref.Blueprint) },
		Absent: l.absent(p, o), Cycle: p.cycle,
	})
	l.report.Note(diag.Problem{
		Severity: diag.Error, At: x.Pos,
		Message: p.of.resource.Where() + ": " + x.Message,
		Fix:     x.Fix,
		Example: x.Example,
	})
}

// keep remembers that Port holds an earlier state of the entity.
func (l *loader) keep(p *pending) {
	if p.state == nil {
		p.of.loseName()
		return
	}
	for i := range p.state.results {
		if r := &p.state.results[i]; r.pending == p {
			r.rejected = true
		}
	}
	if _, there := l.holds(p.entity.Ref); there || p.state.written {
		p.of.stored[p.entry]++
	}
}

// collide is for two different results of one resource for one entity: the later
// one wins. The earlier one is dropped, or arrives first when it is under way.
func (l *loader) collide(p *pending, earlier *result) {
	at := p.entry.Source.Place()
	l.report.Note(diag.Problem{
		Severity: diag.Warning, At: at,
		Message: fmt.Sprintf("%s: different objects give the same identifier of blueprint %q; the last one wins", p.of.resource.Where(), p.entity.Ref.Blueprint),
		Fix:     "make the identifier unique, such as " + cmp.Or(kind.Objects(p.of.resource.Kind).Identifier, "with the object's number in it"),
		Example: fmt.Sprintf("%q from %s and from %s", p.entity.Ref.Identifier, earlier.source, p.source),
	})
	old := earlier.pending
	if old == nil {
		return
	}
	if old.stage == packed && old.batch.sent {
		l.deliver(old)
	}
	if old.stage != over {
		old.close()
		old.of.report.Merged++
	}
}

package resync

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/transform"
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
	if _, there := l.holds(u.entry, ref); there {
		of.stored[u.entry]++
	}
}

// loseName is for a rejected entity that only a search query names: it is not
// known which one of those that Port holds must not be stale.
func (d *loading) loseName() {
	d.unnamed = d.resource.Where() + ": an entity whose identifier is a search query was rejected"
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
	at := p.entry.position()
	for _, f := range p.entry.source.Properties {
		if f.Name == p.entity.Largest && f.Value.Expr != nil {
			at = f.Value.Expr.Pos
		}
	}
	l.keep(p)
	l.rejected(p.of, p.entity.Ref.Blueprint, report.RejectedEntity)
	l.report.Note(report.Problem{
		Severity: report.Error, File: at.File, Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf("%s: an entity is larger than the 1 MiB that Port takes; its largest property is %q", p.of.resource.Where(), p.entity.Largest),
		Fix:     fmt.Sprintf("shorten it, such as (… | .[0:100000]), or leave property %q out", p.entity.Largest),
		Example: example(p.entity.Ref, p.source),
	})
	p.close()
}

// reject accounts for an entity that Port did not take.
func (l *loader) reject(p *pending, o port.Outcome) {
	if !o.RequestFailed && !l.flags.CreateMissingRelatedEntities && !p.last && missing(o.Err) {
		l.postpone(p)
		return
	}
	l.keep(p)
	defer p.close()
	if l.ctx.Err() != nil { // told once, as the end of the run
		l.rejected(p.of, p.entity.Ref.Blueprint, report.Undelivered)
		return
	}
	at := p.entry.position()
	text, trace := general(o.Err, p.entity.Ref.Identifier)
	problem := report.Problem{
		Severity: report.Error, File: at.File, Line: at.Line, Column: at.Column,
		Example: example(p.entity.Ref, p.source) + trace,
	}
	cause, message := report.RejectedEntity, "Port refused the entity"
	if o.RequestFailed {
		cause, message = report.Undelivered, "Port did not take a request"
		problem.Fix = fixOf(o.Err, p.entity.Ref.Blueprint)
	}
	problem.Message = fmt.Sprintf("%s: %s of blueprint %q: %s", p.of.resource.Where(), message, p.entity.Ref.Blueprint, text)
	l.rejected(p.of, p.entity.Ref.Blueprint, cause)
	l.report.Note(problem)
}

// keep remembers that Port holds an earlier state of the entity.
func (l *loader) keep(p *pending) {
	if p.state == nil {
		p.of.loseName()
		return
	}
	if _, there := l.holds(p.entry, p.entity.Ref); there || p.state.written {
		p.of.stored[p.entry]++
	}
}

func missing(err error) bool {
	var e *port.Error
	return errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Code == "not_found")
}

func fixOf(err error, blueprint string) string {
	var e *port.Error
	if !errors.As(err, &e) {
		return "run again"
	}
	switch e.Status {
	case http.StatusNotFound:
		return fmt.Sprintf("create blueprint %q in Port, or correct the mapping's blueprint expression", blueprint)
	case http.StatusUnauthorized, http.StatusForbidden:
		return "give Port's credential a role that may write entities of this blueprint"
	}
	return "run again; if it fails again, give the x-trace-id to Port's support"
}

// general is an error's text without the identifier of the one entity and without
// the trace of the one request, so that the same cause is told once.
func general(err error, identifier string) (text, trace string) {
	text = err.Error()
	var e *port.Error
	if errors.As(err, &e) && e.Trace != "" {
		trace = " (x-trace-id " + e.Trace + ")"
		text = strings.ReplaceAll(text, trace, "")
	}
	if len(identifier) > 2 {
		text = strings.ReplaceAll(text, identifier, "…")
	}
	return text, trace
}

func example(ref catalog.Ref, source string) string {
	if source == "" {
		return ref.String()
	}
	return ref.String() + " from " + source
}

// collide is for two different results of one resource for one entity: the later
// one wins. The earlier one is dropped, or arrives first when it is under way.
func (l *loader) collide(p *pending, earlier *result) {
	at := p.entry.position()
	l.report.Note(report.Problem{
		Severity: report.Warning, File: at.File, Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf("%s: different objects give the same identifier of blueprint %q; the last one wins", p.of.resource.Where(), p.entity.Ref.Blueprint),
		Fix:     "make the identifier unique, such as " + cmp.Or(transform.UniqueIdentifier(p.of.resource.Kind), "with the object's number in it"),
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

// position is that of the entry's identifier.
func (e *entry) position() mapping.Position {
	if x := e.source.Identifier.Expr; x != nil {
		return x.Pos
	}
	return e.source.Pos
}

package resync

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
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
		Example: example(p.entity.Ref, p.source, nil),
	})
	p.close()
}

// reject accounts for an entity that Port did not take.
func (l *loader) reject(p *pending, o port.Outcome) {
	if !o.RequestFailed && !p.last && missing(o.Err) && l.mayCome(p) {
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
	if e := (*port.Error)(nil); !o.RequestFailed && errors.As(o.Err, &e) {
		l.noteRefused(p, o.Err, e)
	} else {
		l.noteUndelivered(p, o)
	}
}

// noteUndelivered tells of an entity that went down with its request.
func (l *loader) noteUndelivered(p *pending, o port.Outcome) {
	err := o.Err
	at, blueprint := p.entry.position(), p.entity.Ref.Blueprint
	if errors.Is(err, port.ErrNotFound) {
		at = p.entry.source.Blueprint.Pos
	}
	what, fix := fmt.Sprintf("Port did not take a request of blueprint %q", blueprint), fixOf(err, blueprint)
	if o.Alone {
		what = fmt.Sprintf("Port fails at an entity of blueprint %q, and took the others of its request", blueprint)
		fix = "look for what is special about the entity; if Port fails at it again, give the x-trace-id to Port's support"
	}
	text := blurError(err, []string{p.entity.Ref.Identifier}, blueprint)
	l.report.Note(report.Problem{
		Severity: report.Error, File: at.File, Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf("%s: %s: %s", p.of.resource.Where(), what, text),
		Fix:     fix,
		Example: example(p.entity.Ref, p.source, err),
	})
}

// noteRefused tells of an entity that Port refused for what it holds, at the
// expression that gave it.
func (l *loader) noteRefused(p *pending, err error, e *port.Error) {
	r := l.refusal(p, e)
	where := p.of.resource.Where()
	at := p.entry.position()
	if r.mapped {
		at = r.expr.Pos
		where += ": " + r.culprit.String()
	}
	names := append(fieldNames(p.entry.source), r.blueprint)
	text := blurError(err, leaves(r.value, []string{p.entity.Ref.Identifier}), names...)
	refused := "Port refused"
	if l.report.Planned {
		refused = "Port would refuse"
	}
	message := fmt.Sprintf("%s the entity of blueprint %q: %s", refused, r.blueprint, text)
	told := example(p.entity.Ref, p.source, err)
	switch {
	case r.cycle != nil:
		message = fmt.Sprintf("%s the entity of blueprint %q, since none of a cycle of relations can be created before the others: %s", refused, r.blueprint, cycleText(r.cycle))
	case r.absent.Identifier != "":
		told += ": it relates to " + l.absence(r.absent)
	}
	if !strings.Contains(text, e.Message) {
		told += ": " + cut(e.Message, maxWords)
	}
	l.report.Note(report.Problem{
		Severity: report.Error, File: at.File, Line: at.Line, Column: at.Column,
		Message: where + ": " + message,
		Fix:     r.advice(),
		Example: told,
	})
}

// refusal finds what Port's words are about. Where they name no property that is
// unknown, the blueprint tells which one it is.
func (l *loader) refusal(p *pending, e *port.Error) *refusal {
	source := p.entry.source
	r := &refusal{entry: p.entry, blueprint: p.entity.Ref.Blueprint, err: e}
	text := e.Message
	if id := p.entity.Ref.Identifier; id != "" && id != r.blueprint && !slices.Contains(fieldNames(source), id) {
		text = blurValue(text, id)
	}
	r.culprit = findCulprit(source, p.entity.Targets, e, text)
	if r.culprit.word == "" && p.entry.QueryIdentifier && (missing(e) || strings.Contains(text, "query")) {
		r.culprit.word = "identifier"
	}
	unnamed := r.culprit.word == "" && strings.Contains(strings.ToLower(text), "additional propert")
	if unnamed || r.culprit.name != "" {
		r.schema, r.known = l.schemas.of(l.ctx, r.blueprint)
	}
	if missing(e) && !p.entry.QueryIdentifier && !l.flags.CreateMissingRelatedEntities {
		if relation, ref, found := l.absent(p, e.Message); found {
			r.culprit, r.absent, r.cycle = culprit{"relation", relation}, ref, p.cycle
		}
	}
	for _, f := range source.Properties {
		if _, there := r.schema.Schema.Properties[f.Name]; unnamed && r.known && !there {
			r.culprit = culprit{"property", f.Name}
			break
		}
	}
	r.expr, r.mapped = locate(source, r.culprit)
	r.value = sent(p.entity.Body, r.culprit)
	return r
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

func fixOf(err error, blueprint string) string {
	var e *port.Error
	if !errors.As(err, &e) {
		return "run again"
	}
	if isProtected(e, blueprint) {
		return protectedFix(blueprint)
	}
	switch e.Status {
	case http.StatusNotFound:
		return fmt.Sprintf("create blueprint %q in Port, or correct the mapping's blueprint expression", blueprint)
	case http.StatusUnauthorized, http.StatusForbidden:
		return "give Port's credential a role that may write entities of this blueprint"
	}
	return "run again; if it fails again, give the x-trace-id to Port's support"
}

// blurError is an error's text without what differs between the entities of one
// cause, and without the trace of the one answer, so that the cause is told once.
func blurError(err error, values []string, names ...string) string {
	text := untraced(err)
	var e *port.Error
	if errors.As(err, &e) && e.Message != "" {
		return strings.Replace(text, e.Message, blur(e.Message, values, names...), 1)
	}
	return blur(text, values, names...)
}

// traceOf is how an error tells its trace; empty when it has none.
func traceOf(err error) string {
	if trace := port.Trace(err); trace != "" {
		return " (x-trace-id " + trace + ")"
	}
	return ""
}

// untraced is an error's text without its trace, which is told before it: what is
// cut off is the end.
func untraced(err error) string { return strings.ReplaceAll(err.Error(), traceOf(err), "") }

// maxExample is how much of an example is told, in bytes: what it names must leave
// room for the trace.
const maxExample = 180

// example names an entity, what gave it, and the answer of Port about it.
func example(ref catalog.Ref, source string, err error) string {
	name := ref.String()
	if ref.Identifier == "" {
		name = ref.Blueprint + " by a search query"
	}
	if source != "" {
		name += " from " + source
	}
	trace := ""
	if err != nil {
		trace = cut(traceOf(err), maxExample/2)
	}
	return cut(name, maxExample-len(trace)) + trace
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

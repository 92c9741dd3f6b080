package transform

import (
	"context"
	"maps"

	"port-bitbucket-exporter/internal/jq"
)

// Source is one object to map.
type Source struct {
	Object map[string]any
	// Older is the object as YAML 1.1 would have it, and nil where that is the same. The notes
	// of the result name the expressions that give another value for it.
	Older map[string]any
	// Raw is true when the content of the object is text that could not be parsed,
	// or is not given: a property or relation whose expression raises an error is
	// then left out of the fields, and not null.
	Raw bool
	// HasFiles is true where expressions may name files of the object by file://.
	HasFiles bool
	// Files are those that were read, by the name that expressions have for them. Apply
	// reads none: it names those that it lacks in Result.Missing.
	Files map[string]File
}

// File is what became of reading a file.
type File struct {
	// Text is the content, or nil when there is no such file: the property or title is
	// then null.
	Text any
	Err  error // why it was not read, which makes the unit Failed
}

// apply maps one object whose values may weigh so many bytes together.
func (p *Program) apply(ctx context.Context, s Source, object map[string]any, room int) (result Result, weight int) {
	e := jq.NewEvaluator(ctx, &p.turn)
	defer e.Close()
	a := application{program: p, source: s, evaluator: e, room: room}
	if p.items == nil {
		a.unit(object)
		return a.result, room - a.room
	}
	elements, fault := p.items.elements(e, object)
	switch {
	case ctx.Err() != nil:
		a.repeat(Failed, &Fault{Expr: p.items.expr.Expr, Message: stopped(ctx.Err())})
	case fault != nil:
		a.result.NotArray = true
		a.repeat(Skipped, fault)
	default:
		rest := p.items.without(object)
		for _, element := range elements {
			with := maps.Clone(rest)
			with[p.items.name] = element
			a.unit(with)
		}
	}
	return a.result, room - a.room
}

// unit judges one object or element by the selector and maps it by each entry.
func (a *application) unit(object map[string]any) {
	a.evaluator.SetRoom(jq.MaxResult)
	chosen, fault := a.chosen(object)
	switch {
	case fault != nil:
		a.repeat(Failed, fault)
		return
	case !chosen:
		a.repeat(Filtered, nil)
		return
	}
	for i := range a.program.entries {
		notes := len(a.result.Notes)
		given := min(jq.MaxResult, a.room)
		a.evaluator.SetRoom(given)
		a.unread = nil
		unit := a.program.entries[i].apply(a, object)
		unit.Entry = i
		a.room -= given - a.evaluator.Room()
		fault := a.unread
		if a.evaluator.Full() && given < jq.MaxResult {
			fault = raised(a.program.entries[i].blueprint.Expr, errObject)
		}
		if err := a.evaluator.Context().Err(); err != nil {
			fault = &Fault{Expr: a.program.entries[i].blueprint.Expr, Message: stopped(err)}
		}
		// What was cut short has given null: not a value to write over a good one.
		if fault != nil {
			a.result.Notes = a.result.Notes[:notes]
			unit = Unit{Entry: i, Outcome: Failed, Blueprint: unit.Blueprint, Fault: fault}
		}
		a.result.Units = append(a.result.Units, unit)
	}
}

// repeat adds a unit with one outcome for every entry.
func (a *application) repeat(o Outcome, fault *Fault) {
	for i := range a.program.entries {
		a.result.Units = append(a.result.Units, Unit{
			Entry: i, Outcome: o, Blueprint: a.program.entries[i].Blueprint, Fault: fault,
		})
	}
}

// chosen evaluates selector.query, which must give a boolean.
func (a *application) chosen(object map[string]any) (bool, *Fault) {
	s := a.program.selector
	v, err := a.evaluator.Value(s.code, object)
	if err != nil {
		fault := raised(s.Expr, err)
		fault.Selector = true
		return false, fault
	}
	chosen, ok := v.(bool)
	if !ok {
		return false, &Fault{
			Expr:     s.Expr,
			Selector: true,
			Message:  "gives " + describe(v) + ", and a selector must give true or false",
			Fix:      `compare with == or end the expression with "== true": a field that is not there is null`,
		}
	}
	return chosen, nil
}

package transform

import (
	"errors"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// application is one call of Apply.
type application struct {
	program   *Program
	source    Source
	evaluator *jq.Evaluator
	unread    *Fault // of the unit at hand, when a file of it was not read
	room      int    // bytes that the values of further units may take
	result    Result
}

// apply maps one object by one entry.
func (e *entry) apply(a *application, object map[string]any) Unit {
	unit := Unit{Blueprint: e.Blueprint}
	identifier, identifierFault := a.required(e.identifier, object)
	blueprint, blueprintFault := a.required(value{expr: e.blueprint}, object)
	if s, ok := blueprint.(string); ok {
		unit.Blueprint = s
	}
	switch {
	case identifierFault != nil:
		unit.Outcome, unit.Fault = Failed, identifierFault
	case blueprintFault != nil:
		unit.Outcome, unit.Fault = Failed, blueprintFault
	case falsy(identifier) || falsy(blueprint):
		unit.Outcome = Skipped
	default:
		unit.Fault = e.fill(a, object, &unit, identifier)
		if fault := e.checkBlueprint(blueprint); fault != nil {
			unit.Fault = fault
		}
		if unit.Fault != nil {
			unit.Outcome = Refused
		}
	}
	return unit
}

// required evaluates an identifier or a blueprint.
func (a *application) required(v value, object map[string]any) (any, *Fault) {
	if v.query != nil {
		built, failed, err := a.build(v.query, object)
		if err != nil {
			return nil, raised(failed.Expr, err)
		}
		return built, nil
	}
	got, err := a.evaluator.Value(v.expr.code, object)
	if err != nil {
		return nil, raised(v.expr.Expr, err)
	}
	return got, nil
}

// fill sets the fields. The fault is the first value that Port would refuse,
// in the order of the documentation.
func (e *entry) fill(a *application, object map[string]any, unit *Unit, identifier any) *Fault {
	f := &unit.Fields
	if fault := e.setIdentifier(f, identifier, a.program.kind); fault != nil {
		return fault
	}
	var faults []*Fault
	var fault *Fault
	f.Title, f.Null.Title, fault = a.text(e.title, object, "a title")
	faults = append(faults, fault)
	f.Icon, f.Null.Icon, fault = a.text(e.icon, object, "an icon")
	faults = append(faults, fault)
	f.Team, f.Null.Team, fault = a.team(e.team, object)
	faults = append(faults, fault)
	if e.properties != nil {
		f.Properties = make(map[string]any, len(e.properties))
	}
	for _, p := range e.properties {
		if v, leftOut := a.nullable(p.value, object); !leftOut {
			f.Properties[p.name] = v
		}
	}
	if e.relations != nil {
		f.Relations = make(map[string]any, len(e.relations))
	}
	for _, r := range e.relations {
		if v, leftOut := a.nullable(r.value, object); !leftOut {
			f.Relations[r.name] = v
			faults = append(faults, checkRelation(r.value, v))
		}
	}
	for _, fault := range faults {
		if fault != nil {
			return fault
		}
	}
	return nil
}

// setIdentifier sets what can be an identifier, even one with a fault.
func (e *entry) setIdentifier(f *catalog.Fields, identifier any, k shape.Kind) *Fault {
	if e.identifier.query != nil {
		f.Identifier = identifier
		return checkQuery(e.identifier.where(), identifier)
	}
	if s, ok := identifier.(string); ok {
		f.Identifier = s
	}
	fault := checkTarget(e.identifier.where(), identifier, "an identifier")
	if fault == nil || k.Identifier == "" {
		return fault
	}
	text, isText := identifier.(string)
	_, isNumber := gojq.ToFloat64(identifier)
	id := k.Object.Field("id")
	signs := isText && strings.ContainsFunc(text, func(r rune) bool { return catalog.CheckIdentifier("x"+string(r)) != nil })
	if signs || isNumber && id != nil && id.Form == shape.Number {
		fault.Fix = "write " + k.Identifier + ", and the same in the relations to it"
	}
	return fault
}

// nullable evaluates a property, a relation, or another key that may be null. A
// key that is left out leaves what Port holds as it is.
func (a *application) nullable(v value, object map[string]any) (got any, leftOut bool) {
	var err error
	where := v.where()
	if v.query == nil && v.expr.file != "" {
		return a.file(v.expr), false
	}
	if v.query != nil {
		var failed *expression
		if got, failed, err = a.build(v.query, object); err != nil {
			where = failed.Expr
		}
	} else {
		got, err = a.evaluator.Value(v.expr.code, object)
	}
	switch {
	case errors.Is(err, jq.ErrNotFinite):
		a.note(where, err.Error()+": null, or the largest number, stands for it")
	case err != nil:
		leftOut = a.source.Raw
		a.result.Notes = append(a.result.Notes, Note{Expr: where, Raised: true, LeftOut: leftOut, Message: jq.Message(err)})
		return nil, leftOut
	case got == nil:
		a.note(where, "is null")
	}
	return got, false
}

// build makes a search query of its leaves. When a leaf raises an error, failed
// is the leaf.
func (a *application) build(q *query, object map[string]any) (built any, failed *expression, err error) {
	combinator, err := a.evaluator.Value(q.combinator.code, object)
	if err != nil {
		return nil, q.combinator, err
	}
	rules := make([]any, len(q.rules))
	for i, r := range q.rules {
		if r.nested != nil {
			if rules[i], failed, err = a.build(r.nested, object); err != nil {
				return nil, failed, err
			}
			continue
		}
		made := make(map[string]any, len(r.leaves))
		for _, l := range r.leaves {
			if made[l.name], err = a.evaluator.Value(l.expr.code, object); err != nil {
				return nil, l.expr, err
			}
		}
		rules[i] = made
	}
	return map[string]any{"combinator": combinator, "rules": rules}, nil, nil
}

// text evaluates a title or an icon. It is null when it is mapped, and not when it
// is left out.
func (a *application) text(x *expression, object map[string]any, what string) (got any, null bool, fault *Fault) {
	if x == nil {
		return nil, false, nil
	}
	got, leftOut := a.nullable(value{expr: x}, object)
	switch got.(type) {
	case nil, string:
		return got, got == nil && !leftOut, nil
	}
	return got, false, notText(x.Expr, got, what)
}

// team evaluates a team: a text, an array of texts or a search query.
func (a *application) team(v *value, object map[string]any) (got any, null bool, fault *Fault) {
	if v == nil {
		return nil, false, nil
	}
	got, leftOut := a.nullable(*v, object)
	switch team := got.(type) {
	case nil:
		return nil, !leftOut, nil
	case string:
	case map[string]any:
		return got, false, checkQuery(v.where(), team)
	case []any:
		for _, member := range team {
			if _, ok := member.(string); !ok {
				return got, false, notText(v.where(), member, "a member of a team list")
			}
		}
	default:
		return got, false, notText(v.where(), got, "a team")
	}
	return got, false, nil
}

// file returns the text of the file that an expression names. One that cannot be read makes
// the unit useless: null would be written over what Port holds.
func (a *application) file(x *expression) any {
	if !a.source.HasFiles {
		a.result.Notes = append(a.result.Notes, Note{Expr: x.Expr, NoFiles: true, Message: "is null: this kind has no files"})
		return nil
	}
	f, known := a.source.Files[x.file]
	switch {
	case !known:
		if !slices.Contains(a.result.Missing, x.file) {
			a.result.Missing = append(a.result.Missing, x.file)
		}
	case f.Err != nil && a.unread == nil:
		a.unread = &Fault{Expr: x.Expr, Unread: f.Err, Message: f.Err.Error(), Fix: "run again"}
	case f.Text == nil:
		a.note(x.Expr, "is null: there is no such file")
	}
	return f.Text
}

func (a *application) note(expr mapping.Expr, text string) {
	a.result.Notes = append(a.result.Notes, Note{Expr: expr, Message: text})
}

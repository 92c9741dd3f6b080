package transform

import (
	"context"
	"fmt"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// maxCompared bounds the values of an object that is mapped once more as YAML 1.1 has it, in
// bytes: the results are in memory together.
const maxCompared = 8 << 20

// Apply maps one object: JSON values as encoding/json decodes them with
// UseNumber. The object is used up: what Apply returns shares its values.
//
// When ctx ends, the units not yet mapped are Failed; the caller finds the
// reason in ctx.Err.
func (p *Program) Apply(ctx context.Context, s Source) Result {
	result, weight := p.apply(ctx, s, s.Object, maxObject)
	if s.Older == nil || len(result.Missing) > 0 || weight > maxCompared {
		return result
	}
	older, weight := p.apply(ctx, s, s.Older, maxCompared+jq.MaxResult)
	notes := p.differences(result, older)
	if len(notes) == 0 || ctx.Err() != nil || weight > maxCompared {
		return result
	}
	// What differs from one time to the next does not come from the object.
	again, _ := p.apply(ctx, s, s.Object, maxObject)
	passing := map[diag.Position]bool{}
	for _, n := range p.differences(result, again) {
		passing[n.Expr.Pos] = true
	}
	for _, n := range notes {
		if !passing[n.Expr.Pos] && ctx.Err() == nil {
			result.Notes = append(result.Notes, n)
		}
	}
	return result
}

// differences notes each expression that gave another value for an object as YAML 1.1 has
// it.
func (p *Program) differences(got, older Result) (notes []Note) {
	if len(got.Units) != len(older.Units) || got.NotArray != older.NotArray {
		elements := func(r Result) string {
			if r.NotArray {
				return "no array"
			}
			return fmt.Sprintf("%d elements", len(r.Units)/max(1, len(p.entries)))
		}
		if p.items == nil {
			return nil
		}
		return []Note{{Expr: p.items.expr.Expr, Older: true, Message: elements(got) + " here, and " + elements(older) + " there"}}
	}
	for i, unit := range got.Units {
		c := comparison{}
		c.units(p, unit, older.Units[i])
		notes = append(notes, c.notes...)
	}
	return notes
}

type comparison struct{ notes []Note }

func (c *comparison) units(p *Program, got, older Unit) {
	e := &p.entries[got.Entry]
	switch {
	case got.Outcome != older.Outcome && (got.decided(Filtered) || older.decided(Filtered)):
		c.add(p.selector.Expr, got.Outcome.String(), older.Outcome.String())
	case got.decided(Skipped, Failed) || older.decided(Skipped, Failed):
		if got.Outcome != older.Outcome {
			c.add(e.identifier.where(), got.Outcome.String(), older.Outcome.String())
		}
	case got.decided(Mapped, Refused):
		e.compare(c, got, older)
	}
}

// decided reports whether the outcome is one of some.
func (u Unit) decided(by ...Outcome) bool {
	for _, o := range by {
		if u.Outcome == o && (o != Failed || u.Fault == nil || u.Fault.Unread == nil) {
			return true
		}
	}
	return false
}

func (c *comparison) add(x mapping.Expr, got, older string) {
	c.notes = append(c.notes, Note{Expr: x, Older: true, Message: got + " here, and " + older + " there"})
}

func (c *comparison) values(x mapping.Expr, got, older any) {
	if !equal(got, older) {
		c.add(x, describe(got), describe(older))
	}
}

// compare compares the fields of two units of the entry.
func (e *entry) compare(c *comparison, got, older Unit) {
	a, b := got.Fields, older.Fields
	c.values(e.identifier.where(), a.Identifier, b.Identifier)
	c.values(e.blueprint.Expr, got.Blueprint, older.Blueprint)
	if e.title != nil {
		c.values(e.title.Expr, a.Title, b.Title)
	}
	if e.icon != nil {
		c.values(e.icon.Expr, a.Icon, b.Icon)
	}
	if e.team != nil {
		c.values(e.team.where(), a.Team, b.Team)
	}
	for _, f := range e.properties {
		c.values(f.value.where(), a.Properties[f.name], b.Properties[f.name])
	}
	for _, f := range e.relations {
		c.values(f.value.where(), a.Relations[f.name], b.Relations[f.name])
	}
}

// equal compares results of expressions: numbers by their value.
func equal(a, b any) bool {
	switch v := a.(type) {
	case map[string]any:
		w, ok := b.(map[string]any)
		if !ok || len(v) != len(w) {
			return false
		}
		for key, inner := range v {
			if other, ok := w[key]; !ok || !equal(inner, other) {
				return false
			}
		}
		return true
	case []any:
		w, ok := b.([]any)
		if !ok || len(v) != len(w) {
			return false
		}
		for i, inner := range v {
			if !equal(inner, w[i]) {
				return false
			}
		}
		return true
	}
	if m, ok := gojq.ToFloat64(a); ok {
		n, ok := gojq.ToFloat64(b)
		return ok && m == n
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}

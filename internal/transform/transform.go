// Package transform maps Bitbucket objects to Port entities with the jq
// expressions of one resource: they are compiled once and applied to many
// objects.
package transform

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// Program is a resource whose expressions are compiled. It is not written after
// Compile, and safe for concurrent use.
type Program struct {
	kind     shape.Kind
	selector *expression
	items    *items // nil without itemsToParse
	entries  []entry
	files    map[string]bool // named by file://
	turn     jq.Turn
}

// Entry is what is known of one entry of mappings before any object is seen.
type Entry struct {
	Blueprint       string // the literal, "" when Dynamic
	Dynamic         bool   // the blueprint expression is no literal: it can be any blueprint
	Keys            catalog.Keys
	QueryIdentifier bool // the identifier is a search query
}

// Outcome is what became of one unit.
type Outcome int

const (
	Mapped   Outcome = iota // Fields is an entity that Port can take
	Filtered                // selector.query gave false
	Skipped                 // identifier or blueprint gave nothing, or itemsToParse gave no array
	Failed                  // selector.query gave no boolean, identifier or blueprint raised an error, or a file was not read
	Refused                 // mapped, but Port would refuse it: it must not be sent
)

// String gives the outcome as a lower case word.
func (o Outcome) String() string {
	return [...]string{"mapped", "filtered", "skipped", "failed", "refused"}[o]
}

// Result is what one object gave.
type Result struct {
	// Units holds one unit for each entry of mappings; with itemsToParse, for
	// each entry of each element. An empty array of elements gives no units.
	Units []Unit
	// NotArray says that itemsToParse gave no array. Units then holds one
	// skipped unit for each entry.
	NotArray bool
	Notes    []Note
}

// Unit is one entry of mappings applied to one object or element.
type Unit struct {
	Entry     int // index in Program.Entries
	Outcome   Outcome
	Blueprint string // "" when it is not known
	// Fields is complete when the outcome is Mapped. When it is Refused, it
	// holds at least the identifier, if that is a string or a search query.
	//
	// With Source.Raw, keys whose expression raised an error are left out: Port
	// then keeps what it holds, where entities are merged. A comparison with that
	// finds such an entity changed, so that it is written in each run.
	//
	// Numbers are int, float64 (finite) or json.Number, and encoding/json
	// writes them exactly. Values may be shared with other units and with the
	// object: they are to be read only.
	Fields catalog.Fields
	Fault  *Fault // not nil when Failed or Refused, or when itemsToParse gave no array
}

// Fault says which expression made a unit useless.
type Fault struct {
	Expr     mapping.Expr
	Selector bool // the expression is selector.query
	// Raised is true when itemsToParse raised an error, rather than give another
	// value than an array: what it would have given is not known.
	Raised bool
	// Unread is why a file that the expression names by file:// could not be
	// read; nil in any other fault. It wraps the error of Source.Read.
	Unread  error
	Message string
	// Value is what the expression gave, quoted and cut; empty when the message
	// needs none. It stands apart, so that many of one cause can be told as one.
	Value string
	Fix   string
}

// Note is a property, relation, title, icon or team that is null, or holds a
// null, or is left out.
type Note struct {
	Expr    mapping.Expr
	Raised  bool   // the expression raised an error; its value is null for that
	LeftOut bool   // it raised an error with Source.Raw; it is left out for that
	NoFiles bool   // it names a file, and Source.Read is nil; its value is null for that
	Message string // the same for all of one cause, except when Raised
}

// Entries describes the entries of mappings, in their order.
func (p *Program) Entries() []Entry {
	all := make([]Entry, len(p.entries))
	for i := range p.entries {
		all[i] = p.entries[i].Entry
	}
	return all
}

// Source is one object to map.
type Source struct {
	Object map[string]any
	// Raw is true when the content of the object is text that could not be parsed,
	// or is not given: a property or relation whose expression raises an error is
	// then left out of the fields, and not null.
	Raw bool
	// Read gives the text of a file that an expression names by file://, or nil
	// when there is none: the property or title is then null. It is asked only for
	// units that the selector lets pass, and once for each name. An error makes the
	// unit Failed. It is nil where the object has no files.
	Read func(ctx context.Context, name string) (any, error)
}

// Apply maps one object: JSON values as encoding/json decodes them with
// UseNumber. The object is used up: what Apply returns shares its values.
//
// When ctx ends, the units not yet mapped are Failed; the caller finds the
// reason in ctx.Err.
func (p *Program) Apply(ctx context.Context, s Source) Result {
	object := s.Object
	e := jq.NewEvaluator(ctx, &p.turn)
	defer e.Close()
	a := application{program: p, source: s, evaluator: e, room: maxObject}
	if p.items == nil {
		a.unit(object)
		return a.result
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
	return a.result
}

// maxObject bounds the values of all units of one object, in bytes: they are in
// memory together.
const maxObject = 128 << 20

var errObject = fmt.Errorf("the object gives more than %d MiB", maxObject>>20)

// application is one call of Apply.
type application struct {
	program   *Program
	source    Source
	evaluator *jq.Evaluator
	files     map[string]file
	unread    *Fault // of the unit at hand, when a file of it was not read
	room      int    // bytes that the values of further units may take
	result    Result
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

// repeat gives every entry the same outcome.
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

// raised is the fault of an expression that raised an error.
func raised(expr mapping.Expr, err error) *Fault {
	return &Fault{Expr: expr, Message: jq.Message(err), Fix: raisedFix(err)}
}

func raisedFix(err error) string {
	switch {
	case isLimit(err):
		return "work on a smaller part of the object, such as the first 1000 members or characters: (…)[:1000]"
	case errors.Is(err, jq.ErrSlow):
		return "end it sooner: repeat, recurse, until and range can run for ever"
	case strings.HasPrefix(err.Error(), "invalid regular expression"):
		return "regular expressions are those of RE2: no look-around and no back-references"
	}
	return `give a default to fields that may not be there: (.field // "")`
}

func stopped(err error) string { return "not mapped: " + err.Error() }

func (a *application) note(expr mapping.Expr, text string) {
	a.result.Notes = append(a.result.Notes, Note{Expr: expr, Message: text})
}

// isLimit reports whether an object was refused for what it would take.
func isLimit(err error) bool {
	return jq.IsLimit(err) || errors.Is(err, errElements) || errors.Is(err, errObject)
}

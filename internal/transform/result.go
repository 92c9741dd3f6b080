package transform

import (
	"errors"
	"fmt"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// Outcome is what became of one unit.
type Outcome int

const (
	Mapped   Outcome = iota // Fields is an entity that Port can take
	Filtered                // selector.query gave false
	Skipped                 // identifier or blueprint gave nothing, or itemsToParse gave no array
	Failed                  // selector.query gave no boolean, identifier or blueprint raised an error, or a file was not read
	Refused                 // mapped, but Port would refuse it: it must not be sent
)

// String returns the outcome as a lower case word.
func (o Outcome) String() string {
	return [...]string{"mapped", "filtered", "skipped", "failed", "refused"}[o]
}

// Result is what one object gave.
type Result struct {
	// Units holds one unit for each entry of mappings; with itemsToParse, for
	// each entry of each element. An empty array of elements leaves no units.
	Units []Unit
	// NotArray is true when itemsToParse gave no array. Units then holds one skipped
	// unit for each entry.
	NotArray bool
	Notes    []Note
	// Missing are files that units name and Source.Files lacks, in the order in which they
	// are met. Unless it is empty, the other fields are not what the object gives: Apply is
	// to be called again with these files too. Units that the selector leaves out, and
	// units without an identifier, name none.
	Missing []string
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

// Fault is why an expression made a unit useless.
type Fault struct {
	Expr     mapping.Expr
	Selector bool // the expression is selector.query
	// Raised is true when itemsToParse raised an error, rather than give another
	// value than an array: what it would have given is not known.
	Raised bool
	// Unread is why a file that the expression names by file:// could not be
	// read, the error of the File; nil in any other fault.
	Unread  error
	Message string
	// Value is what the expression gave, quoted and cut; empty when the message
	// needs none. It stands apart, so that many of one cause can be reported as one.
	Value string
	Fix   string
}

// Note is a property, relation, title, icon or team that is null, or holds a
// null, or is left out; or any expression that gives another value for Source.Older.
type Note struct {
	Expr    mapping.Expr
	Raised  bool   // the expression raised an error; its value is null for that
	LeftOut bool   // it raised an error with Source.Raw; it is left out for that
	NoFiles bool   // it names a file, and Source.HasFiles is false; its value is null for that
	Older   bool   // it gives another value for Source.Older; the message says which
	Message string // the same for all of one cause, except when Raised or Older
}

const (
	// maxElements bounds the elements of an object: each becomes entities, which are
	// in memory together.
	maxElements = 100_000
	// maxElementBytes bounds them in bytes: they are parts of the object, and none is
	// written as it is.
	maxElementBytes = 256 << 20
)

var errElements = fmt.Errorf("gives more than %d elements", maxElements)

// maxObject bounds the values of all units of one object, in bytes: they are in
// memory together.
const maxObject = 128 << 20

var errObject = fmt.Errorf("the object gives more than %d MiB", maxObject>>20)

// raised is the fault of an expression that raised an error.
func raised(expr mapping.Expr, err error) *Fault {
	return &Fault{Expr: expr, Message: jq.Message(err), Fix: raisedFix(err)}
}

func raisedFix(err error) string {
	var regex *jq.RegexError
	switch {
	case isLimit(err):
		return "work on a smaller part of the object, such as the first 1000 members or characters: (…)[:1000]"
	case errors.Is(err, jq.ErrSlow):
		return "end it sooner: repeat, recurse, until and range can run for ever"
	case errors.As(err, &regex):
		return "to look for a text of the object, use contains, startswith, endswith or split, which take it as it is"
	}
	return `give a default to fields that may not be there: (.field // "")`
}

func stopped(err error) string { return "not mapped: " + err.Error() }

// isLimit reports whether an object was refused for what it would take.
func isLimit(err error) bool {
	return jq.IsLimit(err) || errors.Is(err, errElements) || errors.Is(err, errObject)
}

// describe names a value for a message: its text, cut, and its type.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprintf("%t", v)
	case string:
		return "the text " + jq.Quote(v)
	}
	return fmt.Sprintf("the %s %s", gojq.TypeOf(v), gojq.Preview(v))
}

// falsy reports whether an identifier or a blueprint of this value means that the object
// has none: null, false, 0 and "".
func falsy(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	}
	n, ok := gojq.ToFloat64(v)
	return ok && n == 0
}

// article names the type of a value: "a number".
func article(v any) string {
	if v == nil {
		return "null"
	}
	name := gojq.TypeOf(v)
	if strings.ContainsAny(name[:1], "aeo") {
		return "an " + name
	}
	return "a " + name
}

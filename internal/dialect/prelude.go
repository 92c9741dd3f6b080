package dialect

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/itchyny/gojq"
)

// definitions are functions of libjq that gojq lacks, or has with another meaning. A
// definition may call one that stands before it.
const definitions = `
def first: .[0];
def last: .[-1];
def combinations(n): . as $row | [range(n) | $row] | combinations;
def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%SZ") | mktime;
def fromdate: fromdateiso8601;
def keys_unsorted: keys;
def have_decnum: true;
def have_literal_numbers: true;
def input_line_number: 0;
def input_filename: null;
def gamma: lgamma;
def lgamma_r: [lgamma, _lgamma_sign];
.`

// definition is a function with those that it calls.
type definition struct {
	def   *gojq.FuncDef
	calls map[string]bool
}

// prelude holds the definitions, in their order and by their signatures.
var prelude = sync.OnceValues(func() (order []string, byName map[string]definition) {
	tree, err := gojq.Parse(definitions)
	if err != nil {
		panic(fmt.Sprintf("dialect: the definitions are not jq: %v", err)) // a constant: a test reads it
	}
	byName = map[string]definition{}
	for _, def := range tree.FuncDefs {
		var r rewriter
		r.walk(reflect.ValueOf(def))
		name := def.Name + "/" + strconv.Itoa(len(def.Args))
		order, byName[name] = append(order, name), definition{def, r.calls}
	}
	return order, byName
})

// prelude returns the definitions that the tree calls, and those that they call.
func (r *rewriter) prelude() []*gojq.FuncDef {
	order, byName := prelude()
	needed := maps.Clone(r.calls)
	for _, name := range slices.Backward(order) {
		if needed[name] {
			maps.Copy(needed, byName[name].calls)
		}
	}
	var defs []*gojq.FuncDef
	for _, name := range order {
		if needed[name] {
			defs = append(defs, clone(reflect.ValueOf(byName[name].def)).Interface().(*gojq.FuncDef))
		}
	}
	return defs
}

// Added are the signatures, name/arity, of the functions that gojq does not have itself, or does not name.
func Added() []string {
	return []string{
		"debug/0", "have_decnum/0", "have_literal_numbers/0", "input_filename/0", "input_line_number/0", "keys_unsorted/0", "lgamma_r/0", "stderr/0",
	}
}

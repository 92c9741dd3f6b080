package transform

// effect is what a function reads of its input, and what its results are. The zero effect
// reads nothing of its input, all of the results of its arguments, and has results that are
// made from those.
type effect struct {
	test  bool // it reads whether its input is there, and its type
	each  bool // its arguments see the elements of its input, which it reads through
	from  int  // the argument whose results those after it see, from 1 on; 0 for none
	tests int  // the argument of whose results it matters only whether they count as true
	gives int  // the argument whose results are the function's, or its elements
	of    result
}

// result says what the results of a function are, besides those of an argument.
type result int

const (
	made     result = iota // values that come from what has been read
	input                  // its input, or an array of some of its elements
	element                // an element of its input
	arrayOf                // an array of what an argument gives
	inGroups               // an array of arrays of elements of its input
)

// results are the places of the results of a call: of its input, and of what the argument
// gives that e.gives names.
func (e effect) results(in, given places) places {
	switch e.of {
	case input:
		return in
	case element:
		return in.each()
	case arrayOf:
		return array(given)
	case inGroups:
		return array(in)
	}
	return given
}

// passing is the effect of a function that lets some values through.
var passing = effect{test: true, of: input}

// effects are the functions of jq that do not read all of their input, by name and number
// of arguments. Every argument sees the input.
//
// Source: https://github.com/itchyny/gojq/blob/v0.12.20/builtin.jq, read 2026-11.
var effects = map[string]effect{
	"empty/0": {}, "error/1": {}, "not/0": {test: true}, "type/0": {test: true}, "now/0": {}, "nan/0": {}, "infinite/0": {}, "env/0": {},
	"range/1": {}, "range/2": {}, "range/3": {}, "isempty/1": {tests: 1}, "add/1": {},
	"select/1": {tests: 1, of: input}, "values/0": passing, "nulls/0": passing, "booleans/0": passing, "numbers/0": passing,
	"strings/0": passing, "arrays/0": passing, "objects/0": passing, "iterables/0": passing, "scalars/0": passing,
	"debug/0": {of: input}, "debug/1": {of: input}, "stderr/0": {of: input},
	"first/1": {gives: 1}, "last/1": {gives: 1}, "limit/2": {gives: 2}, "skip/2": {gives: 2}, "nth/2": {gives: 2},
	"any/2": {from: 1, tests: 2}, "all/2": {from: 1, tests: 2},
	// Of an array, which most of them take alone, they read through the elements.
	"length/0": {each: true}, "first/0": {of: element}, "last/0": {of: element},
	"map/1": {each: true, gives: 1, of: arrayOf}, "any/1": {each: true, tests: 1}, "all/1": {each: true, tests: 1},
	"reverse/0": {each: true, of: input}, "sort_by/1": {each: true, of: input}, "unique_by/1": {each: true, of: input},
	"min_by/1": {each: true, of: element}, "max_by/1": {each: true, of: element}, "group_by/1": {each: true, of: inGroups},
}

package jq

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/clip"
)

// What an evaluation may take, and one call of a function that is written in Go: nothing
// stops an evaluation within it, so it must be small enough to wait for.
const (
	// evaluationLimit is the time that one evaluation of one expression may take. What
	// people write takes microseconds; when all of a thousand objects reach the limit,
	// they take half an hour, which a run survives.
	evaluationLimit = 2 * time.Second
	// MaxText bounds an expression, and a regular expression in it, in bytes: gojq's
	// parser and compiler are recursive, and no person writes as much.
	MaxText = 64 << 10
	// MaxResult bounds the value that an expression gives and the text that one call
	// makes, in bytes as scale weighs them. Port takes requests of 1 MiB: more of one
	// value is a mistake, and a few of them fit into the memory of a small runner.
	MaxResult = 16 << 20
	// maxDepth bounds the nesting of a value: encoding/json reads no deeper, and writes
	// by recursion.
	maxDepth = 10000
	// cell is what a value weighs besides its text, in bytes: the size of an interface.
	cell = 16
	// maxRead bounds the values that one call walks through, in the same bytes. A file
	// of 1 MiB, once it is parsed, weighs about 9 MiB at the most.
	maxRead = 64 << 20
	// maxCells bounds the members of an array that one call makes: at 16 bytes each
	// they take as much as maxRead.
	maxCells = maxRead / cell
	// maxSteps bounds work that grows with the product of two sizes: about the
	// comparisons of bytes that take a second.
	maxSteps = 1 << 30
	// maxDigits bounds a number: reading one takes time that grows with the square.
	maxDigits = 10000
	// maxOrder bounds the order of a Bessel function, which is the length of a loop.
	maxOrder = 1e6
	// maxFormat bounds the format of a time, in bytes: one letter of it can make 1,024,
	// so that it makes at most a quarter of MaxResult.
	maxFormat = 4096
)

var (
	// ErrSlow is an evaluation that ran, or would have run, for too long.
	ErrSlow = fmt.Errorf("takes longer than %v", evaluationLimit)

	errText   = fmt.Errorf("the expression has more than %d bytes", MaxText)
	errHeap   = errors.New("takes too much memory")
	errRead   = fmt.Errorf("reads more than %d MiB", maxRead>>20)
	errMade   = fmt.Errorf("gives more than %d MiB", MaxResult>>20)
	errCells  = fmt.Errorf("gives an array of more than %d members", maxCells)
	errDigits = fmt.Errorf("reads a number of more than %d digits", maxDigits)
	errNested = fmt.Errorf("reads a value nested deeper than %d levels", maxDepth)
)

// limitError is a call that was not made. An expression can catch it.
type limitError struct {
	function string // as gojq names it
	err      error
}

func (e *limitError) Error() string { return shownAs(e.function) + " " + e.err.Error() }

func (e *limitError) Unwrap() error { return e.err }

// Value is what an expression sees that catches the error: the text of libjq, where it has
// a limit of the same kind.
func (e *limitError) Value() any {
	if text := libjqLimits[e.err][e.function]; text != "" {
		return text
	}
	return e.Error()
}

// libjqLimits are the texts of libjq for its own limits.
var libjqLimits = map[error]map[string]string{
	errNested: {
		"setpath": pathTooDeep, "_setpath": pathTooDeep, "getpath": pathTooDeep, "delpaths": pathTooDeep, "_delpaths": pathTooDeep,
		"contains": "Containment check too deep", "inside": "Containment check too deep", "_multiply": "Object merge too deep",
		"_equal": "Equality check too deep", "_notequal": "Equality check too deep", "sort": comparisonTooDeep, "unique": comparisonTooDeep,
		"_sort_by": comparisonTooDeep, "_unique_by": comparisonTooDeep, "_group_by": comparisonTooDeep, "min": comparisonTooDeep,
		"max": comparisonTooDeep, "_less": comparisonTooDeep, "_greater": comparisonTooDeep, "_lesseq": comparisonTooDeep,
		"_greatereq": comparisonTooDeep, "bsearch": comparisonTooDeep,
	},
	errMade:  {"_multiply": "Repeat string result too long"},
	errCells: {"setpath": indexTooLarge, "_setpath": indexTooLarge},
}

const (
	pathTooDeep       = "Path too deep"
	comparisonTooDeep = "Comparison too deep"
	indexTooLarge     = "Array index too large"
)

// shownAs is the name of a function as an expression writes it.
func shownAs(name string) string {
	if operator, ok := operators[name]; ok {
		return operator
	}
	if format, ok := strings.CutPrefix(name, "_to"); ok {
		return "@" + format
	}
	return strings.TrimPrefix(name, "_")
}

var operators = map[string]string{
	"_add": "+", "_subtract": "-", "_multiply": "*", "_divide": "/", "_modulo": "%", "_negate": "-", "_plus": "+",
	"_equal": "==", "_notequal": "!=", "_greater": ">", "_greatereq": ">=", "_less": "<", "_lesseq": "<=",
	"_setpath": "an assignment", "_delpaths": "an assignment", "_index": "an index", "_slice": "a slice",
	"_match": "a regular expression",
}

// IsLimit reports whether an evaluation was refused, or ended, for what it would take.
// One that merely ran for too long is ErrSlow, and not among these.
func IsLimit(err error) bool {
	var refused *limitError
	return errors.As(err, &refused) || errors.Is(err, errHeap) || errors.Is(err, errMade)
}

// maxMessage bounds the text of a raised error, in characters: an expression can raise
// any text, and a message is read by a person.
const maxMessage = 300

// Message is the text of an error of Parse, Compile or Value for a person.
func Message(err error) string {
	var halt *gojq.HaltError
	if errors.As(err, &halt) && halt.Value() == nil {
		return "jq: halt"
	}
	return "jq: " + clip.Runes(err.Error(), maxMessage, "...")
}

// maxShown bounds how much of a text a message quotes, in characters.
const maxShown = 100

// Quote returns s in double quotes for a message, cut and without control characters.
func Quote(s string) string {
	if shown := clip.Runes(s, maxShown, ""); shown != s {
		return fmt.Sprintf("%q (cut)", shown)
	}
	return fmt.Sprintf("%q", s)
}

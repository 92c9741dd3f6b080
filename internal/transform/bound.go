package transform

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/itchyny/gojq"
)

// An evaluation can be stopped between two steps of gojq, but not within a
// function of it that is written in Go. Each call of one is therefore checked
// first: what it would take must be small enough to wait for.
const (
	// maxRead bounds the values that one call walks through, and maxMade the text
	// that it makes and the value that an expression gives, in bytes as scale
	// weighs them.
	maxRead = 64 << 20
	maxMade = 16 << 20
	// maxCells bounds the members of an array that one call makes.
	maxCells = 4 << 20
	// maxSteps bounds work that grows with the product of two sizes: about the
	// comparisons of bytes that take a second.
	maxSteps = 1 << 30
	// maxDigits bounds a number: reading one takes time that grows with the square.
	maxDigits = 10000
	// maxOrder bounds the order of a Bessel function, which is a loop.
	maxOrder = 1e6
	// maxFormat bounds the format of a time, in bytes: one letter of it can make 1,024.
	maxFormat = 4096
)

var (
	errRead   = fmt.Errorf("reads more than %d MiB", maxRead>>20)
	errMade   = fmt.Errorf("gives more than %d MiB", maxMade>>20)
	errCells  = fmt.Errorf("gives an array of more than %d members", maxCells)
	errDigits = fmt.Errorf("reads a number of more than %d digits", maxDigits)
	errNested = fmt.Errorf("reads a value nested deeper than %d levels", maxDepth)
)

// limitError is a call that was not made. An expression can catch it.
type limitError struct {
	function string
	err      error
}

func (e *limitError) Error() string { return e.function + " " + e.err.Error() }

func (e *limitError) Unwrap() error { return e.err }

// errUnbound stands for a gojq whose code this package does not know.
var errUnbound = errors.New("this version of gojq cannot be bounded")

// bound has every Go function that the code calls checked. gojq has no hook for
// that, and its own functions cannot be replaced by name, so the compiled calls
// are rewritten where they lie.
func bound(code *gojq.Code) error {
	var m *matcher
	return goCalls(code, func(call *[3]any) (err error) {
		name, f := call[2].(string), call[0].(func(any, []any) any)
		if name == "_match" {
			if m == nil {
				if m, err = newMatcher(); err != nil {
					return err
				}
			}
			call[0] = m.match
			return nil
		}
		check, listed := checks[name]
		if !listed {
			check = boundAll
		}
		if check != nil {
			call[0] = checked(name, check, f)
		}
		return nil
	})
}

func checked(name string, check func(any, []any) error, f func(any, []any) any) func(any, []any) any {
	return func(v any, args []any) any {
		err := weighNumbers(v, args)
		if err == nil {
			err = check(v, args)
		}
		if err != nil {
			return &limitError{shownAs(name), err}
		}
		return f(v, args)
	}
}

// goCalls gives edit each call of a Go function: the function, its number of
// arguments and its name. The error is errUnbound when the code does not look as
// it does in gojq v0.12.20.
func goCalls(code *gojq.Code, edit func(call *[3]any) error) error {
	codes := reflect.ValueOf(code).Elem().FieldByName("codes")
	if codes.Kind() != reflect.Slice || codes.Type().Elem().Kind() != reflect.Pointer {
		return errUnbound
	}
	for i := range codes.Len() {
		v := codes.Index(i).Elem().FieldByName("v")
		if !v.IsValid() || v.Type() != reflect.TypeFor[any]() {
			return errUnbound
		}
		operand := (*any)(unsafe.Pointer(v.UnsafeAddr()))
		call, ok := (*operand).([3]any)
		if !ok {
			continue
		}
		_, isFunc := call[0].(func(any, []any) any)
		if _, isName := call[2].(string); !isFunc || !isName {
			return errUnbound
		}
		if err := edit(&call); err != nil {
			return err
		}
		*operand = call
	}
	return nil
}

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
}

// isLimit says whether an evaluation was refused or ended for what it would take.
func isLimit(err error) bool {
	var refused *limitError
	return errors.As(err, &refused) ||
		errors.Is(err, errHeap) || errors.Is(err, errMade) || errors.Is(err, errElements) || errors.Is(err, errObject)
}

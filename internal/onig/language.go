package onig

import "fmt"

// Option is a set of options for a whole expression.
type Option uint16

const (
	IgnoreCase Option = 1 << iota // i
	Extended                      // x: white space and comments are skipped
	DotAll                        // a dot matches a line feed, too
	SingleLine                    // ^ and $ are for the text, not for each line
	Longest                       // the longest match anywhere in the text
	NotEmpty                      // no empty match
)

// Error is an expression that Oniguruma refuses, too.
type Error struct{ Reason string }

func (e *Error) Error() string { return e.Reason }

// UnsupportedError is an expression that Oniguruma takes, and this package does not.
type UnsupportedError struct {
	What string // the operator as it is written
	Name string // what it is called
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s, %s, is not supported here", e.What, e.Name)
}

// fail ends the reading of an expression. The functions that read one panic, and parse
// and tune recover.
func fail(format string, args ...any) { panic(&Error{fmt.Sprintf(format, args...)}) }

func unsupported(what, name string) { panic(&UnsupportedError{what, name}) }

// recovered makes an error of what fail and unsupported panic with.
func recovered(r any) error {
	switch r := r.(type) {
	case nil:
		return nil
	case *Error:
		return r
	case *UnsupportedError:
		return r
	}
	panic(r)
}

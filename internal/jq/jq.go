// Package jq evaluates jq expressions within bounds of time and memory. It compiles
// them, once for many objects.
//
// gojq has no bound of its own: v0.12.20, the newest release (its options and change
// log read 2026-11), offers the cancellation of a context and nothing that limits
// allocation. A context stops an evaluation between two steps, but not within a
// function of gojq that is written in Go, and a single call of one can fill the memory.
// This package therefore looks at the arguments of each such call before it is made.
// For that it rewrites compiled code where it lies in memory (rewrite.go), the only use
// of gojq's inside. TestLayout pins the version and the layout, so that an update of
// gojq fails the tests of this package. Should code of another layout ever be compiled,
// it still runs: the clock, the growth of the heap and the size of the result
// bound it still, and single calls are not looked at.
package jq

import (
	"maps"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/dialect"
)

// Code is a compiled expression. It is not written after Compile, and safe for
// concurrent use.
type Code struct {
	code     *gojq.Code
	literal  any // what it always gives, when constant
	constant bool
	short    shortcut // nil without one
}

// Parse reads a text as jq. If that fails, it reads the text again with DoubleQuotes:
// a single quote is not jq outside of a text, so an expression that is jq as written
// needs no replacement and could only suffer from one. The source is the text that was
// read; it is as long as the given one. The error is a *gojq.ParseError of the last
// reading, or that of a text that is longer than MaxText.
func Parse(text string) (tree *gojq.Query, source string, err error) {
	if len(text) > MaxText {
		return nil, text, errText
	}
	tree, err = gojq.Parse(text)
	if err == nil || !strings.Contains(text, "'") {
		return tree, text, err
	}
	source = DoubleQuotes(text)
	tree, err = gojq.Parse(source)
	return tree, source, err
}

// Compile makes code of a syntax tree. The code sees the given environment variables
// and nothing else of the process; modules, input and inputs do not exist. The error is
// gojq's.
func Compile(tree *gojq.Query, environment map[string]string, more ...gojq.CompilerOption) (*Code, error) {
	var variables []string
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		variables = append(variables, name+"="+environment[name])
	}
	options := []gojq.CompilerOption{
		gojq.WithEnvironLoader(func() []string { return variables }),
		// In jq these write to the standard error stream, and give their input.
		gojq.WithFunction("debug", 0, 1, identity),
		gojq.WithFunction("stderr", 0, 0, identity),
	}
	if err := dialect.Check(tree); err != nil {
		return nil, err
	}
	options = append(options, dialect.Options()...)
	code, err := gojq.Compile(dialect.Rewrite(tree), append(options, more...)...)
	if err != nil {
		return nil, err
	}
	_ = bound(code) // of an unknown layout: see the package comment
	c := &Code{code: code}
	c.literal, c.constant = Constant(tree)
	c.short = shortcutOf(tree)
	return c, nil
}

func identity(v any, _ []any) any { return v }

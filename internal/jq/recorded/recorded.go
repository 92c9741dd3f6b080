// Package recorded holds what libjq answers to expressions, for tests. The answers are those
// of jq 1.8.2, built with Oniguruma, in UTC; the test of this package records them anew.
package recorded

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

//go:embed cases.jsonl
var lines string

//go:embed names.json
var names []byte

// Case is an expression, an input as JSON and what jq 1.8.2 gives for them.
type Case struct {
	Program string `json:"program"`
	Input   string `json:"input"`
	// Values is the array of the first 50 results as jq writes it; empty with an error.
	Values string `json:"values,omitempty"`
	// Error is the text of the error that was raised.
	Error *string `json:"error,omitempty"`
	// Refused reports that the program does not compile.
	Refused bool `json:"refused,omitempty"`
}

// Wrapped is the program that gives the results of the case as an array.
func (c Case) Wrapped() string { return fmt.Sprintf("[limit(%d; (%s))]", maxResults, c.Program) }

const maxResults = 50

// Cases returns all cases.
var Cases = sync.OnceValue(func() []Case {
	var all []Case
	for s := bufio.NewScanner(strings.NewReader(lines)); s.Scan(); {
		var c Case
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			panic(fmt.Sprintf("recorded: line %d: %v", len(all)+1, err))
		}
		all = append(all, c)
	}
	return all
})

// Versions returns, by name/arity, the versions of jq from 1.6 to 1.8.2 that compile a call
// of the function.
var Versions = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	if err := json.Unmarshal(names, &all); err != nil {
		panic(fmt.Sprintf("recorded: names: %v", err))
	}
	return all
})

// Same reports whether two JSON texts hold the same value: an order of keys is none, and a
// number is what it counts, however it is written.
func Same(a, b string) bool { return canonical(a) == canonical(b) }

func canonical(text string) string {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return text
	}
	canonical, err := json.Marshal(withoutSign(v))
	if err != nil {
		return text
	}
	return string(canonical)
}

// withoutSign makes a zero of one below zero.
func withoutSign(v any) any {
	switch v := v.(type) {
	case float64:
		if v == 0 {
			return 0
		}
	case []any:
		for i := range v {
			v[i] = withoutSign(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = withoutSign(v[key])
		}
	}
	return v
}

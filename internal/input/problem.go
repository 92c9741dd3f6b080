package input

import (
	"fmt"
	"slices"

	"port-bitbucket-exporter/internal/diag"
)

// about reports whether the problem is one of an input.
func about(p diag.Problem, id string) bool { return p.Where.Input == id }

// Notes are what a user should know about inputs that are not wrong.
type Notes struct {
	// Sources names, for each input that has a value, where it came from, in the
	// order of the table. It never holds the value.
	Sources []Source
	// Infos and Warnings are sentences for the log.
	Infos    []string
	Warnings []string
}

// Source names where the value of an input came from.
type Source struct {
	ID   string
	From string // the name of an environment variable, or "default"

	origin origin
}

// byDefault stands where nothing is given.
const byDefault = "default"

// location names an input, as the object of a problem.
func location(id string, from string) diag.Where { return diag.Where{Input: id, From: from} }

// report collects what the parts of Parse find.
type report struct {
	problems diag.Problems
	notes    Notes
	hidden   []string // secrets that no credential is made of
}

func (r *report) problem(where diag.Where, fix, format string, args ...any) {
	r.problems = append(r.problems, diag.Problem{Where: where, Message: fmt.Sprintf(format, args...), Fix: fix})
}

func (r *report) warn(format string, args ...any) {
	r.notes.Warnings = append(r.notes.Warnings, fmt.Sprintf(format, args...))
}

func (r *report) info(format string, args ...any) {
	r.notes.Infos = append(r.notes.Infos, fmt.Sprintf(format, args...))
}

// hasProblem reports whether the input is already known to be wrong.
func (r *report) hasProblem(id string) bool {
	return slices.ContainsFunc(r.problems, func(problem diag.Problem) bool {
		return about(problem, id) && problem.Where.From != "" // not: it is missing
	})
}

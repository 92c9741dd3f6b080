package input

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the inputs. No field holds a secret.
type Problem struct {
	What  string // what is wrong
	Where string // the input, and the name its value came from
	Fix   string // what to write instead
}

func (p Problem) Error() string {
	return p.Where + ": " + p.What + "\nfix: " + p.Fix
}

// about says whether the problem is one of an input.
func (p Problem) about(in Input) bool {
	return p.Where == location(in.ID, "") || strings.HasPrefix(p.Where, location(in.ID, "")+" (")
}

// Problems are all problems of the inputs, in the order of the table.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// Notes are what a user should know about inputs that are not wrong.
type Notes struct {
	// Sources says, for each input that has a value, where it came from, in the
	// order of the table. It never holds the value.
	Sources []Source
	// Infos and Warnings are sentences for the log.
	Infos    []string
	Warnings []string
}

// Source says where the value of an input came from.
type Source struct {
	ID   string
	From string // the name of an environment variable, or "default"
}

func (s Source) String() string { return s.ID + " from " + s.From }

// location is what Problem.Where says of an input.
func location(id string, from string) string {
	if from == "" {
		return "input " + id
	}
	return fmt.Sprintf("input %s (from %s)", id, from)
}

// report is where the parts of Parse leave what they found.
type report struct {
	problems Problems
	notes    Notes
}

func (r *report) problem(where, fix, format string, args ...any) {
	r.problems = append(r.problems, Problem{What: fmt.Sprintf(format, args...), Where: where, Fix: fix})
}

func (r *report) warn(format string, args ...any) {
	r.notes.Warnings = append(r.notes.Warnings, fmt.Sprintf(format, args...))
}

func (r *report) info(format string, args ...any) {
	r.notes.Infos = append(r.notes.Infos, fmt.Sprintf(format, args...))
}

// onlyValidate leaves what is about the inputs of the mode validate.
func (r *report) onlyValidate() {
	kept := func(of func(Input) bool) bool {
		return slices.ContainsFunc(Table, func(in Input) bool { return in.Validate && of(in) })
	}
	r.problems = slices.DeleteFunc(r.problems, func(p Problem) bool { return !kept(p.about) })
	r.notes.Sources = slices.DeleteFunc(r.notes.Sources, func(s Source) bool {
		return !kept(func(in Input) bool { return in.ID == s.ID })
	})
	r.notes.Infos, r.notes.Warnings = nil, nil
}

// sortProblems puts the problems in the order of the table, each once; those of
// no input of the table come last, in the order they were found.
func (r *report) sortProblems() {
	rank := func(p Problem) int {
		for i, in := range Table {
			if p.about(in) {
				return i
			}
		}
		return len(Table)
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return rank(a) - rank(b) })
	r.problems = slices.Compact(r.problems)
}

package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestNote(t *testing.T) {
	t.Parallel()
	var r Report
	p := Problem{Severity: Error, File: "m.yml", Line: 1, Column: 2, Message: "bad"}
	r.Note(p)
	again := p
	again.Count, again.Example, again.Fix = 4, "first", "mend"
	r.Note(again)
	last := p
	last.Example = "second"
	r.Note(last)
	others := []Problem{p, p, p, p, p}
	others[0].Severity = Warning
	others[1].File = "n.yml"
	others[2].Line = 9
	others[3].Column = 9
	others[4].Message = "worse"
	for i := range others {
		others[i].Count = -1
		r.Note(others[i])
		others[i].Count = 1
	}
	p.Count, p.Example, p.Fix = 6, "first", "mend"
	if want := append([]Problem{p}, others...); !slices.Equal(r.Problems, want) {
		t.Errorf("got %+v, want %+v", r.Problems, want)
	}
}

// Problems is exported: what callers do to it must not make Note miscount.
func TestNoteAfterProblemsWereSet(t *testing.T) {
	t.Parallel()
	a, b := Problem{Message: "a", Count: 1}, Problem{Message: "b", Count: 1}
	r := Report{Problems: []Problem{a, a}}
	r.Note(a)
	r.Problems = append(r.Problems, b)
	r.Note(b)
	r.Problems = r.Problems[:1]
	r.Note(b)
	want := []Problem{{Message: "a", Count: 2}, {Message: "b", Count: 1}}
	if !slices.Equal(r.Problems, want) {
		t.Errorf("got %+v, want %+v", r.Problems, want)
	}
}

// Of very many problems the first are kept, and the others counted.
func TestNoteIsBounded(t *testing.T) {
	t.Parallel()
	var r Report
	for i := range maxProblems {
		r.Note(Problem{Severity: Warning, Message: fmt.Sprint("problem ", i)})
	}
	r.Note(Problem{Severity: Warning, File: "m.yml", Line: 3, Column: 7, Message: "one more", Count: 4, Example: "a"})
	r.Note(Problem{Severity: Error, Message: "bad", Fix: "mend"})
	r.Note(Problem{Severity: Warning, Message: "another"})
	r.Note(Problem{Severity: Warning, Message: "problem 7"})
	r.Scrub(func(text string) string { return text })
	r.Note(Problem{Severity: Error, Message: "worse"})
	if got, want := len(r.Problems), maxProblems+2; got != want {
		t.Fatalf("got %d problems, want %d", got, want)
	}
	if got := r.Problems[7].Count; got != 2 {
		t.Errorf("a kept one that happened again: got count %d, want 2", got)
	}
	want := []Problem{
		{Severity: Error, Message: "further problems are not listed", Count: 2, Example: "bad"},
		{Severity: Warning, Message: "further problems are not listed", Count: 5, Example: "m.yml:3:7: one more: a"},
	}
	worst := r.Worst()
	if got := []Problem{worst[0], worst[len(worst)-1]}; !slices.Equal(got, want) {
		t.Errorf("first and last: got %+v, want %+v", got, want)
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	r := Report{Problems: []Problem{
		{Severity: Warning, Message: "a", Count: 9},
		{Severity: Error, Message: "b", Count: 1},
		{Severity: Error, Message: "c", Count: 2},
		{Severity: Error, Message: "d", Count: 1},
		{Severity: Warning, Message: "e", Count: 10},
		{Severity: "notice", Message: "f", Count: 10},
	}}
	var got strings.Builder
	for _, p := range r.Worst() {
		got.WriteString(p.Message)
	}
	if want := "cbdeaf"; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
	if got := r.Problems[0].Message; got != "a" {
		t.Errorf("the order of Problems changed: got %q first, want %q", got, "a")
	}
}

func TestProblemString(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		problem Problem
		want    string
	}{
		{"all", Problem{File: "mapping.yml", Line: 14, Column: 22, Message: "bad", Count: 412, Example: "x", Fix: "mend"},
			"mapping.yml:14:22: bad (412 times, first: x); fix: mend"},
		{"bare", Problem{Message: "bad"}, "bad"},
		{"once", Problem{Message: "bad", Count: 1, Example: "x"}, "bad (once: x)"},
		{"no example", Problem{Message: "bad", Count: 2}, "bad (2 times)"},
		{"no column", Problem{File: "m.yml", Line: 3, Message: "bad"}, "m.yml:3: bad"},
		{"no line", Problem{File: "m.yml", Column: 3, Message: "bad"}, "m.yml: bad"},
		{"a position nowhere", Problem{Line: 3, Message: "bad"}, "bad"},
		{"one line", Problem{Message: "a\r\nb\u202e\x1b", Example: "c\nd", Fix: "e\tf"}, `a b\u202e\u001b (once: c d); fix: e f`},
		{"long", Problem{Message: strings.Repeat("é", 501)}, strings.Repeat("é", 499) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.problem.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func BenchmarkNote(b *testing.B) {
	messages := make([]string, 10_000)
	for i := range messages {
		messages[i] = fmt.Sprint("problem ", i)
	}
	for b.Loop() {
		var r Report
		for _, m := range messages {
			r.Note(Problem{Severity: Warning, Message: m})
		}
	}
}

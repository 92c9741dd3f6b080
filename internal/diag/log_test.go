package diag

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestNote(t *testing.T) {
	t.Parallel()
	var l Log
	p := Problem{Severity: Error, At: Position{File: "m.yml", Line: 1, Column: 2}, Message: "bad"}
	l.Note(p)
	again := p
	again.Count, again.Example, again.Fix = 4, "first", "mend"
	l.Note(again)
	last := p
	last.Example = "second"
	l.Note(last)
	others := []Problem{p, p, p, p, p, p}
	others[0].Severity = Warning
	others[1].At.File = "n.yml"
	others[2].At.Line = 9
	others[3].At.Column = 9
	others[4].Message = "worse"
	others[5].Where = Where{Resource: 1}
	for i := range others {
		others[i].Count = -1
		l.Note(others[i])
		others[i].Count = 1
	}
	p.Count, p.Example, p.Fix = 6, "first", "mend"
	if want := append([]Problem{p}, others...); !slices.Equal(l.Problems(), want) {
		t.Errorf("got %+v, want %+v", l.Problems(), want)
	}
}

// Of very many problems the first are kept, and the others counted.
func TestNoteIsBounded(t *testing.T) {
	t.Parallel()
	var l Log
	for i := range maxProblems {
		l.Note(Problem{Severity: Warning, Message: fmt.Sprint("problem ", i)})
	}
	l.Note(Problem{Severity: Warning, At: Position{File: "m.yml", Line: 3, Column: 7}, Message: "one more", Count: 4, Example: "a"})
	l.Note(Problem{Severity: Error, Message: "bad", Fix: "mend"})
	l.Note(Problem{Severity: Warning, Message: "another"})
	l.Note(Problem{Severity: Warning, Message: "problem 7"})
	l.Redact(func(text string) string { return text })
	l.Note(Problem{Severity: Error, Message: "worse"})
	if got, want := len(l.Problems()), maxProblems+2; got != want {
		t.Fatalf("got %d problems, want %d", got, want)
	}
	if got := l.Problems()[7].Count; got != 2 {
		t.Errorf("a kept one that happened again: got count %d, want 2", got)
	}
	want := []Problem{
		{Severity: Error, Message: "further problems are not listed", Count: 2, Example: "bad"},
		{Severity: Warning, Message: "further problems are not listed", Count: 5, Example: "m.yml:3:7: one more: a"},
	}
	worst := l.Worst()
	if got := []Problem{worst[0], worst[len(worst)-1]}; !slices.Equal(got, want) {
		t.Errorf("first and last: got %+v, want %+v", got, want)
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	noted := []Problem{
		{Severity: Warning, Message: "a", Count: 9},
		{Severity: Error, Message: "b", Count: 1},
		{Severity: Error, Message: "c", Count: 2},
		{Severity: Error, Message: "d", Count: 1},
		{Severity: Warning, Message: "e", Count: 10},
		{Severity: Notice, Message: "f", Count: 10},
	}
	var l Log
	for _, p := range noted {
		l.Note(p)
	}
	var got strings.Builder
	for _, p := range l.Worst() {
		got.WriteString(p.Message)
	}
	if want := "cbdeaf"; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
	if got := l.Problems()[0].Message; got != "a" {
		t.Errorf("the order of Problems changed: got %q first, want %q", got, "a")
	}
}

func BenchmarkNote(b *testing.B) {
	messages := make([]string, 10_000)
	for i := range messages {
		messages[i] = fmt.Sprint("problem ", i)
	}
	for b.Loop() {
		var l Log
		for _, m := range messages {
			l.Note(Problem{Severity: Warning, Message: m})
		}
	}
}

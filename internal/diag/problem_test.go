package diag

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProblemError(t *testing.T) {
	t.Parallel()
	pos := Position{File: "mapping.yml", Line: 14, Column: 22}
	long := strings.Repeat("a", 300)
	tests := []struct {
		name string
		p    Problem
		want string
	}{
		{
			"whole",
			Problem{At: pos, Where: Where{Resource: 2, Kind: "repository", Part: `property "owner"`}, Message: `jq: unexpected token "|"`,
				Fix: `remove one "|"`, Snippet: "   owner: .project | | .name"},
			"mapping.yml:14:22: resource 2 (repository): property \"owner\": jq: unexpected token \"|\"\n" +
				"    owner: .project | | .name\n" +
				"                      ^\n" +
				"fix: remove one \"|\"",
		},
		{"bare", Problem{Message: "what"}, "what"},
		{"file only", Problem{At: Position{File: "Port"}, Message: "what", Snippet: "  x"}, "Port: what\n    x"},
		{"tab before the caret", Problem{At: Position{File: "m", Line: 1, Column: 4}, Message: "what", Snippet: "a:\tb"},
			"m:1:4: what\n    a:\tb\n      \t^"},
		{"column behind the line", Problem{At: Position{File: "m", Line: 1, Column: 9}, Message: "what", Snippet: "ab"},
			"m:1:9: what\n    ab"},
		{"control characters", Problem{Message: "a\nb\x1b", Fix: "c\td", Snippet: "\x1b[31m\u202e::x"},
			"a\uFFFDb\uFFFD\n    \uFFFD[31m\uFFFD::x\nfix: c d"},
		{"long line, caret at its start", Problem{At: Position{File: "m", Line: 1, Column: 2}, Message: "what", Snippet: long},
			"m:1:2: what\n    " + long[:160] + "...\n     ^"},
		{"long line, caret inside", Problem{At: Position{File: "m", Line: 1, Column: 151}, Message: "what", Snippet: long},
			"m:1:151: what\n    ..." + long[:160] + "...\n    " + strings.Repeat(" ", 83) + "^"},
		{"long line, caret at its end", Problem{At: Position{File: "m", Line: 1, Column: 301}, Message: "what", Snippet: long},
			"m:1:301: what\n    ..." + long[:160] + "\n    " + strings.Repeat(" ", 163) + "^"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.p.Error()); diff != "" {
				t.Errorf("Error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Position{
		"":          {},
		"m.yml":     {File: "m.yml", Column: 3},
		"m.yml:4":   {File: "m.yml", Line: 4},
		"m.yml:4:3": {File: "m.yml", Line: 4, Column: 3},
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v: got %q, want %q", p, got, want)
		}
	}
}

func TestProblemsWithout(t *testing.T) {
	t.Parallel()
	p := Problem{Where: Where{Resource: 1}, Message: "bad", Count: 3}
	other := p
	other.Where = Where{Resource: 2}
	all := Problems{p, other}
	same := Problem{Where: Where{Resource: 1}, Message: "bad", Example: "x"}
	if got := all.Without(Problems{same}); len(got) != 1 || got[0] != other {
		t.Errorf("got %+v, want the problem of the other object alone", got)
	}
	if all[0] != p {
		t.Error("Without has changed its receiver")
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	at := func(line int) Position { return Position{File: "m", Line: line, Column: 1} }
	problems := Problems{
		{At: at(3), Message: "three"},
		{At: at(1), Message: "one", Severity: Warning},
		{Message: "none"},
		{At: at(3), Message: "three again", Severity: Warning},
	}
	const want = "none\nm:1:1: one\nm:3:1: three\nm:3:1: three again"
	if got := problems.Error(); got != want {
		t.Errorf("Error: got %q, want %q", got, want)
	}
	if got := problems[0].Message; got != "three" {
		t.Errorf("Error has sorted its receiver: the first is %q", got)
	}
	if got := len(problems.Errors()); got != 2 {
		t.Errorf("Errors: got %d, want 2", got)
	}
	if got := problems.Warnings(); len(got) != 2 || got[0].Message != "one" {
		t.Errorf("Warnings: got %v, want one and three again", got)
	}
	if got := (Problems{}).Errors(); got != nil {
		t.Errorf("Errors of none: got %v, want nil", got)
	}
	var found Problems
	if err := fmt.Errorf("read mapping: %w", problems); !errors.As(err, &found) || len(found) != 4 {
		t.Errorf("errors.As: got %v, want the problems", found)
	}
}

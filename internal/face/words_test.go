package face

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

func TestLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		problem diag.Problem
		want    string
	}{
		{"all", diag.Problem{At: diag.Position{File: "mapping.yml", Line: 14, Column: 22}, Message: "bad", Count: 412, Example: "x", Fix: "mend"},
			"mapping.yml:14:22: bad (412 times, first: x); fix: mend"},
		{"of an object", diag.Problem{Where: "resource 1 (file)", Message: "bad"}, "resource 1 (file): bad"},
		{"bare", diag.Problem{Message: "bad"}, "bad"},
		{"once", diag.Problem{Message: "bad", Count: 1, Example: "x"}, "bad (once: x)"},
		{"no example", diag.Problem{Message: "bad", Count: 2}, "bad (2 times)"},
		{"no column", diag.Problem{At: diag.Position{File: "m.yml", Line: 3}, Message: "bad"}, "m.yml:3: bad"},
		{"no line", diag.Problem{At: diag.Position{File: "m.yml", Column: 3}, Message: "bad"}, "m.yml: bad"},
		{"a position nowhere", diag.Problem{At: diag.Position{Line: 3}, Message: "bad"}, "bad"},
		{"one line", diag.Problem{Message: "a\r\nb\u202e\x1b", Example: "c\nd", Fix: "e\tf"}, `a b\u202e\u001b (once: c d); fix: e f`},
		{"long", diag.Problem{Message: strings.Repeat("é", 501)}, strings.Repeat("é", 499) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Line(tt.problem); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Each cause has words, so that a run that is no success says why.
func TestEveryCauseHasWords(t *testing.T) {
	t.Parallel()
	for set := range report.Fatal << 1 {
		var r report.Report
		r.Mark(set)
		if got, want := (words{&r}).reasons() != "", set != 0; got != want {
			t.Errorf("%07b has reasons: got %v, want %v", set, got, want)
		}
	}
}

package face

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/catalog"
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
		{"of an object", diag.Problem{Where: diag.Where{Resource: 1, Kind: "file"}, Message: "bad"}, "resource 1 (file): bad"},
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

// Each cause has words, so that a run that is not a success says why.
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

// Of what Port would refuse, the log names the first entities of each reason, and counts the others.
func TestRefusalLines(t *testing.T) {
	t.Parallel()
	r := &report.Report{Planned: true}
	for i := range 8 {
		for _, why := range []string{"too long", "no number"}[:1+i/7] {
			r.Changes = append(r.Changes, catalog.Change{Action: catalog.Refuse, Ref: catalog.Ref{Blueprint: "service", Identifier: fmt.Sprintf("s%d", i)}, Why: why})
		}
	}
	var got []string
	for _, l := range Lines(r) {
		if strings.HasPrefix(l.Text, "!") {
			got = append(got, l.Text)
		}
	}
	want := []string{"! service/s0: too long", "! service/s1: too long", "! service/s2: too long", "! service/s3: too long", "! service/s4: too long",
		"! service/s7: no number", "! and 3 more, which are in the report file (input report_file): too long"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

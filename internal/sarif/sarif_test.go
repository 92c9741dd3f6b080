package sarif_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/sarif"
)

var update = flag.Bool("update", false, "rewrite the golden file")

var tool = sarif.Tool{Name: "port-bitbucket-exporter", Version: "1.2.3"}

// broken has two errors of one kind in two lines that are alike, a warning behind
// characters of several bytes, and text that a log would take for a command.
const broken = `resources:
  - kind: repository
    selector: {query: 'true'}
    port:
      entity:
        mappings:
          identifier: .slug
          blueprint: '"service"'
          properties: {"💳 é": [1], "::error::x": true}
          team: [1]
          icon: [1]
`

func problems(t *testing.T, text string) diag.Problems {
	t.Helper()
	_, err := mapping.Parse("port/my mapping.yml", []byte(text))
	var found diag.Problems
	if !errors.As(err, &found) {
		t.Fatal(err)
	}
	return found
}

// log is what every reader of SARIF relies on: the members that the standard requires,
// and those that GitHub does.
type log struct {
	Schema  string `json:"$schema"`
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name, SemanticVersion string
				Rules                 []struct {
					ID                     string
					ShortDescription, Help struct{ Text string }
				}
			}
		}
		ColumnKind string
		Results    []struct {
			RuleID    string
			RuleIndex int
			Level     string
			Message   struct{ Text string }
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI, URIBaseID string }
					Region           struct{ StartLine, StartColumn int }
				}
			}
			PartialFingerprints map[string]string
		}
	}
}

func marshal(t *testing.T, found diag.Problems) (log, string) {
	t.Helper()
	text, err := sarif.Marshal(tool, found, func(file string) string { return file })
	if err != nil {
		t.Fatal(err)
	}
	var l log
	if err := json.Unmarshal(text, &l); err != nil {
		t.Fatal(err)
	}
	return l, string(text)
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	_, got := marshal(t, problems(t, broken))
	golden := filepath.Join("testdata", "broken.sarif")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, string(want)); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	found := problems(t, broken)
	found = append(found, diag.Problem{Rule: mapping.RuleText, Severity: diag.Notice, Message: "no line", At: diag.Position{File: "m.yml"}})
	l, _ := marshal(t, found)
	if l.Version != "2.1.0" || l.Schema == "" || len(l.Runs) != 1 {
		t.Fatalf("version %q, schema %q, %d runs", l.Version, l.Schema, len(l.Runs))
	}
	run := l.Runs[0]
	if run.Tool.Driver.Name != tool.Name || run.Tool.Driver.SemanticVersion != tool.Version || run.ColumnKind != "unicodeCodePoints" {
		t.Errorf("driver %+v, columns %q", run.Tool.Driver.Name, run.ColumnKind)
	}
	ids := map[string]bool{}
	for _, r := range run.Tool.Driver.Rules {
		if r.ID == "" || ids[r.ID] || r.ShortDescription.Text == "" || r.Help.Text == "" {
			t.Errorf("rule %+v: want an id of its own and two texts", r)
		}
		ids[r.ID] = true
	}
	if len(run.Results) != len(found) {
		t.Fatalf("%d results, want %d", len(run.Results), len(found))
	}
	prints := map[string]bool{}
	for i, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || r.RuleID != string(found[i].Rule) {
			t.Errorf("result %d has the rule %q at %d, want %q", i, r.RuleID, r.RuleIndex, found[i].Rule)
		}
		if !slices.Contains([]string{"error", "warning", "note"}, r.Level) || r.Message.Text == "" || len(r.Locations) != 1 {
			t.Errorf("result %d: %+v", i, r)
		}
		at := r.Locations[0].PhysicalLocation
		if got, want := at.Region.StartColumn, found[i].At.Column; got != want || at.Region.StartLine != found[i].At.Line {
			t.Errorf("result %d: column %d, want %d", i, got, want)
		}
		for _, print := range r.PartialFingerprints {
			if prints[print] {
				t.Errorf("result %d has the fingerprint of another", i)
			}
			prints[print] = true
		}
	}
	if uri := run.Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI; uri != "port/my%20mapping.yml" {
		t.Errorf("address %q", uri)
	}
}

// A problem is the same one when lines are added above it.
func TestFingerprintsStay(t *testing.T) {
	t.Parallel()
	before, _ := marshal(t, problems(t, broken))
	after, _ := marshal(t, problems(t, "# a comment\n\n"+broken))
	for i, r := range before.Runs[0].Results {
		if diff := cmp.Diff(r.PartialFingerprints, after.Runs[0].Results[i].PartialFingerprints); diff != "" {
			t.Errorf("result %d: before -, after +\n%s", i, diff)
		}
	}
}

// Without problems there are no results, which closes what a scanner has open.
func TestNoProblems(t *testing.T) {
	t.Parallel()
	l, text := marshal(t, nil)
	if got := l.Runs[0].Results; got == nil || len(got) > 0 {
		t.Errorf("results %v, want an empty list:\n%s", got, text)
	}
}

package face

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/report"
)

// broken has two errors of one kind in two lines that are alike, a warning after
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
type sarifLog struct {
	Schema  string `json:"$schema"`
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name, Version, SemanticVersion, InformationURI string
				Rules                                          []struct {
					ID, Name, HelpURI                       string
					ShortDescription, FullDescription, Help struct{ Text string }
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
			OccurrenceCount     int
		}
	}
}

// checked is a report of a mapping that was checked, and nothing else.
func checked(found diag.Problems) *report.Report {
	return &report.Report{
		Program: report.Program{Name: "port-bitbucket-exporter", Version: "1.2.3"},
		Mapping: report.Mapping{File: report.File{Name: "port/my mapping.yml"}, Checked: true, Problems: found, Rules: mapping.Rules},
	}
}

func readSARIF(t *testing.T, r *report.Report) (sarifLog, string) {
	t.Helper()
	text := SARIF(r)
	var l sarifLog
	if err := json.Unmarshal(text, &l); err != nil {
		t.Fatal(err)
	}
	return l, string(text)
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	_, got := readSARIF(t, checked(problems(t, broken)))
	golden(t, "broken.sarif", got)
}

func TestSARIFShape(t *testing.T) {
	t.Parallel()
	found := problems(t, broken)
	found = append(found, diag.Problem{Rule: mapping.RuleText, Severity: diag.Notice, Message: "no line", At: diag.Position{File: "m.yml"}})
	l, _ := readSARIF(t, checked(found))
	if l.Version != "2.1.0" || l.Schema == "" || len(l.Runs) != 1 {
		t.Fatalf("version %q, schema %q, %d runs", l.Version, l.Schema, len(l.Runs))
	}
	run := l.Runs[0]
	if run.Tool.Driver.Name != "port-bitbucket-exporter" || run.Tool.Driver.SemanticVersion != "1.2.3" || run.Tool.Driver.Version != "1.2.3" || !strings.HasPrefix(run.Tool.Driver.InformationURI, "https://") || run.ColumnKind != "unicodeCodePoints" {
		t.Errorf("driver %+v, columns %q", run.Tool.Driver.Name, run.ColumnKind)
	}
	ids := map[string]bool{}
	for _, r := range run.Tool.Driver.Rules {
		if r.ID == "" || ids[r.ID] || r.ShortDescription.Text == "" || r.Help.Text == "" || !strings.HasPrefix(r.FullDescription.Text, r.ShortDescription.Text) {
			t.Errorf("rule %+v: want an id of its own and three texts", r)
		}
		if !strings.HasPrefix(r.HelpURI, "https://") || strings.EqualFold(r.Name, r.ID) || strings.Contains(r.Name, "-") {
			t.Errorf("rule %+v: want a page and a name that is not its id", r)
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
		if got, want := at.Region.StartColumn, found[i].At.Column; got != want || at.Region.StartLine != max(found[i].At.Line, 1) {
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
func TestSARIFFingerprintsStay(t *testing.T) {
	t.Parallel()
	before, _ := readSARIF(t, checked(problems(t, broken)))
	after, _ := readSARIF(t, checked(problems(t, "# a comment\n\n"+broken)))
	for i, r := range before.Runs[0].Results {
		if diff := cmp.Diff(r.PartialFingerprints, after.Runs[0].Results[i].PartialFingerprints); diff != "" {
			t.Errorf("result %d: before -, after +\n%s", i, diff)
		}
	}
}

// Without problems there are no results, which closes what a scanner has open.
func TestSARIFWithoutProblems(t *testing.T) {
	t.Parallel()
	l, text := readSARIF(t, checked(nil))
	if got := l.Runs[0].Results; got == nil || len(got) > 0 {
		t.Errorf("results %v, want an empty list:\n%s", got, text)
	}
}

// What a run met is there beside the problems of the mapping, each once: with a place where
// it has none, since GitHub refuses a result without one.
func TestSARIFOfRun(t *testing.T) {
	t.Parallel()
	found := problems(t, broken)
	r := checked(found)
	r.Mapping.Path = "ci/port/my mapping.yml"
	for _, p := range found {
		r.Note(p)
	}
	r.Note(diag.Problem{Severity: diag.Warning, Where: diag.Where{Resource: 1, Kind: "repository"}, Message: "not everything was read", Fix: "run again"})
	for _, example := range []string{"service/a", "service/b"} {
		r.Note(diag.Problem{Severity: diag.Error, At: diag.Position{File: "port/my mapping.yml", Line: 3}, Message: "Port refused an entity", Example: example})
	}
	l, _ := readSARIF(t, r)
	results := l.Runs[0].Results
	if got, want := len(results), len(found)+2; got != want {
		t.Fatalf("got %d results, want %d", got, want)
	}
	var lines []string
	for _, one := range results[len(found):] {
		at := one.Locations[0].PhysicalLocation
		lines = append(lines, fmt.Sprintf("%s %s %s:%d ×%d %s", one.RuleID, one.Level, at.ArtifactLocation.URI, at.Region.StartLine, one.OccurrenceCount, one.Message.Text))
		if rule := l.Runs[0].Tool.Driver.Rules[one.RuleIndex]; rule.ID != one.RuleID {
			t.Errorf("the rule at %d is %q, want %q", one.RuleIndex, rule.ID, one.RuleID)
		}
	}
	want := []string{
		"run warning ci/port/my%20mapping.yml:1 ×1 resource 1 (repository): not everything was read\nfix: run again",
		"run error ci/port/my%20mapping.yml:3 ×2 Port refused an entity (2 times, first: service/a)",
	}
	if diff := cmp.Diff(lines, want); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
}

// Where no mapping was looked at there is nothing to write: an empty list would close what
// a scanner has open.
func TestSARIFOfNothing(t *testing.T) {
	t.Parallel()
	r := &report.Report{}
	r.Note(diag.Problem{Message: "input workspace: it is missing"})
	if got := SARIF(r); got != nil {
		t.Errorf("got %s, want nothing", got)
	}
}

package face

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const mebibyte = 1 << 20

// full is a run in which everything happened.
func full() *report.Report {
	r := &report.Report{
		Duration:          12*time.Second + 345678*time.Microsecond,
		BitbucketRequests: 240,
		PortRequests:      20,
		Resources: []*report.Resource{
			{
				Index: 1, Kind: "project", Blueprints: []string{"bitbucketProject"},
				Counts: report.Counts{Extracted: 4, Transformed: 4, Unchanged: 4},
				Listed: true, Complete: true, Duration: 40 * time.Millisecond,
			},
			{
				Index: 2, Kind: "repository", Blueprints: []string{"bitbucketRepository", "service"},
				Counts: report.Counts{
					Extracted: 120, Filtered: 3, Skipped: 2, Failed: 1, Transformed: 114,
					Created: 12, Updated: 3, Unchanged: 90, Rejected: 8, Merged: 1,
				},
				Listed: true, Duration: 3250 * time.Millisecond,
			},
			{Index: 3, Kind: "pull-request", Blueprints: []string{"bitbucketPullRequest"}},
		},
	}
	*r.Blueprint("service") = report.Blueprint{Identifier: "service", Created: 6, Rejected: 8, StaleKept: 3,
		HeldBy: "resource 2 (repository) was not read to the end"}
	*r.Blueprint("bitbucketRepository") = report.Blueprint{Identifier: "bitbucketRepository", Created: 6, Updated: 3, Unchanged: 90, Deleted: 2}
	*r.Blueprint("bitbucketProject") = report.Blueprint{Identifier: "bitbucketProject", Unchanged: 4}
	r.Note(diag.Problem{Severity: diag.Warning, At: diag.Position{File: "mapping.yml", Line: 9, Column: 18},
		Message: `resource 2 (repository): property "owner" is null`, Count: 3, Example: "payments/ledger-api"})
	for range 8 {
		r.Note(diag.Problem{Severity: diag.Error, At: diag.Position{File: "mapping.yml", Line: 14, Column: 22},
			Message: `resource 2 (repository): identifier "naïve | café" has a character that Port refuses`,
			Example: "<b>@acme</b> #7 https://evil.example/",
			Fix:     "use .slug"})
	}
	r.Note(diag.Problem{Severity: diag.Error, Message: "list pull requests of repository \"ledger\":\n403 Forbidden"})
	r.Mark(report.RejectedEntity | report.Unread)
	return r
}

// plan is a run that changes nothing, of values that hold what JSON, Markdown, a shell, a CI
// system and a terminal read otherwise.
func plan() *report.Report {
	const hostile = "</script>\n::error::x %0A | `$(id)` \x1b[31m\u202e<!-- @acme #7"
	return &report.Report{Planned: true, Changes: []catalog.Change{
		{Action: catalog.Create, Ref: catalog.Ref{Blueprint: "service", Identifier: "R&D"}, Fields: []catalog.ChangedField{{Name: "title", To: "R&D"}}},
		{Action: catalog.Update, Ref: catalog.Ref{Blueprint: "service", Identifier: "a<b>c"}, Fields: []catalog.ChangedField{
			{Name: `property "query"`, From: "a=1&b=<2>", To: map[string]any{"a&b": []any{"<i>", true}}},
			{Name: `property "text"`, From: hostile, To: strings.Repeat("&", 90)},
		}},
		{Action: catalog.Refuse, Ref: catalog.Ref{Blueprint: "service", Identifier: "x"}, Fields: []catalog.ChangedField{{Name: "title", To: "a && b"}}, Why: `"title" must not be <null> & "x"`},
		{Action: catalog.Delete, Ref: catalog.Ref{Blueprint: "service", Identifier: "y&z"}},
	}}
}

// overGit has more fallbacks than a log bears, for more reasons than a line, of a
// repository whose name is hostile.
func overGit() report.Sources {
	s := report.Sources{Reader: report.Git, Repositories: 812, Requests: 1377, Bytes: 2_149_500_000, Stopped: "403\nForbidden | <b>"}
	for i := range 21 {
		s.Fallbacks = append(s.Fallbacks, report.Fallback{Repository: fmt.Sprintf("repo-%d", i), Reason: "over git_max_bytes"})
	}
	for i, reason := range []string{"b", "c", "d", "e"} {
		s.Fallbacks = append(s.Fallbacks, report.Fallback{Repository: "x\n::error::\x1b[31m|<i>" + fmt.Sprint(i), Reason: reason}, report.Fallback{Repository: "odd", Reason: "cut off"})
	}
	return s
}

// halfFromMemory is a run that was allowed 300 requests, of 1,000 repositories.
func halfFromMemory() *report.Report {
	began := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	r := &report.Report{
		Started: began, Duration: 52 * time.Second, BitbucketRequests: 300, PortRequests: 41,
		Resources: []*report.Resource{{
			Index: 1, Kind: "pull-request", Blueprints: []string{"bitbucketPullRequest"}, Listed: true,
			Counts: report.Counts{Extracted: 4_940, Transformed: 4_940, Created: 3, Updated: 1, Unchanged: 4_936},
		}},
		Memory: report.Memory{
			Reported: true, Repositories: 711, OldestReadAt: began.Add(-23*time.Hour - 40*time.Minute), Contents: 990, NotAsked: 12, MaxRequests: 300,
		},
	}
	*r.Blueprint("bitbucketPullRequest") = report.Blueprint{Identifier: "bitbucketPullRequest", Created: 3, Updated: 1, Unchanged: 4_936, StaleKept: 2,
		HeldBy: "resource 1 (pull-request): 12 repositories were not asked for"}
	r.Note(diag.Problem{Where: diag.Where{Resource: 1, Kind: "pull-request"}, Message: "the lists of repositories were not asked for, since max_requests (300) was reached", Count: 12, Example: "api"})
	r.Mark(report.NotAsked)
	return r
}

// eleven has one problem too many to show all of them at once.
func eleven() *report.Report {
	r := &report.Report{Duration: time.Minute + 52*time.Second, BitbucketRequests: 1}
	for i := range 11 {
		r.Note(diag.Problem{Severity: diag.Warning, Message: fmt.Sprintf("problem %d", i+1), Count: 11 - i})
	}
	return r
}

// A golden file is what was expected of the report before it was first compared.
func TestGolden(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		report *report.Report
	}{
		{"empty", &report.Report{}},
		{"full", full()},
		{"eleven", eleven()},
		{"plan", plan()},
		{"git", &report.Report{Sources: overGit(), BitbucketRequests: 12}},
		{"git-plan", &report.Report{Sources: overGit(), BitbucketRequests: 12, Planned: true, Facts: []string{"a fact"}, Forecast: "a forecast"}},
		{"memory", halfFromMemory()},
		{"memory-unused", &report.Report{Memory: report.Memory{Reported: true, Why: "it is empty\n::error::", ListsLost: "a later run's\nmemory"}}},
		{"rest-plan", &report.Report{Sources: report.Sources{Reader: report.REST, Why: "source_reader rest reads over REST"}, Planned: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var outputs strings.Builder
			for _, o := range Outputs(tt.report) {
				outputs.WriteString(o.Name + "=" + o.Text() + "\n")
			}
			golden(t, tt.name+".md", Markdown(tt.report, mebibyte))
			golden(t, tt.name+".json", string(JSON(tt.report)))
			golden(t, tt.name+".lines", linesText(tt.report)+"\n")
			golden(t, tt.name+".outputs", outputs.String())
		})
	}
}

// linesText is the end of a log, with the title of each group.
func linesText(r *report.Report) string {
	var all []string
	group := ""
	for _, l := range Lines(r) {
		if l.Group != group && l.Group != "" {
			all = append(all, "["+l.Group+"]")
		}
		group = l.Group
		all = append(all, l.Text)
	}
	return strings.Join(all, "\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// A secret is hidden in every text, also where a form would escape or cut it, and no
// number changes.
func TestScrub(t *testing.T) {
	t.Parallel()
	const secret = "tok_en|<42>"
	long := strings.Repeat("x", maxMessage-5) + secret
	r := &report.Report{
		Resources:  []*report.Resource{{Index: 1, Kind: secret, Blueprints: []string{secret}, Counts: report.Counts{Extracted: 42, Filtered: 42}}},
		Blueprints: []*report.Blueprint{{Identifier: secret, HeldBy: secret, StaleKept: 42}},
		Mapping: report.Mapping{File: report.File{Name: secret, Path: secret}, Blueprints: report.File{Name: secret, Path: secret}, Checked: true, Problems: diag.Problems{
			{Where: diag.Where{Part: secret}, At: diag.Position{File: secret, Line: 42}, Message: secret, Fix: secret, Snippet: secret}}},
	}
	r.Memory = report.Memory{Reported: true, Why: secret, ListsLost: secret}
	r.Planned, r.Sources = true, report.Sources{Reader: report.Git, Why: secret, Stopped: secret, Fallbacks: []report.Fallback{{Repository: secret, Reason: secret}}}
	r.Note(diag.Problem{Severity: diag.Error, At: diag.Position{File: secret}, Message: long, Fix: secret, Example: secret})
	r.Scrub(func(text string) string { return strings.ReplaceAll(text, secret, "***") })
	for name, text := range map[string]string{
		"Markdown": Markdown(r, 1<<20), "JSON": string(JSON(r)), "lines": linesText(r), "JUnit": string(JUnit(r)), "problem": Line(r.Problems()[0]),
	} {
		if strings.Contains(text, "tok") || !strings.Contains(text, "42") && name != "problem" {
			t.Errorf("%s: a secret is shown, or a number is gone:\n%s", name, text)
		}
	}
	r.CheckOnly = true
	for name, text := range map[string]string{"verdict": linesText(r), "verdict in Markdown": Markdown(r, 1<<20), "SARIF": string(SARIF(r)), "code quality": string(CodeQuality(r)), "JUnit": string(JUnit(r))} {
		if strings.Contains(text, "tok") || !strings.Contains(text, "***") {
			t.Errorf("%s: a secret is shown, or its place is gone:\n%s", name, text)
		}
	}
	r.Note(diag.Problem{Severity: diag.Error, At: diag.Position{File: "***"}, Message: strings.Repeat("x", maxMessage-5) + "***"})
	if got := len(r.Problems()); got != 1 {
		t.Errorf("got %d problems after the same one again, want 1", got)
	}
}

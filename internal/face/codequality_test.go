package face

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// readQuality reads the report, and wants what GitLab documents of each issue.
func readQuality(t *testing.T, r *report.Report) []qualityIssue {
	t.Helper()
	text := CodeQuality(r)
	var issues []qualityIssue
	if err := json.Unmarshal(text, &issues); err != nil || issues == nil {
		t.Fatalf("not a list: %v:\n%s", err, text)
	}
	seen := map[string]bool{}
	for _, i := range issues {
		if i.Description == "" || strings.Contains(i.Description, "\n") || i.CheckName == "" || i.Fingerprint == "" || seen[i.Fingerprint] ||
			!slices.Contains([]string{"info", "minor", "major", "critical", "blocker"}, i.Severity) ||
			i.Location.Path == "" || strings.HasPrefix(i.Location.Path, "./") || i.Location.Lines.Begin < 1 {
			t.Errorf("got the issue %+v", i)
		}
		seen[i.Fingerprint] = true
	}
	return issues
}

func TestCodeQuality(t *testing.T) {
	t.Parallel()
	r := checked(problems(t, broken))
	r.Mapping.Path = "ci/port/my mapping.yml"
	r.Note(diag.Problem{Severity: diag.Warning, Where: diag.Where{Resource: 1, Kind: "repository"}, Message: "not everything\nwas read", Fix: "run again"})
	r.Note(diag.Problem{Severity: diag.Notice, Message: "ordinary"})
	readQuality(t, r)
	golden(t, "broken.codequality.json", string(CodeQuality(r)))
}

// GitLab compares two branches by the fingerprints: lines above a problem change none, and
// neither does how often it was met.
func TestCodeQualityFingerprintsStay(t *testing.T) {
	t.Parallel()
	before, after := checked(problems(t, broken)), checked(problems(t, "# a comment\n\n"+broken))
	for i, r := range []*report.Report{before, after} {
		for range i + 1 {
			r.Note(diag.Problem{Severity: diag.Warning, Message: "met", Example: "service/a"})
		}
	}
	was, is := readQuality(t, before), readQuality(t, after)
	for i := range was {
		if was[i].Fingerprint != is[i].Fingerprint {
			t.Errorf("issue %d: got %s, was %s", i, is[i].Fingerprint, was[i].Fingerprint)
		}
	}
}

// An empty list closes what is open, and so there is none where nothing was looked at.
func TestCodeQualityOfNothing(t *testing.T) {
	t.Parallel()
	if got := readQuality(t, checked(nil)); len(got) > 0 {
		t.Errorf("got %v, want an empty list", got)
	}
	if got := CodeQuality(&report.Report{}); got != nil {
		t.Errorf("got %s, want nothing", got)
	}
}

package face

import (
	"bytes"
	"encoding/json"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// qualitySeverities are the words of code quality for the severities.
var qualitySeverities = map[diag.Severity]string{diag.Error: "critical", diag.Warning: "minor", diag.Notice: "info"}

type qualityIssue struct {
	Description string          `json:"description"`
	CheckName   string          `json:"check_name"`
	Fingerprint string          `json:"fingerprint"`
	Severity    string          `json:"severity"`
	Location    qualityLocation `json:"location"`
}

type qualityLocation struct {
	Path  string       `json:"path"`
	Lines qualityLines `json:"lines"`
}

type qualityLines struct {
	Begin int `json:"begin"`
}

// CodeQuality returns the problems of the mapping and of the run as a report of code quality,
// which GitLab shows beside the changed lines of a merge request. What has no line stands on
// the first one. An empty list says that all is mended; nil, that no mapping was looked at.
//
// Source: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format, read 2026-11.
func CodeQuality(r *report.Report) []byte {
	if !r.Mapping.Checked && len(r.Mapping.Problems) == 0 {
		return nil
	}
	issues := []qualityIssue{}
	for _, f := range findings(r) {
		issues = append(issues, qualityIssue{
			Description: qualityText(f.Problem), CheckName: string(f.Rule), Fingerprint: f.id, Severity: qualitySeverities[f.Severity],
			Location: qualityLocation{sourceOf(r.Mapping, f.At), qualityLines{max(f.At.Line, 1)}},
		})
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, encode(issues), "", "  "); err != nil {
		panic(err) // only text that is not JSON is refused
	}
	return append(indented.Bytes(), '\n')
}

// qualityText returns the problem on one line, without its place.
func qualityText(p diag.Problem) string {
	p.At = diag.Position{}
	return Line(p)
}

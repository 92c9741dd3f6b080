package face

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// ofPipeline is full, of a mapping of the checkout.
func ofPipeline() *report.Report {
	r := full()
	r.Program = report.Program{Name: "exporter", Version: "1.0.0"}
	r.Mapping = report.Mapping{File: report.File{Name: "mapping.yml", Path: "port/mapping.yml"}, Checked: true}
	r.Subject = report.Subject{Workspace: "acme", Integration: "mine", Checkout: report.Checkout{Page: "https://bitbucket.org/acme/portal/src/1a2b3c/", Line: "#lines-"}}
	return r
}

func TestInsightsGolden(t *testing.T) {
	t.Parallel()
	text, err := json.MarshalIndent(Insights(ofPipeline(), report.Incomplete), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "insights.json", string(text)+"\n")
}

// What the run is made of decides whether it has passed, and which report it replaces.
func TestInsightsOfRuns(t *testing.T) {
	t.Parallel()
	base := Insights(ofPipeline(), report.Incomplete)
	tests := []struct {
		name   string
		change func(*report.Report)
		failOn report.FailOn
		same   bool // it replaces the report of the run without a change
		result string
	}{
		{"nothing else", func(*report.Report) {}, report.Incomplete, true, "FAILED"},
		{"fail_on never", func(*report.Report) {}, report.Never, true, "PASSED"},
		{"fatal", func(r *report.Report) { r.Mark(report.Fatal) }, report.Never, true, "FAILED"},
		{"another mapping", func(r *report.Report) { r.Mapping.Name = "b.yml" }, report.Never, true, "PASSED"},
		{"a plan", func(r *report.Report) { r.Planned = true }, report.Never, false, "PASSED"},
		{"a check", func(r *report.Report) { r.CheckOnly = true }, report.Never, false, "PASSED"},
		{"another integration", func(r *report.Report) { r.Subject.Integration = "b" }, report.Never, false, "PASSED"},
		{"another workspace", func(r *report.Report) { r.Subject.Workspace = "b" }, report.Never, false, "PASSED"},
		{"some kinds", func(r *report.Report) { r.Kinds = []string{"project"} }, report.Never, false, "PASSED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := ofPipeline()
			tt.change(r)
			got := Insights(r, tt.failOn)
			if got.Report.Result != tt.result || (got.ID == base.ID) != tt.same {
				t.Errorf("got %s of %s, want %s, and the id of %s: %t", got.Report.Result, got.ID, tt.result, base.ID, tt.same)
			}
		})
	}
	check := func(of ...string) string {
		r := ofPipeline()
		r.CheckOnly, r.Mapping.Name = true, of[0]
		for _, name := range of[1:] {
			r.Mapping.Others = append(r.Mapping.Others, report.File{Name: name})
		}
		return Insights(r, report.Never).ID
	}
	if check("a.yml") == check("b.yml") || check("a.yml") == check("a.yml", "b.yml") || check("a.yml") != check("a.yml") {
		t.Error("checks of other mappings replace each other, or those of the same do not")
	}
	if got := Insights(full(), report.Never); got != nil {
		t.Errorf("got %+v of a run that has looked at no mapping, want none", got)
	}
}

// A problem is shown on its line where that is in the checkout. Where it is not, its text names the place.
func TestInsightsPlaces(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file, path string // of the mapping
		at         string // the file that the problem names
		wantPath   string
		summary    string
	}{
		{"m.yml", "port/m.yml", "m.yml", "port/m.yml", "bad"},
		{"../m.yml", "../m.yml", "../m.yml", "", "../m.yml:3: bad"},
		{"/etc/m.yml", "/etc/m.yml", "/etc/m.yml", "", "/etc/m.yml:3: bad"},
		{"mapping (input)", "", "mapping (input)", "", "mapping (input):3: bad"},
		{"m.yml", "m.yml", "other.yml", "", "other.yml:3: bad"},
		{"m.yml", "a/../m.yml", "m.yml", "", "m.yml:3: bad"},
		{"m.yml", "m.yml", "", "", "bad"},
	}
	for _, tt := range tests {
		r := ofPipeline()
		r.Mapping.File = report.File{Name: tt.file, Path: tt.path}
		r.Mapping.Problems = diag.Problems{{At: diag.Position{File: tt.at, Line: 3}, Message: "bad"}}
		got := Insights(r, report.Never).Annotations[0]
		if got.Path != tt.wantPath || got.Summary != tt.summary || (got.Line == 3) != (got.Path != "") {
			t.Errorf("%s at %q: got %+v, want path %q and summary %q", tt.file, tt.path, got, tt.wantPath, tt.summary)
		}
	}
}

var plainID = regexp.MustCompile(`^[a-z0-9-]+$`)

// FuzzInsights: whatever stands in a report, what is sent has the lengths that the API takes, and
// shows all of it.
func FuzzInsights(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[31m\x00\u0085", "\u202e\u2066\ufeff", "\xff\xfe", "a\r\nb", strings.Repeat("é🤖", 1500), strings.Repeat("x", 3000)} {
		f.Add(s, "x", 1)
		f.Add("x", s, 4)
	}
	f.Add("x", "y", 1200)
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		r := ofPipeline()
		r.CheckOnly = n%2 == 0
		r.Failure = a
		r.Mark(report.Fatal)
		r.Subject.Workspace, r.Subject.Integration = a, b
		r.Mapping.File = report.File{Name: a, Path: b}
		r.Mapping.Checked = true
		for i := range min(max(n, 0), 1200) {
			r.Mapping.Problems = append(r.Mapping.Problems, diag.Problem{Severity: diag.Severity(i % 3), At: diag.Position{File: a, Line: i}, Where: diag.Where{Part: b}, Message: a, Fix: b, Example: a, Count: i})
		}
		got := Insights(r, report.Incomplete)
		short := map[string]string{"title": got.Report.Title, "id": got.ID}
		long := map[string]string{"details": got.Report.Details}
		if len(got.Annotations) > 1000 || len(got.Report.Data) > 10 {
			t.Errorf("got %d annotations and %d figures", len(got.Annotations), len(got.Report.Data))
		}
		seen := map[string]bool{}
		for i, x := range got.Annotations {
			short[fmt.Sprint("summary ", i)], short[fmt.Sprint("id ", i)] = x.Summary, x.ExternalID
			long[fmt.Sprint("details ", i)] = x.Details
			if seen[x.ExternalID] || !plainID.MatchString(x.ExternalID) || x.Summary == "" || x.Line != 0 && x.Path == "" || x.Path != "" && (path.IsAbs(x.Path) || strings.HasPrefix(x.Path, "..")) {
				t.Errorf("annotation %d: %+v", i, x)
			}
			seen[x.ExternalID] = true
		}
		for _, of := range []struct {
			texts map[string]string
			most  int
		}{{short, 450}, {long, 2000}} {
			for name, text := range of.texts {
				if len(text) > of.most || !utf8.ValidString(text) || strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), hidden) {
					t.Errorf("%s: %d bytes, %q", name, len(text), text)
				}
			}
		}
	})
}

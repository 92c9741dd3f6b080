package kind_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

func reported() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "api", Files: map[string]string{"a": "b"}})
	s.AddReport("api", bitbuckettest.Report{ID: "old", Title: "Old", Type: "BUG", Result: "FAILED"})
	s.SetFile("api", "a", []byte("c"))
	s.AddReport("api", bitbuckettest.Report{ID: "Tests", Title: "Tests", Type: "TEST", Result: "PASSED"})
	s.AddReport("api", bitbuckettest.Report{ID: "Coverage", Title: "Coverage", Type: "COVERAGE", Result: "PASSED"})
	return s
}

// Reports are those of the head, which the list of repositories names.
func TestChoiceOfReports(t *testing.T) {
	for _, tt := range []struct{ selector, want string }{
		{"", "Tests Coverage"},
		{"reportTypes: [COVERAGE]", "Coverage"},
		{"reportTypes: [COVERAGE, TEST]", "Tests Coverage"},
		{"reportTypes: [BUG]", ""},
	} {
		t.Run(tt.selector, func(t *testing.T) {
			inBubble(t, reported(), func(w world) {
				w.equal("titles", column(w.good("code-report", tt.selector), "title"), tt.want)
				w.equal("asked", w.asked(), "/repositories/acme api/commit/HEAD/reports")
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// An empty repository costs nothing; a head that the list does not name is asked for.
func TestReportsWithoutAHead(t *testing.T) {
	for _, tt := range []struct {
		name       string
		repository bitbuckettest.Repository
		want       string
	}{
		{"empty", bitbuckettest.Repository{Name: "api"}, "/repositories/acme"},
		{"not named", bitbuckettest.Repository{Name: "api", NoTarget: true, Files: map[string]string{"a": "b"}}, "/repositories/acme api/refs/branches/main api/commit/HEAD/reports"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := bitbuckettest.New("acme")
			s.AddRepository(tt.repository)
			inBubble(t, s, func(w world) {
				w.equal("reports", len(w.good("code-report", "")), 0)
				w.equal("asked", w.asked(), tt.want)
			})
		})
	}
}

// A head that is not there any more is no empty list of reports.
func TestReportsOfALostHead(t *testing.T) {
	s := reported()
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/api/commit/*/reports", Times: -1, Status: 404, Body: `{"error":{"message":"Changeset not found."}}`})
	inBubble(t, s, func(w world) {
		if got := w.extract("code-report", ""); len(got.objects) > 0 || len(got.failed) != 1 || !strings.Contains(got.failed[0].Error(), "Changeset not found") {
			t.Errorf("got %v and %v, want an error", got.objects, got.failed)
		}
	})
}

func TestReportSelectorProblems(t *testing.T) {
	t.Parallel()
	for selector, want := range map[string]string{
		"reportTypes: [TESTS]": `did you mean "TEST"?`,
		"reportType: [TEST]":   `did you mean "reportTypes"?`,
	} {
		if _, err := kind.Bind(resource(t, "code-report", selector)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", selector, err, want)
		}
	}
}

package face

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/browsertest"
	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// bigPlan is a plan of many changes, with names as long as they come.
func bigPlan(deleted, updated, created int) *report.Report {
	r := &report.Report{
		Planned: true, Started: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC), Duration: 3*time.Minute + 12*time.Second, BitbucketRequests: 1377, PortRequests: 612,
		Subject: report.Subject{Workspace: "acme", Integration: "my-bitbucket-cloud-integration", Checkout: report.Checkout{Page: "https://github.com/acme/portal/blob/1a2b3c/", Line: "#L"}},
		Mapping: report.Mapping{Checked: true, File: report.File{Name: "port/mapping.yml", Path: "port/mapping.yml"}},
		Program: report.Program{Name: "port-bitbucket-exporter", Version: "1.2.3"},
		Resources: []*report.Resource{
			{Index: 1, Kind: "project", Blueprints: []string{"bitbucketProject"}, Counts: report.Counts{Extracted: 4, Transformed: 4, Unchanged: 4}, Listed: true, Complete: true, Duration: 40 * time.Millisecond},
			{Index: 2, Kind: "repository", Blueprints: []string{"bitbucketRepository"}, Listed: true, Duration: 73 * time.Second,
				Counts: report.Counts{Extracted: 60 + updated + created, Filtered: 20, Skipped: 2, Failed: 1, Transformed: 37 + updated + created, Created: created, Updated: updated, Unchanged: 28, Rejected: 8, Merged: 1}},
		},
	}
	for i := range deleted {
		blueprint := "bitbucketRepository"
		if i%3 == 0 {
			blueprint = "bitbucketPullRequest"
		}
		r.Changes = append(r.Changes, catalog.Change{Action: catalog.Delete, Ref: catalog.Ref{Blueprint: blueprint, Identifier: fmt.Sprintf("acme/legacy-service-%05d", i)}})
	}
	for i := range updated {
		r.Changes = append(r.Changes, catalog.Change{Action: catalog.Update, Ref: catalog.Ref{Blueprint: "bitbucketRepository", Identifier: fmt.Sprintf("acme/payments-%05d", i)}, Fields: []catalog.ChangedField{
			{Name: `property "description"`, From: "Takes payments", To: "Takes payments, and gives them back to whoever asks for them within thirty days"},
			{Name: `property "url"`, From: "https://bitbucket.org/acme/payments", To: "https://bitbucket.org/acme/" + strings.Repeat("very-long-name-without-a-space", 4)},
			{Name: `relation "project"`, To: "PAY"},
			{Name: `property "languages"`, From: []any{"go", "sql"}, To: map[string]any{"go": 0.81, "sql": 0.19}},
		}})
	}
	for i := range created {
		r.Changes = append(r.Changes, catalog.Change{Action: catalog.Create, Ref: catalog.Ref{Blueprint: "bitbucketRepository", Identifier: fmt.Sprintf("acme/new-%05d", i)}, Fields: []catalog.ChangedField{{Name: "title", To: "New"}, {Name: `property "url"`, To: "https://bitbucket.org/acme/new"}}})
	}
	r.Changes = append(r.Changes, catalog.Change{Action: catalog.Refuse, Ref: catalog.Ref{Blueprint: "bitbucketRepository", Identifier: "acme/odd"}, Why: `property "stars" must be a number`, Fields: []catalog.ChangedField{{Name: `property "stars"`, To: "many"}}})
	*r.Blueprint("bitbucketPullRequest") = report.Blueprint{Identifier: "bitbucketPullRequest", Deleted: (deleted + 2) / 3}
	*r.Blueprint("bitbucketRepository") = report.Blueprint{Identifier: "bitbucketRepository", Created: created, Updated: updated, Unchanged: 28, Rejected: 8, Deleted: deleted * 2 / 3}
	*r.Blueprint("bitbucketProject") = report.Blueprint{Identifier: "bitbucketProject", Unchanged: 4}
	*r.Blueprint("service") = report.Blueprint{Identifier: "service", StaleKept: 3, HeldBy: "resource 2 (repository) was not read to the end"}
	for i := range 3 {
		r.NoteKept(catalog.Ref{Blueprint: "service", Identifier: fmt.Sprint("acme/old-", i)}, "resource 2 (repository) was not read to the end")
	}
	r.Note(diag.Problem{Severity: diag.Error, At: diag.Position{File: "port/mapping.yml", Line: 14, Column: 22}, Where: "resource 2 (repository)",
		Message: `identifier "naïve café" has a character that Port refuses`, Fix: "use .slug", Count: 8, Example: "https://bitbucket.org/acme/naive"})
	r.Note(diag.Problem{Severity: diag.Warning, Message: `list pull requests of repository "ledger": 403 Forbidden`, Fix: "give the token the scope pullrequest"})
	r.Note(diag.Problem{Severity: diag.Notice, At: diag.Position{File: "port/mapping.yml", Line: 9, Column: 18}, Where: "resource 2 (repository)", Message: `property "owner" is null`, Count: 31, Example: "payments/ledger-api"})
	return r
}

// A page fits every width, in both schemes, and asks for nothing.
func TestHTMLFits(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*report.Report{"plan": bigPlan(30, 6, 40), "resync": full(), "empty": {}, "hostile": plan(), "memory": halfFromMemory()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := browsertest.New(t, 1280, 900)
			p.Open(HTML(r))
			for _, width := range []int{1280, 980, 390} {
				p.Resize(width, 900)
				if found := p.Overflow(); len(found) > 0 {
					t.Errorf("at %d pixels: %s", width, strings.Join(found, "\n"))
				}
				for _, scheme := range []string{"light", "dark"} {
					p.Scheme(scheme)
					p.Shot(fmt.Sprintf("html-%s-%d-%s", name, width, scheme))
				}
			}
		})
	}
}

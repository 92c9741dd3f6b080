package face

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	m "port-bitbucket-exporter/internal/markup"
	"port-bitbucket-exporter/internal/report"
)

// weekly is a plan in which everything happens, so often.
func weekly(deleted, updated, created int) *report.Report {
	r := &report.Report{
		Planned: true, Started: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC), Duration: 3*time.Minute + 12*time.Second, BitbucketRequests: 1377, PortRequests: 612,
		Subject: report.Subject{Workspace: "acme", Integration: "my-bitbucket-cloud-integration", Checkout: report.Checkout{Page: "https://github.com/acme/portal/blob/1a2b3c/", Line: "#L"}},
		Mapping: report.Mapping{Checked: true, File: report.File{Name: "port/mapping.yml", Path: "port/mapping.yml"}},
		Program: report.Program{Name: "port-bitbucket-exporter", Version: "1.2.3"},
		Facts:   []string{"Port's credential may read the integration"},
		Resources: []*report.Resource{
			{Index: 1, Kind: "project", Blueprints: []string{"bitbucketProject"}, Counts: report.Counts{Extracted: 4, Transformed: 4, Unchanged: 4}, Listed: true, Complete: true, Duration: 40 * time.Millisecond},
			{Index: 2, Kind: "repository", Blueprints: []string{"bitbucketRepository"}, Listed: true, Duration: 73 * time.Second,
				Counts: report.Counts{Extracted: 60 + updated + created, Filtered: 20, Skipped: 2, Failed: 1, Transformed: 37 + updated + created, Created: created, Updated: updated, Unchanged: 28, Rejected: 8, Merged: 1}},
			{Index: 3, Kind: "pull-request", Blueprints: []string{"bitbucketPullRequest"}},
		},
		Timeline: report.Timeline{Slot: 2 * time.Second,
			Services: []report.Series{{Name: "Bitbucket", Requests: make([]int, 96)}, {Name: "Port", Requests: make([]int, 96)}},
			Waits:    []report.Wait{{From: 70 * time.Second, To: 130 * time.Second, Service: "Bitbucket", Why: "the allowance of 1 credential"}, {From: 150 * time.Second, To: 155 * time.Second, Service: "git", Why: "Retry-After"}},
		},
	}
	for i := range 96 {
		if i < 35 || i >= 65 {
			r.Timeline.Services[0].Requests[i] = 15 + i*37%22
		}
		r.Timeline.Services[1].Requests[i] = i * i / 700
	}
	add := func(action catalog.Action, blueprint, identifier, why string, fields ...catalog.ChangedField) {
		r.Changes = append(r.Changes, catalog.Change{Action: action, Ref: catalog.Ref{Blueprint: blueprint, Identifier: identifier}, Why: why, Fields: fields})
	}
	for i := range created {
		add(catalog.Create, "bitbucketRepository", fmt.Sprintf("acme/new-%05d", i), "", catalog.ChangedField{Name: "title", To: "New"}, catalog.ChangedField{Name: `property "url"`, To: "https://bitbucket.org/acme/new"})
	}
	for i := range updated {
		add(catalog.Update, "bitbucketRepository", fmt.Sprintf("acme/payments-%05d", i), "",
			catalog.ChangedField{Name: `property "description"`, From: "Takes payments", To: "Takes payments, and gives them back to whoever asks for them within thirty days"},
			catalog.ChangedField{Name: `property "languages"`, From: []any{"go", "sql"}, To: map[string]any{"go": 0.81, "sql": 0.19}},
			catalog.ChangedField{Name: `property "url"`, From: "https://bitbucket.org/acme/payments", To: "https://bitbucket.org/acme/" + strings.Repeat("long", 40)},
			catalog.ChangedField{Name: `relation "project"`, To: "PAY"})
	}
	for i := range deleted {
		add(catalog.Delete, []string{"bitbucketPullRequest", "bitbucketRepository", "bitbucketRepository"}[i%3], fmt.Sprintf("acme/legacy-%05d", i), "")
	}
	add(catalog.Refuse, "bitbucketRepository", "acme/odd", `property "stars" must be a number`, catalog.ChangedField{Name: `property "stars"`, To: "many"})
	*r.Blueprint("bitbucketPullRequest") = report.Blueprint{Identifier: "bitbucketPullRequest", Deleted: (deleted + 2) / 3}
	*r.Blueprint("bitbucketRepository") = report.Blueprint{Identifier: "bitbucketRepository", Created: created, Updated: updated, Unchanged: 28, Rejected: 8, Deleted: deleted * 2 / 3}
	*r.Blueprint("bitbucketProject") = report.Blueprint{Identifier: "bitbucketProject", Unchanged: 4}
	*r.Blueprint("service") = report.Blueprint{Identifier: "service", StaleKept: 3, HeldBy: "resource 2 (repository) was not read to the end"}
	for i := range 3 {
		r.NoteKept(catalog.Ref{Blueprint: "service", Identifier: fmt.Sprint("acme/old-", i)}, "resource 2 (repository) was not read to the end")
	}
	r.Note(diag.Problem{Severity: diag.Error, At: diag.Position{File: "port/mapping.yml", Line: 14, Column: 22}, Where: diag.Where{Resource: 2, Kind: "repository"}, Snippet: "  identifier: .name",
		Message: `identifier "naïve café" has a character that Port refuses`, Fix: "use .slug", Count: 8, Example: "https://bitbucket.org/acme/naive (x-trace-id 1f0c7a52)"})
	r.Note(diag.Problem{Severity: diag.Warning, Message: `list pull requests of repository "ledger": 403 Forbidden`, Fix: "give the token the scope pullrequest"})
	r.Note(diag.Problem{Severity: diag.Notice, At: diag.Position{File: "port/mapping.yml", Line: 9, Column: 18}, Where: diag.Where{Resource: 2, Kind: "repository"}, Message: `property "owner" is null`, Count: 31, Example: "payments/ledger-api"})
	return r
}

// shown is what a page shows: its elements by name, and the text of each.
func shown(t *testing.T, document []byte) map[string][]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(string(document)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all[n.Data] = append(all[n.Data], textOf(n))
		}
	}
	return all
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var text strings.Builder
	for child := range n.ChildNodes() {
		text.WriteString(textOf(child))
	}
	return text.String()
}

func TestHTMLTells(t *testing.T) {
	t.Parallel()
	page := shown(t, HTML(weekly(4, 1, 2)))
	for _, tt := range []struct {
		element string
		want    []string
	}{
		{"h1", []string{"2 to create, 1 to update, 4 to delete, 8 refused"}},
		{"h2", []string{"Changes", "Stale entities that stay", "Problems", "Blueprints", "From objects to entities", "Requests over time", "The run"}},
		{"h3", []string{"To delete 4", "Port would refuse 1", "To update 1", "To create 2", "By name 3", "Errors 1", "Warnings 1", "Notices 1", "project", "repository", "pull-request", "Waited 2"}},
		{"h4", []string{"bitbucketPullRequest 2", "bitbucketRepository 2", "bitbucketRepository 1", "bitbucketRepository 1", "bitbucketRepository 2", "service 3"}},
		{"del", []string{"Takes payments", `["go","sql"]`, "https://bitbucket.org/acme/payments", "none"}},
		{"caption", []string{"Entities of each blueprint", "Resources of the mapping"}},
		{"small", []string{"1,641 requests, at most 36 in 2s, waited 1m0s", "374 requests, at most 12 in 2s", "no request, waited 5s", "bitbucketProject", "bitbucketRepository", "bitbucketPullRequest"}},
		{"pre", []string{"identifier: .name"}},
	} {
		if got := page[tt.element]; !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.element, got, tt.want)
		}
	}
	if codes := page["code"]; codes[0] != "acme/legacy-00000" || codes[4] != "acme/odd" || codes[5] != "acme/payments-00000" {
		t.Errorf("entities: got %q, want the deletions first", codes)
	}
	for _, want := range []string{"service: 3 stale entities, held back: resource 2 (repository) was not read to the end",
		"06:01:10 to 06:02:10, 1m0s: Bitbucket the allowance of 1 credential", "Port's credential may read the integration", "x-trace-id for Port's support: 1f0c7a52"} {
		if !slices.Contains(page["li"], want) {
			t.Errorf("no point says %q: %q", want, page["li"])
		}
	}
}

// Links lead to the line of the mapping and to the page of the example, and nowhere else.
func TestHTMLLinks(t *testing.T) {
	t.Parallel()
	document := string(HTML(weekly(1, 1, 1)))
	for _, want := range []string{
		`<a href="https://github.com/acme/portal/blob/1a2b3c/port/mapping.yml" rel="noreferrer">port/mapping.yml</a>`,
		`<a href="https://github.com/acme/portal/blob/1a2b3c/port/mapping.yml#L14" rel="noreferrer">port/mapping.yml:14:22</a>`,
		`<a href="https://bitbucket.org/acme/naive" rel="noreferrer">https://bitbucket.org/acme/naive</a></p>`,
	} {
		if !strings.Contains(document, want) {
			t.Errorf("the page does not hold %s", want)
		}
	}
}

// A run that did not go well says why before all else; notices alone are no problem.
func TestHTMLOrder(t *testing.T) {
	t.Parallel()
	failed, noticed := weekly(1, 1, 1), &report.Report{}
	failed.Mark(report.Unread)
	noticed.Note(diag.Problem{Severity: diag.Notice, Message: "null"})
	checked := &report.Report{CheckOnly: true, Mapping: report.Mapping{Checked: true, File: report.File{Name: "m.yml"}, Problems: diag.Problems{
		{Severity: diag.Warning, Message: "odd"}, {Severity: diag.Error, Message: "bad", Fix: "mend it"}}}}
	for _, tt := range []struct {
		name    string
		report  *report.Report
		element string
		want    string
	}{
		{"failed", failed, "h2", "Problems"}, {"success", weekly(1, 1, 1), "h2", "Changes"}, {"noticed", noticed, "h2", "Notices"},
		{"checked", checked, "h1", "1 error, 1 warning"}, {"checked", checked, "h2", "Problems"}, {"checked", checked, "li", "Problems"},
		{"nothing", &report.Report{}, "h1", "nothing changed"}, {"nothing to do", &report.Report{Planned: true}, "h1", "nothing to change"}, {"nothing to check", &report.Report{CheckOnly: true}, "h1", "no problem"},
	} {
		if got := shown(t, HTML(tt.report))[tt.element]; len(got) == 0 || got[0] != tt.want {
			t.Errorf("%s: %s: got %q, want %q first", tt.name, tt.element, got, tt.want)
		}
	}
}

// What differs is marked, and of long values nothing is shown that is the same.
func TestHTMLValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("same ", 200)
	for _, tt := range []struct {
		from, to  any
		old, then string
	}{
		{"Takes payments", "Gives refunds", "Takes payments", "Gives refunds"},
		{nil, "new", "<i>none</i>", "new"},
		{"", "new", "<i>empty</i>", "new"},
		{"old", nil, "old", "<i>none</i>"},
		{"run make test now", "run make check now", "run make <b>test</b> now", "run make <b>check</b> now"},
		{"one two", "one two three", "one two", "one two<b> three</b>"},
		{[]any{"go", "sql"}, []any{"go", "css", "sql"}, "[&#34;go&#34;,&#34;sql&#34;]", "[&#34;go&#34;,&#34;<b>css&#34;,&#34;</b>sql&#34;]"},
		{long + "a" + long, long + "<b>" + long, "…" + long[len(long)-pageContext:] + "<b>a</b>" + long[:pageContext-1] + "…", "…" + long[len(long)-pageContext:] + "<b>&lt;b&gt;</b>" + long[:pageContext-1] + "…"},
	} {
		old, then := values(tt.from, tt.to)
		if got, want := string(m.Document(htmlFiles, "html/report.css", "html/report.js", "", m.All(old, m.Text(" | "), then))), "<body>"+tt.old+" | "+tt.then+"<script>"; !strings.Contains(got, want) {
			t.Errorf("%v to %v: got %s, want %s", tt.from, tt.to, got[strings.Index(got, "<body>"):], want)
		}
	}
}

// Of very many changes the deletions are shown, and of the rest it is said how many there are.
func TestHTMLIsBounded(t *testing.T) {
	t.Parallel()
	const deleted, updated = 20_000, 10_000
	r := weekly(deleted, updated, 0)
	document := HTML(r)
	if len(document) > maxRowBytes+1<<20 {
		t.Errorf("the page is %d bytes long", len(document))
	}
	page := shown(t, document)
	kept := len(r.Kept)
	if got := len(page["code"]) - kept; got <= deleted || got >= deleted+updated {
		t.Errorf("got %d entities, want all %d deletions and some updates", got, deleted)
	}
	left := fmt.Sprintf("%s more are not shown here.", digits(int64(deleted+1+updated-(len(page["code"])-kept))))
	if !slices.Contains(page["p"], left) {
		t.Errorf("no paragraph says %q: %q", left, page["p"])
	}
}

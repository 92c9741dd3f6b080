package port_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// benchmarkProperties are those that the default mapping gives.
var benchmarkProperties = []string{"assignees", "author", "createdAt", "description", "destinationBranch", "link", "mergedAt", "number", "reviewers", "sourceBranch", "status", "updatedAt"}

// benchmarkPage is a page of Port's answers: entities as the default mapping gives pull
// requests, with what Port adds.
func benchmarkPage(entities int) string {
	var page strings.Builder
	page.WriteString(`{"ok":true,"entities":[`)
	for i := range entities {
		if i > 0 {
			page.WriteByte(',')
		}
		fmt.Fprintf(&page, `{"identifier":"service-%[1]d-%[2]d","title":"Fix the %[2]dth thing that \"broke\" in service %[1]d","icon":null,"team":[],"blueprint":"bitbucketPullRequest",`+
			`"properties":{"status":"MERGED","createdAt":"2026-11-22T10:00:00.000Z","updatedAt":"2026-11-23T11:12:13.000Z","mergedAt":null,"author":"Ada Lovelace","assignees":["Grace Hopper","Alan Turing"],`+
			`"reviewers":["Grace Hopper"],"link":"https://bitbucket.org/acme/service-%[1]d/pull-requests/%[2]d","description":"What it changes, and why:\n\n* the first line\n* the second line, a little longer than the first\n","sourceBranch":"feature/PAY-%[2]d","destinationBranch":"main","number":%[2]d},`+
			`"relations":{"repository":"service-%[1]d","participants":["ada","grace"]},"scorecards":{"quality":{"rules":[{"identifier":"tests","status":"SUCCESS","level":"Gold"},{"identifier":"docs","status":"FAILURE","level":"Basic"}],"level":"Gold","levelPathTitle":"Gold"}},`+
			`"createdAt":"2026-11-22T10:00:01.123Z","updatedAt":"2026-11-23T11:12:14.123Z","createdBy":"port-ocean/bitbucket-cloud/1.2.3/acme/exporter","updatedBy":"port-ocean/bitbucket-cloud/1.2.3/acme/exporter"}`, i%100, i)
	}
	page.WriteString(`],"next":null}`)
	return page.String()
}

// BenchmarkStored reads what Port holds of one data source, in one blueprint. An operation
// is one entity.
func BenchmarkStored(b *testing.B) {
	page := benchmarkPage(1000)
	c := canned(func(*http.Request, []byte) (int, string) { return http.StatusOK, page })
	b.ReportAllocs()
	b.SetBytes(int64(len(page) / 1000))
	for n := 0; n < b.N; {
		for _, err := range c.Entities.Stored(b.Context(), "bitbucketPullRequest", benchmarkProperties) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n == b.N {
				break
			}
		}
	}
}

// BenchmarkOwned lists what Port holds of one data source. An operation is one entity.
func BenchmarkOwned(b *testing.B) {
	page := benchmarkPage(1000)
	c := canned(func(*http.Request, []byte) (int, string) { return http.StatusOK, page })
	b.ReportAllocs()
	b.SetBytes(int64(len(page) / 1000))
	for n := 0; n < b.N; {
		for _, err := range c.Entities.Owned(b.Context(), time.Now()) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n == b.N {
				break
			}
		}
	}
}

package app_test

import (
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// The status does not depend on fail_on, the exit status of a partial run does.
func TestStatusAndFailOn(t *testing.T) {
	t.Parallel()
	replace := func(from, to string) string { return strings.Replace(repositories, from, to, 1) }
	const pullRequests = `resources:
  - kind: pull-request
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: .destination.repository.slug + "-" + (.id | tostring)
          blueprint: '"bitbucketPullRequest"'
`
	tests := []struct {
		name    string
		mapping string
		fault   func(*world)
		status  string
		// exit statuses by fail_on
		incomplete, rejected, never int
	}{
		{"all is well", repositories, nil, "success", 0, 0, 0},
		{"skipped objects", replace("identifier: .slug", "identifier: if .slug == \"ledger\" then null else .slug end"), nil, "success", 0, 0, 0},
		{"rejected entity", replace("identifier: .slug", `identifier: if .slug == "ledger" then "a b" else .slug end`), nil, "partial", 0, 3, 0},
		{"rejected by Port", replace("title: .name", `properties: {nope: .name}`), nil, "partial", 0, 3, 0},
		{"identifier raised an error", replace("identifier: .slug", `identifier: if .slug == "ledger" then error("no") else .slug end`), nil, "partial", 0, 3, 0},
		{"blueprint raised an error", replace(`blueprint: '"bitbucketRepository"'`, `blueprint: if .slug == "ledger" then error("no") else "bitbucketRepository" end`), nil, "partial", 0, 3, 0},
		{"selector raised an error", replace(`query: "true"`, `query: if .slug == "ledger" then error("no") else true end`), nil, "partial", 3, 3, 0},
		{"selector is no boolean", replace(`query: "true"`, `query: if .slug == "ledger" then 1 else true end`), nil, "partial", 3, 3, 0},
		{"a source is not read", pullRequests, func(w *world) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/ledger/pullrequests", Times: -1, Status: http.StatusForbidden})
		}, "partial", 3, 3, 0},
		{"one of two lists is not read", repositories + strings.TrimPrefix(pullRequests, "resources:\n"), func(w *world) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/pullrequests", Times: -1, Status: http.StatusForbidden})
		}, "partial", 3, 3, 0},
		{"a request to write failed", repositories + strings.ReplaceAll(strings.TrimPrefix(repositories, "resources:\n"), "bitbucketRepository", "bitbucketProject"), func(w *world) {
			w.port.Fault(porttest.Fault{Method: http.MethodPost, Path: "/v1/blueprints/bitbucketProject/entities/bulk", Times: -1, Status: http.StatusForbidden, Body: `{"ok":false}`})
		}, "partial", 3, 3, 0},
		{"nothing is listed", repositories, func(w *world) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Status: http.StatusForbidden})
		}, "failed", 1, 1, 1},
		{"every request to write failed", repositories, func(w *world) {
			w.port.Fault(porttest.Fault{Method: http.MethodPost, Path: "/v1/blueprints/*/entities/bulk", Times: -1, Status: http.StatusForbidden, Body: `{"ok":false}`})
		}, "failed", 1, 1, 1},
	}
	for _, tt := range tests {
		for failOn, exit := range map[string]int{"": tt.incomplete, "incomplete": tt.incomplete, "rejected": tt.rejected, "never": tt.never} {
			t.Run(tt.name+", fail_on "+failOn, func(t *testing.T) {
				t.Parallel()
				w := smallWorld(t)
				w.bitbucket.AddPullRequest("ledger", bitbuckettest.PullRequest{Title: "one"})
				w.bitbucket.AddPullRequest("refunds", bitbuckettest.PullRequest{Title: "two"})
				if tt.fault != nil {
					w.offContract()
					tt.fault(w)
				}
				w.run(map[string]string{"MAPPING": tt.mapping, "FAIL_ON": failOn}).check(t, exit, tt.status)
			})
		}
	}
}

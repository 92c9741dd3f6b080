package resync_test

import (
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// What cannot be read is named once, at its place in the mapping, with one advice.
func TestUnreadIsNamedOnce(t *testing.T) {
	t.Parallel()
	files := `
- kind: repository
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: .slug, blueprint: '"repo"', properties: {readme: file://README.md}}}}`
	for _, c := range []struct {
		name, resource, path string
		status               int
		want, fix            string
	}{
		{
			"a file that is denied", files, "/repositories/acme/web/src/*/README.md", 403,
			`mapping.yml:4:91: resource 1 (repository): property "readme": read file "README.md" of repository "web": GET /2.0/repositories/acme/web/src/HEAD/README.md: 403 Forbidden: Forbidden; used was: workspace access token`,
			"give the credential read access",
		},
		{
			"pull requests that are denied", pulls, "/repositories/acme/web/pullrequests", 403,
			`resource 1 (pull-request): list pull requests of repository "web": GET /2.0/repositories/acme/web/pullrequests: 403 Forbidden: Forbidden; used was: workspace access token`,
			`give the credential read access; to leave this repository out, set the selector's repoQuery to 'name != "web"'`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := acme("api", "web")
				b.Fault(bitbuckettest.Fault{Path: c.path, Status: c.status, Times: -1})
				r := newWorld(t, b).sync(mapped(c.resource)).ended(report.Partial)
				all := r.report.Problems()
				i := slices.IndexFunc(all, func(p diag.Problem) bool { return p.Severity == diag.Error })
				if i < 0 {
					t.Fatalf("got %v, want an error", all)
				}
				if got := all[i].Fix; got != c.fix {
					t.Errorf("fix: got %q, want %q", got, c.fix)
				}
				got, _, _ := strings.Cut(strings.ReplaceAll(all[i].Error(), b.Head("web"), "HEAD"), "\n")
				if got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			})
		})
	}
}

// The fix of a file reference is its own where the error has none.
func TestUnreadFileHasAFix(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("api")
		b.SetFile("api", "README.md", []byte(strings.Repeat("x", 100)))
		w := newWorld(t, b)
		w.adjust = func(j *resync.Job) { j.MaxFile = 50 }
		r := w.sync(mapped(`
- kind: repository
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: .slug, blueprint: '"repo"', properties: {readme: file://README.md}}}}`)).ended(report.Partial)
		r.problem("error: ", `mapping.yml:4:91: resource 1 (repository): property "readme": read file "api/README.md": a file is larger than max_file_size`, "fix: raise the input max_file_size")
	})
}

package app_test

import (
	"net/http"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// withPulls are the repositories, and the pull requests of each.
const withPulls = repositories + `  - kind: pull-request
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: '.destination.repository.full_name + (.id | tostring)'
          title: .title
          blueprint: '"bitbucketPullRequest"'
`

// pullWorld is smallWorld with a pull request in each repository.
func pullWorld(t *testing.T) *world {
	t.Helper()
	w := smallWorld(t)
	for _, slug := range w.bitbucket.Slugs() {
		w.bitbucket.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "one"})
	}
	w.env["MAPPING"] = withPulls
	return w
}

// One of two tokens may not read pull requests: nothing is lost, and the report names it.
func TestOneTokenLacksAScope(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sync", "plan"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := pullWorld(t)
			const weak = "weak-token-in-tests"
			w.bitbucket.AllowToken(weak, bitbuckettest.Access{Scopes: []string{"project", "repository"}})
			r := w.run(map[string]string{"BITBUCKET_WORKSPACE_TOKEN": weak + "," + token, "MODE": mode, "CONCURRENCY": "1"})
			r.check(t, 0, "success")
			if got := r.number(t, "entities_created"); got != 6 {
				t.Errorf("got %d entities created, want 3 repositories and 3 pull requests\n%s", got, r.stdout)
			}
			r.contains(t, "Bitbucket refused a credential for pull requests (403), and the others were used for them: workspace token 1 of 2; missing scopes: pullrequest",
				"replace it by one that has the scopes pullrequest too")
			refused := 0
			for _, x := range w.bitbucket.Journal() {
				if x.Status == http.StatusForbidden {
					refused++
				}
			}
			if refused != 1 {
				t.Errorf("got %d requests with the token that may not, want 1", refused)
			}
		})
	}
}

// A token that is refused once, in the middle of a run, costs nothing.
func TestAPassing401(t *testing.T) {
	t.Parallel()
	w := pullWorld(t)
	fired := w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/pullrequests", Nth: 2, Status: http.StatusUnauthorized})
	r := w.run(nil)
	r.check(t, 0, "success")
	if got := r.number(t, "entities_created"); got != 6 || fired() != 1 {
		t.Errorf("got %d entities created and %d refusals, want 6 and 1\n%s", got, fired(), r.stdout)
	}
	w.checkClean()
}

// An account that is shut out is asked with once, and the run says in the vendor's words why.
func TestAccountIsShutOut(t *testing.T) {
	t.Parallel()
	w := pullWorld(t)
	w.addStale()
	w.offContract() // the answer is no JSON
	const words = "Too many invalid password attempts. Log in at https://id.atlassian.com/ to restore access."
	w.bitbucket.Fault(bitbuckettest.Fault{Status: http.StatusForbidden, Body: words, Times: -1})
	r := w.run(nil)
	r.check(t, 1, "failed")
	r.contains(t, "403 Forbidden: "+words, "use a workspace access token, which no login locks")
	w.checkRequests(1, w.port.Requests())
	if !w.holds("bitbucketRepository", "stale") {
		t.Error("an entity was deleted")
	}
}

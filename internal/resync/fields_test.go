package resync_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// With the default mapping a page of pull requests is a fifth of what whole ones of about 10 KB are,
// or less, and its entities are the same for as many requests. Where Bitbucket refuses to give parts,
// one request more reads whole objects, and a notice says so.
func TestPartsOfPullRequests(t *testing.T) {
	dana, lee := bitbuckettest.User{Name: "Dana"}, bitbuckettest.User{Name: "Lee"}
	read := func(t *testing.T, adjust func(*resync.Job), faults ...bitbuckettest.Fault) (result, int) {
		w := newWorld(t, acme("api", "web"))
		for _, text := range porttest.DefaultBlueprints() {
			w.port.AddBlueprint(text)
		}
		for i := range 120 {
			w.bitbucket.AddPullRequest([]string{"api", "web"}[i%2], bitbuckettest.PullRequest{
				Title: fmt.Sprintf("Change %d", i), Description: strings.Repeat("A line of the description.\n", 80), Author: &dana, Reviewers: []bitbuckettest.User{dana, lee},
			})
		}
		for _, f := range faults {
			w.bitbucket.Fault(f)
		}
		w.bitbucket.Record(true)
		w.adjust = adjust
		r := w.sync(readFile("../../examples/default-mapping.yml")).ended(report.Success)
		bytes := 0
		for _, x := range r.requests {
			if strings.HasSuffix(x.Path, "/pullrequests") {
				bytes += len(x.ResponseBody)
			}
		}
		return r, bytes
	}
	bubble(t, func(t *testing.T) {
		parts, few := read(t, func(*resync.Job) {})
		whole, all := read(t, func(j *resync.Job) { j.WholeObjects = true })
		refused, _ := read(t, func(j *resync.Job) { j.Concurrency = 1 }, bitbuckettest.Fault{Query: "fields=next", Times: -1, Status: 400})
		if size := all / 120; size < 6_000 || size > 14_000 || 5*few > all {
			t.Errorf("got %d bytes, want at most a fifth of %d, at about 10 KB a pull request", few, all)
		}
		for name, r := range map[string]result{"parts": parts, "refused": refused} {
			if d := cmp.Diff(string(golden(whole.after)), string(golden(r.after))); d != "" {
				t.Errorf("%s: the entities of whole objects are others (-whole +%s):\n%s", name, name, d)
			}
		}
		if len(parts.requests) != len(whole.requests) || len(refused.requests) > len(whole.requests)+2 {
			t.Errorf("got %d requests for parts and %d where they are refused, want those for whole objects, %d, and 1 more for each list that was under way",
				len(parts.requests), len(refused.requests), len(whole.requests))
		}
		refused.problem("refused the list of fields", "pullrequests")
	})
}

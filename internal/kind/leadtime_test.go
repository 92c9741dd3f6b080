package kind_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

const enriched = "enrichWithFirstCommit: true"

// delivered is a repository whose commits c1, c2 and so on are deployed as "Staging 3 FAILED" says: to an
// environment, the number of the commit, and the status or state. Each is listed before those that came before it.
func delivered(commits int, steps ...string) *bitbuckettest.Server {
	s := deployed("Staging", "Production")
	hashes := []string{s.Head("api")}
	for i := range commits {
		hashes = append(hashes, s.SetFile("api", "a", []byte(fmt.Sprint(i))))
	}
	for i := range steps {
		at := len(steps) - 1 - i
		d := bitbuckettest.Deployment{StartedOn: time.Now().Add(-time.Duration(len(steps)-at) * time.Hour)}
		var n int
		var end string
		fmt.Sscan(steps[at], &d.Environment, &n, &end)
		if d.Commit = fmt.Sprintf("%040d", n); n < len(hashes) {
			d.Commit = hashes[n]
		}
		if end == "FAILED" {
			d.Status = end
		} else {
			d.State = end
		}
		s.AddDeployment("api", d)
	}
	return s
}

// spans are the numbers of the commits of deployments, in the order of time, and the number of the first
// commit: "2:c3".
func (w world) spans(objects []kind.Object) string {
	numbers := map[string]int{}
	for i, hash := range w.s.History("api") {
		numbers[hash] = i
	}
	var cells []string
	for i := range objects {
		o := objects[len(objects)-1-i]
		cell := fmt.Sprint(o["__commitCount"])
		if first, ok := o["__firstCommit"].(kind.Object); ok {
			cell += fmt.Sprintf(":c%d", numbers[first["hash"].(string)])
			if first["date"] == nil || first["author"] == nil {
				w.Errorf("got the first commit %v, want its date and author", first)
			}
		}
		cells = append(cells, cell)
	}
	return strings.Join(cells, " ")
}

// commitRequests counts the requests for commits since the last call.
func (w world) commitRequests() (n int) {
	for _, x := range w.s.Journal() {
		if strings.HasSuffix(x.Path, "/commits") {
			n++
		}
	}
	w.s.ResetJournal()
	return n
}

func TestCommitsOfDeployments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		commits  int
		steps    []string
		want     string
		requests int
	}{
		{"the first one has none before it", 3, []string{"Production 3"}, "<nil>", 0},
		{"those since the last one", 5, []string{"Production 1", "Production 3", "Production 4"}, "<nil> 2:c2 1:c4", 2},
		{"each environment by itself", 5, []string{"Staging 1", "Production 1", "Staging 3", "Staging 5", "Production 5"}, "<nil> <nil> 2:c2 2:c4 4:c2", 3},
		{"the same commits are asked for once", 5, []string{"Staging 1", "Production 1", "Staging 3", "Production 3"}, "<nil> <nil> 2:c2 2:c2", 1},
		{"one that failed is not the one before", 5, []string{"Production 1", "Production 3 FAILED", "Production 4"}, "<nil> 2:c2 3:c2", 2},
		{"one that has not ended has none yet", 5, []string{"Production 1", "Production 3 IN_PROGRESS", "Production 4 UNDEPLOYED"}, "<nil> <nil> <nil>", 0},
		{"the same commit again", 5, []string{"Production 2", "Production 2"}, "<nil> 0", 0},
		{"back to an older one", 5, []string{"Production 4", "Production 2", "Production 4"}, "<nil> 0 2:c3", 2},
		{"a commit that is gone", 5, []string{"Production 1", "Production 9", "Production 3"}, "<nil> <nil> <nil>", 2},
		{"more than a page", 260, []string{"Production 1", "Production 251"}, "<nil> 250:c2", 3},
		{"more than are counted", 1030, []string{"Production 1", "Production 1002", "Production 1"}, "<nil> <nil> 0", 11 + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server { return delivered(tt.commits, tt.steps...) }, func(w world) {
				w.equal("commits", w.spans(w.good("deployment", enriched)), tt.want)
				w.equal("requests", w.commitRequests(), tt.requests)
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// What no expression reads, and what the selector does not ask for, costs nothing.
func TestCommitsThatNobodyReads(t *testing.T) {
	for _, tt := range []struct {
		selector, reads string
		requests        int
	}{
		{enriched, "__firstCommit", 1},
		{enriched, "__commitCount", 1},
		{enriched, "state", 0},
		{"", "__firstCommit", 0},
		{enriched + ", environments: [Staging]", "__firstCommit", 0},
		{enriched + ", since: 1", "__firstCommit", 1},
	} {
		t.Run(tt.selector+" "+tt.reads, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server { return delivered(4, "Production 1", "Production 3") }, func(w world) {
				bound, err := kind.Bind(resource(t, "deployment", tt.selector))
				if err != nil {
					t.Fatal(err)
				}
				got := w.extractBound(bound.Reading(func(path ...string) bool { return path[0] == tt.reads }))
				if len(got.failed) > 0 || got.err != nil {
					t.Errorf("got %v and %v", got.failed, got.err)
				}
				w.equal("requests", w.commitRequests(), tt.requests)
			})
		})
	}
}

// A run asks for the commits of deployments that are new, where it remembers the others.
func TestCommitsOfNewDeploymentsAlone(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server { return delivered(6, "Production 1", "Production 3", "Production 9") }, func(w world) {
		m := w.memory()
		w.equal("first", w.spans(m.runOf("deployment", kind.Options{}, enriched).objects), "<nil> 2:c2 <nil>")
		w.equal("requests", w.commitRequests(), 2)
		w.equal("second", w.spans(m.runOf("deployment", kind.Options{}, enriched).objects), "<nil> 2:c2 <nil>")
		w.equal("requests of the second", w.commitRequests(), 0)
		w.s.AddDeployment("api", bitbuckettest.Deployment{Environment: "Production", StartedOn: time.Now()})
		got := m.runOf("deployment", kind.Options{}, enriched).objects
		w.equal("new", fmt.Sprint(got[3]["__commitCount"]), "<nil>") // the one before it is gone
		w.s.AddDeployment("api", bitbuckettest.Deployment{Environment: "Production", Commit: w.s.SetFile("api", "a", []byte("new")), StartedOn: time.Now().Add(time.Minute)})
		w.commitRequests()
		got = m.runOf("deployment", kind.Options{}, enriched).objects
		w.equal("newest", got[4]["__commitCount"], any(json.Number("1")))
		w.equal("requests of the newest", w.commitRequests(), 1)
	})
}

// An error leaves the deployments behind it out: null would overwrite what Port holds. A list that is not
// there says nothing of commits that are.
func TestCommitsThatCannotBeRead(t *testing.T) {
	for _, status := range []int{403, 404} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server {
				s := delivered(4, "Production 1", "Production 3")
				s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/api/commits", Status: status, Times: -1})
				return s
			}, func(w world) {
				got := w.extract("deployment", enriched)
				if len(got.objects) != 0 || len(got.failed) != 1 || got.err != nil {
					t.Errorf("got %d deployments, %v and %v, want an error in the place of the newest", len(got.objects), got.failed, got.err)
				}
			})
		})
	}
}

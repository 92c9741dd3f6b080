package kind_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
)

// pulls has one repository, whose pull requests have changed in another order than they came:
// number 1 ten days ago, number 2 twenty, and so on, from one state to the next; 9 and more are
// open, and as old as their number.
func pulls(more int) func() *bitbuckettest.Server {
	return func() *bitbuckettest.Server {
		s := bitbuckettest.New("acme")
		s.AddRepository(bitbuckettest.Repository{Name: "api", MainBranch: "main"})
		for i := range 8 + more {
			days, state := 10*(i+1), "OPEN"
			if i < 8 {
				state = []string{"OPEN", "MERGED", "DECLINED", "SUPERSEDED"}[i%4]
			}
			s.AddPullRequest("api", bitbuckettest.PullRequest{State: state, CreatedOn: time.Now().AddDate(-10, 0, 0), UpdatedOn: time.Now().AddDate(0, 0, -days)})
		}
		return s
	}
}

// Each selector asks one filter of Bitbucket, and where the newest are wanted, for those first.
func TestPullRequestsOfAWindow(t *testing.T) {
	const month = "updated_on >= 1999-12-02T00:00:00+00:00"
	for selector, want := range map[string]struct{ ids, q string }{
		"":                                  {"1 5", `state="OPEN"`},
		"states: [open]":                    {"1 5", `state="OPEN"`},
		"states: [MERGED, Open, merged]":    {"1 2 5 6", `state="OPEN" OR state="MERGED"`},
		"states: [MERGED, OPEN], since: 30": {"1 2", `(state="OPEN" OR state="MERGED") AND ` + month},
		"states: [SUPERSEDED], since: 45":   {"4", `state="SUPERSEDED" AND updated_on >= 1999-11-17T00:00:00+00:00`},
		"since: 30":                         {"1", `state="OPEN" AND ` + month},
		"pullRequestQuery: 'id > 2'":        {"5", "id > 2"},
		"pullRequestQuery: 'id = 1 OR id = 2', since: 10":                    {"1", "(id = 1 OR id = 2) AND updated_on >= 1999-12-22T00:00:00+00:00"},
		"pullRequestQuery: 'id < 4 OR id = 6', states: [merged]":             {"2 6", `(id < 4 OR id = 6) AND state="MERGED"`},
		"pullRequestQuery: ' id < 9', states: [MERGED, DECLINED], since: 30": {"2 3", `(id < 9) AND (state="MERGED" OR state="DECLINED") AND ` + month},
		"pullRequestQuery: ' ', maxResults: 1":                               {"1", `state="OPEN"`},
		"states: [OPEN, MERGED, DECLINED, SUPERSEDED], maxResults: 3":        {"1 2 3", `state="OPEN" OR state="MERGED" OR state="DECLINED" OR state="SUPERSEDED"`},
		"states: [OPEN, MERGED], since: 30, maxResults: 3":                   {"1 2", `(state="OPEN" OR state="MERGED") AND ` + month},
	} {
		t.Run(selector, func(t *testing.T) {
			inBubbleWith(t, pulls(0), func(w world) {
				bound, err := kind.Bind(resource(w.TB, "pull-request", selector))
				if err != nil || bound.Selective != (selector != "") {
					w.Fatalf("got selective %t, %v", bound.Selective, err)
				}
				w.equal("ids", column(w.extractBound(bound).objects, "id"), want.ids)
				sort := "id"
				if strings.Contains(selector, "maxResults") {
					sort = "-updated_on"
				}
				w.equal("sort", w.s.Journal()[1].Query.Get("sort"), sort)
				w.equal("filters", w.filters(), []string{"", want.q})
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// A long list ends where enough were taken, and is asked for no further.
func TestLongListsOfAWindow(t *testing.T) {
	inBubbleWith(t, pulls(112), func(w world) {
		for selector, want := range map[string]struct{ objects, requests int }{
			"maxResults: 50": {50, 1}, "maxResults: 51": {51, 2}, "maxResults: 500": {114, 3}, "since: 600": {54, 2}, "since: 600, maxResults: 500": {54, 2}, "": {114, 3},
		} {
			w.s.ResetJournal()
			got := w.good("pull-request", selector)
			requests := strings.Count(w.asked(), "api/pullrequests")
			seen := map[string]bool{}
			for _, o := range got {
				seen[fmt.Sprint(o["id"])] = true
			}
			if len(seen) != want.objects || len(got) != want.objects || requests != want.requests {
				w.Errorf("%s: got %d objects, %d of them once, by %d requests, want %d by %d", selector, len(got), len(seen), requests, want.objects, want.requests)
			}
		}
		w.equal("violations", len(w.s.Violations()), 0)
	})
}

// Where Bitbucket does not sort as asked, none is lost, and none is too old.
func TestWindowsWithoutAnOrder(t *testing.T) {
	inBubbleWith(t, pulls(0), func(w world) {
		w.s.Fault(bitbuckettest.Fault{Times: -1, Path: "/repositories/acme/api/pullrequests", Mutate: func(o map[string]any) {
			values := o["values"].([]any)
			values[0], values[1] = values[1], values[0]
		}})
		w.equal("ids", column(w.good("pull-request", "states: [OPEN, MERGED, DECLINED], since: 60, maxResults: 2"), "id"), "2 1 3 5 6")
	})
}

// What is remembered of a window is known to later runs, and what has grown too old since is left out.
func TestWindowsAreRemembered(t *testing.T) {
	for _, selector := range []string{"states: [OPEN, MERGED], since: 20", "states: [OPEN, MERGED], since: 20, maxResults: 9"} {
		t.Run(selector, func(t *testing.T) {
			inBubbleWith(t, pulls(0), func(w world) {
				m := w.memory()
				w.equal("ids", column(m.run(kind.Options{}, selector).objects, "id"), "1 2")
				m.asked()
				time.Sleep(hour / 2)
				got := m.run(resumed, selector)
				w.equal("ids", column(got.objects, "id"), "1")
				w.equal("that come from memory", len(got.ages(w)), 1)
				w.equal("requests", m.asked(), "/repositories/acme")
				w.equal("ids of a longer list", column(m.run(resumed, strings.Replace(selector, "20", "40", 1)).objects, "id"), "1 2")
			})
		})
	}
}

func TestStatesOfPullRequests(t *testing.T) {
	t.Parallel()
	for selector, want := range map[string]string{
		"states: [OPENED]":       `mapping.yml:3:40 unknown state "OPENED": did you mean "OPEN"? Write OPEN, MERGED, DECLINED or SUPERSEDED`,
		"states: [open, closed]": `mapping.yml:3:46 unknown state "closed": use OPEN, MERGED, DECLINED or SUPERSEDED`,
		"states: ['']":           `mapping.yml:3:40 the state is empty: use one of OPEN, MERGED, DECLINED, SUPERSEDED`,
		`states: [OPEN], pullRequestQuery: 'id > 1 AND state = "OPEN"'`: `mapping.yml:3:77 states and pullRequestQuery both say which states are taken: name them in states alone, or remove states`,
	} {
		_, err := kind.Bind(resource(t, "pull-request", selector))
		var problems diag.Problems
		if !errors.As(err, &problems) || len(problems) != 1 || problems[0].At.String()+" "+problems[0].Message+": "+problems[0].Fix != want {
			t.Errorf("%s: got %v, want %s", selector, err, want)
		}
	}
	if _, err := kind.Bind(resource(t, "pull-request", `states: [OPEN], pullRequestQuery: 'title ~ "state" AND author.nickname = "x"'`)); err != nil {
		t.Error(err)
	}
}

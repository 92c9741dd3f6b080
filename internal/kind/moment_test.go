package kind_test

import (
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// aged has a repository that changed today, one of 20 days and one of 40, each with as old a pull
// request and one of today.
func aged() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	for i, name := range []string{"new", "month", "old"} {
		at := time.Now().AddDate(0, 0, -20*i)
		s.AddRepository(bitbuckettest.Repository{Name: name, MainBranch: "main", CreatedOn: at, UpdatedOn: at})
		s.AddPullRequest(name, bitbuckettest.PullRequest{UpdatedOn: at, Title: name})
		s.AddPullRequest(name, bitbuckettest.PullRequest{UpdatedOn: time.Now(), Title: "of today"})
	}
	return s
}

// filters are those of the requests since the last call.
func (w world) filters() (all []string) {
	for _, x := range w.s.Journal() {
		all = append(all, x.Query.Get("q"))
	}
	w.s.ResetJournal()
	return all
}

// Times before now are counted from one moment, however long a run takes: its lists are read once,
// and the same way before it deletes.
func TestFiltersCountFromOneMoment(t *testing.T) {
	inBubbleWith(t, aged, func(w world) {
		const selector = `repoQuery: 'updated_on >= now-30d'`
		w.equal("repositories", column(w.good("repository", selector), "slug"), "month new")
		time.Sleep(2 * hour)
		w.equal("pull requests", column(w.good("pull-request", selector+`, pullRequestQuery: 'updated_on > now-12h AND title != "now-1h"'`), "title"), "of today new of today")
		bound, err := kind.Bind(resource(w.TB, "repository", selector))
		if err != nil {
			w.Fatal(err)
		}
		second, err := bound.Again(w.Context(), w.ws)
		if err != nil || len(second.Appeared) > 0 || !second.Lists(w.s.UUID("month")) {
			w.Errorf("got %v and %v, want the same repositories", second, err)
		}
		const repositories, pulls = `updated_on >= 1999-12-02T00:00:00+00:00`, `updated_on > 1999-12-31T12:00:00+00:00 AND title != "now-1h"`
		w.equal("filters", w.filters(), []string{repositories, pulls, pulls, repositories})
		if got := w.s.Violations(); len(got) > 0 {
			w.Errorf("violations: got %q, want none", got)
		}
	})
}

// A list is remembered by its filter as the mapping has it, whenever a run counts from.
func TestListsOfAMomentAreRemembered(t *testing.T) {
	inBubbleWith(t, aged, func(w world) {
		const selector = `pullRequestQuery: 'updated_on > now-30d'`
		m := w.memory()
		first := m.run(kind.Options{}, selector)
		m.asked()
		time.Sleep(hour / 2)
		again := m.run(resumed, selector)
		w.equal("pull requests", column(again.objects, "title"), column(first.objects, "title"))
		w.equal("that come from memory", len(again.ages(w)), 3)
		w.equal("requests", m.asked(), "/repositories/acme")
	})
}

// A list that is read after its last value keeps to the moment too.
func TestLongListsKeepToTheMoment(t *testing.T) {
	inBubbleWith(t, aged, func(w world) {
		for range 60 {
			w.s.AddPullRequest("new", bitbuckettest.PullRequest{UpdatedOn: time.Now()})
		}
		w.equal("pull requests", len(w.good("pull-request", `repoQuery: 'name="new"', pullRequestQuery: 'updated_on > now-1d'`)), 62)
		const from = `updated_on > 1999-12-31T00:00:00+00:00`
		w.equal("filters", w.filters(), []string{`name="new"`, from, "(" + from + ") AND id > 50"})
	})
}

// Windows of days are counted from that moment, too.
func TestWindowsCountFromOneMoment(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server {
		s := bitbuckettest.New("acme")
		s.AddRepository(bitbuckettest.Repository{Name: "api", Files: map[string]string{"a": "b"}})
		s.AddEnvironment("api", bitbuckettest.Environment{Name: "Production"})
		at := time.Now().AddDate(0, 0, -2).Add(hour) // two days ago, in an hour
		s.AddPipeline("api", bitbuckettest.Pipeline{CreatedOn: at})
		s.AddDeployment("api", bitbuckettest.Deployment{Environment: "Production", StartedOn: at})
		s.AddPullRequest("api", bitbuckettest.PullRequest{UpdatedOn: at})
		return s
	}, func(w world) {
		for _, name := range []string{"pipeline", "deployment", "pull-request"} {
			w.equal(name, len(w.good(name, "since: 2")), 1)
		}
		time.Sleep(2 * hour)
		for _, name := range []string{"pipeline", "deployment", "pull-request"} {
			w.equal(name+" later", len(w.good(name, "since: 2")), 1)
		}
	})
}

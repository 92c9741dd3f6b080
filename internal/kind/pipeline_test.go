package kind_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// built has a repository with n pipelines, one each hour up to now, of main and of other branches in turn.
func built(n int, branches ...string) *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "api", Files: map[string]string{"a": "b"}})
	for i := range n {
		p := bitbuckettest.Pipeline{CreatedOn: time.Now().Add(-time.Duration(n-i)*time.Hour + 123456789)}
		if len(branches) > 0 {
			p.Branch = branches[i%len(branches)]
		}
		s.AddPipeline("api", p)
	}
	return s
}

// pages are what was asked of the lists of pipelines.
func (w world) pages() string {
	var pages []string
	for _, x := range w.s.Journal() {
		if strings.HasSuffix(x.Path, "/pipelines/") {
			pages = append(pages, "page="+x.Query.Get("page")+" sort="+x.Query.Get("sort"))
		}
	}
	w.s.ResetJournal()
	return strings.Join(pages, ", ")
}

// Reading ends with the page on which the window or the number ends; pages are asked for by number
// and sorted, since the links lose the sort.
func TestWindowOfPipelines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, selector string
		want           int
		pages          string
	}{
		{"30 days and 100 by default", "", 100, "page= sort=-created_on"},
		{"more than a page", "maxResults: 150", 150, "page= sort=-created_on, page=2 sort=-created_on"},
		{"exactly a page", "maxResults: 100", 100, "page= sort=-created_on"},
		{"a day", "since: 1", 24, "page= sort=-created_on"},
		{"five days", "since: 5, maxResults: 1000", 120, "page= sort=-created_on, page=2 sort=-created_on"},
		{"all", "maxResults: 1000", 250, "page= sort=-created_on, page=2 sort=-created_on, page=3 sort=-created_on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server { return built(250) }, func(w world) {
				if got := w.good("pipeline", tt.selector); len(got) != tt.want {
					w.Errorf("got %d pipelines, want %d", len(got), tt.want)
				}
				w.equal("pages", w.pages(), tt.pages)
			})
		})
	}
}

// A list in another order than the one asked for is read whole: what is old on its first page is not
// the end of what is new.
func TestPipelinesInAnotherOrder(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server {
		s := built(0)
		for i := range 250 {
			s.AddPipeline("api", bitbuckettest.Pipeline{CreatedOn: time.Now().Add(-time.Duration(i)*time.Hour - time.Minute)})
		}
		return s
	}, func(w world) {
		if got := w.good("pipeline", "since: 2"); len(got) != 48 {
			w.Errorf("got %d pipelines, want the 48 of two days", len(got))
		}
	})
}

func TestChoiceOfPipelines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		selector, want string
	}{
		{"", "7 6 5 4 2 1"},
		{"includeMergeQueue: true", "7 6 5 4 3 2 1"},
		{"defaultBranchOnly: true", "5 1"},
		{"branches: [main]", "5 1"},
		{"branches: ['feature/*']", "6 2"},
		{"branches: ['feature/*', main]", "6 5 2 1"},
		{"branches: ['**'], maxResults: 2", "6 5"},
		{"status: [FAILED]", "5"},
		{"status: [PASSED, IN_PROGRESS]", "7 6 4 2 1"},
		{"status: [BUILDING]", "6"},
		{"maxResults: 1, status: [FAILED]", "5"},
	} {
		t.Run(tt.selector, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server {
				s := built(4, "main", "feature/a", "bitbucket-merge-queue-1", "release/1/2")
				for _, p := range []bitbuckettest.Pipeline{
					{Branch: "main", Result: "FAILED"},
					{Branch: "feature/b", PullRequest: 7, State: "IN_PROGRESS"},
					{Tag: "v1"},
				} {
					p.CreatedOn = time.Now()
					s.AddPipeline("api", p)
				}
				return s
			}, func(w world) {
				w.equal("build numbers", column(w.good("pipeline", tt.selector), "build_number"), tt.want)
			})
		})
	}
}

// A repository whose pipelines are off has none. One that answers as if it were not there is asked
// for again: it is not the same.
func TestPipelinesThatAreOff(t *testing.T) {
	for _, tt := range []struct {
		name    string
		hide    func(s *bitbuckettest.Server)
		objects int
		gone    bool
		asked   string
	}{
		{"off", func(s *bitbuckettest.Server) { s.SwitchPipelinesOff("api") }, 0, false, "/repositories/acme api/pipelines/"},
		{"not there", func(s *bitbuckettest.Server) { s.SetVisibility("api", bitbuckettest.ListedMissing) }, 0, true,
			"/repositories/acme api/pipelines/ api"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server {
				s := built(3)
				tt.hide(s)
				return s
			}, func(w world) {
				got := w.extract("pipeline", "")
				if gone := len(got.failed) == 1 && isGone(got.failed[0]); len(got.objects) != tt.objects || gone != tt.gone || !gone && len(got.failed) > 0 {
					w.Errorf("got %d objects and %v, want %d, and gone %v", len(got.objects), got.failed, tt.objects, tt.gone)
				}
				w.equal("asked", w.asked(), tt.asked)
				for _, none := range got.none {
					w.equal("asked once more", none.Again(context.Background()), nil)
					w.s.SwitchPipelinesOn("api")
					if err := none.Again(context.Background()); err == nil || err.Error() != "it has some" {
						w.Errorf("got %v, want that it has some", err)
					}
				}
				if tt.gone == (len(got.none) == 1) {
					w.Errorf("got %d without pipelines", len(got.none))
				}
			})
		})
	}
}

func TestAddressOfAPipeline(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server { return built(1) }, func(w world) {
		bound, err := kind.Bind(resource(t, "pipeline", ""))
		if err != nil {
			t.Fatal(err)
		}
		for task := range bound.Extract(context.Background(), w.ws) {
			for found := range task.Run(context.Background()) {
				w.equal("address", found.Address, "api pipeline #1")
			}
		}
	})
}

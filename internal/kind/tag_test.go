package kind_test

import (
	"fmt"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// tagged has a repository with n tags t1, t2 and so on, each of a newer commit than the one before.
func tagged(slug string, s *bitbuckettest.Server, n int) *bitbuckettest.Server {
	s.AddRepository(bitbuckettest.Repository{Name: slug, Files: map[string]string{"a": "b"}})
	for i := range n {
		s.AddTag(slug, bitbuckettest.Tag{Name: fmt.Sprint("t", i+1), Commit: s.SetFile(slug, "a", []byte(fmt.Sprint(i)))})
	}
	return s
}

// queries are those of the lists of tags.
func (w world) queries() string {
	var queries []string
	for _, x := range w.s.Journal() {
		if strings.HasSuffix(x.Path, "/tags") {
			queries = append(queries, strings.TrimPrefix(x.Path, "/2.0/repositories/acme/")+" sort="+x.Query.Get("sort")+" page="+x.Query.Get("page"))
		}
	}
	w.s.ResetJournal()
	return strings.Join(queries, ", ")
}

func TestChoiceOfTags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		selector, first, last string
		n, pages              int
	}{
		{"", "t120", "t21", 100, 1},
		{"maxResults: 3", "t120", "t118", 3, 1},
		{"maxResults: 110", "t120", "t11", 110, 2},
		{"tags: ['t1*'], maxResults: 22", "t120", "t19", 22, 2},
		{"tags: [t2, t20]", "t20", "t2", 2, 2},
	} {
		t.Run(tt.selector, func(t *testing.T) {
			inBubble(t, tagged("api", bitbuckettest.New("acme"), 120), func(w world) {
				got := w.good("tag", tt.selector)
				w.equal("number, first and last", fmt.Sprint(len(got), got[0]["name"], got[len(got)-1]["name"]), fmt.Sprint(tt.n, tt.first, tt.last))
				asked := "api/refs/tags sort=-target.date page="
				if tt.pages == 2 { // twice
					asked = strings.Join([]string{asked, asked + "2", asked, asked + "2"}, ", ")
				}
				w.equal("asked", w.queries(), asked)
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// Where the order is refused, tags are read whole and sorted here: the newest ones are taken all the
// same. The order of the route is asked for once, and again by the next run.
func TestTagsThatCannotBeSorted(t *testing.T) {
	s := bitbuckettest.New("acme")
	for _, slug := range []string{"api", "bare", "web"} {
		tagged(slug, s, map[string]int{"api": 120, "web": 3}[slug])
	}
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/refs/tags", Query: "sort=", Status: 400, Times: -1})
	inBubble(t, s, func(w world) {
		want := "t120 t119 t3 t2"
		for range 2 {
			w.ws = w.workspace(kind.Options{})
			w.equal("names", column(w.good("tag", "maxResults: 2"), "name"), want)
			w.equal("asked", w.queries(), "api/refs/tags sort=-target.date page=, "+strings.Repeat("api/refs/tags sort= page=, api/refs/tags sort= page=2, ", 2)+
				"bare/refs/tags sort= page=, web/refs/tags sort= page=")
		}
		m := w.memory()
		m.runOf("tag", kind.Options{}, "maxResults: 2")
		m.asked()
		w.equal("from memory", column(m.runOf("tag", resumed, "maxResults: 2").objects, "name"), want)
		w.equal("asked", m.asked(), "/repositories/acme")
	})
}

// A query that is refused with an order and without one is an error.
func TestTagsThatAreRefused(t *testing.T) {
	s := tagged("api", bitbuckettest.New("acme"), 2)
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/api/refs/tags", Status: 400, Times: -1})
	inBubble(t, s, func(w world) {
		got := w.extract("tag", "")
		if len(got.objects) != 0 || len(got.failed) != 1 {
			t.Errorf("got %d tags and %v, want an error", len(got.objects), got.failed)
		}
	})
}

// Pipelines whose order is refused are the newest, too.
func TestPipelinesThatCannotBeSorted(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server {
		s := built(5)
		s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/api/pipelines/", Query: "sort=", Status: 400, Times: -1})
		return s
	}, func(w world) {
		w.equal("build numbers", column(w.good("pipeline", "maxResults: 2"), "build_number"), "5 4")
	})
}

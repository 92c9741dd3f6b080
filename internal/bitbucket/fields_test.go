package bitbucket_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

const (
	parts = "next,size,values.destination.repository.uuid,values.id"
	own   = "+values.reviewers,+values.participants" // of the query
)

// inParts says of each request of the journal what it asked for, and how it was answered.
func inParts(s *bitbuckettest.Server) string {
	var all []string
	for _, x := range s.Journal() {
		what := map[string]string{parts: "parts", own: "whole"}[x.Query.Get("fields")]
		if x.Status != http.StatusOK {
			what += fmt.Sprint(" ", x.Status)
		}
		all = append(all, what)
	}
	return strings.Join(all, ", ")
}

// readParts reads the pull requests of some repositories in parts, and returns how many, and the
// keys that the last one has.
func readParts(c *bitbucket.Client, query string, edit func(*bitbucket.Endpoint[bitbucket.Object]), slugs ...string) (n int, keys string, err error) {
	for _, slug := range slugs {
		e, q := pullRequests(c, slug, query)
		e.Fields = parts
		edit(&e)
		var got []bitbucket.Object
		if got, err = collect(bitbucket.List(context.Background(), c, e, q)); err != nil {
			return n, "", err
		}
		n += len(got)
		if keys = "parts"; len(got) > 0 && len(got[len(got)-1]) > 2 {
			keys = "whole"
		}
	}
	return n, keys, nil
}

// Pages of parts that are refused, or lack what each page has, are asked for as a whole, and no
// page is asked for twice for anything else.
func TestFields(t *testing.T) {
	t.Parallel()
	every := func(f bitbuckettest.Fault) bitbuckettest.Fault {
		f.Route, f.Times = "/repositories/{workspace}/{repo_slug}/pullrequests", -1
		return f
	}
	ofParts := func(f bitbuckettest.Fault) bitbuckettest.Fault {
		f.Query = "fields=next"
		return every(f)
	}
	ofValues := func(change func(value map[string]any)) func(map[string]any) {
		return func(page map[string]any) {
			for _, v := range page["values"].([]any) {
				change(v.(map[string]any))
			}
		}
	}
	without := func(key string) func(map[string]any) { return func(o map[string]any) { delete(o, key) } }
	for i, tt := range []struct {
		name  string
		fault *bitbuckettest.Fault
		query string
		edit  func(*bitbucket.Endpoint[bitbucket.Object])
		asked string
		gets  string
		whole string // routes
	}{
		{name: "given", asked: "parts, parts, parts, parts", gets: "parts"},
		{name: "the first page whole", edit: func(e *bitbucket.Endpoint[bitbucket.Object]) { e.FirstWhole = true }, asked: "whole, parts, whole, parts", gets: "parts"},
		{
			// A link is followed as it is: it may be an opaque one, which takes no other parameter.
			name: "the first page whole, by links", asked: "whole, whole, whole, whole, whole, whole, whole, whole", gets: "whole", // each twice
			edit: func(e *bitbucket.Endpoint[bitbucket.Object]) {
				e.FirstWhole, e.Sorted = true, bitbucket.Sorted[bitbucket.Object]{}
			},
		},
		{name: "refused", fault: new(ofParts(bitbuckettest.Fault{Status: 400})), asked: "parts 400, whole, whole, whole, whole", gets: "whole", whole: "pullrequests"},
		{
			name: "refused behind a whole page", fault: new(ofParts(bitbuckettest.Fault{Status: 400})), asked: "whole, parts 400, whole, whole, whole", gets: "whole", whole: "pullrequests",
			edit: func(e *bitbucket.Endpoint[bitbucket.Object]) { e.FirstWhole = true },
		},
		{name: "no values", fault: new(ofParts(bitbuckettest.Fault{Mutate: without("values")})), asked: "parts, whole, whole, whole, whole", gets: "whole", whole: "pullrequests"},
		{name: "no size", fault: new(ofParts(bitbuckettest.Fault{Mutate: without("size")})), asked: "parts, whole, whole, whole, whole", gets: "whole", whole: "pullrequests"},
		{name: "no size in any page", fault: new(every(bitbuckettest.Fault{Mutate: without("size")})), asked: "parts, whole, parts, parts, parts", gets: "parts"},
		{name: "no ids", fault: new(ofParts(bitbuckettest.Fault{Mutate: ofValues(without("id"))})), asked: "parts, whole, whole, whole, whole", gets: "whole", whole: "pullrequests"},
		{name: "no next", fault: new(ofParts(bitbuckettest.Fault{Mutate: without("next")})), asked: "parts, whole, whole, parts, whole, whole", gets: "whole"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if i%5 > 0 {
				skipShort(t)
			}
			s := withRepositories(2)
			for i := range 2 * 60 {
				s.AddPullRequest(fmt.Sprintf("repo-%d", i%2+1), bitbuckettest.PullRequest{})
			}
			if tt.fault != nil {
				s.Fault(*tt.fault)
			}
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				if tt.edit == nil {
					tt.edit = func(*bitbucket.Endpoint[bitbucket.Object]) {}
				}
				n, gets, err := readParts(c, `state="OPEN"`, tt.edit, "repo-1", "repo-2")
				equal(t, "asked", inParts(s), tt.asked)
				equal(t, "error", err, nil)
				equal(t, "values", n, 2*60)
				equal(t, "gets", gets, tt.gets)
				equal(t, "whole", strings.Join(c.Parts.Refused(), " "), tt.whole)
			})
		})
	}
}

// A query that Bitbucket does not take is refused as a whole too: parts are not to blame, and the
// other lists of the route are asked for once.
func TestFieldsOfABadQuery(t *testing.T) {
	s := withRepositories(2)
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		for range 2 {
			_, _, err := readParts(c, `state=`, func(*bitbucket.Endpoint[bitbucket.Object]) {}, "repo-1")
			if err == nil || !strings.Contains(err.Error(), "400") {
				t.Errorf("got %v, want the refusal", err)
			}
		}
		equal(t, "asked", inParts(s), "parts 400, whole 400, parts 400")
		equal(t, "whole", len(c.Parts.Refused()), 0)
	})
}

// That parts are given for one query says nothing of a longer one, or of other parts: a server on
// the way may take addresses of some length only.
func TestFieldsOfALongerQuery(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusRequestURITooLong} {
		s := withRepositories(3)
		for i := range 3 {
			s.AddPullRequest(fmt.Sprintf("repo-%d", i+1), bitbuckettest.PullRequest{})
		}
		s.Fault(bitbuckettest.Fault{Match: func(r *http.Request) bool {
			q := r.URL.Query()
			return strings.HasPrefix(q.Get("fields"), "next") && strings.Contains(q.Get("q"), "id > 0")
		}, Times: -1, Status: status})
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				for i, query := range []string{`state="OPEN"`, `state="OPEN" AND id > 0`, `state="OPEN"`} {
					n, _, err := readParts(c, query, func(*bitbucket.Endpoint[bitbucket.Object]) {}, fmt.Sprintf("repo-%d", i+1))
					equal(t, "error", err, nil)
					equal(t, "values", n, 1)
				}
				equal(t, "asked", inParts(s), fmt.Sprintf("parts, parts %d, whole, whole", status))
				equal(t, "whole", strings.Join(c.Parts.Refused(), " "), "pullrequests")
			})
		})
	}
}

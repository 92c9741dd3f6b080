package kind_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/filter"
	"port-bitbucket-exporter/internal/kind"
)

// answers asks Bitbucket for a list with a filter.
func answers(t *testing.T, s *bitbuckettest.Server, path, query string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://bitbucket.test/2.0"+path+"?q="+url.QueryEscape(query), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer token")
	resp, err := s.RoundTripper().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// What Bitbucket takes is not told of, and what it refuses is: of filters put together at
// random from what users write. What a fix says is taken.
func TestFiltersAsBitbucketTakesThem(t *testing.T) {
	t.Parallel()
	s := threeRepositories()
	s.AllowToken("token", bitbuckettest.Access{Limit: -1})
	random, times := rand.New(rand.NewPCG(5, 6)), 2000
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them
		times = 6000
	} else if testing.Short() {
		times = 200
	}
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	blank := func() string { return pick("", "", " ") }
	var comparison func(depth int) string
	comparison = func(depth int) string {
		if depth < 3 && random.IntN(4) == 0 {
			return "(" + comparison(depth+1) + pick(" AND ", " OR ", " and ", "  or ", " && ", " ") + comparison(depth+1) + pick(")", ")", ")", ")", "")
		}
		if random.IntN(8) == 0 {
			return "name" + pick(" IN ", " in ") + pick("(", "(", "") + pick(`"a"`, "a", `'a'`) + pick("", `,"b"`, ", b") + pick(")", ")", "")
		}
		if random.IntN(4) == 0 {
			return pick("created_on", "updated_on") + blank() + pick("<", ">=", "=", "==") + blank() + pick("2025-01-01", `"2025-01-01T10:00:00Z"`, "2025-01-01T10:00:00.5+02:00", "2025-01-01 10:00", "now-30d", "now", "now-3m", `"now-1w"`)
		}
		if random.IntN(4) == 0 {
			return pick("is_private", "parent", "size") + blank() + pick("=", "!=", "<>") + blank() + pick("true", "FALSE", "null", "-12", "1.5")
		}
		return pick("name", "language", "project.key", "slug") + blank() + pick("=", "!=", "~", "!~", "=", "=", "==", "=~", ":") + blank() +
			pick(`"go"`, `"a \"b\" AND c=d"`, `"it's"`, "go", "my-repo", "Checkout API", `'go'`, "“go”", `"go`, "c++", `"a","b"`, "a,b")
	}
	told, taken, mended := 0, 0, 0
	for range times {
		query := comparison(0)
		if random.IntN(2) == 0 {
			query += pick(" AND ", " OR ", " ") + comparison(0)
		}
		f, status := filter.Check(query), answers(t, s, "/repositories/acme", filter.At(query, time.Now()))
		switch {
		case (f == nil) != (status == http.StatusOK):
			t.Errorf("%s: Bitbucket answers %d, and it is told %+v", query, status, f)
		case f == nil:
			taken++
		case f.Mended == "":
			told++
		default:
			told++
			mended++
			if status := answers(t, s, "/repositories/acme", filter.At(f.Mended, time.Now())); status != http.StatusOK {
				t.Errorf("%s: mended it is %s, and Bitbucket answers %d", query, f.Mended, status)
			}
		}
	}
	if taken < times/20 || told < times/4 || mended < times/8 {
		t.Errorf("of %d filters %d were taken, %d told and %d mended: want more of each", times, taken, told, mended)
	}
}

// A filter is told where it stands, with the whole line to write, for every key that holds one.
func TestFiltersOfSelectors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ kind, selector, at, fix string }{
		{"repository", "repoQuery: language=go", "mapping.yml:3:51", `a text is written in double quotes: repoQuery: 'language="go"'`},
		{"pull-request", "pullRequestQuery: state=OPEN", "mapping.yml:3:55", `a text is written in double quotes: pullRequestQuery: 'state="OPEN"'`},
		{"pull-request", "repoQuery: language=go", "mapping.yml:3:51", `repoQuery: 'language="go"'`},
		{"folder", "folders: [{path: a}], repoQuery: language=go", "mapping.yml:3:73", `repoQuery: 'language="go"'`},
		{"file", "files: [{path: a}], repoQuery: \"name = 'it'\"", "mapping.yml:3:70", `repoQuery: 'name = "it"'`},
	} {
		_, err := kind.Bind(resource(t, tt.kind, tt.selector))
		var problems diag.Problems
		if !errors.As(err, &problems) || len(problems.Errors()) != 1 || problems[0].At.String() != tt.at || !strings.HasSuffix(problems[0].Fix, tt.fix) {
			t.Errorf("%s: got %v, want one error at %s with the fix %s", tt.selector, err, tt.at, tt.fix)
		}
	}
}

// A field that is most likely misspelt is told, and one that may be there is not.
func TestFieldsOfFilters(t *testing.T) {
	t.Parallel()
	for selector, want := range map[string]string{
		`repoQuery: 'langauge="go"'`:                                                                                              "mapping.yml:3:43 Bitbucket has no field langauge: did you mean language?",
		`pullRequestQuery: 'id>1 AND destination.brnch.name="main"'`:                                                              "mapping.yml:3:59 Bitbucket has no field destination.brnch.name: did you mean destination.branch.name?",
		`pullRequestQuery: 'created_at > 2026-01-01'`:                                                                             "mapping.yml:3:50 Bitbucket has no field created_at: did you mean created_on?",
		`repoQuery: 'project.key="A" AND parent=null AND mainbranch.name="main" AND nothing=1'`:                                   "",
		`pullRequestQuery: 'reviewers.uuid="{a}" AND author.nickname="x" AND source.repository.slug="y" OR title ~ "langauge=1"'`: "",
	} {
		bound, err := kind.Bind(resource(t, "pull-request", selector))
		got := ""
		for _, p := range bound.Warnings {
			got += p.At.String() + " " + p.Message + ": " + p.Fix
		}
		if err != nil || got != want {
			t.Errorf("%s: got %q and %v, want %q", selector, got, err, want)
		}
	}
}

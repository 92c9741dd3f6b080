package bitbucket_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

func pagelen(r *http.Request) int {
	n, _ := strconv.Atoi(r.URL.Query().Get("pagelen")) // 0 where none is asked for
	return n
}

// longer fits pages of more than n values.
func longer(n int) func(*http.Request) bool {
	return func(r *http.Request) bool { return pagelen(r) > n }
}

// holding fits pages of more than n values that hold the value of an index.
func holding(index, n int) func(*http.Request) bool {
	return func(r *http.Request) bool {
		page, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("page"), "1")) // 0 means none
		length := pagelen(r)
		return length > n && index >= (page-1)*length && index < page*length
	}
}

// numbered are the slugs of withRepositories.
func numbered(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("repo-%d", i+1))
	}
	return strings.Join(all, " ")
}

// asked gives page@pagelen of each request.
func asked(s *bitbuckettest.Server) string {
	var all []string
	for _, x := range s.Journal() {
		all = append(all, cmp.Or(x.Query.Get("page"), "1")+"@"+x.Query.Get("pagelen"))
	}
	return strings.Join(all, " ")
}

// Pages that the server cannot give in time are asked for in shorter ones, whatever it says
// of them, and the next list of the route begins with those.
func TestHeavyPages(t *testing.T) {
	for name, fault := range map[string]bitbuckettest.Fault{
		"500": {Status: 500}, "502": {Status: 502}, "503": {Status: 503}, "504": {Status: 504}, "524": {Status: 524}, "555": {Status: 555},
		"late": {Delay: 2 * time.Minute}, "stalled": {StallBody: 5},
	} {
		t.Run(name, func(t *testing.T) {
			s := withRepositories(60)
			fault.Match, fault.Times = longer(25), -1
			s.Fault(fault)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				got, err := slugs(c)
				equal(t, "error", err, nil)
				equal(t, "slugs", got, numbered(60))
				equal(t, "requests", asked(s), "1@100 1@100 1@100 1@100 1@100 1@50 1@25 2@25 3@25")
				s.ResetJournal()
				got, err = slugs(c)
				equal(t, "error", err, nil)
				equal(t, "slugs", got, numbered(60))
				equal(t, "requests of the next list", asked(s), "1@25 2@25 3@25")
				s.ClearFaults()
				s.ResetJournal()
				_, err = collect(listProjects(t.Context(), c))
				equal(t, "error", err, nil)
				equal(t, "another route", asked(s), "1@100")
				correct(t, s)
			})
		})
	}
}

// One heavy value in the middle: what comes before it is not asked for again, and nothing
// is skipped or comes twice.
func TestHeavyLaterPage(t *testing.T) {
	for _, tt := range []struct {
		name         string
		index, takes int
		asked        string
	}{
		{"in the second page", 150, 50, "1@100 2@100 2@100 2@100 2@100 2@100 3@50 4@50 5@50"},
		{"in the third page", 249, 10, "1@100 2@100 3@100 3@100 3@100 3@100 3@100 5@50 9@25 10@25 10@25 10@25 10@25 10@25 19@12 20@12 21@12 21@12 21@12 21@12 21@12 25@10"},
		{"behind a page of a new length", 150, 25, "1@100 2@100 2@100 2@100 2@100 2@100 3@50 4@50 4@50 4@50 4@50 4@50 7@25 8@25 9@25 10@25"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withRepositories(250)
			s.Fault(bitbuckettest.Fault{Status: 504, Times: -1, Match: holding(tt.index, tt.takes)})
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				got, err := slugs(c)
				equal(t, "error", err, nil)
				equal(t, "slugs", got, numbered(250))
				equal(t, "requests", asked(s), tt.asked)
				correct(t, s)
			})
		})
	}
}

// A server that gives fewer values than it is asked for numbers its own pages.
func TestHeavyPageOfAServerThatGivesFewer(t *testing.T) {
	s := withRepositories(130)
	s.MaxPage(30)
	s.Fault(bitbuckettest.Fault{Status: 503, Times: -1, Query: "page=3&pagelen=100"})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "error", err, nil)
		equal(t, "slugs", got, numbered(130))
	})
}

// A heavy list keeps its shorter pages to itself, until a second one of its route needs
// shorter ones too: then the others begin with what is enough for one of the two.
func TestHeavyListOfItsRoute(t *testing.T) {
	for _, tt := range []struct {
		name  string
		takes []int // longest page of each list that the server gives in time; 0 for any
		asked string
	}{
		{"one", []int{10, 0, 0}, "50 50 50 50 50 25 12 10 10, 50, 50"},
		{"two that need the same", []int{12, 0, 12, 0}, "50 50 50 50 50 25 12, 50, 50 50 50 50 50 25 12, 12"},
		{"the second needs more", []int{10, 25, 0}, "50 50 50 50 50 25 12 10 10, 50 50 50 50 50 25, 25"},
		{"the second needs less", []int{25, 10, 0}, "50 50 50 50 50 25, 50 50 50 50 50 25 12 10 10, 25"},
		{"a third that needs less", []int{25, 25, 10, 0}, "50 50 50 50 50 25, 50 50 50 50 50 25, 25 25 25 25 25 12 10 10, 25"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withRepositories(len(tt.takes))
			for i, slug := range s.Slugs() {
				for range 12 {
					s.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
				}
				if tt.takes[i] > 0 {
					s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/" + slug + "/pullrequests", Status: 504, Times: -1, Match: longer(tt.takes[i])})
				}
			}
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				for i, want := range strings.Split(tt.asked, ", ") {
					got, err := askedFor(t, s, c, s.Slugs()[i])
					equal(t, "error", err, nil)
					equal(t, fmt.Sprintf("page lengths of list %d", i+1), got, want)
				}
				if tt.takes[0] == 10 { // read again, it begins with its own
					got, err := askedFor(t, s, c, "repo-1")
					equal(t, "error", err, nil)
					equal(t, "page lengths of the first list, read again", got, "10 10")
				}
				correct(t, s)
			})
		})
	}
}

// askedFor reads the pull requests of a repository, and gives the page lengths that it took.
func askedFor(t *testing.T, s *bitbuckettest.Server, c *bitbucket.Client, slug string) (string, error) {
	t.Helper()
	s.ResetJournal()
	all, err := collect(listPullRequests(t.Context(), c, slug, `state="OPEN"`))
	equal(t, "pull requests of "+slug, len(all), 12)
	var lengths []string
	for _, x := range s.Journal() {
		lengths = append(lengths, x.Query.Get("pagelen"))
	}
	return strings.Join(lengths, " "), err
}

// A length that the server refuses is refused to all lists of the route at once.
func TestRefusedLengthIsOfTheRoute(t *testing.T) {
	s := withRepositories(2)
	for _, slug := range s.Slugs() {
		for range 12 {
			s.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
		}
	}
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/repo-1/pullrequests", Status: 400, Times: -1, Match: longer(25), Body: `{"type":"error","error":{"message":"Invalid pagelen"}}`})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		for i, want := range []string{"50 25", "25"} {
			got, err := askedFor(t, s, c, s.Slugs()[i])
			equal(t, "error", err, nil)
			equal(t, "page lengths", got, want)
		}
	})
}

// Pages of a folder have names, and no numbers: it is read again from its beginning, and
// each entry comes once.
func TestHeavyLaterPageOfATree(t *testing.T) {
	files, want := map[string]string{}, []string{}
	for i := range 230 {
		name := fmt.Sprintf("f%03d", i)
		files[name], want = "", append(want, name)
	}
	for _, takes := range []int{25, 10} {
		t.Run(fmt.Sprint(takes), func(t *testing.T) {
			s := withFiles(files)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				s.Fault(bitbuckettest.Fault{Status: 504, Times: -1, Match: func(r *http.Request) bool {
					return r.URL.Query().Has("page") && pagelen(r) > takes
				}})
				entries, err := collect(c.Tree(t.Context(), "r", s.Head("r"), "", 1))
				equal(t, "error", err, nil)
				var got []string
				for _, e := range entries {
					got = append(got, e.Path)
				}
				equal(t, "paths", got, want)
				wanted := 1 + transport.Attempts + (230+24)/25
				if takes == 10 {
					wanted = 1 + transport.Attempts + 1 + bitbucket.RestartAttempts + 23
				}
				equal(t, "requests", s.Requests(), wanted)
				s.ResetJournal()
				_, err = collect(c.Tree(t.Context(), "r", s.Head("r"), "", 1))
				equal(t, "error", err, nil)
				equal(t, "the next one begins with it", s.Journal()[0].Query.Get("pagelen"), fmt.Sprint(takes))
				correct(t, s)
			})
		})
	}
}

// What is read again, and is another list, is not taken for the rest of it.
func TestHeavyTreeThatDiffers(t *testing.T) {
	files := map[string]string{}
	for i := range 130 {
		files[fmt.Sprintf("f%03d", i)] = ""
	}
	s := withFiles(files)
	s.Fault(bitbuckettest.Fault{Status: 504, Times: -1, Match: func(r *http.Request) bool {
		return r.URL.Query().Has("page") && pagelen(r) > 25
	}})
	s.Fault(bitbuckettest.Fault{Times: -1, Match: func(r *http.Request) bool { return pagelen(r) == 25 && !r.URL.Query().Has("page") },
		Mutate: func(o map[string]any) { slices.Reverse(o["values"].([]any)) }})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		_, err := collect(c.Tree(t.Context(), "r", s.Head("r"), "", 1))
		wantError(t, err, "read again, it was another")
		equal(t, "is ErrIncomplete", errors.Is(err, bitbucket.ErrIncomplete), true)
	})
}

// A service that is down costs the shorter pages once, until it answers again.
func TestServiceThatIsDown(t *testing.T) {
	s := withRepositories(60)
	for i := range 3 {
		s.AddPullRequest("repo-1", bitbuckettest.PullRequest{Title: fmt.Sprint(i)})
	}
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Status: 503, Times: -1})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		for i, want := range []string{"1@100 1@100 1@100 1@100 1@100 1@50 1@25 1@12 1@10", "1@100 1@100 1@100 1@100 1@100"} {
			s.ResetJournal()
			_, err := slugs(c)
			wantError(t, err, "503 Service Unavailable")
			equal(t, fmt.Sprintf("requests of list %d", i+1), asked(s), want)
		}
		_, err := collect(listPullRequests(t.Context(), c, "repo-1", `state="OPEN"`))
		equal(t, "another route", err, nil)
		s.ClearFaults()
		s.ResetJournal()
		_, err = slugs(c)
		equal(t, "error", err, nil)
		equal(t, "requests when it is up", asked(s), "1@100")
		s.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Status: 503, Times: -1, Match: longer(50)})
		_, err = slugs(c)
		equal(t, "heavy pages later", err, nil)
	})
}

// Shorter pages are for what may be the page: not for a broken connection, say.
func TestWhatIsNoHeavyPage(t *testing.T) {
	for name, fault := range map[string]bitbuckettest.Fault{
		"dropped": {DropConnection: true}, "cut off": {TruncateBody: 40}, "no JSON": {Status: 200, Body: "<html>"}, "403": {Status: 403}, "404": {Status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			s := withRepositories(60)
			fault.Times = -1
			s.Fault(fault)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				_, err := slugs(c)
				wantError(t, err, `list repositories of workspace "acme"`)
				if got := asked(s); strings.Contains(got, "@50") {
					t.Errorf("requests: got %s, want pages of 100 alone", got)
				}
			})
		})
	}
}

// The branches that say whether a repository is empty are one page, of any length.
func TestHeavyBranches(t *testing.T) {
	s := withFiles(map[string]string{"a": ""})
	for i := range 40 {
		s.AddBranch("r", fmt.Sprintf("b%02d", i))
	}
	s.Fault(bitbuckettest.Fault{Status: 504, Times: -1, Match: longer(25)})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		names, err := c.Branches(t.Context(), "r")
		equal(t, "error", err, nil)
		equal(t, "count", len(names), 25)
		correct(t, s)
	})
}

package bitbucket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

// A list of pull requests that moves while it is read, on servers that keep to the key of
// its pages and on others: what is open all the time is found, and nothing twice.
func TestPullRequestsThatMove(t *testing.T) {
	const all = 160
	for _, server := range []struct {
		name string
		set  func(*bitbuckettest.Server)
		keys bool // it keeps to them
		most int  // requests
	}{
		{"by keys", func(*bitbuckettest.Server) {}, true, 4},
		{"without size", func(s *bitbuckettest.Server) { s.OmitSize(true) }, true, 4},
		{"a query with a key is refused", func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Query: "id > ", Times: -1, Status: http.StatusBadRequest})
		}, false, 14},
		{"without size, a query with a key is refused", func(s *bitbuckettest.Server) {
			s.OmitSize(true)
			s.Fault(bitbuckettest.Fault{Query: "id > ", Times: -1, Status: http.StatusBadRequest})
		}, false, 14},
	} {
		for _, move := range []struct {
			name  string
			apply func(*bitbuckettest.Server)
		}{
			{"one merged", func(s *bitbuckettest.Server) { end(s, 3) }},
			{"one merged, one opened", func(s *bitbuckettest.Server) { end(s, 3); open(s) }},
			{"two merged", func(s *bitbuckettest.Server) { end(s, 3); end(s, 4) }},
			{"one opened", func(s *bitbuckettest.Server) { open(s) }},
		} {
			for _, page := range []int{2, 3} {
				t.Run(fmt.Sprintf("%s/%s before page %d", server.name, move.name, page), func(t *testing.T) {
					if page > 2 || !server.keys {
						skipShort(t)
					}
					s := withRepositories(1)
					for range all {
						open(s)
					}
					server.set(s)
					pages := 0
					s.OnRequest(func(_ int, r *http.Request) {
						refused := !server.keys && strings.Contains(r.URL.RawQuery, "id+%3E")
						if pages += 1; refused {
							pages--
						} else if pages == page {
							move.apply(s)
						}
					})
					inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
						got, err := collect(listPullRequests(context.Background(), c, "repo-1", `state="OPEN"`))
						equal(t, "error", err, nil)
						var ids []string
						for _, o := range got {
							ids = append(ids, fmt.Sprint(o["id"]))
						}
						for id := range all {
							n := 0
							for _, got := range ids {
								if got == fmt.Sprint(id+1) {
									n++
								}
							}
							if n > 1 || n == 0 && id+1 != 3 && id+1 != 4 {
								t.Errorf("pull request %d: got it %d times, want once", id+1, n)
							}
						}
						if n := len(requests(s)); n > server.most {
							t.Errorf("got %d requests, want at most %d", n, server.most)
						}
					})
				})
			}
		}
	}
}

func open(s *bitbuckettest.Server) {
	s.AddPullRequest("repo-1", bitbuckettest.PullRequest{Title: "x"})
}

func end(s *bitbuckettest.Server, id int) {
	s.UpdatePullRequest("repo-1", id, func(p *bitbuckettest.PullRequest) { p.State = "MERGED" })
}

// A server that passes over the key, or the order, gives all all the same: its pages are
// followed by their links.
func TestKeyThatIsPassedOver(t *testing.T) {
	reversed := func(page map[string]any) {
		values := page["values"].([]any)
		slices.Reverse(values)
	}
	for _, tt := range []struct {
		name  string
		fault bitbuckettest.Fault
		most  int
	}{
		{"the order of a page", bitbuckettest.Fault{Times: -1, Mutate: reversed}, 6},
		{"a page behind a value that holds the ones before", bitbuckettest.Fault{Query: "id > ", Times: -1, Mutate: func(page map[string]any) {
			page["values"] = append([]any{map[string]any{"id": 1}}, page["values"].([]any)...)
		}}, 8},
		{"a page behind a value that is empty", bitbuckettest.Fault{Query: "id > 100", Times: -1, Mutate: func(page map[string]any) {
			page["values"], page["size"] = []any{}, 0
		}}, 9},
		{"a query with a key at which the server fails", bitbuckettest.Fault{Query: "id > ", Times: -1, Status: http.StatusInternalServerError}, 16},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withRepositories(1)
			for range 120 {
				open(s)
			}
			s.Fault(tt.fault)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				got, err := collect(listPullRequests(context.Background(), c, "repo-1", `state="OPEN"`))
				equal(t, "error", err, nil)
				if len(got) != 120 {
					t.Errorf("got %d pull requests, want 120", len(got))
				}
				if n := len(requests(s)); n > tt.most {
					t.Errorf("got %d requests, want at most %d", n, tt.most)
				}
			})
		})
	}
}

// One odd pull request, or a list whose end goes while it is read, lets its own list be
// read by links, and no other one.
func TestOddPullRequestIsOfItsOwnList(t *testing.T) {
	odd := func(id any) func(map[string]any) {
		return func(page map[string]any) {
			for _, v := range page["values"].([]any) {
				if v := v.(map[string]any); fmt.Sprint(v["id"]) == "70" {
					v["id"] = id
				}
			}
		}
	}
	for _, tt := range []struct {
		name     string
		fault    bitbuckettest.Fault
		odd      int
		requests string // for each list
	}{
		{"no id", bitbuckettest.Fault{Times: -1, Mutate: odd(nil)}, 1, "8 3 3"},
		{"an id that is no number", bitbuckettest.Fault{Times: -1, Mutate: odd("70")}, 1, "8 3 3"},
		{"an id with a fraction", bitbuckettest.Fault{Times: -1, Mutate: odd(json.Number("70.5"))}, 0, "8 3 3"},
		{"nothing behind the first page", bitbuckettest.Fault{Query: "id > 50", Mutate: func(page map[string]any) {
			page["values"], page["size"] = []any{}, 0
		}}, 0, "8 3 3"},
		{"a query that is refused", bitbuckettest.Fault{Query: "id > ", Times: -1, Status: http.StatusBadRequest}, 0, "8 6 6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withRepositories(3)
			for _, slug := range s.Slugs() {
				for range 120 {
					s.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
				}
			}
			tt.fault.Path = "/repositories/acme/repo-1/pullrequests"
			s.Fault(tt.fault)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				var counts []string
				for _, slug := range s.Slugs() {
					s.ResetJournal()
					got, odd, err := collectOdd(listPullRequests(t.Context(), c, slug, `state="OPEN"`))
					equal(t, "error", err, nil)
					if slug != "repo-1" {
						tt.odd = 0
					}
					equal(t, "odd values of "+slug, len(odd), tt.odd)
					equal(t, "pull requests of "+slug, len(got), 120-tt.odd)
					counts = append(counts, fmt.Sprint(s.Requests()))
				}
				equal(t, "requests", strings.Join(counts, " "), tt.requests)
			})
		})
	}
}

// withPages has one repository with three pages of pull requests, on a server that refuses
// a query with a key: they are read by their links, twice.
func withPages() *bitbuckettest.Server {
	s := withRepositories(1)
	for range 120 {
		open(s)
	}
	s.Fault(bitbuckettest.Fault{Query: "id > ", Times: -1, Status: http.StatusBadRequest})
	return s
}

// A second reading that finds that the list moved is made once more, and no further.
func TestSecondReadingThatMoves(t *testing.T) {
	for _, tt := range []struct {
		name     string
		at       []int // requests before which one is merged; the second reading begins with the 6th
		whole    bool
		requests int
	}{
		{"not", nil, true, 8},
		{"in the second", []int{7}, true, 11},
		{"in the first", []int{4}, true, 11},
		{"in the first and in the second", []int{4, 10}, true, 14},
		{"in the second and once more", []int{7, 10}, false, 11},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withPages()
			s.OnRequest(func(n int, _ *http.Request) {
				if slices.Contains(tt.at, n) {
					end(s, n)
				}
			})
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				got, err := collect(listPullRequests(t.Context(), c, "repo-1", `state="OPEN"`))
				equal(t, "is ErrIncomplete", errors.Is(err, bitbucket.ErrIncomplete), !tt.whole)
				equal(t, "whole", err == nil, tt.whole)
				equal(t, "pull requests", len(got), 120)
				equal(t, "requests", s.Requests(), tt.requests)
			})
		})
	}
}

var pageNumber = regexp.MustCompile(`([?&]page=)n?(\d+)`)

// namedPages gives a server pages that have names and no numbers.
type namedPages struct{ base http.RoundTripper }

func (n namedPages) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.RawQuery = strings.TrimPrefix(pageNumber.ReplaceAllString("?"+r.URL.RawQuery, "$1$2"), "?")
	return n.base.RoundTrip(r)
}

// A page of the second reading that is too heavy lets the list be read in shorter ones, from
// its beginning where its pages have names, as one of the first reading does.
func TestHeavySecondReading(t *testing.T) {
	for _, tt := range []struct {
		name  string
		asked string
	}{
		{"numbers", "3@25 4@25 5@25"},
		{"names", "1@12 2@12 3@12 4@12 5@12 6@12 7@12 8@12 9@12 10@12"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withPages()
			if tt.name == "names" {
				s.Fault(bitbuckettest.Fault{Times: -1, Mutate: func(page map[string]any) {
					if next, ok := page["next"].(string); ok {
						page["next"] = pageNumber.ReplaceAllString(next, "${1}n$2")
					}
				}})
			}
			s.Fault(bitbuckettest.Fault{Query: "page=2", Nth: 2, Times: -1, Status: http.StatusGatewayTimeout, Match: longer(12)})
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, inProcess, namedPages{s.RoundTripper()})
				got, err := collect(listPullRequests(t.Context(), c, "repo-1", `state="OPEN"`))
				equal(t, "error", err, nil)
				equal(t, "pull requests", len(got), 120)
				equal(t, "requests", asked(s), "1@50 1@50 1@50 2@50 3@50 1@50"+strings.Repeat(" 2@50", transport.Attempts)+" "+tt.asked)
			})
		})
	}
}

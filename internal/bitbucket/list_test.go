package bitbucket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

func TestRepositoriesRequests(t *testing.T) {
	s := withRepositories(101)
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "error", err, nil)
		want := make([]string, 101)
		for i := range want {
			want[i] = fmt.Sprintf("repo-%d", i+1)
		}
		equal(t, "slugs, in the order of creation", got, strings.Join(want, " "))
		equal(t, "requests", requests(s), []string{
			"/2.0/repositories/acme?fields=%2Bvalues.mainbranch.target.hash&pagelen=100&sort=created_on",
			"/2.0/repositories/acme?fields=%2Bvalues.mainbranch.target.hash&page=2&pagelen=100&sort=created_on",
		})
		equal(t, "counted requests", c.Requests(), 2)
		correct(t, s)

		s.ResetJournal()
		_, err = collect(c.Repositories(context.Background(), bitbucket.RepositoryQuery{Role: "member", Query: `name ~ "repo" AND name != "a&b"`}))
		equal(t, "error", err, nil)
		equal(t, "with a query", requests(s)[0], "/2.0/repositories/acme?fields=%2Bvalues.mainbranch.target.hash&pagelen=100"+
			"&q=name+~+%22repo%22+AND+name+%21%3D+%22a%26b%22&role=member&sort=created_on")
		correct(t, s)
	})
}

func TestEmptyListsAreOneRequest(t *testing.T) {
	s := newServer()
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "repositories", got, "")
		equal(t, "error", err, nil)
		projects, err := collect(listProjects(context.Background(), c))
		equal(t, "projects", len(projects), 0)
		equal(t, "error", err, nil)
		equal(t, "requests", requests(s)[1:], []string{"/2.0/workspaces/acme/projects?pagelen=100"})
	})
}

func TestRepositoryFields(t *testing.T) {
	s := newServer()
	s.AddRepository(bitbuckettest.Repository{Name: "R&D 🤖 Bot", MainBranch: "release/1.x"})
	s.AddRepository(bitbuckettest.Repository{Name: "empty"})
	s.AddRepository(bitbuckettest.Repository{Name: "no target", MainBranch: "main", NoTarget: true})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := collect(c.Repositories(context.Background(), bitbucket.RepositoryQuery{}))
		if err != nil || len(got) != 3 {
			t.Fatalf("got %d repositories, %v, want 3", len(got), err)
		}
		object, err := bitbucket.Decode(got[0].JSON)
		equal(t, "error", err, nil)
		equal(t, "name in the JSON", object["name"], any("R&D 🤖 Bot"))
		equal(t, "updated_on", any(got[0].UpdatedOn), object["updated_on"])
		for i := range got {
			got[i].JSON, got[i].UpdatedOn = nil, ""
		}
		equal(t, "repositories", got, []bitbucket.Repository{
			{Slug: "r-d-bot", Name: "R&D 🤖 Bot", UUID: s.UUID("r-d-bot"), MainBranch: "release/1.x", Hash: s.Head("r-d-bot"), NoProject: true},
			{Slug: "empty", Name: "empty", UUID: s.UUID("empty"), NoMain: true, NoProject: true},
			{Slug: "no-target", Name: "no target", UUID: s.UUID("no-target"), MainBranch: "main", NoProject: true},
		})
	})
}

// Neither a slug nor a parameter fields is in the documented schema of this list.
func TestRepositoriesBySchemaAlone(t *testing.T) {
	s := withRepositories(120)
	s.Fault(bitbuckettest.Fault{Times: -1, Status: 400, Body: `{"type":"error","error":{"message":"Invalid fields"}}`, Match: func(r *http.Request) bool { return r.URL.Query().Has("fields") }})
	s.Fault(bitbuckettest.Fault{Times: -1, Mutate: func(page map[string]any) {
		values, _ := page["values"].([]any) // none where fields is refused
		for _, v := range values {
			delete(v.(map[string]any), "slug")
		}
	}})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := collect(c.Repositories(t.Context(), bitbucket.RepositoryQuery{}))
		equal(t, "error", err, nil)
		if len(got) != 120 || got[0].Slug != "repo-1" || got[119].Slug != "repo-120" || got[0].Hash != "" {
			t.Errorf("got %d repositories, want 120, each with its slug and none with a hash", len(got))
		}
		equal(t, "requests", s.Requests(), 3)
	})
}

// Values with their JSON are those without it, and so are the odd ones.
func TestListed(t *testing.T) {
	s := withRepositories(103)
	s.Fault(bitbuckettest.Fault{Times: -1, Mutate: func(o map[string]any) { second("x")(o); o["values"].([]any)[2] = nil }})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		path := c.Path("repositories")
		objects, odd, err := collectOdd(bitbucket.List(t.Context(), c, bitbucket.Endpoint[bitbucket.Object]{
			Path: path, Route: "r", Pagelen: 100, Key: func(o bitbucket.Object) (string, error) { return fmt.Sprint(o["uuid"]), nil },
		}, nil))
		equal(t, "error", err, nil)
		asked := 0
		listed, oddListed, err := collectOdd(bitbucket.List(t.Context(), c, bitbucket.Endpoint[bitbucket.Listed]{
			Path: path, Route: "r", Pagelen: 100, Key: func(l bitbucket.Listed) (string, error) { return fmt.Sprint(l.Object["uuid"]), nil },
			Asked: func() { asked++ },
		}, nil))
		equal(t, "error", err, nil)
		equal(t, "requests", asked, 2*2)
		equal(t, "odd", fmt.Sprint(oddListed), fmt.Sprint(odd))
		equal(t, "number of odd values", len(odd), 4)
		for i, l := range listed {
			equal(t, "object", l.Object, objects[i])
			again, err := bitbucket.Decode(l.JSON)
			equal(t, "error", err, nil)
			equal(t, "its JSON", again, l.Object)
		}
		equal(t, "number", len(listed), 99)
	})
}

func TestPullRequestsRequests(t *testing.T) {
	s := withRepositories(1)
	dana := bitbuckettest.User{Name: "Dana"}
	for i := range 51 {
		s.AddPullRequest("repo-1", bitbuckettest.PullRequest{Title: fmt.Sprint(i), Reviewers: []bitbuckettest.User{dana}})
	}
	s.AddPullRequest("repo-1", bitbuckettest.PullRequest{State: "MERGED"})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		all, err := collect(listPullRequests(context.Background(), c, "repo-1", `state="OPEN"`))
		equal(t, "error", err, nil)
		equal(t, "count", len(all), 51)
		equal(t, "first ids", column(all[:3], "id"), "1 2 3")
		if _, ok := all[0]["id"].(json.Number); !ok {
			t.Errorf("id: got %T, want json.Number", all[0]["id"])
		}
		for _, key := range []string{"reviewers", "participants"} {
			if l, _ := all[50][key].([]any); len(l) != 1 {
				t.Errorf("%s: got %v, want one", key, all[50][key])
			}
		}
		const query = "?fields=%2Bvalues.reviewers%2C%2Bvalues.participants"
		equal(t, "requests", requests(s), []string{
			"/2.0/repositories/acme/repo-1/pullrequests" + query + "&pagelen=50&q=state%3D%22OPEN%22&sort=id",
			"/2.0/repositories/acme/repo-1/pullrequests" + query + "&pagelen=50&q=%28state%3D%22OPEN%22%29+AND+id+%3E+50&sort=id",
		})
		correct(t, s)
	})
}

// A second server, that must never be asked, notes whoever does.
func stranger(t *testing.T) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"values":[{"slug":"evil","uuid":"{1}"}]}`))
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestNextStaysOnTheHost(t *testing.T) {
	t.Parallel()
	other, asked := stranger(t)
	for _, tt := range []struct{ name, next, want string }{
		{"another port", other + "/2.0/repositories/acme?page=2", "leads to " + other},
		{"another host", "https://evil.test/2.0/repositories/acme?page=2&secret=1", "leads to https://evil.test"},
		{"another scheme", "HOST-https", "leads to https://"},
		{"another host without a scheme", "//evil.test/2.0/repositories/acme?page=2", "leads to http://evil.test"},
		{"host in the user part", "http://HOST@evil.test/", "leads to http://evil.test"},
		{"no URL", "http://[", "is not a URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := withRepositories(2)
			server := httptest.NewServer(s)
			defer server.Close()
			c := newClient(t, server.URL+"/2.0", http.DefaultTransport)
			host := strings.TrimPrefix(server.URL, "http://")
			next := strings.ReplaceAll(strings.ReplaceAll(tt.next, "HOST-https", "https://"+host+"/2.0/repositories/acme?page=2"), "HOST", host)
			s.Fault(bitbuckettest.Fault{Next: next})
			got, err := slugs(c)
			equal(t, "before the refusal", got, "repo-1 repo-2")
			wantError(t, err, `list repositories of workspace "acme": next page refused`, tt.want)
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error: got %q, want it without the query", err)
			}
			equal(t, "requests", s.Requests(), 1)
		})
	}
	t.Cleanup(func() {
		if asked.Load() > 0 {
			t.Errorf("requests to the other server: got %d, want none", asked.Load())
		}
	})
}

// A link without a host, or to this machine by another name, leads to the same host.
func TestNextOnTheSameHost(t *testing.T) {
	t.Parallel()
	for _, replace := range [][2]string{{"http://127.0.0.1:PORT/2.0", "/2.0"}, {"http://127.0.0.1:PORT/2.0/repositories/acme", ""}, {"127.0.0.1", "localhost"}, {"127.0.0.1", "LOCALHOST"}, {"127.0.0.1", "[::1]"}} {
		t.Run(replace[1], func(t *testing.T) {
			t.Parallel()
			s := withRepositories(101)
			c := overSocket(t, s)
			s.Fault(bitbuckettest.Fault{Times: -1, Mutate: func(page map[string]any) {
				if next, ok := page["next"].(string); ok {
					u, _ := url.Parse(next)
					page["next"] = strings.Replace(next, strings.ReplaceAll(replace[0], "PORT", u.Port()), replace[1], 1)
				}
			}})
			got, err := slugs(c)
			equal(t, "error", err, nil)
			equal(t, "repositories", len(strings.Fields(got)), 101)
			equal(t, "requests", s.Requests(), 2)
		})
	}
}

// A size that is that of each page, where more follow, is none: a list that anything may happen to is
// read twice for it.
func TestSizeOfEachPage(t *testing.T) {
	s := withRepositories(103)
	s.Fault(bitbuckettest.Fault{Times: -1, Mutate: func(page map[string]any) { page["size"] = len(page["values"].([]any)) }})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "error", err, nil)
		equal(t, "repositories", len(strings.Fields(got)), 103)
		objects, err := collect(bitbucket.List(t.Context(), c, bitbucket.Endpoint[bitbucket.Object]{
			Path: c.Path("repositories"), Route: "r", Pagelen: 100, Key: func(o bitbucket.Object) (string, error) { return fmt.Sprint(o["uuid"]), nil },
		}, nil))
		equal(t, "error", err, nil)
		equal(t, "objects", len(objects), 103)
		equal(t, "requests", s.Requests(), 2+2*2)
	})
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	other, asked := stranger(t)
	t.Run("same host", func(t *testing.T) {
		s := withRepositories(2)
		c := overSocket(t, s)
		s.Fault(bitbuckettest.Fault{Redirect: "/2.0/repositories/acme?pagelen=100&sort=created_on"})
		got, err := slugs(c)
		equal(t, "error", err, nil)
		equal(t, "slugs", got, "repo-1 repo-2")
		equal(t, "credential of both", [2]string{s.Journal()[0].Credential, s.Journal()[1].Credential}, [2]string{"token1", "token1"})
		equal(t, "counted requests", c.Requests(), 2)
		correct(t, s)
	})
	t.Run("without end", func(t *testing.T) {
		s := withRepositories(1)
		c := overSocket(t, s)
		s.Fault(bitbuckettest.Fault{Redirect: "/2.0/repositories/acme", Times: -1})
		_, err := slugs(c)
		wantError(t, err, "redirect refused: more than 3 in a row")
		equal(t, "requests", s.Requests(), 4)
	})
	for name, location := range map[string]string{
		"another port": other + "/2.0/repositories/acme", "another scheme": "https://HOST/2.0/repositories/acme",
	} {
		t.Run(name, func(t *testing.T) {
			s := withRepositories(1)
			server := httptest.NewServer(s)
			defer server.Close()
			c := newClient(t, server.URL+"/2.0", http.DefaultTransport)
			s.Fault(bitbuckettest.Fault{Redirect: strings.ReplaceAll(location, "HOST", strings.TrimPrefix(server.URL, "http://")), Times: -1})
			got, err := slugs(c)
			equal(t, "slugs", got, "")
			wantError(t, err, "redirect refused: to host", "where the credential must not go")
			equal(t, "requests", s.Requests(), 1)
		})
	}
	if asked.Load() > 0 {
		t.Errorf("requests to the other server: got %d, want none", asked.Load())
	}
}

func TestNextIsNeverFollowedTwice(t *testing.T) {
	for name, tt := range map[string]struct {
		fault    bitbuckettest.Fault
		requests int
	}{
		"first page":  {bitbuckettest.Fault{RepeatPage: true, Times: -1}, 1},
		"second page": {bitbuckettest.Fault{RepeatPage: true, Query: "page=2", Times: -1}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := withRepositories(250)
			s.Fault(tt.fault)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				_, err := slugs(c)
				wantError(t, err, "its link was followed before")
				equal(t, "requests", s.Requests(), tt.requests)
			})
		})
	}
}

func TestEmptyPageWithNextIsFollowed(t *testing.T) {
	s := withRepositories(150)
	s.OmitSize(true)
	s.Fault(bitbuckettest.Fault{Mutate: func(o map[string]any) { o["values"] = []any{} }})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "error", err, nil)
		equal(t, "count", len(strings.Fields(got)), 50)
	})
}

func TestDuplicatesAreDropped(t *testing.T) {
	s := withRepositories(2)
	s.OmitSize(true)
	s.AddProject(bitbuckettest.Project{Key: "PAY"})
	for range 2 {
		s.AddPullRequest("repo-1", bitbuckettest.PullRequest{})
	}
	twice := func(o map[string]any) { o["values"] = append(o["values"].([]any), o["values"].([]any)...) }
	s.Fault(bitbuckettest.Fault{Mutate: twice, Times: -1})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "repositories", got, "repo-1 repo-2")
		equal(t, "error", err, nil)
		projects, err := collect(listProjects(t.Context(), c))
		equal(t, "projects", column(projects, "key"), "PAY")
		equal(t, "error", err, nil)
		pulls, err := collect(listPullRequests(t.Context(), c, "repo-1", `state="OPEN"`))
		equal(t, "pull requests", column(pulls, "id"), "1 2")
		equal(t, "error", err, nil)
	})
}

// A repository of the first page goes while the list is read: one of the second
// page moves up, and is missed. The list is read once more.
func TestListThatMovesIsReadOnceMore(t *testing.T) {
	s := withRepositories(201)
	s.OnRequest(func(n int, _ *http.Request) {
		if n == 2 {
			s.RemoveRepository("repo-1")
		}
	})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "error", err, nil)
		all := strings.Fields(got)
		seen := map[string]bool{}
		for _, slug := range all {
			if seen[slug] {
				t.Errorf("%s came twice", slug)
			}
			seen[slug] = true
		}
		equal(t, "the one that moved is there", seen["repo-101"], true)
		equal(t, "count", len(all), 201)
		equal(t, "requests", s.Requests(), 4)
	})
}

func TestSecondDifferenceIsIncomplete(t *testing.T) {
	s := withRepositories(3)
	s.Fault(bitbuckettest.Fault{Mutate: func(o map[string]any) { o["size"] = 7 }, Times: -1})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "slugs, each once", got, "repo-1 repo-2 repo-3")
		equal(t, "is ErrIncomplete", errors.Is(err, bitbucket.ErrIncomplete), true)
		wantError(t, err, `list repositories of workspace "acme"`, "hold 3", "size was 7")
		equal(t, "requests", s.Requests(), 2)
	})
}

// A size below the count, where a value that was read has gone, is a difference too.
func TestSizeBelowTheCount(t *testing.T) {
	s := withRepositories(3)
	s.Fault(bitbuckettest.Fault{Mutate: func(o map[string]any) { o["size"] = 2 }})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "slugs, each once", got, "repo-1 repo-2 repo-3")
		equal(t, "error of the second reading", err, nil)
		equal(t, "requests", s.Requests(), 2)
	})
}

func TestInvalidPagelenHalves(t *testing.T) {
	s := withRepositories(60)
	refuse := func(length string) {
		s.Fault(bitbuckettest.Fault{Query: "pagelen=" + length + "&", Status: 400, Times: -1, Body: `{"type":"error","error":{"message":"Invalid pagelen"}}`})
	}
	refuse("100")
	refuse("50")
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "error", err, nil)
		equal(t, "count", len(strings.Fields(got)), 60)
		equal(t, "requests", s.Requests(), 5)
		_, _ = slugs(c)
		equal(t, "requests of the second list", s.Requests()-5, 3)
		_, err = collect(listProjects(t.Context(), c)) // another route keeps its own
		equal(t, "error", err, nil)
		equal(t, "projects", s.Journal()[8].Query.Get("pagelen"), "100")
	})
}

func TestInvalidPagelenEnds(t *testing.T) {
	s := withRepositories(1)
	s.Fault(bitbuckettest.Fault{Status: 400, Times: -1, Body: `{"type":"error","error":{"message":"Invalid pagelen"}}`})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		_, err := slugs(c)
		wantError(t, err, "400 Bad Request: Invalid pagelen")
		equal(t, "requests: 100, 50, 25, 12, 10", s.Requests(), 5)
	})
}

func TestListStopsWhenNobodyWantsMore(t *testing.T) {
	s := withRepositories(300)
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		n := 0
		for range c.Repositories(t.Context(), bitbucket.RepositoryQuery{}) {
			if n++; n == 101 {
				break
			}
		}
		equal(t, "requests", s.Requests(), 2)
	})
}

func TestValuesThatAreNone(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"null", nil, `value 1 of the list: an object was expected, not null`},
		{"text", "x", `value 1 of the list: it is of the JSON type string, and another one was expected`},
		{"no slug", map[string]any{"name": "A"}, `value 1 of the list (name "A"): it has no slug`},
	} {
		t.Run(c.name, func(t *testing.T) {
			value, want := c.value, c.want
			s := withRepositories(1)
			s.Fault(bitbuckettest.Fault{Times: -1, Mutate: func(o map[string]any) { o["values"] = []any{value} }})
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				got, err := slugs(c)
				equal(t, "slugs", got, "")
				wantError(t, err, `list repositories of workspace "acme": `)
				wantError(t, err, want)
			})
		})
	}
}

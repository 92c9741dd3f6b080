package bitbucket_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// second replaces the second value of each page.
func second(value any) func(map[string]any) {
	return func(o map[string]any) { o["values"].([]any)[1] = value }
}

// change changes a field of the second value of each page.
func change(key string, value any) func(map[string]any) {
	return func(o map[string]any) {
		of := o["values"].([]any)[1].(map[string]any)
		if of[key] = value; value == nil {
			delete(of, key)
		}
	}
}

// One odd value is an error with its place and its names, and the others come.
func TestOddValue(t *testing.T) {
	for _, tt := range []struct {
		name   string
		mutate func(map[string]any)
		want   string // of the odd value
	}{
		{"null", second(nil), "value 2 of the list: an object was expected, not null"},
		{"text", second("x"), "value 2 of the list: it is of the JSON type string"},
		{"list", second([]any{}), "value 2 of the list: it is of the JSON type array"},
		{"empty", second(map[string]any{}), "value 2 of the list: it has no slug"},
		{"no slug", func(o map[string]any) { change("slug", nil)(o); change("full_name", nil)(o) }, `value 2 of the list (name "repo-2", uuid "{`},
		{"no slug, and an odd full name", func(o map[string]any) { change("slug", nil)(o); change("full_name", 7)(o) }, "it has no slug"},
		{"slug of another type", change("slug", json.Number("7")), `value 2 of the list (slug "7", name "repo-2"): "slug" holds a number`},
		{"name of another type", change("name", []any{1}), `value 2 of the list (slug "repo-2", uuid "{`},
		{"main branch of another type", change("mainbranch", "main"), `"mainbranch" holds a string where another type was expected`},
		{"a name without end", second(map[string]any{"name": strings.Repeat("long\n ", 1000)}), `value 2 of the list (name "long\n long\n`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withRepositories(3)
			s.Fault(bitbuckettest.Fault{Times: -1, Mutate: tt.mutate})
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				values, odd, err := collectOdd(c.Repositories(t.Context(), bitbucket.RepositoryQuery{}))
				equal(t, "error", err, nil)
				if len(values) != 2 || values[0].Slug != "repo-1" || values[1].Slug != "repo-3" || len(odd) != 1 {
					t.Fatalf("got %d values and %q, want the first and the third, and one odd value", len(values), odd)
				}
				wantError(t, odd[0], `list repositories of workspace "acme": `, tt.want)
				if len(odd[0].Error()) > 500 {
					t.Errorf("got a message of %d bytes, want it short", len(odd[0].Error()))
				}
				equal(t, "requests", s.Requests(), 1)
			})
		})
	}
}

// An odd value counts as one of the list, and comes once, however often the list is read.
func TestOddValuesAreToldOnce(t *testing.T) {
	s := withRepositories(120)
	s.Fault(bitbuckettest.Fault{Times: -1, Mutate: second(nil)}) // one in each page
	s.OnRequest(func(n int, _ *http.Request) {
		if n == 2 {
			s.RemoveRepository("repo-1") // the list moves, and is read once more
		}
	})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		_, odd, err := collectOdd(c.Repositories(t.Context(), bitbucket.RepositoryQuery{}))
		equal(t, "error", err, nil)
		equal(t, "odd values", len(odd), 2)
		equal(t, "requests", s.Requests(), 4)
	})
}

func TestOddValuesOfOtherLists(t *testing.T) {
	s := withFiles(map[string]string{"a": "1", "b": "22", "c": "333"})
	for _, key := range []string{"A", "B", "C"} {
		s.AddProject(bitbuckettest.Project{Key: key})
		s.AddPullRequest("r", bitbuckettest.PullRequest{Title: "title of " + key})
		s.AddBranch("r", "branch-"+key)
	}
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		ctx := t.Context()
		s.Fault(bitbuckettest.Fault{Times: -1, Mutate: change("id", "2"), Path: "/repositories/acme/r/pullrequests"})
		pulls, odd, err := collectOdd(listPullRequests(ctx, c, "r", `state="OPEN"`))
		equal(t, "pull requests", column(pulls, "id")+" "+fmt.Sprint(err), "1 3 <nil>")
		equal(t, "odd", fmt.Sprint(odd), `[list pull requests of repository "r": value 2 of the list (title "title of B", id "2"): it has no id that is a number]`)

		s.Fault(bitbuckettest.Fault{Times: -1, Mutate: second(json.Number("5")), Path: "/workspaces/acme/projects"})
		projects, odd, err := collectOdd(listProjects(ctx, c))
		equal(t, "projects", column(projects, "key")+" "+fmt.Sprint(err), "A C <nil>")
		equal(t, "odd", fmt.Sprint(odd), `[list projects of workspace "acme": value 2 of the list: it is of the JSON type number, and another one was expected]`)

		s.Fault(bitbuckettest.Fault{Times: -1, Mutate: second(map[string]any{"name": nil, "x": 1}), Path: "/repositories/acme/r/refs/branches"})
		branches, err := c.Branches(ctx, "r")
		head := s.Head("r")
		equal(t, "branches", fmt.Sprintf("%v %v", branches, err), fmt.Sprintf("[{branch-A {%[1]s}} { {}} {branch-C {%[1]s}} {main {%[1]s}}] <nil>", head))
		s.ClearFaults()

		for _, tt := range []struct {
			size any
			want string
		}{
			{json.Number("3.0"), "a 1 b 3 c 3"}, {json.Number("3e0"), "a 1 b 3 c 3"}, {nil, "a 1 b 0 c 3"},
			{json.Number("3.5"), "a 1 c 3"}, {json.Number("1e400"), "a 1 c 3"}, {"3", "a 1 c 3"},
		} {
			s.ClearFaults()
			s.Fault(bitbuckettest.Fault{Times: -1, Mutate: change("size", tt.size)})
			entries, odd, err := collectOdd(c.Tree(ctx, "r", s.Head("r"), "", 1))
			var got []string
			for _, e := range entries {
				got = append(got, fmt.Sprint(e.Path, " ", e.Size))
			}
			equal(t, fmt.Sprint("entries with size ", tt.size), strings.Join(got, " ")+" "+fmt.Sprint(err), tt.want+" <nil>")
			equal(t, "all are told", len(entries)+len(odd), 3)
		}
	})
}

// The size of a list may be written in any way; one that is none is an error of the list.
func TestSizeOfAList(t *testing.T) {
	for size, good := range map[string]bool{"3.0": true, "3e0": true, "0.3e1": true, "3": true, "3.5": false, `"3"`: false, "{}": false} {
		t.Run(size, func(t *testing.T) {
			s := withRepositories(3)
			s.Fault(bitbuckettest.Fault{Times: -1, Mutate: func(o map[string]any) { o["size"] = json.RawMessage(size) }})
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				got, err := slugs(c)
				if good != (err == nil) || good && got != "repo-1 repo-2 repo-3" {
					t.Errorf("got %q, %v", got, err)
				}
			})
		})
	}
}

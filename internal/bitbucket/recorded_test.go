package bitbucket_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// recorded reads a recorded answer of the real service into v. It skips the test when CONTRACT_RECORDED
// names no folder that holds them.
func recorded(t *testing.T, file string, v any) {
	t.Helper()
	folder := os.Getenv("CONTRACT_RECORDED")
	if folder == "" {
		t.Skip("CONTRACT_RECORDED is not set")
	}
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// texts are the values of a list, each in JSON.
func texts[T any](all iter.Seq2[T, error], text func(T) json.RawMessage) ([]json.RawMessage, error) {
	values, err := collect(all)
	var list []json.RawMessage
	for _, v := range values {
		list = append(list, text(v))
	}
	return list, err
}

func asJSON(o bitbucket.Object) json.RawMessage {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return text
}

const src = "/repositories/acme/r/src/0db600938b1772915dff5f88a1ad07b5affbc48b/"

// The values of recorded lists are read whole, whatever year they are from.
func TestRecordedLists(t *testing.T) {
	repositories := func(t *testing.T, c *bitbucket.Client) ([]json.RawMessage, error) {
		return texts(c.Repositories(t.Context(), bitbucket.RepositoryQuery{}), func(r bitbucket.Repository) json.RawMessage { return r.JSON })
	}
	projects := func(t *testing.T, c *bitbucket.Client) ([]json.RawMessage, error) {
		return texts(listProjects(t.Context(), c), asJSON)
	}
	pulls := func(t *testing.T, c *bitbucket.Client) ([]json.RawMessage, error) {
		return texts(listPullRequests(t.Context(), c, "r", `state="OPEN"`), asJSON)
	}
	tree := func(t *testing.T, c *bitbucket.Client) ([]json.RawMessage, error) {
		commit := strings.Split(src, "/")[5]
		return texts(c.Tree(t.Context(), "r", commit, "", 1), func(e bitbucket.Entry) json.RawMessage { return e.JSON })
	}
	for _, tt := range []struct {
		files []string
		path  string
		list  func(*testing.T, *bitbucket.Client) ([]json.RawMessage, error)
	}{
		{[]string{"repository.json", "second-lot/repository-object-2025.json", "second-lot/repositories-page-2017.json"}, "/repositories/acme", repositories},
		{[]string{"second-lot/projects-page-2020.json", "second-lot/project-object-2025.json"}, "/workspaces/acme/projects", projects},
		{[]string{"pullrequests-page.json", "second-lot/pullrequest-object-2025.json", "second-lot/pullrequests-fork-2020.json", "second-lot/pullrequests-page-2020.json",
			"second-lot/pullrequests-mixed-2022.json", "second-lot/pullrequest-approved-2018.json", "second-lot/pullrequest-merged-2020.json"}, "/repositories/acme/r/pullrequests", pulls},
		{[]string{"second-lot/src-root-2018.json", "second-lot/src-page-token-2020.json"}, src, tree},
	} {
		for _, file := range tt.files {
			t.Run(file, func(t *testing.T) {
				page := map[string]json.RawMessage{}
				recorded(t, file, &page)
				if page["values"] == nil {
					page = map[string]json.RawMessage{"values": asJSON(bitbucket.Object{"list": []any{page}})}
					page["values"] = page["values"][len(`{"list":`) : len(page["values"])-1]
				}
				var want []json.RawMessage
				if err := json.Unmarshal(page["values"], &want); err != nil || len(want) == 0 {
					t.Fatal(len(want), err)
				}
				delete(page, "next")
				if page["size"] != nil { // some files hold a part of the list
					page["size"] = fmt.Append(nil, len(want))
				}
				body, err := json.Marshal(page)
				if err != nil {
					t.Fatal(err)
				}
				s := newServer()
				s.Fault(bitbuckettest.Fault{Path: tt.path, Status: 200, Body: string(body), Times: -1})
				inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
					got, err := tt.list(t, c)
					if err != nil || len(got) != len(want) {
						t.Fatalf("got %d values, %v, want %d", len(got), err, len(want))
					}
					for i := range want {
						sameJSON(t, got[i], string(want[i]))
					}
					equal(t, "requests", s.Requests(), 1)
				})
			})
		}
	}
}

// Recorded branches name their commit, and a repository the head of its main branch when asked.
func TestRecordedHeads(t *testing.T) {
	var branch struct{ Target struct{ Hash string } }
	var repository struct {
		MainBranch *struct {
			Name   string
			Target struct{ Hash string }
		}
	}
	for _, file := range []string{"branch-with-slash.json", "second-lot/branch-draft-2026.json"} {
		recorded(t, file, &branch)
		got := headOf(t, file)
		equal(t, file, got, branch.Target.Hash)
		equal(t, "length", len(got), 40)
	}
	for _, file := range []string{"second-lot/mainbranch-target-2017.json", "second-lot/mainbranch-null-2017.json", "second-lot/repository-object-2025.json"} {
		var raw json.RawMessage
		recorded(t, file, &raw)
		repository.MainBranch = nil
		recorded(t, file, &repository)
		var got bitbucket.Repository
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		name, hash := "", ""
		if m := repository.MainBranch; m != nil {
			name, hash = m.Name, m.Target.Hash
		}
		equal(t, file, [2]string{got.MainBranch, got.Hash}, [2]string{name, hash})
	}
}

func headOf(t *testing.T, file string) string {
	t.Helper()
	var body json.RawMessage
	recorded(t, file, &body)
	s := newServer()
	s.Fault(bitbuckettest.Fault{Status: 200, Body: string(body)})
	hash, err := newClient(t, inProcess, s.RoundTripper()).Head(t.Context(), "r", "feature/x")
	equal(t, "error", err, nil)
	return hash
}

// Recorded refusals are told in the vendor's words, whatever form they come in.
func TestRecordedRefusals(t *testing.T) {
	var all []struct {
		Status  int
		Headers map[string]string
		Body    any
		Request string
	}
	recorded(t, "second-lot/errors.json", &all)
	for _, r := range all {
		t.Run(fmt.Sprint(r.Status, " ", r.Request), func(t *testing.T) {
			body, words := fmt.Sprint(r.Body), ""
			if object, ok := r.Body.(map[string]any); ok {
				body = string(asJSON(object))
				words, _ = object["error"].(map[string]any)["message"].(string)
			} else if !strings.Contains(body, "<") {
				words = body
			}
			header := http.Header{}
			for k, v := range r.Headers {
				header.Set(k, v)
			}
			s := withRepositories(1)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				_, err := slugs(c) // the API answers
				equal(t, "error", err, nil)
				s.Fault(bitbuckettest.Fault{Status: r.Status, Header: header, Body: cmp.Or(body, " "), Times: -1})
				_, _, err = c.File(t.Context(), "r", "abc", "static/media", 100)
				var e *bitbucket.Error
				if !errors.As(err, &e) {
					t.Fatalf("got %v, want an *Error", err)
				}
				equal(t, "status", e.Status, r.Status)
				equal(t, "message", e.Message, words)
				equal(t, "missing path", errors.Is(err, bitbucket.ErrNoFile), strings.HasPrefix(words, "No such file"))
				equal(t, "denied", bitbucket.Denied(err), r.Status == 401 || r.Status == 429)
				if r.Status != 400 && bitbucket.Fix(err) == "" {
					t.Error("got no fix")
				}
			})
		})
	}
}

// Recorded headers change nothing: an answer that calls itself throttled is a good one.
func TestRecordedHeaders(t *testing.T) {
	var all []struct{ Headers map[string]any }
	recorded(t, "second-lot/headers.json", &all)
	s := newServer()
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{"Jenkinsfile": "node {}"}})
	for i, path := range []string{"/repositories/acme", "/repositories/acme/r/src/**"} {
		header := http.Header{}
		for k, v := range all[i].Headers {
			header.Set(k, strings.Trim(fmt.Sprint(v), "[]"))
		}
		s.Fault(bitbuckettest.Fault{Path: path, Header: header, Times: -1})
	}
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "repositories", got, "r")
		equal(t, "error", err, nil)
		text, _, err := c.File(t.Context(), "r", s.Head("r"), "Jenkinsfile", 100)
		equal(t, "file", string(text), "node {}")
		equal(t, "error", err, nil)
		equal(t, "requests", s.Requests(), 2)
		correct(t, s)
	})
}

// sameJSON compares with exact numbers.
func sameJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	a, err := bitbucket.Decode(got)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bitbucket.Decode([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "JSON", a, b)
}

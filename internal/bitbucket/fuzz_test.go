package bitbucket_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/transport"
)

// answer is what a server gives that knows nothing of the request.
func answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: req,
	}
}

// FuzzURL asks for a file of any name, commit and repository: the request goes to
// its own route, with each of them as it is, or does not go out.
func FuzzURL(f *testing.F) {
	for _, seed := range [][3]string{
		{"repo", "a1b2c3", "src/main.go"}, {"..", "x", "y"}, {"repo", "..", "../../secrets"}, {"a/b", "c?d=e#f", "g%2fh i"}, {".", "@evil.test", "//evil.test/x"},
		{"repo", "main", "a\r\nHost: evil.test"}, {"é\u202e", "\x00", "\xff"}, {"%2e%2e", "a", "%2E"}, {"repo", "main", "./a"}, {"", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, slug, commit, name string) {
		synctest.Test(t, func(t *testing.T) { checkURL(t, slug, commit, name) })
	})
}

func checkURL(t *testing.T, slug, commit, name string) {
	t.Helper()
	var sent []*http.Request
	c := newClient(t, inProcess, transport.Func(func(req *http.Request) (*http.Response, error) {
		sent = append(sent, req)
		return answer(req, http.StatusNotFound, `{}`), nil
	}))
	_, _, err := c.File(context.Background(), slug, commit, name, 10)
	want := append([]string{"", "2.0", "repositories", "acme", slug, "src", commit}, strings.Split(strings.TrimPrefix(name, "/"), "/")...)
	if dots := slices.Contains(want, ".") || slices.Contains(want, ".."); dots || len(sent) != 1 {
		if len(sent) != 0 || !errors.Is(err, transport.ErrDots) || !dots {
			t.Errorf("%q: %d requests went out, error %v", want, len(sent), err)
		}
		return
	}
	u := sent[0].URL
	if u.Scheme != "https" || u.Host != "bitbucket.test" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || sent[0].Host != "bitbucket.test" {
		t.Errorf("%q: the request goes to %s", want, u)
	}
	line := u.RequestURI()
	if strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r > '~' }) {
		t.Errorf("%q: the request line holds %q", want, line)
	}
	var got []string
	for segment := range strings.SplitSeq(line, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got = append(got, plain)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got segments %q, want %q", got, want)
	}
}

// FuzzPages reads a list whose pages are anything. It ends, asks Bitbucket alone,
// and yields each repository once; without an error it ends with a last page.
func FuzzPages(f *testing.F) {
	const link = `"https://bitbucket.test/2.0/repositories/acme?page=`
	page := func(size, next string, slugs ...string) string {
		values := make([]string, len(slugs))
		for i, slug := range slugs {
			values[i] = `{"slug":"` + slug + `","uuid":"{` + slug + `}"}`
		}
		text := `{"values":[` + strings.Join(values, ",") + `]`
		if size != "" {
			text += `,"size":` + size
		}
		if next != "" {
			text += `,"next":` + next
		}
		return text + "}"
	}
	f.Add(page("3", link+`2"`, "a", "b"), page("3", "", "c"), "")
	f.Add(page("3", link+`2"`, "a", "b"), page("2", "", "b"), page("", "", "a"))
	f.Add(page("", link+`2"`, "a"), page("", link+`2"`, "b"), page("", link+`3"`, "c"))
	f.Add(page("", `"https://evil.test/2.0/repositories/acme?page=2"`, "a"), "", "")
	f.Add(page("", `"https://bitbucket.test@evil.test/2.0"`, "a"), `{"values":null}`, `[]`)
	f.Add(page("", `"/2.0/x"`, "a"), page("", `"//evil.test/x"`, "b"), page("", `"https://bitbucket.test/2.0/../x"`, "c"))
	f.Add(page("-1", `""`, ""), `{"values":[{"slug":5}]}`, "null")
	f.Add(page("9", link+`%zz"`, "a"), `{"values":[]} {}`, `{"values":[{}]}`)
	f.Add(page("2", link+`2&pagelen=100"`, "a"), page("2", link+`2&pagelen=100"`, "a", "b"), page("1", "", "b"))
	f.Fuzz(func(t *testing.T, first, second, third string) {
		synctest.Test(t, func(t *testing.T) {
			bodies, n := []string{first, second, third}, 0
			c := newClient(t, inProcess, transport.Func(func(req *http.Request) (*http.Response, error) {
				if n++; n > 100 {
					t.Fatal("the list does not end")
				}
				if req.URL.Host != "bitbucket.test" || req.URL.Scheme != "https" || req.Header.Get("Authorization") != "Bearer good" {
					t.Errorf("a request to %s, authorization %q", req.URL, req.Header.Get("Authorization"))
				}
				return answer(req, http.StatusOK, bodies[min(n, len(bodies))-1]), nil
			}))
			seen := map[string]bool{}
			got, err := collect(c.Repositories(context.Background(), bitbucket.RepositoryQuery{}))
			for _, r := range got {
				key := r.UUID
				if key == "" {
					key = r.Slug
				}
				if r.Slug == "" || seen[key] {
					t.Errorf("repository %q twice, or without a slug", key)
				}
				seen[key] = true
				if _, err := bitbucket.Decode(r.JSON); err != nil {
					t.Errorf("repository %q: %v", key, err)
				}
			}
			var last struct {
				Values []any
				Next   string
			}
			if err != nil {
				return
			}
			if err := json.Unmarshal([]byte(bodies[min(n, len(bodies))-1]), &last); err != nil || last.Values == nil || last.Next != "" {
				t.Errorf("the list ends well with %q: %v", bodies[min(n, len(bodies))-1], err)
			}
		})
	})
}

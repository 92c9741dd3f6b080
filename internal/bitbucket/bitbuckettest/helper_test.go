package bitbuckettest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

const base = "http://bitbucket.test/2.0"

// got is an answer as raw HTTP sees it.
type got struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// call sends one request with the good token, in process.
func call(t *testing.T, s *Server, target string) got {
	t.Helper()
	return send(t, s, http.MethodGet, target, "Bearer good")
}

func send(t *testing.T, s *Server, method, target, authorization string) got {
	t.Helper()
	if strings.HasPrefix(target, "/") {
		target = base + target
	}
	r := httptest.NewRequest(method, target, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return exchange(t, s, r)
}

func exchange(t *testing.T, s *Server, r *http.Request) got {
	t.Helper()
	res, err := s.RoundTripper().RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: body: %v", r.Method, r.URL, err)
	}
	g := got{status: res.StatusCode, header: res.Header, body: string(body)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") && !strings.HasPrefix(g.body, "[") {
		if err := json.Unmarshal(body, &g.json); err != nil {
			t.Fatalf("%s %s: %v in %s", r.Method, r.URL, err, body)
		}
	}
	return g
}

// at walks the JSON: names and, in lists, positions.
func (g got) at(path ...any) any {
	var v any = g.json
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (g got) message() string {
	s, _ := g.at("error", "message").(string)
	return s
}

func (g got) keys(path ...any) []string {
	o, _ := g.at(path...).(map[string]any)
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// column is one field of all values, as text.
func (g got) column(name string) string {
	values, _ := g.json["values"].([]any)
	var cells []string
	for _, v := range values {
		b, _ := json.Marshal(v.(map[string]any)[name])
		cells = append(cells, strings.Trim(string(b), `"`))
	}
	return strings.Join(cells, " ")
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// small is a workspace with a good token, two projects and four repositories.
func small(t *testing.T) *Server {
	t.Helper()
	s := New("acme")
	s.AllowToken("good", Access{Name: "good"})
	s.AddProject(Project{Key: "PAY", Name: "Payments", Description: "Cards", Private: true})
	s.AddProject(Project{Key: "OPS"})
	s.AddRepository(Repository{Name: "Checkout API", ProjectKey: "PAY", Private: true, Language: "go", Size: 100,
		Files: map[string]string{"README.md": "# Checkout\n", "docs/a b.txt": "x", "docs/deep/c.json": "{}"}})
	s.AddRepository(Repository{Name: "R&D 🤖 Bot", ProjectKey: "OPS", Language: "python", Size: 200, MainBranch: "release/1.x"})
	s.AddRepository(Repository{Name: "empty", ProjectKey: "OPS"})
	s.AddRepository(Repository{Name: "orphan", Files: map[string]string{"a": "b"}, NoTarget: true, Roles: []string{"member"}})
	dana, amir := User{Name: "Dana Ruiz"}, User{Name: "Amir Haddad"}
	s.AddPullRequest("checkout-api", PullRequest{Title: "Add retry", Author: &dana, Reviewers: []User{amir}})
	s.AddPullRequest("checkout-api", PullRequest{Title: "Say \"hi\"\n<b>", DeletedFork: true})
	s.AddPullRequest("checkout-api", PullRequest{Title: "Old", State: "MERGED", Author: &amir})
	s.AddPullRequest("checkout-api", PullRequest{Title: "No", State: "DECLINED", Author: &amir})
	return s
}

func benchCall(b *testing.B, s *Server, target string) {
	r := httptest.NewRequest(http.MethodGet, base+target, nil)
	r.Header.Set("Authorization", "Bearer good")
	res, err := s.RoundTripper().RoundTrip(r)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatal(res, err)
	}
}

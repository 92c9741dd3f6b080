package porttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/port/porttest"
)

const agent = "port-ocean/bitbucket-cloud/1.2.3/my-integration/exporter"

// raw speaks HTTP to an emulator without any client of ours.
type raw struct {
	*porttest.Server
	t      *testing.T
	client *http.Client
	base   string
	token  string
	agent  string
}

// start serves an organization with the default blueprints on a socket.
func start(t *testing.T) *raw {
	t.Helper()
	s := porttest.New()
	s.AllowClient("id", "secret")
	for _, b := range porttest.DefaultBlueprints() {
		s.AddBlueprint(b)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	r := &raw{Server: s, t: t, client: server.Client(), base: server.URL, agent: agent}
	r.login("id", "secret")
	s.ResetJournal()
	return r
}

func (r *raw) login(id, secret string) {
	r.t.Helper()
	got := r.call("POST", "/v1/auth/access_token", fmt.Sprintf(`{"clientId":%q,"clientSecret":%q}`, id, secret))
	got.want(200)
	r.token = "Bearer " + got.text("accessToken")
}

type got struct {
	t      *testing.T
	name   string
	status int
	header http.Header
	body   map[string]any
	err    error
}

// call sends one request. An empty body is none.
func (r *raw) call(method, path, body string) *got {
	r.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+path, content)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("User-Agent", r.agent)
	if r.token != "" {
		req.Header.Set("Authorization", r.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return r.send(req)
}

func (r *raw) send(req *http.Request) *got {
	g := &got{t: r.t, name: req.Method + " " + req.URL.RequestURI()}
	res, err := r.client.Do(req)
	if err != nil {
		g.err = err
		return g
	}
	defer res.Body.Close()
	g.status, g.header = res.StatusCode, res.Header
	text, err := io.ReadAll(res.Body)
	if g.err = err; err == nil {
		g.err = json.NewDecoder(bytes.NewReader(text)).Decode(&g.body)
	}
	return g
}

func (g *got) want(status int) *got {
	g.t.Helper()
	if g.err != nil || g.status != status {
		g.t.Fatalf("%s: got status %d (%v, %v), want %d", g.name, g.status, g.err, g.body, status)
	}
	return g
}

// says wants a refusal whose message has a part.
func (g *got) says(status int, part string) {
	g.t.Helper()
	g.want(status)
	if message := g.text("message"); g.body["ok"] != false || !strings.Contains(message, part) {
		g.t.Errorf("%s: got ok %v and message %q, want false and a message with %q", g.name, g.body["ok"], message, part)
	}
}

func (g *got) text(key string) string {
	text, _ := g.body[key].(string)
	return text
}

func (g *got) list(key string) []any {
	list, _ := g.body[key].([]any)
	return list
}

// column is one member of each object of a list.
func (g *got) column(key, member string) string {
	var values []string
	for _, item := range g.list(key) {
		values = append(values, fmt.Sprint(item.(map[string]any)[member]))
	}
	return strings.Join(values, " ")
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %#v, want %#v", what, got, want)
	}
}

// wantViolations checks how many were noted, and empties nothing.
func (r *raw) wantViolations(n int) {
	r.t.Helper()
	if got := r.Violations(); len(got) != n {
		r.t.Errorf("got %d violations, want %d: %q", len(got), n, got)
	}
}

package port_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

const (
	secret     = "port-client-secret"
	identifier = "acme"
	agent      = "port-ocean/bitbucket-cloud/1.2.3/acme/exporter"
	tokenPath  = "/v1/auth/access_token"
	repository = "bitbucketRepository"
	bulkPath   = "/v1/blueprints/bitbucketRepository/entities/bulk"
	deletePath = "/v1/blueprints/bitbucketRepository/bulk/entities/delete"
)

func newServer() *porttest.Server {
	s := porttest.New()
	s.AllowClient("id", secret)
	for _, b := range porttest.DefaultBlueprints() {
		s.AddBlueprint(b)
	}
	return s
}

func config(base string, transport http.RoundTripper) port.Config {
	return port.Config{
		BaseURL: base, ClientID: "id", ClientSecret: secret, Identifier: identifier, Version: "1.2.3",
		Transport: transport, Log: slog.New(slog.DiscardHandler),
	}
}

// inProcess is a client without a socket, for use inside a synctest bubble.
func inProcess(s *porttest.Server) *port.Client {
	return port.New(config("http://port.test", s.RoundTripper()))
}

// overSocket is a client of the server on loopback. The base path is an odd one,
// so that a path that leaves it fails.
func overSocket(t *testing.T, s *porttest.Server) *port.Client {
	t.Helper()
	server := httptest.NewServer(http.StripPrefix("/odd", s))
	t.Cleanup(server.Close)
	return port.New(config(server.URL+"/odd", server.Client().Transport))
}

func entity(t *testing.T, blueprint, id string, properties map[string]any) catalog.Entity {
	t.Helper()
	e, err := catalog.Encode(blueprint, catalog.Fields{Identifier: id, Properties: properties}, catalog.NewDigester(catalog.Keys{}, catalog.Shape{}))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%03d", prefix, i)
	}
	return all
}

func batchOf(t *testing.T, ids ...string) []catalog.Entity {
	t.Helper()
	var batch []catalog.Entity
	for _, id := range ids {
		batch = append(batch, entity(t, repository, id, nil))
	}
	return batch
}

// answers are the statuses of the journal's exchanges, in order, with a mark for logins.
func answers(s *porttest.Server) string {
	var all []string
	for _, x := range s.Journal() {
		text := fmt.Sprint(x.Status)
		if x.Path == tokenPath {
			text = "login:" + text
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func noViolations(t *testing.T, s *porttest.Server) {
	t.Helper()
	if got := s.Violations(); len(got) > 0 {
		t.Errorf("violations: got %q, want none", got)
	}
}

// status is that of a *port.Error, and 0 of any other error.
func status(err error) int {
	var e *port.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

func sent(t *testing.T, x porttest.Exchange) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.NewDecoder(bytes.NewReader(x.RequestBody)).Decode(&body); err != nil {
		t.Fatalf("body of %s %s: %v", x.Method, x.Path, err)
	}
	return body
}

// through is a transport that sees each request, and its answer when there is one.
type through struct {
	base   http.RoundTripper
	before func(*http.Request)
	after  func(*http.Response)
}

func (t through) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.before != nil {
		t.before(req)
	}
	resp, err := t.base.RoundTrip(req)
	if err == nil && t.after != nil {
		t.after(resp)
	}
	return resp, err
}

// same is equal for values that hold maps.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("%s: got (-), want (+):\n%s", what, diff)
	}
}

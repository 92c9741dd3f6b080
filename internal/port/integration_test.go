package port_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

func TestIntegration(t *testing.T) {
	t.Parallel()
	s := newServer()
	c := overSocket(t, s)
	_, err := c.DataSource.Integration(t.Context())
	if !errors.Is(err, port.ErrNotFound) {
		t.Fatalf("without a record: got %v, want ErrNotFound", err)
	}
	mapping := map[string]any{"resources": []any{map[string]any{"kind": "project", "selector": map[string]any{"query": "true"}, "port": map[string]any{"entity": map[string]any{"mappings": map[string]any{"identifier": ".uuid", "blueprint": ".x"}}}}}}
	created, err := c.DataSource.Create(t.Context(), mapping)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.DataSource.Integration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "created as read", created, got)
	if !strings.HasPrefix(got.LogURL, "http://127.0.0.1:") || !strings.HasPrefix(got.MetricURL, "http://127.0.0.1:") || got.LogURL == got.MetricURL {
		t.Errorf("addresses: got %q and %q, want two of the server", got.LogURL, got.MetricURL)
	}
	got.LogURL, got.MetricURL = "", ""
	same(t, "integration", got, port.Integration{InstallationType: "OnPrem", AppType: "bitbucket-cloud", Version: "1.2.3", Config: mapping})
	record, _ := s.Integration(identifier)
	equal(t, "origin", record["createPortResourcesOrigin"], any("Default"))
	again, err := c.DataSource.Create(t.Context(), map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	created.There = true
	same(t, "created twice", again, created)
	noViolations(t, s)
}

func TestIntegrationNeedsARole(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.AllowClient("id", secret, porttest.Member)
	s.PutIntegration(identifier, map[string]any{"config": nil, "installationType": "SaasOauth2"})
	c := overSocket(t, s)
	_, err := c.DataSource.Integration(t.Context())
	equal(t, "status", status(err), http.StatusForbidden)
	equal(t, "is ErrNotFound", errors.Is(err, port.ErrNotFound), false)
	s.AllowClient("id", secret, porttest.Moderator)
	s.RevokeTokens()
	got, err := c.DataSource.Integration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "installation type", got.InstallationType, "SaasOauth2")
	equal(t, "a config of null is nil", got.Config == nil, true)
}

func TestBlueprints(t *testing.T) {
	t.Parallel()
	s := newServer()
	c := overSocket(t, s)
	ctx := t.Context()
	b := map[string]any{
		"identifier": "team/service", "title": "Service",
		"schema": map[string]any{"properties": map[string]any{"tier": map[string]any{"type": "string"}}, "required": []any{}},
	}
	if err := c.Blueprints.Create(ctx, b); err != nil {
		t.Fatal(err)
	}
	relations := map[string]any{"repository": map[string]any{"title": "R", "target": repository, "required": false, "many": false}}
	if err := c.Blueprints.Update(ctx, "team/service", map[string]any{"relations": relations}); err != nil {
		t.Fatal(err)
	}
	got, err := c.Blueprints.Read(ctx, "team/service")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "target", got.Relations["repository"].Target, repository)
	if _, ok := got.Schema.Properties["tier"]; !ok || len(got.Schema.Properties) != 1 {
		t.Errorf("properties: got %v, want tier", got.Schema.Properties)
	}
	equal(t, "status of the same again", status(c.Blueprints.Create(ctx, b)), 409)
	if err := c.Blueprints.Delete(ctx, "team/service"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Blueprints.Read(ctx, "team/service"); !errors.Is(err, port.ErrNotFound) {
		t.Errorf("a deleted one: got %v, want ErrNotFound", err)
	}
	noViolations(t, s)
}

func TestEveryRequestNamesTheDataSource(t *testing.T) {
	t.Parallel()
	s := newServer()
	c := overSocket(t, s)
	for _, do := range safe {
		_ = do(t, c)
	}
	for _, x := range s.Journal() {
		equal(t, "User-Agent of "+x.Path, x.RequestHeader.Get("User-Agent"), agent)
		equal(t, "Accept of "+x.Path, x.RequestHeader.Get("Accept"), "application/json")
	}
	equal(t, "Requests", c.Requests(), s.Requests())
	equal(t, "Identifier", c.Identifier(), identifier)
	c.Entities.Upsert(t.Context(), repository, batchOf(t, "mine"), merge)
	for _, e := range s.Entities(repository) {
		equal(t, "datasource of "+e.Identifier, e.Datasource, agent)
	}
}

func TestNoSecretIsLogged(t *testing.T) {
	t.Parallel()
	s := newServer()
	var log bytes.Buffer
	told := ""
	server := httptest.NewServer(s)
	defer server.Close()
	cfg := config(server.URL, server.Client().Transport)
	cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.OnToken = func(token string) { told = token }
	c := port.New(cfg)
	for _, do := range safe {
		_ = do(t, c)
	}
	c.Entities.Upsert(t.Context(), repository, batchOf(t, "private-identifier"), merge)
	text := log.String()
	for _, hidden := range []string{secret, told, "private-identifier", "create_missing", "Bearer"} {
		if hidden == "" || strings.Contains(text, hidden) {
			t.Errorf("the log holds %q:\n%s", hidden, text)
		}
	}
	if !strings.Contains(text, "path="+bulkPath) {
		t.Errorf("the log has no line on %s:\n%s", bulkPath, text)
	}
}

// An answer is read to its end, so that a connection serves many requests.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	s := newServer()
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(chunked{w}, r)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := port.New(config(server.URL, server.Client().Transport))
	for range 10 {
		if err := c.Blueprints.Update(t.Context(), repository, map[string]any{"title": "T"}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "connections", opened.Load(), 1)
}

// chunked sends an answer without its length, as Port's gateway may.
type chunked struct{ http.ResponseWriter }

func (c chunked) WriteHeader(status int) {
	c.Header().Del("Content-Length")
	c.ResponseWriter.WriteHeader(status)
}

func (c chunked) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	return n, err
}

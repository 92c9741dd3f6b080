package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

const secret = "workspace-token-of-the-canary"

// world is both services on loopback, and the environment of a run against them.
func world(t *testing.T, change func(http.Handler) http.Handler) []string {
	t.Helper()
	b, p := bitbuckettest.Sample(), porttest.New()
	b.AllowToken(secret)
	p.AllowClient("id", "client-secret-of-the-canary")
	for _, blueprint := range porttest.DefaultBlueprints() {
		p.AddBlueprint(blueprint)
	}
	bitbucket, port := httptest.NewServer(change(b)), httptest.NewServer(p)
	t.Cleanup(bitbucket.Close)
	t.Cleanup(port.Close)
	return []string{
		"BITBUCKET_HOST_URL=" + bitbucket.URL + "/2.0", "GIT_HOST_URL=" + bitbucket.URL, "BITBUCKET_WORKSPACE=acme",
		"BITBUCKET_WORKSPACE_TOKEN=" + secret, "PORT_BASE_URL=" + port.URL, "PORT_CLIENT_ID=id",
		"PORT_CLIENT_SECRET=client-secret-of-the-canary", "INTEGRATION_IDENTIFIER=canary",
	}
}

func run(t *testing.T, environ []string) (status int, out string) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	var text, log bytes.Buffer
	status = smoke(t.Context(), []string{"../mappings/slugs.yml"}, environ, transport, &text, &log)
	if strings.Contains(text.String()+log.String(), secret) {
		t.Errorf("a secret is shown:\n%s%s", text.String(), log.String())
	}
	return status, text.String()
}

// The emulators keep to what the program assumes: nothing is refuted, and what a run touches is
// confirmed.
func TestSmoke(t *testing.T) {
	t.Parallel()
	status, out := run(t, world(t, func(h http.Handler) http.Handler { return h }))
	if status != 0 || strings.Contains(out, "refuted") {
		t.Errorf("ended with %d:\n%s", status, out)
	}
	for _, fact := range []string{"a page may hold 50", "fields narrows", "protocol 2", "datasource", "name their resync", "answers for each entity"} {
		if !regexp.MustCompile(`\| confirmed \|[^|]*` + regexp.QuoteMeta(strings.ReplaceAll(fact, "datasource", "data source"))).MatchString(out) {
			t.Errorf("%q is not confirmed:\n%s", fact, out)
		}
	}
	for _, mode := range []string{"== validate", "== plan", "== sync"} {
		if !strings.Contains(out, mode) {
			t.Errorf("%s did not run:\n%s", mode, out)
		}
	}
}

// A service that does otherwise is told apart, and the run goes on as it can.
func TestSmokeRefutes(t *testing.T) {
	t.Parallel()
	status, out := run(t, world(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/pullrequests") && r.URL.Query().Get("pagelen") == "50" {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte(`{"type":"error","error":{"message":"Invalid pagelen"}}`))
				return
			}
			h.ServeHTTP(w, r)
		})
	}))
	if status < 4 || !regexp.MustCompile(`\| \*\*refuted\*\* \| a page may hold 50 pull requests`).MatchString(out) {
		t.Errorf("ended with %d:\n%s", status, out)
	}
}

func TestSmokeNeedsAMapping(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if status := smoke(t.Context(), nil, nil, http.DefaultTransport, &out, &out); status != 2 || !strings.Contains(out.String(), "mapping.yml") {
		t.Errorf("ended with %d: %s", status, out.String())
	}
}

// Each assumption leads to a file that is there, and to a name in it.
func TestProbesLeadToTheCode(t *testing.T) {
	t.Parallel()
	for _, p := range probes {
		file, names, _ := strings.Cut(p.where, ": ")
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Errorf("%s: %v", p.fact, err)
			continue
		}
		for name := range strings.SplitSeq(names, ", ") {
			if !strings.Contains(string(text), name) {
				t.Errorf("%s: %s does not hold %q", p.fact, file, name)
			}
		}
	}
}

package scale_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// strictly is the workspace in one strict emulator.
func strictly(s size) *bitbuckettest.Server {
	all := emptyWorkspace()
	for i := range s.repositories {
		addRepository(all, i)
		addPullRequests(all, i, s.pullRequests)
	}
	return all
}

// told is what a run says and leaves behind.
type told struct {
	Status                               string
	Created, Updated, Unchanged, Deleted int
	Requests                             int
	Entities                             map[string]shown
}

// shown is what is compared of an entity: not when it was written.
type shown struct {
	Title                 string
	Properties, Relations map[string]any
}

func (to told) show(e porttest.Entity) {
	to.Entities[e.Blueprint+"/"+e.Identifier] = shown{e.Title, e.Properties, e.Relations}
}

// ingest runs the program in this process.
func ingest(t *testing.T, workspace, port http.Handler) told {
	t.Helper()
	bitbucket, catalog := httptest.NewServer(workspace), httptest.NewServer(port)
	defer bitbucket.Close()
	defer catalog.Close()
	dir := t.TempDir()
	var out bytes.Buffer
	status := app.Main(t.Context(), app.Process{Stdout: &out, Stderr: &out, Dir: dir, Environ: []string{
		"BITBUCKET_HOST_URL=" + bitbucket.URL + "/2.0", "BITBUCKET_WORKSPACE=" + slug, "BITBUCKET_WORKSPACE_TOKEN=" + token,
		"PORT_BASE_URL=" + catalog.URL, "PORT_CLIENT_ID=" + clientID, "PORT_CLIENT_SECRET=" + clientSecret,
		"BITBUCKET_RATE_LIMIT=1000000/1h", "REPORT_FILE=report.json",
	}})
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil || status != 0 {
		t.Fatalf("status %d, %v\n%s", status, err, &out)
	}
	var report struct {
		Status    string
		Created   int `json:"entities_created"`
		Updated   int `json:"entities_updated"`
		Unchanged int `json:"entities_unchanged"`
		Deleted   int `json:"entities_deleted"`
		Requests  int `json:"bitbucket_requests"`
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	return told{report.Status, report.Created, report.Updated, report.Unchanged, report.Deleted, report.Requests, map[string]shown{}}
}

// A first and an unchanged run are the same against the emulators of this package as against
// the strict ones that hold everything.
func TestAgree(t *testing.T) {
	t.Parallel()
	s := size{3, 60}
	all, catalog := strictly(s), porttest.New()
	catalog.AllowClient(clientID, clientSecret)
	workspace := newWorkspace(s)
	port, err := newOrganization(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := port.close(); err != nil {
			t.Error(err)
		}
	})
	port.most = 50
	for _, phase := range []phase{first, unchanged} {
		got, want := ingest(t, workspace, port), ingest(t, all, catalog)
		port.each(got.show)
		for _, of := range catalog.Catalog() {
			for _, e := range of {
				want.show(e)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", phase, diff)
		}
		if n := len(want.Entities); n != s.entities() || port.entities() != n {
			t.Errorf("%s: got %d and %d entities, want %d", phase, n, port.entities(), s.entities())
		}
		if n := port.upserts(); phase == unchanged && n > 0 {
			t.Errorf("got %d upserts, want none", n)
		}
		port.age(time.Hour)
		catalog.Age(time.Hour)
	}
	since := time.Now().UTC().Add(-30 * time.Minute).Format(time.RFC3339)
	for path, body := range map[string]map[string]any{
		"/v1/blueprints/entities/datasource-entities":             {"datasource_prefix": "port-ocean/", "datasource_suffix": "/exporter", "before": since},
		"/v1/blueprints/bitbucketPullRequest/entities/search":     {"limit": 70},
		"/v1/blueprints/bitbucketPullRequest/entities/search?in=": {"query": in("service-000017", "service-000023", "unknown")},
		"/v1/blueprints/bitbucketRepository/entities/search":      {},
	} {
		got, want := listed(t, port, path, body), listed(t, catalog, path, body)
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s: %d entities; want -, got +\n%s", path, len(want), diff)
		}
	}
	for _, wrong := range append(workspace.violations(), port.violations()...) {
		t.Errorf("asked, and must not be: %s", wrong)
	}
}

func in(identifiers ...string) map[string]any {
	return map[string]any{"combinator": "and", "rules": []any{map[string]any{"property": "$identifier", "operator": "in", "value": identifiers}}}
}

// listed are the titles of all that a route lists, by blueprint and identifier.
func listed(t *testing.T, port http.Handler, path string, body map[string]any) map[string]any {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	var token struct{ AccessToken string }
	ask(t, port, "", "/v1/auth/access_token", map[string]any{"clientId": clientID, "clientSecret": clientSecret}, &token)
	all := map[string]any{}
	for {
		var page struct {
			Entities []struct {
				Blueprint, Identifier string
				Title                 any
			}
			Next string
		}
		ask(t, port, token.AccessToken, path, body, &page)
		for _, e := range page.Entities {
			name := e.Blueprint + "/" + e.Identifier
			if _, twice := all[name]; twice {
				t.Errorf("%s: %s comes twice", path, name)
			}
			all[name] = e.Title
		}
		if page.Next == "" {
			return all
		}
		body = maps.Clone(body)
		body["from"] = page.Next
	}
}

// ask posts a body, and decodes the answer.
func ask(t *testing.T, port http.Handler, token, path string, body map[string]any, answer any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "http://api.example"+path, bytes.NewReader(text))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	port.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %.300s, %v", path, w.Code, w.Body, err)
	}
}

// Pages of pull requests are those of one strict emulator, byte for byte.
func TestPages(t *testing.T) {
	t.Parallel()
	s := size{4, 30}
	all, workspace := strictly(s), newWorkspace(s)
	get := func(h http.Handler, path string) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "http://api.example"+path, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		text, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.Code, string(text)
	}
	for _, path := range []string{
		"/2.0/repositories/acme?pagelen=3&page=2",
		"/2.0/repositories/acme/service-00002/pullrequests",
		"/2.0/repositories/acme/service-00002/pullrequests?pagelen=7&sort=id&page=2",
		"/2.0/repositories/acme/service-00003/pullrequests?pagelen=50&sort=id&q=%28state%3D%22OPEN%22%29+AND+id+%3E+12",
		"/2.0/repositories/acme/service-00000/pullrequests?pagelen=5&fields=values.id,values.author.display_name",
		"/2.0/repositories/acme/service-00000/pullrequests?pagelen=5&fields=%2Bvalues.reviewers",
		"/2.0/repositories/acme/service-00001/pullrequests/3",
		"/2.0/repositories/acme/service-00001/pullrequests?pagelen=51",
		"/2.0/repositories/acme/service-00004/pullrequests",
		"/2.0/repositories/acme/unknown/pullrequests",
	} {
		wantCode, want := get(all, path)
		gotCode, got := get(workspace, path)
		if gotCode != wantCode || got != want {
			t.Errorf("%s\ngot  %d %.300s\nwant %d %.300s", path, gotCode, got, wantCode, want)
		}
	}
}

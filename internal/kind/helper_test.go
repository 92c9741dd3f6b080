package kind_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/transport"
)

// resource is a mapping's only one. The selector is written in flow style: `repoQuery: x, userRole: y`.
func resource(t testing.TB, name, selector string) mapping.Resource {
	t.Helper()
	query := `query: "true"`
	if selector != "" {
		query += ", " + selector
	}
	m, err := mapping.Parse("mapping.yml", []byte(`resources:
  - kind: `+name+`
    selector: {`+query+`}
    port: {entity: {mappings: {identifier: .slug, blueprint: '"b"'}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	return m.Resources[0]
}

// world is a workspace that one run reads, over an emulator, in virtual time.
type world struct {
	testing.TB
	s      *bitbuckettest.Server
	ws     *kind.Workspace
	client *bitbucket.Client
}

// workspace is that of another run.
func (w world) workspace(o kind.Options) *kind.Workspace {
	ws := kind.NewWorkspace(w.client, o)
	w.Cleanup(func() {
		if err := ws.Close(); err != nil {
			w.Errorf("close: %v", err)
		}
	})
	return ws
}

func inBubble(t *testing.T, s *bitbuckettest.Server, test func(w world)) {
	t.Helper()
	inBubbleWith(t, func() *bitbuckettest.Server { return s }, test)
}

// inBubbleWith makes the emulator within the bubble, so that it has the same time.
func inBubbleWith(t *testing.T, s func() *bitbuckettest.Server, test func(w world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(newWorld(t, s())) })
}

func newWorld(t testing.TB, s *bitbuckettest.Server) world { return newWorldWith(t, s, 4) }

func newWorldWith(t testing.TB, s *bitbuckettest.Server, concurrency int) world {
	t.Helper()
	s.AllowToken("good", bitbuckettest.Access{Limit: -1})
	w := world{TB: t, s: s, client: newClient(t, s, concurrency, 0)}
	w.ws = w.workspace(kind.Options{TempDir: t.TempDir(), KeepFiles: true})
	return w
}

// newClient is a client of which at most so many requests go out; 0 means no bound.
func newClient(t testing.TB, s *bitbuckettest.Server, concurrency, maxRequests int) *bitbucket.Client {
	t.Helper()
	c, err := bitbucket.New(bitbucket.Config{
		BaseURL: "https://bitbucket.test/2.0", Workspace: "acme", CredentialKind: "workspace access token",
		Credentials: []transport.Credential{{Authorize: func(r *http.Request) { r.Header.Set("Authorization", "Bearer good") }}},
		Rate:        transport.Rate{N: 10_000, Window: time.Hour}, Concurrency: concurrency, MaxRequests: maxRequests,
		Transport: s.RoundTripper(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// extracted is what one extraction gave.
type extracted struct {
	objects []kind.Object
	failed  []error // of tasks
	none    []*kind.None
	err     error // of the list of tasks
}

func (w world) extract(name, selector string) extracted {
	w.Helper()
	bound, err := kind.Bind(resource(w.TB, name, selector))
	if err != nil {
		w.Fatal(err)
	}
	return w.extractBound(bound)
}

func (w world) extractBound(bound kind.Bound) (got extracted) {
	for task, err := range bound.Extract(context.Background(), w.ws) {
		if err != nil {
			got.err = err
			continue
		}
		for object, err := range task.Run(context.Background()) {
			if none := (*kind.None)(nil); errors.As(err, &none) {
				got.none = append(got.none, none)
				continue
			}
			if err != nil {
				got.failed = append(got.failed, err)
				continue
			}
			got.objects = append(got.objects, object.Object)
		}
	}
	return got
}

// skipShort leaves a test to a run that is not short: the race detector takes ten times as
// long, and sees the same goroutines in smaller workspaces, or in one case of many.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: left to a run without -short")
	}
}

// diff tells how two values differ; empty where they do not, which takes a tenth of the time.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

// good extracts without any error.
func (w world) good(name, selector string) []kind.Object {
	w.Helper()
	got := w.extract(name, selector)
	if got.err != nil || len(got.failed) > 0 {
		w.Fatalf("extract %s: got %v and %v, want no error", name, got.err, got.failed)
	}
	return got.objects
}

func (w world) equal(what string, got, want any) {
	w.Helper()
	if d := diff(want, got); d != "" {
		w.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// asked are the paths of the requests since the last call, below the workspace's.
func (w world) asked() string {
	var paths []string
	for _, x := range w.s.Journal() {
		p := strings.TrimPrefix(x.Path, "/2.0")
		for _, r := range w.s.Slugs() {
			if h := w.s.Head(r); h != "" {
				p = strings.ReplaceAll(p, h, "HEAD")
			}
		}
		paths = append(paths, strings.TrimPrefix(p, "/repositories/acme/"))
	}
	w.s.ResetJournal()
	return strings.Join(paths, " ")
}

func column(objects []kind.Object, key string) string {
	var cells []string
	for _, o := range objects {
		cells = append(cells, fmt.Sprint(o[key]))
	}
	return strings.Join(cells, " ")
}

func isGone(err error) bool {
	var gone *kind.Gone
	return errors.As(err, &gone)
}

func isUnreadable(err error) bool {
	var unreadable *kind.Unreadable
	return errors.As(err, &unreadable)
}

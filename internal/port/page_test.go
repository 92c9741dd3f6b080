package port_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

const ingest = "http://port.test/ingest"

// courtesy are the calls that a run does not depend on.
var courtesy = map[string]func(context.Context, *port.Client) error{
	"create": func(ctx context.Context, c *port.Client) error {
		_, err := c.DataSource.Create(ctx, map[string]any{})
		return err
	},
	"update": func(ctx context.Context, c *port.Client) error {
		return c.DataSource.Update(ctx, port.Integration{}, true)
	},
	"config": func(ctx context.Context, c *port.Client) error {
		return c.DataSource.PublishConfig(ctx, map[string]any{})
	},
	"state": func(ctx context.Context, c *port.Client) error {
		return c.DataSource.SetResyncStatus(ctx, port.Running, time.Now())
	},
	"examples": func(ctx context.Context, c *port.Client) error {
		return c.DataSource.SendExamples(ctx, "repository", []map[string]any{{"slug": "a"}})
	},
	"metrics": func(ctx context.Context, c *port.Client) error {
		return c.DataSource.PostSyncMetrics(ctx, ingest, []port.SyncMetric{{}})
	},
	"metric": func(ctx context.Context, c *port.Client) error {
		return c.DataSource.PutSyncMetric(ctx, ingest, port.SyncMetric{})
	},
	"heartbeat": func(ctx context.Context, c *port.Client) error { return c.DataSource.Heartbeat(ctx, ingest, "e") },
	"logs": func(ctx context.Context, c *port.Client) error {
		return c.DataSource.ShipLogs(ctx, ingest, []port.LogLine{{}})
	},
}

// What a run does not depend on has two attempts and ten seconds.
func TestCourtesyIsBrief(t *testing.T) {
	t.Parallel()
	for call, do := range courtesy {
		for fault, f := range map[string]porttest.Fault{
			"503":           {Status: 503},
			"429":           {Status: 429},
			"429 for long":  {Status: 429, Header: http.Header{"Retry-After": {"3600"}}},
			"503 for long":  {Status: 503, Header: http.Header{"Retry-After": {"3600"}}},
			"dropped":       {DropConnection: true},
			"never answers": {Delay: time.Hour},
		} {
			t.Run(call+"/"+fault, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					c := inProcess(s)
					if _, err := c.Login(t.Context()); err != nil {
						t.Fatal(err)
					}
					f.Times = -1
					fired := s.Fault(f)
					start := time.Now()
					err := do(t.Context(), c)
					if err == nil {
						t.Error("error: got none")
					}
					if fired() < 1 || fired() > 2 && !strings.HasPrefix(fault, "429") || fired() > 4 {
						t.Errorf("attempts: got %d, want two", fired())
					}
					if took := time.Since(start); took > 10*time.Second {
						t.Errorf("time: got %s, want at most 10s", took)
					}
				})
			})
		}
	}
}

// The integration's record is written when it says something else, and only then.
func TestUpdateIntegration(t *testing.T) {
	t.Parallel()
	same := port.Integration{AppType: port.IntegrationType, Version: "1.2.3", ResourcesMade: true}
	other := func(change func(*port.Integration)) port.Integration {
		i := same
		change(&i)
		return i
	}
	for _, tt := range []struct {
		name string
		was  port.Integration
		made bool
		want string // of the body; empty for no request
	}{
		{"the same", same, true, ""},
		{"nothing made", other(func(i *port.Integration) { i.ResourcesMade = false }), false, ""},
		{"version", other(func(i *port.Integration) { i.Version = "1.0.0" }), false, `{"version":"1.2.3"}`},
		{"type", other(func(i *port.Integration) { i.AppType = "" }), false, `{"installationAppType":"bitbucket-cloud"}`},
		{"blueprints made", other(func(i *port.Integration) { i.ResourcesMade = false }), true, `{"arePortResourcesInitialized":true}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			s.PutIntegration(identifier, map[string]any{})
			if err := overSocket(t, s).DataSource.Update(t.Context(), tt.was, tt.made); err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, x := range s.Writes() {
				got += string(x.RequestBody)
			}
			equal(t, "written", got, tt.want)
			noViolations(t, s)
		})
	}
}

// Port's token goes to addresses of the base URL's own site alone.
func TestIngestAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		base, address string
		trusted       bool
	}{
		{"https://api.port.io", "https://ingest.port.io/logs", true},
		{"https://api.port.io", "https://ingest.getport.io/logs", true},
		{"https://api.us.getport.io", "https://logs.us.port.io", true},
		{"https://api.port.io", "https://api.port.io/x", true},
		{"https://port.acme.co.uk", "https://logs.acme.co.uk", true},
		{"https://port.acme.co.uk", "https://logs.evil.co.uk", false},
		{"https://api.port.io", "https://port.io.evil.example/logs", false},
		{"https://api.port.io", "https://evilport.io", false},
		{"https://api.port.io", "http://ingest.port.io/logs", false},
		{"https://api.port.io", "https://user:word@ingest.port.io", false},
		{"https://api.port.io", "https://ingest.port.io/?to=evil", false},
		{"https://api.port.io", "https://127.0.0.1/logs", false},
		{"https://api.port.io", "https://[::1]/logs", false},
		{"https://api.port.io", "ftp://ingest.port.io", false},
		{"https://api.port.io", "/logs", false},
		{"https://api.port.io", "https://%zz", false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:9090/logs", true},
		{"http://localhost:8080", "http://[::1]:9090/logs", true},
		{"http://127.0.0.1:8080", "http://169.254.169.254/logs", false},
		{"http://127.0.0.1:8080", "https://ingest.port.io/logs", false},
		{"http://10.0.0.1:8080", "http://10.0.0.1:8080/logs", true},
		{"http://10.0.0.1:8080", "http://10.0.0.2:8080/logs", false},
		{"https://acme.github.io", "https://evil.github.io", false},
	} {
		t.Run(tt.base+" "+tt.address, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			asked := ""
			c := port.New(config(tt.base, roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path != tokenPath {
					asked = r.URL.String()
				}
				return s.RoundTripper().RoundTrip(r)
			})))
			err := c.DataSource.ShipLogs(t.Context(), tt.address, []port.LogLine{{Message: "m"}})
			equal(t, "asked", asked != "", tt.trusted)
			equal(t, "ErrUntrusted", errors.Is(err, port.ErrUntrusted), !tt.trusted)
			if u, _ := url.Parse(asked); tt.trusted && !strings.HasPrefix(tt.address, u.Scheme+"://"+u.Host) {
				t.Errorf("got %s, want %s", asked, tt.address)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What Port says of its rate limit is kept to: nothing is refused.
func TestPaceKeepsToTheHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Configure(porttest.Options{RateLimit: 10, RatePeriod: 30 * time.Second})
		c := inProcess(s)
		start := time.Now()
		for range 5 { // five windows
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() {
					for range 2 {
						if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
		}
		refused := 0
		for _, x := range s.Journal() {
			if x.Status == http.StatusTooManyRequests {
				refused++
			}
		}
		equal(t, "refused", refused, 0)
		if took := time.Since(start); took < 2*time.Minute || took > 4*time.Minute {
			t.Errorf("time: got %s, want some five windows of 30s", took)
		}
	})
}

// A header that always says that nothing is left does not stop a run for ever.
func TestPaceDistrusts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := port.New(config("http://port.test", roundTrip(func(r *http.Request) (*http.Response, error) {
			resp, err := s.RoundTripper().RoundTrip(r)
			if err == nil {
				resp.Header.Set("x-ratelimit-limit", "100")
				resp.Header.Set("x-ratelimit-remaining", "0")
				resp.Header.Set("x-ratelimit-reset", fmt.Sprint(time.Now().Add(time.Minute).Unix()))
			}
			return resp, err
		})))
		start := time.Now()
		for range 50 {
			if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took > 5*time.Minute {
			t.Errorf("time: got %s, want a few minutes", took)
		}
	})
}

package datasource_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/datasource"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

const secret = "canary-of-the-inputs"

func redact(text string) string { return strings.ReplaceAll(text, secret, "***") }

// begun is a page of two repositories' resources, in a bubble.
func begun(t *testing.T, s *porttest.Server, kinds ...string) *datasource.Feed {
	t.Helper()
	return begunAfter(t, s, 0, kinds...)
}

// begunAfter is one for which calls have cost something before.
func begunAfter(t *testing.T, s *porttest.Server, spent time.Duration, kinds ...string) *datasource.Feed {
	t.Helper()
	return begunOver(t, s, s.RoundTripper(), spent, kinds...)
}

// begunOver is one whose requests go over this.
func begunOver(t *testing.T, s *porttest.Server, over http.RoundTripper, spent time.Duration, kinds ...string) *datasource.Feed {
	t.Helper()
	s.AllowClient("id", "hush")
	s.PutIntegration("acme", map[string]any{})
	c := port.New(port.Config{
		BaseURL: "http://port.test", ClientID: "id", ClientSecret: "hush", Identifier: "acme", Version: "1.2.3",
		Transport: over, Log: slog.New(slog.DiscardHandler),
	})
	i, err := c.DataSource.Integration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := datasource.New(redact)
	config := datasource.Config{Port: c, Integration: i, Status: true, Logs: true, Examples: true, Spent: spent}
	for _, k := range kinds {
		config.Kinds = append(config.Kinds, datasource.Kind{Name: k, Index: len(config.Kinds) + 1, Blueprint: `"b"`})
	}
	p.Begin(t.Context(), config, time.Now())
	return p
}

func finish(p *datasource.Feed, status port.ResyncStatus) []datasource.Failure {
	return p.Finish(context.Background(), datasource.End{Status: status, At: time.Now(), Report: &report.Report{}})
}

// What there was no time for at the end is told, also when no call has failed.
func TestWhatIsNotSentIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := porttest.New()
		s.Fault(porttest.Fault{Path: "/ingest/logs/*", Times: -1, Delay: 3 * time.Second, Apply: true})
		p := begun(t, s, "a")
		for i := range 1000 {
			p.Log("INFO", fmt.Sprint("line ", i), diag.About{})
		}
		start := time.Now()
		failures := finish(p, port.Completed)
		if len(failures) != 1 || failures[0].What != "the log of this run" || !strings.Contains(failures[0].Err.Error(), "used up") {
			t.Errorf("got %v, want that there was no time for the log", failures)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %s", took)
		}
		if got := s.DataSource("acme").ResyncState.Status; got != "completed" {
			t.Errorf("got state %q, want completed", got)
		}
	})
}

// What Port takes too slowly waits in a bounded place, and is told as left out; the
// caller never waits.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := porttest.New()
		s.Fault(porttest.Fault{Path: "/ingest/logs/*", Delay: 4 * time.Second, Apply: true, Status: 200, Body: `{"ok":true}`})
		p := begun(t, s)
		start := time.Now()
		for i := range 5000 {
			p.Log("INFO", fmt.Sprintf("line %d of %s", i, secret), diag.About{})
			if i == 500 {
				synctest.Wait() // the first lines are on their way
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the caller waited %s", took)
		}
		if failed := finish(p, port.Completed); len(failed) > 0 {
			t.Errorf("got failures %v", failed)
		}
		logs := s.DataSource("acme").Logs
		if n := len(logs); n < 1000 || n > 1200 {
			t.Errorf("got %d lines, want what there is room for", n)
		}
		told := ""
		for i, l := range logs {
			if strings.Contains(l.Message, "left out") {
				told += l.Level + " " + l.Message
			} else if want := fmt.Sprintf("line %d of ***", i); l.Message != want {
				t.Fatalf("line %d: got %q, want %q", i, l.Message, want)
			}
		}
		if want := fmt.Sprintf("WARNING %d lines are left out: Port took them too slowly", 5000-len(logs)+1); told != want {
			t.Errorf("got %q, want %q", told, want)
		}
	})
}

// Without an address for it nothing is sent, and nothing is kept.
func TestNoAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := porttest.New()
		s.AllowClient("id", "hush")
		s.PutIntegration("acme", map[string]any{"logAttributes": nil, "metricAttributes": map[string]any{"ingestUrl": 5}})
		c := port.New(port.Config{BaseURL: "http://port.test", ClientID: "id", ClientSecret: "hush", Identifier: "acme", Transport: s.RoundTripper(), Log: slog.New(slog.DiscardHandler)})
		i, err := c.DataSource.Integration(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p := datasource.New(redact)
		p.Log("INFO", "a line", diag.About{})
		p.Begin(t.Context(), datasource.Config{Port: c, Integration: i, Status: true, Logs: true, Kinds: []datasource.Kind{{Name: "project", Index: 1}}}, time.Now())
		p.Resource(&report.Resource{Index: 1, Kind: "project"}, false)
		time.Sleep(time.Minute)
		if failed := finish(p, port.Completed); len(failed) > 0 {
			t.Errorf("got failures %v, want none: Port asks for nothing", failed)
		}
		for _, x := range s.Writes() {
			if !strings.HasSuffix(x.Path, "/resync-state") {
				t.Errorf("written: %s", x.Path)
			}
		}
	})
}

// Counts that change often are told once a beat, not once a change.
func TestRowsAreCoalesced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := porttest.New()
		p := begun(t, s, "repository")
		of := &report.Resource{Index: 1, Kind: "repository", Listed: true, Complete: true}
		for range 1000 {
			of.Extracted++
			of.Filtered++
			p.Resource(of, false)
			time.Sleep(20 * time.Millisecond)
		}
		p.Resource(of, true)
		finish(p, port.Completed)
		puts := 0
		for _, x := range s.Journal() {
			if x.Method == http.MethodPut && strings.HasSuffix(x.Path, "/kind/repository-0") {
				puts++
			}
		}
		if puts < 3 || puts > 8 {
			t.Errorf("got %d changes of the row in 20s, want one each 5s", puts)
		}
		row := s.DataSource("acme").Syncs[0].Kinds["repository-0"]
		if row.Counts["extract"]["raw_extracted"] != 1000 || row.Counts["transform"]["filtered_out"] != 1000 {
			t.Errorf("got %v, want all 1000", row.Counts)
		}
	})
}

// A raw example holds no secret, neither ours nor one that looks like one, and no
// long text.
func TestExamplesAreSafe(t *testing.T) {
	t.Parallel()
	forms := map[string]string{
		"ours":          secret,
		"AWS":           "AKIA" + "ABCDEFGHIJKLMNOP",
		"AWS, session":  "ASIA" + "ABCDEFGHIJKLMNOP",
		"AWS, group":    "AGPA" + "ABCDEFGHIJKLMNOP",
		"AWS, user":     "AIDA" + "ABCDEFGHIJKLMNOP",
		"AWS, role":     "AROA" + "ABCDEFGHIJKLMNOP",
		"Google":        "AIza" + strings.Repeat("x", 35),
		"Google, OAuth": "ya29." + strings.Repeat("x", 30),
		"Stripe":        "sk_live_" + strings.Repeat("a", 24),
		"npm":           "npm_" + strings.Repeat("a", 36),
		"GitHub":        "ghp_" + strings.Repeat("a1", 18),
		"GitHub, OAuth": "gho_" + strings.Repeat("a1", 18),
		"GitHub, user":  "ghu_" + strings.Repeat("a1", 18),
		"GitHub, app":   "ghs_" + strings.Repeat("a1", 18),
		"GitHub, again": "ghr_" + strings.Repeat("a1", 18),
		"GitHub, fine":  "github_pat_" + strings.Repeat("a", 30),
		"GitLab":        "glpat-" + strings.Repeat("z", 20),
		"Atlassian":     "ATATT3" + strings.Repeat("x", 40),
		"access token":  "ATCTT3" + strings.Repeat("x", 40),
		"app password":  "ATBB" + strings.Repeat("x", 32),
		"Slack":         "xoxb-" + strings.Repeat("1", 20),
		"private key":   "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
		"cut off key":   "-----BEGIN PRIVATE KEY-----\nMIIE",
		"web token":     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghij",
		"in an address": "hunter2hunter2",
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := porttest.New()
				p := begun(t, s, "file")
				text := "before " + form + " after"
				if name == "in an address" {
					text = "https://dana:" + form + "@host.example/x"
				}
				p.Example("file", p.Copy(map[string]any{
					"content": map[string]any{"list": []any{text, text}, "nested": map[string]any{"x": text}},
					text:      "a key",
					"long":    text + strings.Repeat("é", 5000) + text,
				}))
				finish(p, port.Completed)
				examples := s.DataSource("acme").Examples["file"]
				if len(examples) != 1 {
					t.Fatalf("got %d examples, want one", len(examples))
				}
				got, _ := json.Marshal(examples)
				part, _, _ := strings.Cut(form, "\n")
				if strings.Contains(string(got), form) || strings.Contains(string(got), part) && name != "private key" && name != "cut off key" || strings.Contains(string(got), "MIIE") {
					t.Errorf("the example holds the secret: %s", got)
				}
				if len(got) > 4000 || name != "cut off key" && !strings.Contains(string(got), "(cut)") {
					t.Errorf("the example is not cut: %d bytes", len(got))
				}
			})
		})
	}
}

// What is named like a secret is hidden whatever it looks like.
func TestExamplesHideByName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := porttest.New()
		p := begun(t, s, "file")
		var deep any = "bottom"
		for range 100 {
			deep = map[string]any{"d": deep}
		}
		p.Example("file", p.Copy(map[string]any{
			"password": "plain", "apiKey": "plain", "access_token": "plain", "client-secret": []any{"plain"}, "slug": "kept",
			"n": json.Number("7"), "null": nil, "yes": true, "deep": deep, "many": make([]any, 1000),
			"secrets": map[string]any{"db": "plain"}, "passwords": json.Number("4711471147"),
		}))
		finish(p, port.Completed)
		got, _ := json.Marshal(s.DataSource("acme").Examples["file"])
		for _, bad := range []string{"plain", "bottom", "4711471147"} {
			if strings.Contains(string(got), bad) {
				t.Errorf("the example holds %q: %s", bad, got)
			}
		}
		for _, good := range []string{`"slug":"kept"`, `"n":7`, `"null":null`, `"yes":true`} {
			if !strings.Contains(string(got), good) {
				t.Errorf("the example lacks %s: %s", good, got)
			}
		}
	})
}

// Of each kind the first five go out, once, and in order.
func TestFiveExamples(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := porttest.New()
		p := begun(t, s, "project", "repository")
		for i := range 7 {
			p.Example("project", p.Copy(map[string]any{"i": i}))
			synctest.Wait()
		}
		p.Example("repository", p.Copy(map[string]any{"i": 0}))
		synctest.Wait()
		if got := s.DataSource("acme").Examples; len(got["project"]) != 5 || len(got["repository"]) != 0 {
			t.Errorf("before the end: got %v, want the five", got)
		}
		p.Example("repository", nil)
		finish(p, port.Completed)
		got, _ := json.Marshal(s.DataSource("acme").Examples)
		if want := `{"project":[{"i":0},{"i":1},{"i":2},{"i":3},{"i":4}],"repository":[{"i":0}]}`; string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// FuzzExample: whatever an object holds, what goes out is valid and bounded.
func FuzzExample(f *testing.F) {
	for _, seed := range []string{"", secret, "https://a:b@c", "password=hunter2hunter2", strings.Repeat("é", 600), "\xff\xfe", "-----BEGIN PRIVATE KEY-----"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, key, text string) {
		synctest.Test(t, func(t *testing.T) {
			s := porttest.New()
			p := begun(t, s, "file")
			p.Example("file", p.Copy(map[string]any{"k": text, "o": map[string]any{key: text}}))
			p.Log("INFO", text, diag.About{})
			if failed := finish(p, port.Completed); len(failed) > 0 {
				t.Errorf("Port refused what was sent: %v", failed)
			}
			page := s.DataSource("acme")
			all, _ := json.Marshal([]any{page.Examples, page.Logs})
			if !utf8.Valid(all) || len(all) > 64<<10 || strings.Contains(string(all), secret) {
				t.Errorf("%d bytes, or not UTF-8, or a secret: %q", len(all), all)
			}
		})
	})
}

package bitbucket_test

import (
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

// Three requests for files and three others at 2 an hour, in turn: with an
// allowance of their own the files wait for no other request.
func TestSourceRate(t *testing.T) {
	for _, tt := range []struct {
		name          string
		source        transport.Rate
		files, others []time.Duration
	}{
		{"none: one allowance", transport.Rate{}, []time.Duration{0, time.Hour, 2 * time.Hour}, []time.Duration{0, time.Hour, 2 * time.Hour}},
		{"of its own", transport.Rate{N: 3, Window: time.Hour}, []time.Duration{0, 0, 0}, []time.Duration{0, 0, time.Hour}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := bitbuckettest.New("acme")
			s.AllowToken("good", bitbuckettest.Access{Limit: -1})
			s.AddRepository(bitbuckettest.Repository{Name: "src", Files: map[string]string{"repositories/a/b/README.md": "text"}})
			synctest.Test(t, func(t *testing.T) {
				c, err := bitbucket.New(bitbucket.Config{
					BaseURL: inProcess, Workspace: "acme", Concurrency: 1,
					Credentials: []transport.Credential{{Name: "token", Authorize: func(r *http.Request) { r.Header.Set("Authorization", "Bearer good") }}},
					Rate:        transport.Rate{N: 2, Window: time.Hour}, SourceRate: tt.source,
					Transport: s.RoundTripper(), Log: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Fatal(err)
				}
				hash, err := c.Head(t.Context(), "src", "main") // spends one
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				start := time.Now()
				var files, others []time.Duration
				for range 3 {
					if _, _, err := c.File(t.Context(), "src", hash, "repositories/a/b/README.md", 100); err != nil {
						t.Error(err)
					}
					files = append(files, time.Since(start))
					if _, err := c.Exists(t.Context(), "src"); err != nil {
						t.Error(err)
					}
					others = append(others, time.Since(start))
				}
				equal(t, "files", files, tt.files)
				equal(t, "others", others, tt.others)
			})
			correct(t, s)
		})
	}
}

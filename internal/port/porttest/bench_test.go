package porttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/port/porttest"
)

// BenchmarkStore writes 50,000 entities, lists them by datasource and deletes them.
func BenchmarkStore(b *testing.B) {
	const entities = 50_000
	for b.Loop() {
		s := porttest.New()
		s.Configure(porttest.Options{NoJournalBodies: true})
		s.AllowClient("id", "secret")
		for _, text := range porttest.DefaultBlueprints() {
			s.AddBlueprint(text)
		}
		token := benchmarkToken(b, s)
		send := func(path, body string) { benchmarkCall(b, s, token, path, body) }
		var ids []string
		for i := range entities / 20 {
			var batch []string
			for j := range 20 {
				id := fmt.Sprintf("svc%d", i*20+j)
				ids = append(ids, fmt.Sprintf("%q", id))
				batch = append(batch, fmt.Sprintf(`{"identifier":%q,"title":"T","properties":{"status":"OPEN","createdAt":"2026-11-22T10:00:00Z"},"relations":{"repository":"r%d"}}`, id, i%1000))
			}
			send("/v1/blueprints/bitbucketPullRequest/entities/bulk"+upsert, `{"entities":[`+strings.Join(batch, ",")+`]}`)
		}
		for range 50 {
			send("/v1/blueprints/entities/datasource-entities", `{"datasource_prefix":"bench","datasource_suffix":"bench","limit":1000}`)
			send("/v1/blueprints/bitbucketPullRequest/entities/search", `{"limit":1000}`)
		}
		for i := 0; i < entities; i += 100 {
			send("/v1/blueprints/bitbucketPullRequest/bulk/entities/delete"+alone, `{"entities":[`+strings.Join(ids[i:i+100], ",")+`]}`)
		}
	}
}

func benchmarkCall(b *testing.B, s *porttest.Server, token, path, body string) *http.Response {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), "POST", "http://port.invalid"+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("User-Agent", "bench")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", token)
	res, err := s.RoundTripper().RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatalf("POST %s: got %v (%v), want 200", path, res, err)
	}
	return res
}

func benchmarkToken(b *testing.B, s *porttest.Server) string {
	b.Helper()
	res := benchmarkCall(b, s, "", "/v1/auth/access_token", `{"clientId":"id","clientSecret":"secret"}`)
	var answer struct{ AccessToken string }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		b.Fatal(err)
	}
	return "Bearer " + answer.AccessToken
}

package port_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

// Whatever is wrong with an answer of Port, the error tells which answer it was.
func TestEveryErrorOfAnAnswerHasItsTrace(t *testing.T) {
	t.Parallel()
	held := func(t *testing.T, c *port.Client) error {
		var last error
		for _, err := range c.Entities.Stored(t.Context(), repository, nil) {
			last = err
		}
		return last
	}
	for _, tt := range []struct {
		name   string
		faults []porttest.Fault
		do     func(*testing.T, *port.Client) error
	}{
		{"an entity refused in a batch", []porttest.Fault{{Path: bulkPath, Status: 207,
			Body: `{"ok":false,"entities":[],"errors":[{"index":0,"statusCode":422,"error":"invalid_request","message":"no"}]}`}}, safe["upsert"]},
		{"an entity not mentioned", []porttest.Fault{{Path: bulkPath, Status: 207, Body: `{"ok":false,"entities":[],"errors":[]}`}}, safe["upsert"]},
		{"a request refused", []porttest.Fault{{Path: bulkPath, Status: 403}}, safe["upsert"]},
		{"a request that fails", []porttest.Fault{{Path: bulkPath, Times: -1, Status: 503}}, safe["upsert"]},
		{"a rate limit", []porttest.Fault{{Path: bulkPath, Times: -1, Status: 429, Header: http.Header{"Retry-After": {"600"}}}}, safe["upsert"]},
		{"an answer that is no JSON", []porttest.Fault{{Path: bulkPath, Times: -1, Status: 200, Body: "<html>"}}, safe["upsert"]},
		{"an answer that is cut off", []porttest.Fault{{Path: bulkPath, Times: -1, TruncateBody: true}}, safe["upsert"]},
		{"a page that is cut off", []porttest.Fault{{Path: "/v1/blueprints/*/entities/search", Times: -1, TruncateBody: true}}, held},
		{"pages without an end", []porttest.Fault{{Path: "/v1/blueprints/*/entities/search", Times: -1, Status: 200, Body: `{"entities":[],"next":"x"}`}}, held},
		{"a delete refused", []porttest.Fault{{Path: deletePath, Status: 422}}, safe["delete"]},
		{"a delete that deletes nothing", []porttest.Fault{{Path: deletePath, Status: 200, Body: `{"ok":true,"deletedEntities":[]}`},
			{Method: http.MethodDelete, Path: "/v1/blueprints/*/entities/a", Status: 404}}, safe["delete"]},
		{"a login without a token", []porttest.Fault{{Path: tokenPath, Status: 200, Body: `{"ok":true}`}}, safe["login"]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				s.PutEntity(repository, porttest.Entity{Identifier: "a", Datasource: agent})
				for _, f := range tt.faults {
					s.Fault(f)
				}
				err := tt.do(t, inProcess(s))
				journal := s.Journal()
				want := journal[len(journal)-1].ResponseHeader.Get("X-Trace-Id")
				if err == nil || want == "" || port.Trace(err) != want || strings.Count(err.Error(), "x-trace-id "+want) != 1 {
					t.Errorf("got trace %q of %v, want %q, told once", port.Trace(err), err, want)
				}
			})
		})
	}
	t.Run("an answer that does not end", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			s.Fault(porttest.Fault{Path: bulkPath, Times: -1, Delay: time.Hour})
			if err := safe["upsert"](t, inProcess(s)); err == nil || port.Trace(err) != "" {
				t.Errorf("got trace %q of %v, want none: there was no answer", port.Trace(err), err)
			}
		})
	})
}

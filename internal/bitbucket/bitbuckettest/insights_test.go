package bitbuckettest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const goodReport = `{"title":"Port","details":"All well.","report_type":"TEST","reporter":"us","link":"https://example.org/1","result":"PASSED",` +
	`"data":[{"title":"Read","type":"NUMBER","value":3},{"title":"Mapping","type":"LINK","value":{"text":"m.yml","href":"https://example.org"}}]}`

// insights is a repository with one commit, and how reports on it are sent.
type insights struct {
	t      *testing.T
	server *Server
	commit string
}

func newInsights(t *testing.T) *insights {
	s := small(t)
	return &insights{t, s, s.repositories.bySlug["checkout-api"].head().hash()}
}

func (i *insights) send(method, below, body string) got {
	i.t.Helper()
	r := httptest.NewRequest(method, base+"/repositories/acme/checkout-api/commit/"+i.commit+"/reports/one"+below, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer good")
	r.Header.Set("Content-Type", "application/json")
	return exchange(i.t, i.server, r)
}

// annotation is a good one, changed; nil takes a field away.
func annotation(n int, change map[string]any) string {
	a := map[string]any{
		"external_id": fmt.Sprint("id-", n), "annotation_type": "BUG", "summary": "Bad.", "details": "Mend it.",
		"severity": "HIGH", "result": "FAILED", "path": "port/mapping.yml", "line": 7,
	}
	maps.Copy(a, change)
	maps.DeleteFunc(a, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func annotations(from, n int) string {
	var all []string
	for i := range n {
		all = append(all, annotation(from+i, nil))
	}
	return "[" + strings.Join(all, ",") + "]"
}

func TestReportsAreSent(t *testing.T) {
	t.Parallel()
	i := newInsights(t)
	equal(t, "delete what is not there", i.send("DELETE", "", "").status, 204)
	g := i.send("PUT", "", goodReport)
	equal(t, "put", g.status, 200)
	equal(t, "external id", g.at("external_id"), any("one"))
	equal(t, "link of data", g.at("data", 1, "value", "href"), any("https://example.org"))
	for n := range 10 {
		equal(t, "annotate", i.send("POST", "/annotations", annotations(100*n, 100)).status, 200)
	}
	equal(t, "the same again", i.send("POST", "/annotations", annotations(0, 100)).status, 200)
	i.send("PUT", "", strings.Replace(goodReport, "Port", "Again", 1))
	got := i.server.Reports("checkout-api")
	equal(t, "reports", len(got), 1)
	equal(t, "title", got[0].Title, "Again")
	equal(t, "annotations that stay", len(got[0].Annotations), 1000)
	equal(t, "an annotation", got[0].Annotations[999], Annotation{"id-999", "BUG", "Bad.", "Mend it.", "HIGH", "FAILED", "port/mapping.yml", 7, ""})
	list := call(t, i.server, "/repositories/acme/checkout-api/commit/"+i.commit+"/reports")
	equal(t, "listed", list.column("title"), "Again")
	equal(t, "violations", strings.Join(i.server.Violations(), "\n"), "")
	equal(t, "the 1,001st", i.send("POST", "/annotations", annotations(1000, 1)).status, 400)
	equal(t, "delete", i.send("DELETE", "", "").status, 204)
	equal(t, "reports after that", len(i.server.Reports("checkout-api")), 0)
}

func TestReportsAreRefused(t *testing.T) {
	t.Parallel()
	with := func(from, to string) string { return strings.Replace(goodReport, from, to, 1) }
	one := func(change map[string]any) string { return "[" + annotation(1, change) + "]" }
	data := func(n int) string {
		return with(`"data":[`, `"data":[`+strings.Repeat(`{"title":"a","type":"BOOLEAN","value":true},`, n-2))
	}
	long := strings.Repeat("é", 451)
	tests := []struct {
		name, body string
		violation  string // a part of it
	}{
		{"11 data fields", data(11), "at most 10"},
		{"no title", with(`"Port"`, `""`), "title is required"},
		{"no details", with(`"All well."`, `""`), "details is required"},
		{"long title", with("Port", long), "at most 450"},
		{"long details", with("All well.", strings.Repeat("x", 2001)), "at most 2000"},
		{"report type", with("TEST", "LINT"), "LINT"},
		{"result", with("PASSED", "IGNORED"), "IGNORED"},
		{"link", with("https://example.org/1", "javascript:alert(1)"), "no address"},
		{"type of data", with("NUMBER", "COUNT"), "COUNT"},
		{"value of data", with(`"value":3`, `"value":"3"`), "is no NUMBER"},
		{"percentage", with(`"NUMBER","value":3`, `"PERCENTAGE","value":101`), "is no PERCENTAGE"},
		{"link of data", with(`"text":"m.yml",`, ""), "is no LINK"},
		{"unknown field", with(`"title"`, `"titel":"x","title"`), "titel"},
		{"no JSON", "{", "bad body"},
		{"101 annotations", annotations(0, 101), "101 annotations in one call"},
		{"no annotation", "[]", "no annotation"},
		{"the same id twice", "[" + annotation(1, nil) + "," + annotation(1, nil) + "]", "twice"},
		{"no id", one(map[string]any{"external_id": nil}), "external_id is required"},
		{"no type", one(map[string]any{"annotation_type": nil}), "annotation_type"},
		{"unknown severity", one(map[string]any{"severity": "WORST"}), "WORST"},
		{"unknown result", one(map[string]any{"result": "PENDING"}), "PENDING"},
		{"no summary", one(map[string]any{"summary": ""}), "summary is required"},
		{"long summary", one(map[string]any{"summary": strings.Repeat("🤖", 226)}), "at most 450 characters, got 452"},
		{"line of no path", one(map[string]any{"path": ""}), "line 7 of no path"},
		{"absolute path", one(map[string]any{"path": "/etc/passwd"}), "no path from the root"},
		{"path that leads out", one(map[string]any{"path": "../x"}), "no path from the root"},
		{"one bad of two", "[" + annotation(1, nil) + "," + annotation(2, map[string]any{"summary": nil}) + "]", "summary is required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := newInsights(t)
			method, below := "PUT", ""
			if strings.HasPrefix(tt.body, "[") {
				i.send("PUT", "", goodReport)
				method, below = "POST", "/annotations"
			}
			equal(t, "status", i.send(method, below, tt.body).status, 400)
			if got := strings.Join(i.server.Violations(), "\n"); !strings.Contains(got, tt.violation) {
				t.Errorf("violations: got %q, want %q in it", got, tt.violation)
			}
			for _, r := range i.server.Reports("checkout-api") {
				equal(t, "annotations", len(r.Annotations), 0)
			}
		})
	}
	i := newInsights(t)
	equal(t, "annotations of no report", i.send("POST", "/annotations", annotations(0, 1)).status, 404)
	i.commit = strings.Repeat("0", 40)
	equal(t, "no commit", i.send("PUT", "", goodReport).status, 404)
}

func TestPipelineProxy(t *testing.T) {
	t.Parallel()
	i := newInsights(t)
	below := "/repositories/acme/checkout-api/commit/" + i.commit + "/reports/one"
	tests := []struct {
		name   string
		method string
		ask    string
		header http.Header
		status int
	}{
		{"as documented", "PUT", "http://api.bitbucket.org/2.0" + below, nil, 200},
		{"https", "PUT", "https://api.bitbucket.org/2.0" + below, nil, 403},
		{"a path alone", "PUT", "", nil, 403},
		{"another host", "PUT", "http://example.org/2.0" + below, nil, 403},
		{"another repository", "GET", "http://api.bitbucket.org/2.0/repositories/acme/r-d-bot/commit/" + i.commit + "/reports", nil, 403},
		{"the workspace", "GET", "http://api.bitbucket.org/2.0/repositories/acme", nil, 403},
		{"a credential", "PUT", "http://api.bitbucket.org/2.0" + below, http.Header{"Authorization": {"Bearer good"}}, 403},
	}
	proxy := httptest.NewServer(i.server.PipelineProxy("checkout-api"))
	t.Cleanup(proxy.Close)
	for _, tt := range tests {
		r := httptest.NewRequest(tt.method, proxy.URL+"/2.0"+below, strings.NewReader(goodReport))
		r.RequestURI = ""
		asked, err := url.Parse(tt.ask)
		if err != nil {
			t.Fatal(err)
		}
		if asked.Host != "" {
			r.URL.Opaque, r.Host = tt.ask, asked.Host
		}
		r.Header.Set("Content-Type", "application/json")
		maps.Copy(r.Header, tt.header)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		_ = res.Body.Close()
		equal(t, tt.name, res.StatusCode, tt.status)
	}
	tunnel := httptest.NewRecorder()
	i.server.PipelineProxy("checkout-api").ServeHTTP(tunnel, httptest.NewRequest("CONNECT", "api.bitbucket.org:443", nil))
	equal(t, "tunnel", tunnel.Code, 403)
	equal(t, "violations", len(i.server.Violations()), len(tests))
	equal(t, "credential", i.server.Journal()[0].Credential, ProxyCredential)
}

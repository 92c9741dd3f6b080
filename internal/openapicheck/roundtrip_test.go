package openapicheck_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/openapicheck"
)

// passed is what one request through the transport led to.
type passed struct {
	status int
	body   string
	err    error
	said   []string
}

// pass sends a request to a handler under a base path, through a checking transport.
func pass(t *testing.T, c *openapicheck.Checker, api openapicheck.API, method, target, body string, h http.HandlerFunc) passed {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	var p passed
	client := &http.Client{Transport: c.RoundTripper(server.Client().Transport, func(err error) { p.said = append(p.said, err.Error()) }, api)}
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		p.err = err
		return p
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	p.status, p.body, p.err = res.StatusCode, string(text), err
	return p
}

func TestRoundTripper(t *testing.T) {
	t.Parallel()
	const token = `{"ok":true,"accessToken":"t","expiresIn":1,"tokenType":"Bearer"}`
	const login = `{"clientId":"a","clientSecret":"b"}`
	reply := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if got, err := io.ReadAll(r.Body); err != nil || string(got) != login {
				http.Error(w, "another body", http.StatusTeapot)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, answer)
		}
	}
	broken := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, token)
	}
	tests := []struct {
		name, base, target string
		handler            http.HandlerFunc
		body               string
		err                error
		says               string
	}{
		{"agreement", "", "/v1/auth/access_token", reply(token), token, nil, ""},
		{"odd base", "/odd/base/", "/odd/base/v1/auth/access_token", reply(token), token, nil, ""},
		{"disagreement", "", "/v1/auth/access_token", reply(`{"ok":true}`), `{"ok":true}`, nil, "answer 200: /accessToken"},
		{"outside the base", "/base", "/v1/auth/access_token", reply(token), token, nil, `outside the base "/base"`},
		{"beside the base", "/v", "/v1/auth/access_token", reply(token), token, nil, `outside the base "/v"`},
		{"broken answer", "", "/v1/auth/access_token", broken, token, io.ErrUnexpectedEOF, ""},
		{"broken answer to a bad request", "", "/v1/auth/access_token?x=1", broken, token, io.ErrUnexpectedEOF, `"x" is unknown`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := load(t)
			p := pass(t, c, openapicheck.Port(tt.base), "POST", tt.target, login, tt.handler)
			if p.status != 200 || p.body != tt.body || !errors.Is(p.err, tt.err) {
				t.Errorf("got %d %q (%v), want 200 %q (%v)", p.status, p.body, p.err, tt.body, tt.err)
			}
			said := strings.Join(p.said, "\n")
			if (tt.says == "") != (said == "") || !strings.Contains(said, tt.says) {
				t.Errorf("got %q said, want %q", said, tt.says)
			}
			if got := c.Checked(); got != 1 {
				t.Errorf("got %d exchanges checked, want 1", got)
			}
		})
	}
}

func TestRoundTripperWithoutAnswer(t *testing.T) {
	t.Parallel()
	c := load(t)
	dropped := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	p := pass(t, c, openapicheck.Bitbucket("/2.0"), "GET", "/2.0/repositories/acme?x=1", "", dropped)
	if p.err == nil {
		t.Error("got no error, want that of the connection")
	}
	wantError(t, errors.New(strings.Join(p.said, "\n")), `"x" is unknown`)
}

// The routes of the git host are no part of Bitbucket's document: what passes there is neither read nor checked.
func TestRoundTripperOfGit(t *testing.T) {
	t.Parallel()
	for target, checked := range map[string]int{
		"/acme/r.git/info/refs?service=git-upload-pack": 0,
		"/acme/r.git/git-upload-pack":                   0,
		"/acme/r.git/HEAD":                              1,
		"/acme/more/r.git/info/refs":                    1,
	} {
		c := new(openapicheck.Checker)
		p := pass(t, c, openapicheck.Bitbucket("/2.0"), "POST", target, "0000", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		})
		if p.body != "0000" || p.err != nil || len(p.said) != checked || c.Checked() != checked {
			t.Errorf("%s: got %+v and %d exchanges checked, want %d", target, p, c.Checked(), checked)
		}
	}
}

func TestFromEnv(t *testing.T) {
	_, _ = loadOnce() // from the real environment, for the other tests
	t.Setenv(openapicheck.Variable, "")
	if c, ok, err := openapicheck.FromEnv(); c != nil || ok || err != nil {
		t.Errorf("unset: got %v, %v, %v, want nothing", c, ok, err)
	}
	t.Setenv(openapicheck.Variable, t.TempDir())
	if _, ok, err := openapicheck.FromEnv(); ok || err == nil {
		t.Errorf("empty folder: got %v, %v, want an error", ok, err)
	}
}

package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/port/porttest"
)

func quotedJSON(text string) any {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

// canary is a secret in which every encoding changes something.
func canary(name string) string { return name + `-_<"Zq&>+/=` + strings.ToUpper(name) + "~%41_end" }

// echo is a service that answers some requests with what it was sent, in every
// encoding that a proxy or a framework may choose.
type echo struct {
	http.Handler
	status  int
	match   func(*http.Request) bool
	secrets []string

	mu   sync.Mutex
	seen map[string]bool // what stood in Authorization headers
	got  strings.Builder // all that was sent to the service
}

// note keeps what a request holds.
func (e *echo) note(r *http.Request) {
	body, _ := io.ReadAll(r.Body) // of a test's own request
	r.Body = io.NopCloser(bytes.NewReader(body))
	e.mu.Lock()
	defer e.mu.Unlock()
	fmt.Fprintf(&e.got, "%s %s %v %s\n", r.Method, r.URL, r.Header, body)
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.note(r)
	authorization := r.Header.Get("Authorization")
	_, credential, ok := strings.Cut(authorization, " ")
	if ok {
		e.mu.Lock()
		e.seen[credential] = true
		e.mu.Unlock()
	}
	if e.match == nil || !e.match(r) {
		e.Handler.ServeHTTP(w, r)
		return
	}
	secrets := slices.Clone(e.secrets)
	if ok {
		secrets = append(secrets, credential)
	}
	var texts []string
	for _, secret := range secrets {
		texts = append(texts, forms(secret)...)
	}
	// A message that is cut somewhere is cut inside a secret.
	padding := strings.Repeat("x", 480)
	text := padding + " " + strings.Join(texts, " ") + " " + authorization
	quoted := quotedJSON(text).(string)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	fmt.Fprintf(w, `{"type":"error","ok":false,"error":{"message":%s,"detail":%s},"message":%s}`, quoted, quoted, quoted)
}

// RoundTrip calls the service in the caller's goroutine.
func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	in.Header = r.Header.Clone()
	w := httptest.NewRecorder()
	e.ServeHTTP(w, in)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// forms are encodings of a secret.
func forms(secret string) []string {
	quoted := quotedJSON(secret).(string)
	var plain strings.Builder
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(secret) // a string always encodes
	return []string{
		secret,
		base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)),
		url.QueryEscape(secret), url.PathEscape(secret),
		strings.Trim(quoted, `"`), strings.Trim(strings.TrimSpace(plain.String()), `"`),
	}
}

var secretInputs = map[string]string{
	"PORT_CLIENT_ID":              canary("ident"),
	"PORT_CLIENT_SECRET":          canary("hush"),
	"BITBUCKET_WORKSPACE_TOKEN":   canary("wsone") + "," + canary("wstwo"),
	"BITBUCKET_CLIENT_SECRET":     canary("consumer"),
	"BITBUCKET_APP_PASSWORD":      canary("appword"),
	"BITBUCKET_USER_SCOPED_TOKEN": canary("scoped"),
}

// canaries are the secrets that an environment gives, and what is derived from them.
func canaries(env map[string]string) []string {
	var all []string
	for name := range secretInputs {
		for secret := range strings.SplitSeq(env[name], ",") {
			if secret != "" {
				all = append(all, secret)
			}
		}
	}
	for user, secret := range map[string]string{"BITBUCKET_CLIENT_ID": "BITBUCKET_CLIENT_SECRET", "BITBUCKET_USERNAME": "BITBUCKET_APP_PASSWORD", "BITBUCKET_USER_EMAIL": "BITBUCKET_USER_SCOPED_TOKEN"} {
		if env[user] != "" && env[secret] != "" {
			all = append(all, base64.StdEncoding.EncodeToString([]byte(env[user]+":"+env[secret])))
		}
	}
	return all
}

// No secret, nothing derived from one, and no piece of either stands in anything that
// the program leaves, in any encoding, whatever the services answer. On GitHub the
// runner is told them, to hide them too.
func TestSecrets(t *testing.T) {
	t.Parallel()
	path := func(part string) func(*http.Request) bool {
		return func(r *http.Request) bool { return strings.Contains(r.URL.Path, part) }
	}
	tests := []struct {
		name      string
		status    int
		bitbucket func(*http.Request) bool
		port      func(*http.Request) bool
		remove    []string // inputs that are not set
		exit      int
	}{
		{"success", 0, nil, nil, nil, 0},
		{"Port refuses the login", 401, nil, path("/access_token"), nil, 1},
		{"Port fails at the login", 500, nil, path("/access_token"), nil, 1},
		{"Port refuses the integration", 403, nil, path("/integration/"), nil, 0},
		{"Port refuses a write", 403, nil, path("/bulk"), nil, 1},
		{"Port fails at a write", 500, nil, path("/bulk"), nil, 1},
		{"Bitbucket refuses the token", 401, path("/repositories/"), nil, nil, 1},
		{"Bitbucket forbids", 403, path("/repositories/"), nil, nil, 1},
		{"Bitbucket fails", 500, path("/repositories/"), nil, nil, 1},
		{"Bitbucket is gone", 410, path("/repositories/"), nil, nil, 1},
		{"consumer", 0, nil, nil, []string{"BITBUCKET_WORKSPACE_TOKEN"}, 0},
		{"consumer refused", 400, path("/site/oauth2/"), nil, []string{"BITBUCKET_WORKSPACE_TOKEN"}, 1},
		{"consumer fails", 500, path("/site/oauth2/"), nil, []string{"BITBUCKET_WORKSPACE_TOKEN"}, 1},
		{"token of the consumer refused", 401, path("/repositories/"), nil, []string{"BITBUCKET_WORKSPACE_TOKEN"}, 1},
		{"app password refused", 403, path("/repositories/"), nil, []string{"BITBUCKET_WORKSPACE_TOKEN", "BITBUCKET_CLIENT_ID", "BITBUCKET_CLIENT_SECRET"}, 1},
		{"API token refused", 403, path("/repositories/"), nil, []string{"BITBUCKET_WORKSPACE_TOKEN", "BITBUCKET_CLIENT_ID", "BITBUCKET_CLIENT_SECRET", "BITBUCKET_USERNAME", "BITBUCKET_APP_PASSWORD"}, 1},
		{"wrong inputs", 0, nil, nil, []string{"BITBUCKET_WORKSPACE"}, 2},
	}
	variants := []struct {
		github bool
		mode   string
		level  string
	}{{true, "sync", "debug"}, {false, "sync", "debug"}, {true, "plan", "debug"}, {false, "sync", "error"}, {false, "plan", "info"}}
	for _, v := range variants {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s, github %v, %s, %s", tt.name, v.github, v.mode, v.level), func(t *testing.T) {
				github, exit := v.github, tt.exit
				if v.mode == "plan" && strings.Contains(tt.name, "at a write") || v.mode == "plan" && tt.name == "Port refuses a write" {
					exit = 0 // nothing is written
				}
				t.Parallel()
				w := secretWorld(t, tt.remove)
				b := &echo{Handler: w.bitbucket, status: tt.status, match: tt.bitbucket, secrets: canaries(w.env), seen: map[string]bool{}}
				p := &echo{Handler: w.port, status: tt.status, match: tt.port, secrets: canaries(w.env), seen: map[string]bool{}}
				w.transport = hosts{"api.bitbucket.org": b, "bitbucket.org": b, "api.port.io": p}
				if github {
					w.github()
				}
				w.env["MODE"], w.env["LOG_LEVEL"] = v.mode, v.level
				synctest.Test(t, func(t *testing.T) {
					r := w.run(nil)
					if r.status != exit {
						t.Errorf("got exit status %d, want %d\n%s%s", r.status, exit, r.stdout, r.stderr)
					}
					secrets := canaries(w.env)
					for _, e := range []*echo{b, p} {
						secrets = slices.AppendSeq(secrets, maps.Keys(e.seen))
					}
					stdout, masked := splitMasks(r.stdout)
					checkMasks(t, masked, secrets, github)
					checkOwner(t, w.env, b, p)
					checkHidden(t, secrets, map[string]string{
						"stdout": stdout, "stderr": r.stderr, "outputs": w.read("outputs"),
						"summary": w.read("summary.md"), "report": w.read("report.json"), "page": w.pageText(),
					})
				})
			})
		}
	}
}

// checkOwner expects each secret to be sent to its owner alone.
func checkOwner(t *testing.T, env map[string]string, b, p *echo) {
	t.Helper()
	ofPort := []string{env["PORT_CLIENT_ID"], env["PORT_CLIENT_SECRET"]}
	for credential := range p.seen {
		ofPort = append(ofPort, credential)
	}
	var ofBitbucket []string
	for _, secret := range canaries(env) {
		if !slices.Contains(ofPort, secret) {
			ofBitbucket = append(ofBitbucket, secret)
		}
	}
	check := func(secrets []string, to, sent string) {
		for _, secret := range secrets {
			for _, form := range forms(secret) {
				if strings.Contains(sent, form) {
					t.Errorf("%s was sent a secret of the other service: %q", to, form)
				}
			}
		}
	}
	check(ofPort, "Bitbucket", b.got.String())
	check(ofBitbucket, "Port", p.got.String())
}

// A secret in a mapping stands in no message about it, in whichever mode.
func TestSecretInAMapping(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(repositories, "title: .name", "title: '.name | "+"SECRET"+" |'", 1)
	wrong := strings.Replace(repositories, "title: .name", "SECRET: .name\n          title: .name", 1)
	for _, mapping := range []string{broken, wrong, "SECRET", "# SECRET\n" + repositories} {
		for _, mode := range []string{"sync", "plan", "validate"} {
			for _, github := range []bool{false, true} {
				w := smallWorld(t)
				if github {
					w.github()
				}
				w.write("mapping.yml", strings.ReplaceAll(mapping, "SECRET", token))
				r := w.run(map[string]string{"MODE": mode, "MAPPING_FILE": "mapping.yml", "SARIF_FILE": "out.sarif", "LOG_LEVEL": "debug"})
				stdout, _ := splitMasks(r.stdout)
				places := map[string]string{
					"stdout": stdout, "stderr": r.stderr, "outputs": w.read("outputs"), "summary": w.read("summary.md"), "report": w.read("report.json"),
					"page": w.pageText(),
				}
				if mode != "validate" { // which is given no secret
					places["SARIF"] = w.read("out.sarif")
					checkHidden(t, []string{token}, places)
				}
			}
		}
	}
}

// pageText is all that Port's Data sources page shows.
func (w *world) pageText() string {
	text, err := json.Marshal(w.port.DataSource(identifier))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// secretWorld is not on loopback: a bubble has no sockets.
func secretWorld(t *testing.T, without []string) *world {
	t.Helper()
	b, p := smallBitbucket(), porttest.New()
	p.AllowClient(canary("ident"), canary("hush"))
	for _, token := range []string{canary("wsone"), canary("wstwo")} {
		b.AllowToken(token)
	}
	b.AllowConsumer("consumer-key", canary("consumer"))
	b.AllowBasic("dana", canary("appword"))
	b.AllowBasic("dana@example.com", canary("scoped"))
	w := &world{t: t, bitbucket: b, port: p, dir: t.TempDir(), env: map[string]string{
		"BITBUCKET_WORKSPACE": "acme", "BITBUCKET_CLIENT_ID": "consumer-key", "BITBUCKET_USERNAME": "dana", "BITBUCKET_USER_EMAIL": "dana@example.com",
		"REPORT_FILE": "report.json", "LOG_LEVEL": "debug", "MAPPING": repositories,
	}}
	maps.Copy(w.env, secretInputs)
	for _, name := range without {
		delete(w.env, name)
	}
	w.addBlueprints()
	return w
}

func splitMasks(stdout string) (rest string, masked []string) {
	var b strings.Builder
	for line := range strings.Lines(stdout) {
		if value, ok := strings.CutPrefix(line, "::add-mask::"); ok {
			masked = append(masked, strings.ReplaceAll(strings.TrimSuffix(value, "\n"), "%25", "%"))
		} else {
			b.WriteString(line)
		}
	}
	return b.String(), masked
}

// checkMasks expects every secret to be masked on GitHub, each token of a list by
// itself, and none elsewhere.
func checkMasks(t *testing.T, masked, secrets []string, github bool) {
	t.Helper()
	if !github {
		if len(masked) > 0 {
			t.Errorf("got %d masks where nobody reads them", len(masked))
		}
		return
	}
	for _, secret := range secrets {
		if !slices.Contains(masked, secret) {
			t.Errorf("%q is not masked", secret)
		}
	}
}

func checkHidden(t *testing.T, secrets []string, places map[string]string) {
	t.Helper()
	for place, text := range places {
		plain := strings.ReplaceAll(html.UnescapeString(text), "<!-- -->", "")
		for _, secret := range secrets {
			for _, form := range forms(secret) {
				const piece = 10
				for _, part := range []string{form, form[:piece], form[len(form)-piece:]} {
					if strings.Contains(text, part) || strings.Contains(plain, part) {
						t.Errorf("%s holds %q of a secret:\n%s", place, part, text)
						return
					}
				}
			}
		}
	}
}

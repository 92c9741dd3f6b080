package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// server is a registry that notes what it is asked, and may refuse.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	// refuse answers instead of the registry, where it returns true.
	refuse func(w http.ResponseWriter, r *http.Request) bool
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{refuse: func(http.ResponseWriter, *http.Request) bool { return false }}
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		refused := s.refuse(w, r)
		s.mu.Unlock()
		if !refused {
			images.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// name is that of an image in the registry.
func (s *server) name(rest string) string { return strings.TrimPrefix(s.URL, "http://") + "/" + rest }

// has says whether the registry answers for a path.
func (s *server) has(t *testing.T, path string) bool {
	t.Helper()
	answer, err := http.Get(s.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// sent returns the requests of a method since the last call that have a part in their path.
func (s *server) sent(method, part string) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, asked := range s.asked {
		if strings.HasPrefix(asked, method+" ") && strings.Contains(asked, part) {
			found = append(found, asked)
		}
	}
	return found
}

func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = nil
}

// made returns the layout of a small image for two platforms, and its digest.
func made(t *testing.T) (layout, digest string) {
	t.Helper()
	layout, out := makeImage(t)
	_, digest, _ = strings.Cut(out, "\ndigest ")
	return layout, strings.TrimSpace(digest)
}

// makeImage returns that layout, and what is printed of it.
func makeImage(t *testing.T) (layout, printed string) {
	t.Helper()
	folder := t.TempDir()
	platforms := map[string]string{}
	order := []string{"linux/amd64", "linux/arm64"}
	for _, platform := range order {
		platforms[platform] = filepath.Join(folder, filepath.Base(platform))
		if err := os.WriteFile(platforms[platform], []byte("a binary for "+platform), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	layout = filepath.Join(folder, "image")
	a := about{version: "1.2.3", revision: "1a2b3c", source: "https://github.com/acme/x", created: time.Unix(1764504000, 0)}
	var out bytes.Buffer
	if err := build(layout, a, nil, order, platforms, &out); err != nil {
		t.Fatal(err)
	}
	return layout, out.String()
}

// quickly asks again as often as by default, without waiting.
var quickly = remote.WithRetryBackoff(remote.Backoff{Duration: 1, Steps: 3})

// account makes the credentials of docker login those of a user, or of nobody.
func account(t *testing.T, host, user string) {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("DOCKER_CONFIG", folder)
	text := "{}"
	if user != "" {
		text = fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte(user)))
	}
	if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A second tag, and a second push, send no layer again.
func TestPushTwice(t *testing.T) {
	account(t, "", "")
	layout, digest := made(t)
	s := serve(t)
	var out bytes.Buffer
	if err := pushTo(layout, s.name("acme/x:1.2.3"), &out, quickly); err != nil {
		t.Fatal(err)
	}
	if want := s.name("acme/x@" + digest + "\n"); out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if got := s.sent("POST", "/blobs/uploads/"); len(got) != 4 {
		t.Errorf("got %d uploads, want a layer and a configuration for each of two platforms: %s", len(got), got)
	}
	for _, tag := range []string{"1.2", "1.2.3"} {
		s.forget()
		if err := pushTo(layout, s.name("acme/x:"+tag), io.Discard, quickly); err != nil {
			t.Fatal(err)
		}
		if got := s.sent("POST", "/blobs/uploads/"); len(got) != 0 {
			t.Errorf("%s: got %s, want nothing sent again", tag, got)
		}
		if !s.has(t, "/v2/acme/x/manifests/"+tag) {
			t.Errorf("%s: is not there", tag)
		}
	}
}

// A registry that asks for a token gets the credentials at the address that it names, and the token.
func TestPushWithToken(t *testing.T) {
	for _, tt := range []struct{ name, user, want string }{
		{"the account", "acme:secret-of-acme", ""},
		{"another account", "else:secret-of-else", "401"},
		{"nobody", "", "401"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			layout, digest := made(t)
			s := serve(t)
			account(t, s.name("")[:len(s.name(""))-1], tt.user)
			s.refuse = func(w http.ResponseWriter, r *http.Request) bool {
				user, password, _ := r.BasicAuth()
				switch {
				case r.URL.Path == "/token" && user == "acme" && password == "secret-of-acme":
					if !strings.Contains(r.FormValue("scope"), "repository:acme/x:") {
						t.Errorf("got the scope %q", r.FormValue("scope"))
					}
					fmt.Fprint(w, `{"token": "of-an-hour"}`)
				case r.URL.Path == "/token":
					w.WriteHeader(http.StatusUnauthorized)
				case r.Header.Get("Authorization") != "Bearer of-an-hour":
					w.Header().Set("WWW-Authenticate", `Bearer realm="`+s.URL+`/token",service="registry"`)
					w.WriteHeader(http.StatusUnauthorized)
				default:
					return false
				}
				return true
			}
			var out bytes.Buffer
			err := pushTo(layout, s.name("acme/x:1.2.3"), &out, quickly)
			if tt.want == "" && (err != nil || !strings.Contains(out.String(), digest)) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret-of") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

// A registry that fails for a moment is asked again. One that fails for good, at whatever request,
// shows no tag of an image that is not whole, and the next push goes on.
func TestPushToFailing(t *testing.T) {
	account(t, "", "")
	layout, digest := made(t)
	whole := serve(t)
	if err := pushTo(layout, whole.name("acme/x:1.2.3"), io.Discard, quickly); err != nil {
		t.Fatal(err)
	}
	requests := len(whole.asked)
	if requests < 10 {
		t.Fatalf("got %d requests, want some more", requests)
	}
	for _, tt := range []struct {
		name   string
		status int
		passes bool // by itself
	}{{"for a moment", http.StatusServiceUnavailable, true}, {"for good", http.StatusForbidden, false}} {
		for at := 1; at <= requests; at++ {
			t.Run(fmt.Sprintf("%s at request %d", tt.name, at), func(t *testing.T) {
				s, asked, failing := serve(t), 0, true
				s.refuse = func(w http.ResponseWriter, r *http.Request) bool {
					asked++
					if !failing || asked < at || tt.passes && asked > at {
						return false
					}
					w.WriteHeader(tt.status)
					return true
				}
				err := pushTo(layout, s.name("acme/x:1.2.3"), io.Discard, quickly)
				if (err == nil) != tt.passes {
					t.Errorf("got %v", err)
				}
				s.mu.Lock()
				failing = false
				s.mu.Unlock()
				if !tt.passes && s.has(t, "/v2/acme/x/manifests/1.2.3") {
					t.Error("the tag is there")
				}
				if err := pushTo(layout, s.name("acme/x:1.2.3"), io.Discard, quickly); err != nil || !s.has(t, "/v2/acme/x/manifests/"+digest) {
					t.Errorf("pushed again: %v", err)
				}
			})
		}
	}
}

// Another program pulls the same bytes: it compares each digest as it goes.
func TestPulledByOthers(t *testing.T) {
	skopeo, err := exec.LookPath("skopeo")
	if err != nil {
		t.Skip("skopeo is not installed")
	}
	account(t, "", "")
	layout, digest := made(t)
	s := serve(t)
	if err := pushTo(layout, s.name("acme/x:1.2.3"), io.Discard, quickly); err != nil {
		t.Fatal(err)
	}
	pulled := filepath.Join(t.TempDir(), "pulled")
	run := func(args ...string) []byte {
		t.Helper()
		out, err := exec.Command(skopeo, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("skopeo %s: %v: %s", args, err, out)
		}
		return out
	}
	from := "docker://" + s.name("acme/x:1.2.3")
	run("copy", "--quiet", "--insecure-policy", "--all", "--src-tls-verify=false", from, "dir:"+pulled)
	// An older skopeo writes the index anew, without its annotations; this is what it was sent.
	index := run("inspect", "--raw", "--tls-verify=false", from)
	got := run("inspect", "--tls-verify=false", "--override-os=linux", "--override-arch=arm64", "--format={{.Architecture}} {{.Digest}}", from)
	if want := "arm64 " + digest; strings.TrimSpace(string(got)) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	files, err := filepath.Glob(filepath.Join(layout, "blobs", "sha256", "*"))
	if err != nil || len(files) != 7 {
		t.Fatalf("got %d files and %v, want an index, two manifests, configurations and layers", len(files), err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		same := bytes.Equal(index, want)
		for _, name := range []string{filepath.Base(file), filepath.Base(file) + ".manifest.json"} {
			got, err := os.ReadFile(filepath.Join(pulled, name))
			same = same || err == nil && bytes.Equal(got, want)
		}
		if !same {
			t.Errorf("%s: what was pulled does not have its %d bytes", filepath.Base(file), len(want))
		}
	}
}

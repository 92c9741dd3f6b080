package app_test

import (
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// gitServer serves the emulator's git host over TLS, in one version of HTTP.
type gitServer struct {
	*httptest.Server
	asked  atomic.Int32 // requests in the other version of HTTP
	opened atomic.Int32 // connections
	closed sync.WaitGroup
}

func newGitServer(t *testing.T, w *world, two bool) *gitServer {
	t.Helper()
	s := &gitServer{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 != two {
			s.asked.Add(1)
		}
		w.bitbucket.ServeHTTP(rw, r)
	}))
	s.EnableHTTP2 = two
	s.Config.ErrorLog = silent
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.opened.Add(1)
			s.closed.Add(1)
		case http.StateClosed:
			s.closed.Done()
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// A run reads over git with the authorities of ca_file, in both versions of HTTP. Answers are
// left before their end, since of a server without filters the root alone is wanted: then no
// connection stays open, and over HTTP/2 few are opened at all.
func TestGitConnections(t *testing.T) {
	t.Parallel()
	for _, two := range []bool{true, false} {
		t.Run(fmt.Sprint("HTTP/2 ", two), func(t *testing.T) {
			t.Parallel()
			w, ca := tlsWorld(t)
			for i := range 12 {
				w.addLarge(fmt.Sprintf("large-%02d", i))
			}
			w.bitbucket.Configure(bitbuckettest.Options{Git: gitwiretest.Options{NoFilter: true}})
			s := newGitServer(t, w, two)
			w.write("ca.pem", ca)
			r := w.run(map[string]string{"CA_FILE": "ca.pem", "GIT_HOST_URL": s.URL, "MAPPING": readmes, "SOURCE_READER": "git"})
			r.check(t, 0, "success")
			if got := w.titles(); len(got) != 2*(3+12) || got["large-11"] != "# large-11" {
				t.Errorf("got %q", got)
			}
			if got := s.asked.Load(); got != 0 {
				t.Errorf("got %d requests in the other version of HTTP", got)
			}
			s.closed.Wait() // else the test does not end
			opened, requests := int(s.opened.Load()), r.number(t, "bitbucket_git_requests")
			if opened == 0 || opened > requests || two && opened > 10 {
				t.Errorf("got %d connections for %d requests", opened, requests)
			}
		})
	}
}

// addLarge adds a repository of which the root is a small part.
func (w *world) addLarge(name string) {
	files := map[string]string{"README.md": "# " + name}
	for i := range 40 {
		files[fmt.Sprintf("data/%02d.txt", i)] = strings.Repeat(fmt.Sprint(name, i, " "), 2000)
	}
	w.bitbucket.AddRepository(bitbuckettest.Repository{Name: name, Files: files})
}

// A git host whose certificate is not trusted, or to which a proxy lets nothing through, is
// asked once, and the reason is told; REST reads what it would have.
func TestGitNetworkFails(t *testing.T) {
	t.Parallel()
	t.Run("not trusted", func(t *testing.T) {
		t.Parallel()
		w := gitWorld(t)
		w.transport = nil
		w.offContract()
		s := newGitServer(t, w, true)
		r := w.run(map[string]string{"GIT_HOST_URL": s.URL})
		r.check(t, 0, "success")
		r.contains(t, "git was given up", "its certificate is not trusted; name its authority in the input ca_file")
		if got := r.number(t, "bitbucket_git_requests"); got != 1 || len(w.titles()) != 6 {
			t.Errorf("got %d requests and %q, want one, and all repositories read", got, w.titles())
		}
	})
	t.Run("proxy", func(t *testing.T) {
		t.Parallel()
		w := gitWorld(t)
		p := startProxy(t, &proxy{refuse: http.StatusForbidden})
		w.env["HTTPS_PROXY"] = strings.Replace(p.URL, "http://", "http://ann:proxy-password@", 1)
		w.env["GIT_HOST_URL"], w.env["MAPPING"] = "https://git.example.com", readmes
		cmd, log := w.process(build(t))
		_ = cmd.Wait() // the status is compared below
		out := log.String()
		want := "the proxy " + strings.TrimPrefix(p.URL, "http://") + " refuses the connection to git.example.com:443 (403 Forbidden)"
		if got := cmd.ProcessState.ExitCode(); got != 0 || !strings.Contains(out, want) || strings.Contains(out, "proxy-password") || len(w.titles()) != 6 {
			t.Errorf("got exit status %d and %q, want 0 and %q\n%s", got, w.titles(), want, out)
		}
		if len(p.asked) != 1 {
			t.Errorf("the proxy was asked for %q, want one attempt", p.asked)
		}
	})
}

// The built program reaches a git host that the proxy alone knows, with the proxy's own
// credentials.
func TestGitThroughProxy(t *testing.T) {
	t.Parallel()
	binary := build(t)
	w, _ := tlsWorld(t)
	s := newGitServer(t, w, true)
	w.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	p := newProxy(t, map[string]string{"git.example.com:443": strings.TrimPrefix(s.URL, "https://")})
	w.env["CA_FILE"], w.env["GIT_HOST_URL"], w.env["MAPPING"], w.env["SOURCE_READER"] = "ca.pem", "https://git.example.com", readmes, "git"
	w.env["HTTPS_PROXY"] = strings.Replace(p.URL, "http://", "http://ann:proxy-password@", 1)
	cmd, out := w.process(binary)
	_ = cmd.Wait() // the status is compared below
	if got := cmd.ProcessState.ExitCode(); got != 0 || len(w.titles()) != 6 {
		t.Errorf("got exit status %d and %q, want 0\n%s", got, w.titles(), out)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.asked)
	if got := slices.Compact(p.asked); !slices.Equal(got, []string{"CONNECT git.example.com:443"}) {
		t.Errorf("the proxy was asked for %q, want the git host alone", got)
	}
	for _, auth := range p.auth {
		if auth != "Basic YW5uOnByb3h5LXBhc3N3b3Jk" {
			t.Errorf("got proxy authorization %q", auth)
		}
	}
}

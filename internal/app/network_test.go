package app_test

import (
	"bufio"
	"cmp"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tlsWorld is smallWorld over TLS, with certificates that no system trusts. The
// program makes its own connections.
func tlsWorld(t *testing.T) (w *world, ca string) {
	t.Helper()
	w = smallWorld(t)
	w.offContract()
	bs, ps := httptest.NewUnstartedServer(w.bitbucket), httptest.NewUnstartedServer(w.port)
	for _, s := range []*httptest.Server{bs, ps} {
		s.EnableHTTP2 = true
		s.Config.ErrorLog = silent
		s.StartTLS()
		t.Cleanup(s.Close)
	}
	w.env["BITBUCKET_HOST_URL"], w.env["PORT_BASE_URL"] = bs.URL+"/2.0", ps.URL
	w.env["MAPPING"] = repositories
	w.transport = nil
	return w, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bs.Certificate().Raw}))
}

func TestCAFile(t *testing.T) {
	t.Parallel()
	t.Run("trusted", func(t *testing.T) {
		t.Parallel()
		w, ca := tlsWorld(t)
		w.write("ca.pem", "# our authority\n"+ca)
		w.run(map[string]string{"CA_FILE": "ca.pem"}).check(t, 0, "success")
		w.checkClean()
	})
	t.Run("not trusted", func(t *testing.T) {
		t.Parallel()
		w, _ := tlsWorld(t)
		r := w.run(nil)
		r.check(t, 1, "failed")
		r.contains(t, "certificate signed by unknown authority", "name its certificate in the input ca_file")
		if strings.Contains(r.stdout, "run again") {
			t.Errorf("it is to be run again, which finds the same:\n%s", r.stdout)
		}
		w.checkRequests(0, 0)
	})
	t.Run("Bitbucket not trusted", func(t *testing.T) {
		t.Parallel()
		w, _ := tlsWorld(t)
		ps := httptest.NewServer(w.port)
		t.Cleanup(ps.Close)
		w.env["PORT_BASE_URL"] = ps.URL
		w.addStale()
		r := w.run(nil)
		r.check(t, 1, "failed")
		r.contains(t, "certificate signed by unknown authority", "name its certificate in the input ca_file")
		if !w.holds("bitbucketRepository", "stale") {
			t.Error("an entity was deleted")
		}
	})
	for name, text := range map[string]string{"no such file": "", "no certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "a key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			if text != "" {
				w.write("ca.pem", text)
			}
			r := w.run(map[string]string{"CA_FILE": "ca.pem"})
			r.check(t, 2, "failed")
			r.contains(t, `input ca_file (from CA_FILE): "ca.pem" `)
			w.checkRequests(0, 0)
		})
	}
}

// silent takes what a server says of clients that do not trust it.
var silent = log.New(io.Discard, "", 0)

// proxy forwards to the emulators, whose hosts only it knows, and remembers what it
// was asked for.
type proxy struct {
	*httptest.Server
	hosts map[string]string // by name
	// refuse is the status by which it refuses to connect; 0 for none.
	refuse int

	mu    sync.Mutex
	asked []string // method and host
	auth  []string
}

func newProxy(t *testing.T, hosts map[string]string) *proxy {
	t.Helper()
	return startProxy(t, &proxy{hosts: hosts})
}

func startProxy(t *testing.T, p *proxy) *proxy {
	t.Helper()
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) serve(rw http.ResponseWriter, req *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, req.Method+" "+req.URL.Host)
	p.auth = append(p.auth, req.Header.Get("Proxy-Authorization"))
	p.mu.Unlock()
	if p.refuse != 0 {
		rw.Header().Set("Proxy-Authenticate", `Basic realm="office"`)
		http.Error(rw, "not from here", p.refuse)
		return
	}
	address, known := p.hosts[req.Host]
	if !known || req.Method != http.MethodConnect {
		http.Error(rw, "no such host", http.StatusBadGateway)
		return
	}
	server, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(rw, "not reached", http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, buffered, err := rw.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	fmt.Fprint(client, "HTTP/1.1 200 OK\r\n\r\n")
	pipe(client, buffered.Reader, server)
}

// pipe copies both ways until one side is done.
func pipe(client net.Conn, from *bufio.Reader, server net.Conn) {
	done := make(chan struct{}, 2)
	for _, copy := range []func(){func() { _, _ = io.Copy(server, from) }, func() { _, _ = io.Copy(client, server) }} {
		go func() {
			copy()
			done <- struct{}{}
		}()
	}
	<-done
	_ = client.Close()
	_ = server.Close()
	<-done
}

// The built program reaches hosts that the proxy alone knows, with the proxy's own
// credentials and through TLS of its own, and what is on loopback without it.
func TestProxy(t *testing.T) {
	t.Parallel()
	binary := build(t)
	for _, c := range []struct {
		name string
		port string // "" for the emulator's own address
		want []string
	}{
		{"both", "https://port.example.com", []string{"CONNECT bitbucket.example.com:443", "CONNECT port.example.com:443"}},
		{"one on loopback", "", []string{"CONNECT bitbucket.example.com:443"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, ca := tlsWorld(t)
			w.write("ca.pem", ca)
			p := newProxy(t, map[string]string{
				"bitbucket.example.com:443": host(w.env["BITBUCKET_HOST_URL"]), "port.example.com:443": host(w.env["PORT_BASE_URL"]),
			})
			w.env["BITBUCKET_HOST_URL"] = "https://bitbucket.example.com/2.0"
			w.env["PORT_BASE_URL"] = cmp.Or(c.port, w.env["PORT_BASE_URL"])
			w.env["CA_FILE"] = "ca.pem"
			w.env["HTTPS_PROXY"] = strings.Replace(p.URL, "http://", "http://ann:proxy-password@", 1)
			cmd, out := w.process(binary)
			_ = cmd.Wait() // the status is compared below
			if got := cmd.ProcessState.ExitCode(); got != 0 {
				t.Errorf("got exit status %d, want 0\n%s", got, out)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			slices.Sort(p.asked)
			if got := slices.Compact(p.asked); !slices.Equal(got, c.want) {
				t.Errorf("the proxy was asked for %q, want %q\n%s", got, c.want, out)
			}
			for _, auth := range p.auth {
				if auth != "Basic YW5uOnByb3h5LXBhc3N3b3Jk" {
					t.Errorf("got proxy authorization %q", auth)
				}
			}
		})
	}
}

// A proxy that refuses is told without its password, and one that is none is refused.
func TestProxyFails(t *testing.T) {
	t.Parallel()
	binary := build(t)
	p := newProxy(t, nil)
	for _, c := range []struct {
		name, address, want string
		status              int
	}{
		{"refuses", strings.Replace(p.URL, "http://", "http://ann:proxy-pass%2Fword@", 1), "Bad Gateway", 1},
		{"no address", "http://ann:proxy-pass/word@proxy.example.com", "HTTPS_PROXY is not the address of a proxy", 2},
		{"no port", "http://ann:proxy-pass%zz@proxy.example.com:port", "HTTPS_PROXY is not the address of a proxy", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.env["MAPPING"], w.env["LOG_LEVEL"], w.env["HTTPS_PROXY"] = repositories, "debug", c.address
			w.env["BITBUCKET_HOST_URL"], w.env["PORT_BASE_URL"] = "https://bitbucket.example.com/2.0", "https://port.example.com"
			cmd, out := w.process(binary)
			_ = cmd.Wait() // the status is compared below
			if got := cmd.ProcessState.ExitCode(); got != c.status || !strings.Contains(out.String(), c.want) {
				t.Errorf("got exit status %d, want %d and %q\n%s", got, c.status, c.want, out)
			}
			for _, told := range []string{out.String(), w.read("report.json")} {
				if strings.Contains(told, "proxy-pass") {
					t.Errorf("the proxy's password is told:\n%s", told)
				}
			}
		})
	}
}

// What a proxy refuses is told as the proxy's at once, and asked once: each further attempt
// is a login that may lock an account.
func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	binary := build(t)
	for _, c := range []struct {
		name   string
		status int
		port   bool // is reached through the proxy too
		want   string
		fix    string
	}{
		{"Port, login", 407, true, "the proxy PROXY asks for a login (407 Proxy Authentication Required)", "user:password@host:port"},
		{"Port, refusal", 403, true, "the proxy PROXY refuses the connection to port.example.com:443 (403 Forbidden)", "NO_PROXY"},
		{"Bitbucket, login", 407, false, "the proxy PROXY asks for a login (407 Proxy Authentication Required)", "user:password@host:port"},
		{"Bitbucket, refusal", 403, false, "the proxy PROXY refuses the connection to bitbucket.example.com:443 (403 Forbidden)", "NO_PROXY"},
		{"Bitbucket, method", 405, false, "the proxy PROXY refuses the connection to bitbucket.example.com:443 (405 Method Not Allowed)", "NO_PROXY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.addStale()
			p := startProxy(t, &proxy{refuse: c.status})
			w.env["MAPPING"], w.env["LOG_LEVEL"] = repositories, "debug"
			w.env["HTTPS_PROXY"] = strings.Replace(p.URL, "http://", "http://ann:proxy-password@", 1)
			w.env["BITBUCKET_HOST_URL"] = "https://bitbucket.example.com/2.0"
			if c.port {
				w.env["PORT_BASE_URL"] = "https://port.example.com"
			}
			cmd, log := w.process(binary)
			_ = cmd.Wait() // the status is compared below
			out := log.String()
			want := strings.ReplaceAll(c.want, "PROXY", strings.TrimPrefix(p.URL, "http://"))
			if got := cmd.ProcessState.ExitCode(); got != 1 || !strings.Contains(out, want) || !strings.Contains(out, c.fix) {
				t.Errorf("got exit status %d, want 1, %q and %q\n%s", got, want, c.fix, out)
			}
			if len(p.asked) != 1 {
				t.Errorf("the proxy was asked for %q, want one attempt", p.asked)
			}
			for _, told := range []string{out, w.read("report.json")} {
				for _, wrong := range []string{"proxy-password", "ann:", "x-trace-id", "run again"} {
					if strings.Contains(told, wrong) {
						t.Errorf("%q is told:\n%s", wrong, told)
					}
				}
			}
			if !w.holds("bitbucketRepository", "stale") {
				t.Error("an entity was deleted")
			}
		})
	}
}

func host(address string) string {
	rest := strings.TrimPrefix(address, "https://")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

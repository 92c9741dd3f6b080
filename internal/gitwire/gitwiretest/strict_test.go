package gitwiretest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// lines makes a request: each text is a packet, but those of four digits that are special.
func lines(texts ...string) string {
	var b strings.Builder
	for _, text := range texts {
		if text == "0000" || text == "0001" || text == "0002" {
			b.WriteString(text)
		} else {
			fmt.Fprintf(&b, "%04x%s", len(text)+4, text)
		}
	}
	return b.String()
}

// post makes the request of a correct client, with a body.
func post(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/acme/r.git/git-upload-pack", strings.NewReader(body))
	r.Header.Set("Git-Protocol", "version=2")
	r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	r.Header.Set("Accept", "application/x-git-upload-pack-result")
	return r
}

func get() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/acme/r.git/info/refs?service=git-upload-pack", nil)
	r.Header.Set("Git-Protocol", "version=2")
	return r
}

func do(s *gitwiretest.Server, r *http.Request) (status int, body string) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(text)
}

var (
	agent  = "agent=test/1"
	format = "object-format=sha1"
)

// What a correct client sends is answered, and nothing is noted.
func TestCorrect(t *testing.T) {
	t.Parallel()
	r, tip, _ := sample()
	s := gitwiretest.NewServer(r, gitwiretest.Options{})
	tests := []struct {
		name    string
		request *http.Request
		want    string
	}{
		{"capabilities", get(), lines("version 2\n", "agent=git/gitwiretest\n", "ls-refs=unborn\n", "fetch=shallow wait-for-done filter\n",
			"server-option\n", "object-format=sha1\n", "0000")},
		{"refs", post(lines("command=ls-refs", agent, format, "0001", "symrefs", "peel", "ref-prefix HEAD", "ref-prefix refs/heads/m", "0000")),
			lines(tip.String()+" HEAD symref-target:refs/heads/main\n", tip.String()+" refs/heads/main\n", "0000")},
		{"an unborn HEAD that is not asked for", post(lines("command=ls-refs\n", agent+"\n", format+"\n", "0001", "unborn\n", "ref-prefix refs/heads/none\n", "0000")),
			"0000"},
		{"a want of what is not there", post(lines("command=fetch", agent, format, "0001", "want "+strings.Repeat("0", 39)+"1", "done", "0000")),
			lines("ERR upload-pack: not our ref " + strings.Repeat("0", 39) + "1")},
		{"a have of what is not there", post(lines("command=fetch", agent, format, "0001", "want "+tip.String(), "have "+strings.Repeat("0", 39)+"1", "0000")),
			lines("acknowledgments\n", "NAK\n", "0000")},
	}
	for _, tt := range tests {
		if status, got := do(s, tt.request); status != http.StatusOK || got != tt.want {
			t.Errorf("%s: got %d %q, want %q", tt.name, status, got, tt.want)
		}
	}
	if v := s.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}

// A server without version 2 answers its capabilities with what it has: git itself reads it.
func TestVersion0(t *testing.T) {
	t.Parallel()
	r, tip, _ := sample()
	for _, o := range []gitwiretest.Options{{NoV2: true}, {NoV2: true, NoFilter: true, NoShallow: true, TipsOnly: true}} {
		s := gitwiretest.NewServer(r, o)
		h := httptest.NewServer(s)
		t.Cleanup(h.Close)
		status, got := do(s, get())
		for word, absent := range map[string]bool{" filter ": o.NoFilter, " shallow ": o.NoShallow, " allow-tip-sha1-in-want ": o.TipsOnly, " symref=HEAD:refs/heads/main ": false} {
			if strings.Contains(got, word) == absent {
				t.Errorf("%+v: got %q with%q", o, got, word)
			}
		}
		if status != http.StatusOK || !strings.HasPrefix(got, lines("# service=git-upload-pack\n", "0000")) || len(s.Violations()) > 0 {
			t.Errorf("%+v: got %d %q, violations %q", o, status, got, s.Violations())
		}
		if got, want := git(t, t.TempDir(), nil, "ls-remote", h.URL+"/r.git", "HEAD"), tip.String()+"\tHEAD\n"; got != want {
			t.Errorf("%+v: git got %q, want %q", o, got, want)
		}
	}
}

// HEAD of an empty repository is there for who asks for what is unborn and for its target, as in git.
func TestUnborn(t *testing.T) {
	t.Parallel()
	s := gitwiretest.NewServer(gitwiretest.NewRepository(), gitwiretest.Options{})
	for args, want := range map[[2]string]string{
		{"unborn", "symrefs"}: lines("unborn HEAD symref-target:refs/heads/main\n", "0000"),
		{"unborn", "peel"}:    "0000",
		{"symrefs", "peel"}:   "0000",
	} {
		if _, got := do(s, post(lines("command=ls-refs", agent, format, "0001", args[0], args[1], "0000"))); got != want {
			t.Errorf("%q: got %q, want %q", args, got, want)
		}
	}
}

// What a correct client never sends is refused and noted.
func TestRefused(t *testing.T) {
	t.Parallel()
	r, tip, _ := sample()
	want := "want " + tip.String()
	fetch := func(args ...string) *http.Request {
		return post(lines(slices.Concat([]string{"command=fetch", agent, format, "0001"}, args, []string{"0000"})...))
	}
	with := func(r *http.Request, change func(*http.Request)) *http.Request {
		change(r)
		return r
	}
	ok := lines("command=fetch", agent, format, "0001", want, "done", "0000")
	tests := []struct {
		name    string
		options gitwiretest.Options
		request *http.Request
		status  int
		noted   string
	}{
		{"method", gitwiretest.Options{}, with(post(ok), func(r *http.Request) { r.Method = "PUT" }), 405, "method PUT"},
		{"path", gitwiretest.Options{}, with(get(), func(r *http.Request) { r.URL.Path = "/acme/r.git/HEAD" }), 404, "unknown path"},
		{"dumb", gitwiretest.Options{}, with(get(), func(r *http.Request) { r.URL.RawQuery = "" }), 403, `query ""`},
		{"push", gitwiretest.Options{}, with(get(), func(r *http.Request) { r.URL.RawQuery = "service=git-receive-pack" }), 403, "receive-pack"},
		{"content type", gitwiretest.Options{}, with(post(ok), func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }), 415, "Content-Type"},
		{"accept", gitwiretest.Options{}, with(post(ok), func(r *http.Request) { r.Header.Del("Accept") }), 406, "Accept"},
		{"version", gitwiretest.Options{}, with(post(ok), func(r *http.Request) { r.Header.Del("Git-Protocol") }), 200, "Git-Protocol"},
		{"coding", gitwiretest.Options{}, with(post(ok), func(r *http.Request) { r.Header.Set("Content-Encoding", "br") }), 200, "Content-Encoding"},
		{"too long", gitwiretest.Options{}, post(strings.Repeat("0", 10<<20+1)), 200, "above 10 MiB"},
		{"no flush", gitwiretest.Options{}, post(strings.TrimSuffix(ok, "0000")), 200, "no flush packet"},
		{"behind the flush", gitwiretest.Options{}, post(ok + "0000"), 200, "behind the flush"},
		{"bad length", gitwiretest.Options{}, post("0003" + ok), 200, `length "0003"`},
		{"cut", gitwiretest.Options{}, post(ok[:24]), 200, "are there"},
		{"two delimiters", gitwiretest.Options{}, fetch(want, "0001", "done"), 200, "second delimiter"},
		{"delimiter first", gitwiretest.Options{}, post(lines("0001", "command=fetch", agent, format, "0000")), 200, "delimiter before"},
		{"response end", gitwiretest.Options{}, fetch(want, "0002"), 200, `length "0002"`},
		{"no command", gitwiretest.Options{}, post(lines(agent, format, "0000")), 200, "no command"},
		{"unknown command", gitwiretest.Options{}, post(lines("command=push", agent, format, "0000")), 200, "unknown command"},
		{"no agent", gitwiretest.Options{}, post(lines("command=ls-refs", format, "0000")), 200, `no capability "agent"`},
		{"no object format", gitwiretest.Options{}, post(lines("command=ls-refs", agent, "0000")), 200, `no capability "object-format"`},
		{"other format", gitwiretest.Options{}, post(lines("command=ls-refs", agent, "object-format=sha256", "0000")), 200, `object format "sha256"`},
		{"unknown capability", gitwiretest.Options{}, post(lines("command=ls-refs", agent, format, "thin-pack", "0000")), 200, "unknown capability"},
		{"argument of ls-refs", gitwiretest.Options{}, post(lines("command=ls-refs", agent, format, "0001", "ref-prefixes x", "0000")), 200, "unknown argument"},
		{"argument of fetch", gitwiretest.Options{}, fetch(want, "sideband-all"), 200, "unknown argument"},
		{"unknown filter", gitwiretest.Options{}, fetch(want, "filter blob:never"), 200, "unknown argument"},
		{"filter", gitwiretest.Options{NoFilter: true}, fetch(want, "filter blob:none"), 200, "not advertised"},
		{"depth", gitwiretest.Options{NoShallow: true}, fetch(want, "deepen 1"), 200, "unknown argument"},
		{"bad depth", gitwiretest.Options{}, fetch(want, "deepen 0"), 200, "no depth"},
		{"two depths", gitwiretest.Options{}, fetch(want, "deepen 1", "deepen 1"), 200, "twice"},
		{"want", gitwiretest.Options{}, fetch("want " + strings.ToUpper(tip.String())), 200, "no hash"},
		{"no want", gitwiretest.Options{}, fetch("done"), 200, "without a want"},
	}
	for _, tt := range tests {
		s := gitwiretest.NewServer(r, tt.options)
		status, body := do(s, tt.request)
		if status != tt.status || status == http.StatusOK && body != "" {
			t.Errorf("%s: got %d %q, want %d", tt.name, status, body, tt.status)
		}
		if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], tt.noted) {
			t.Errorf("%s: violations %q, want one with %q", tt.name, v, tt.noted)
		}
	}
}

// A pack that is broken in one of the ways of the options differs from the whole one as they say.
func TestBroken(t *testing.T) {
	t.Parallel()
	r, tip, _ := sample()
	body := func(o gitwiretest.Options) string {
		s := gitwiretest.NewServer(r, o)
		_, got := do(s, post(lines("command=fetch", agent, format, "0001", "want "+tip.String(), "deepen 1", "no-progress", "done", "0000")))
		if v := s.Violations(); len(v) > 0 {
			t.Errorf("violations: %q", v)
		}
		return got
	}
	whole := body(gitwiretest.Options{})
	if !strings.HasPrefix(whole, lines("shallow-info\n", "shallow "+tip.String()+"\n", "0001", "packfile\n")) || !strings.HasSuffix(whole, "0000") {
		t.Fatalf("a whole answer: %q", whole)
	}
	if got := body(gitwiretest.Options{NoFlush: true}); got+"0000" != whole {
		t.Error("without a flush packet: it differs in more")
	}
	if got := body(gitwiretest.Options{Body: gitwiretest.CutAt(100)}); got != whole[:100] {
		t.Errorf("cut: got %d bytes", len(got))
	}
	if got := body(gitwiretest.Options{Err: "busy"}); got != lines("ERR busy") {
		t.Errorf("ERR: got %q", got)
	}
	if got := body(gitwiretest.Options{Band3: "out of memory\x00"}); !strings.HasSuffix(got, lines("\x03out of memory\x00")) || len(got) >= len(whole) {
		t.Errorf("band 3: got %q", got)
	}
	if got := body(gitwiretest.Options{Band4: true}); !strings.Contains(got, lines("\x04?")) || !strings.HasSuffix(got, "0000") {
		t.Errorf("band 4: got %q", got)
	}
	if got := body(gitwiretest.Options{KeepAlive: true, Progress: true}); !strings.Contains(got, "0005\x01") || !strings.Contains(got, "\x02Compressing") {
		t.Errorf("keep-alive and progress: got %q", got)
	}
	flipped := body(gitwiretest.Options{Pack: gitwiretest.FlipBit(200)})
	differ := 0
	for i := range min(len(flipped), len(whole)) {
		if flipped[i] != whole[i] {
			differ++
		}
	}
	if len(flipped) != len(whole) || differ != 1 {
		t.Errorf("a flipped bit: %d bytes differ, and the lengths are %d and %d", differ, len(flipped), len(whole))
	}
	for _, o := range []gitwiretest.Options{{Empty: true}, {NoV2: true}, {SHA256: true}} {
		if got := body(o); got != "" {
			t.Errorf("%+v: got %q", o, got)
		}
	}
	if got := body(gitwiretest.Options{WebPage: true}); !strings.HasPrefix(got, "<!DOCTYPE html>") {
		t.Errorf("a web page: got %q", got)
	}
	if body(gitwiretest.Options{}) != whole {
		t.Error("the same request has two answers")
	}
}

package bitbuckettest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// gitWorld has a file of every sort in one repository.
func gitWorld() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AllowToken("T")
	s.AllowBasic("dana@example.com", "A")
	s.AllowBasic("dana", "P")
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{
		"README.md": "# R", "run": "#!/bin/sh\n", "docs/guide": "../README.md", "lib": strings.Repeat("ab", 20), "sub": "x", "big": "large",
	}})
	s.SetAttributes("r", "run", "executable")
	s.SetAttributes("r", "docs/guide", "link")
	s.SetAttributes("r", "lib", "subrepository")
	s.SetAttributes("r", "sub", "subrepository")
	s.SetAttributes("r", "big", "lfs", "binary")
	return s
}

// gitRequest is one for the capabilities, or for the head of r.
func gitRequest(path, user, secret, body string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://git.test"+path, nil)
	if body != "" {
		r = httptest.NewRequest(http.MethodPost, "https://git.test"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		r.Header.Set("Accept", "application/x-git-upload-pack-result")
	}
	r.Header.Set("Git-Protocol", "version=2")
	r.SetBasicAuth(user, secret)
	return r
}

func gitBody(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		if l == "0000" || l == "0001" {
			b.WriteString(l)
		} else {
			fmt.Fprintf(&b, "%04x%s", len(l)+4, l)
		}
	}
	return b.String()
}

const (
	gitRefs   = "/acme/r.git/info/refs?service=git-upload-pack"
	gitUpload = "/acme/r.git/git-upload-pack"
)

var lsRefs = gitBody("command=ls-refs", "agent=t", "object-format=sha1", "0000")

func answered(t *testing.T, s *bitbuckettest.Server, r *http.Request) (*http.Response, string) {
	t.Helper()
	r.RequestURI = ""
	resp, err := s.RoundTripper().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// Real git clones what REST shows, and every mode is as the attributes say.
func TestGitClone(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	s := gitWorld()
	s.AddBranch("r", "release/1.x")
	s.SetFile("r", "new/file", []byte("new"))
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	git := func(dir string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C"}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %q: %v: %s", args, err, stderr.String())
		}
		return string(out)
	}
	address := strings.Replace(h.URL, "http://", "http://x-bitbucket-api-token-auth:A@", 1) + "/acme/r.git"
	dir := t.TempDir()
	git(dir, "clone", "-q", "--no-checkout", address, "r")
	dir = filepath.Join(dir, "r")
	git(dir, "fsck", "--strict")
	if got, want := strings.TrimSpace(git(dir, "rev-parse", "HEAD")), s.Head("r"); got != want {
		t.Errorf("HEAD: got %s, want %s", got, want)
	}
	var modes []string
	for line := range strings.SplitSeq(strings.TrimSpace(git(dir, "ls-tree", "-r", "HEAD")), "\n") {
		words := strings.Fields(line)
		modes = append(modes, words[0]+" "+words[3])
	}
	want := "100644 README.md|100644 big|120000 docs/guide|160000 lib|100644 new/file|100755 run|160000 sub"
	if got := strings.Join(modes, "|"); got != want {
		t.Errorf("modes: got %s\nwant %s", got, want)
	}
	if got := git(dir, "show", "HEAD:big"); !strings.HasPrefix(got, "version https://git-lfs.github.com/spec/v1\noid sha256:") || !strings.HasSuffix(got, "\nsize 5\n") {
		t.Errorf("a file of Git LFS: got %q", got)
	}
	if got := git(dir, "branch", "-r", "--format=%(refname:short)"); !strings.Contains(got, "origin/release/1.x") {
		t.Errorf("branches: got %q", got)
	}
	if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], "no credential") { // git asks without one first
		t.Errorf("violations: %q", v)
	}
	if s.Requests() != 0 || s.GitRequests() < 3 {
		t.Errorf("got %d requests of REST and %d of git", s.Requests(), s.GitRequests())
	}
}

// The git host takes an access token and an API token by their own users, and nothing else.
func TestGitCredentials(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, user, secret string
		status             int
		noted              string
	}{
		{"access token", "x-token-auth", "T", 200, ""},
		{"API token", "x-bitbucket-api-token-auth", "A", 200, ""},
		{"e-mail", "dana@example.com", "A", 401, `user "dana@example.com" on the git host`},
		{"app password", "dana", "P", 401, `user "dana" on the git host`},
		{"app password as API token", "x-bitbucket-api-token-auth", "P", 401, "unknown API token"},
		{"access token as API token", "x-bitbucket-api-token-auth", "T", 401, "unknown API token"},
		{"unknown", "x-token-auth", "U", 401, "unknown access token"},
		{"Bearer", "", "", 401, "not Basic"},
	}
	for _, tt := range tests {
		s := gitWorld()
		r := gitRequest(gitRefs, tt.user, tt.secret, "")
		if tt.user == "" {
			r.Header.Set("Authorization", "Bearer T")
		}
		resp, body := answered(t, s, r)
		if resp.StatusCode != tt.status || tt.status == 401 && !strings.Contains(body, "make sure you are authenticated") {
			t.Errorf("%s: got %d %q, want %d", tt.name, resp.StatusCode, body, tt.status)
		}
		if v := strings.Join(s.Violations(), "|"); (tt.noted == "") != (v == "") || !strings.Contains(v, tt.noted) {
			t.Errorf("%s: violations %q, want %q", tt.name, v, tt.noted)
		}
	}
}

// A revoked credential and a missing scope are refused, with plain text.
func TestGitRefusals(t *testing.T) {
	t.Parallel()
	s := gitWorld()
	s.AddRepository(bitbuckettest.Repository{Name: "hidden", Files: map[string]string{"a": ""}})
	s.AddRepository(bitbuckettest.Repository{Name: "barred", Files: map[string]string{"a": ""}})
	s.AddRepository(bitbuckettest.Repository{Name: "Old name", Files: map[string]string{"a": ""}})
	s.SetVisibility("hidden", bitbuckettest.ListedMissing)
	s.SetVisibility("barred", bitbuckettest.ListedForbidden)
	s.RenameRepository("old-name", "New name")
	s.AllowToken("narrow", bitbuckettest.Access{Scopes: []string{"account"}})
	s.AllowToken("gone")
	s.Revoke("gone")
	const query = "/info/refs?service=git-upload-pack"
	for _, tt := range []struct {
		path, secret string
		status       int
		text         string
	}{
		{"/acme/none.git" + query, "T", 404, "no longer exists in this workspace"},
		{"/acme/hidden.git" + query, "T", 404, "no longer exists in this workspace"},
		{"/acme/barred.git" + query, "T", 403, "Access to repository acme/barred is denied"},
		{"/acme/old-name.git" + query, "T", 301, ""},
		{"/acme/r.git" + query, "narrow", 403, "lack one or more required privilege scopes"},
		{"/acme/r.git" + query, "gone", 401, "make sure you are authenticated"},
	} {
		resp, body := answered(t, s, gitRequest(tt.path, "x-token-auth", tt.secret, ""))
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.text) {
			t.Errorf("%s: got %d %q, want %d %q", tt.path, resp.StatusCode, body, tt.status, tt.text)
		}
		if got := resp.Header.Get("Location"); tt.status == 301 && got != "https://git.test/acme/new-name.git"+query {
			t.Errorf("%s: got Location %q", tt.path, got)
		}
	}
	s.Configure(bitbuckettest.Options{HiddenGit: 401})
	if resp, _ := answered(t, s, gitRequest("/acme/hidden.git"+query, "x-token-auth", "T", "")); resp.StatusCode != 401 {
		t.Errorf("hidden, as told: got %d", resp.StatusCode)
	}
	if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], "missing scope repository") {
		t.Errorf("violations: %q", v)
	}
	if resp, _ := answered(t, s, gitRequest("/other/r.git"+query, "x-token-auth", "T", "")); resp.StatusCode != 401 || len(s.Violations()) != 2 {
		t.Errorf("another workspace: got %d, violations %q", resp.StatusCode, s.Violations())
	}
}

// Requests to the git host have an allowance of their own.
func TestGitRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := gitWorld()
		s.AllowToken("T", bitbuckettest.Access{Limit: 1, GitLimit: 2, RetryAfter: time.Minute})
		statuses := func() (all []int) {
			for range 3 {
				resp, _ := answered(t, s, gitRequest(gitUpload, "x-token-auth", "T", lsRefs))
				all = append(all, resp.StatusCode)
			}
			rest := httptest.NewRequest(http.MethodGet, "https://api.test/2.0/repositories/acme", nil)
			rest.Header.Set("Authorization", "Bearer T")
			resp, _ := answered(t, s, rest)
			return append(all, resp.StatusCode)
		}
		for range 2 {
			if got := fmt.Sprint(statuses()); got != "[200 200 429 200]" {
				t.Errorf("statuses: got %s", got)
			}
			time.Sleep(time.Hour)
		}
		if v := s.Violations(); len(v) > 0 {
			t.Errorf("violations: %q", v)
		}
	})
}

// Faults fall on requests to the git host by their path or route, and the journal sets them apart.
func TestGitFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := gitWorld()
		s.Fault(bitbuckettest.Fault{Path: "/acme/*.git/git-upload-pack", Status: 503, Times: 1, Delay: time.Minute})
		s.Fault(bitbuckettest.Fault{Route: bitbuckettest.GitUpload, Nth: 2, TruncateBody: 10})
		begin := time.Now()
		resp, body := answered(t, s, gitRequest(gitUpload, "x-token-auth", "T", lsRefs))
		if resp.StatusCode != 503 || body != "Service Unavailable" || time.Since(begin) != time.Minute {
			t.Errorf("got %d %q after %v", resp.StatusCode, body, time.Since(begin))
		}
		r := gitRequest(gitUpload, "x-token-auth", "T", lsRefs)
		r.RequestURI = ""
		resp, err := s.RoundTripper().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(resp.Body); len(text) != 10 || err == nil {
			t.Errorf("truncated: got %q, %v", text, err)
		}
		resp, body = answered(t, s, gitRequest(gitUpload, "x-token-auth", "T", lsRefs))
		if want := gitBody(s.Head("r")+" HEAD\n", s.Head("r")+" refs/heads/main\n", "0000"); resp.StatusCode != 200 || body != want {
			t.Errorf("got %d %q, want %q", resp.StatusCode, body, want)
		}
		s.AddBranch("r", "a/b")
		head := s.SetFile("r", "new", nil)
		_, body = answered(t, s, gitRequest(gitUpload, "x-token-auth", "T", lsRefs))
		if !strings.Contains(body, head+" refs/heads/main\n") || !strings.Contains(body, " refs/heads/a/b\n") {
			t.Errorf("after a commit and a branch: got %q", body)
		}
		s.Fault(bitbuckettest.Fault{Path: "/repositories/**", Status: 500})
		resp, _ = answered(t, s, gitRequest(gitRefs, "x-token-auth", "T", ""))
		last := s.Journal()[4]
		if resp.StatusCode != 200 || !last.Git || last.Route != bitbuckettest.GitRefs || last.GitCommand.Name != "capabilities" || last.Credential != "token1" {
			t.Errorf("the last request: got %d, %+v", resp.StatusCode, last)
		}
		if s.Requests() != 0 || s.GitRequests() != 5 {
			t.Errorf("got %d requests of REST and %d of git, want 0 and 5", s.Requests(), s.GitRequests())
		}
	})
}

// What git can do is set for the server, and for one repository.
func TestGitOptions(t *testing.T) {
	t.Parallel()
	s := gitWorld()
	s.AddRepository(bitbuckettest.Repository{Name: "other", Files: map[string]string{"a": ""}})
	s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{NoFilter: true}})
	s.ConfigureGit("other", gitwiretest.Options{NoV2: true})
	for path, want := range map[string]string{gitRefs: "fetch=shallow wait-for-done\n", strings.Replace(gitRefs, "r.git", "other.git", 1): "multi_ack"} {
		if _, body := answered(t, s, gitRequest(path, "x-token-auth", "T", "")); !strings.Contains(body, want) {
			t.Errorf("%s: got %q, want %q", path, body, want)
		}
	}
}

// A pack comes packet by packet where the options have a pause, also in process.
func TestGitPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := gitWorld()
		s.ConfigureGit("r", gitwiretest.Options{Pause: gitwiretest.Wait(50 * time.Second), PacketSize: 100})
		r := gitRequest(gitUpload, "x-token-auth", "T", gitBody("command=fetch", "agent=t", "object-format=sha1", "0001", "want "+s.Head("r"), "no-progress", "done", "0000"))
		r.RequestURI = ""
		begin := time.Now()
		resp, err := s.RoundTripper().RoundTrip(r)
		if err != nil || time.Since(begin) != 50*time.Second {
			t.Fatalf("got %v after %v", err, time.Since(begin))
		}
		for packet := 1; packet < 4; packet++ {
			if _, err := resp.Body.Read(make([]byte, 200)); err != nil || time.Since(begin) != time.Duration(packet)*50*time.Second {
				t.Errorf("packet %d: got %v after %v", packet, err, time.Since(begin))
			}
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}

// SetAttributes changes the hashes, and what was handed out before is the hash of nothing.
func TestHashes(t *testing.T) {
	t.Parallel()
	s := gitWorld()
	before := s.Head("r")
	s.SetAttributes("r", "README.md", "executable")
	after := s.Head("r")
	if before == after || before != gitWorld().Head("r") {
		t.Errorf("heads: %s before, %s after, %s of another server", before, after, gitWorld().Head("r"))
	}
	for head, want := range map[string]int{before: 404, after: 200} {
		r := httptest.NewRequest(http.MethodGet, "https://api.test/2.0/repositories/acme/r/src/"+head+"/README.md", nil)
		r.Header.Set("Authorization", "Bearer T")
		if resp, _ := answered(t, s, r); resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", head, resp.StatusCode, want)
		}
	}
	if _, _, ok := s.Git("r").Object(gitwiretest.HashOf(gitwiretest.KindBlob, "# R")); !ok {
		t.Error("the repository of git has not the content of README.md")
	}
}

package gitbackend_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/gitwire/gitbackend"
)

var everything = gitbackend.Repository{
	Commits: []gitbackend.Commit{
		{Files: []gitbackend.File{
			{Path: "README.md", Content: "# r\n"},
			{Path: "run.sh", Mode: 0o100755, Content: "#!/bin/sh\n"},
			{Path: "docs/link", Mode: 0o120000, Content: "../README.md"},
			{Path: "vendor", Mode: 0o160000, Content: strings.Repeat("1", 40)},
			{Path: "odd/\"ö\n", Content: "odd"},
			{Path: "gone", Content: "gone"},
		}},
		{Name: "left", Branch: "feature/a", Parents: []string{"0"}, Files: []gitbackend.File{{Path: "a", Content: "a"}}},
		{Name: "right", Branch: "feature/b", Parents: []string{"0"}, Files: []gitbackend.File{{Path: "b", Content: "b"}}},
		{Name: "octopus", Parents: []string{"0", "left", "right"}, Delete: []string{"gone"}, Files: []gitbackend.File{{Path: "c", Content: "c"}}},
	},
	Branches: map[string]string{"release/1.0": "0"},
	Tags:     []gitbackend.Tag{{Name: "v1", Of: "0"}, {Name: "v2", Of: "octopus", Message: "two"}},
}

func TestMake(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "acme", "r.git")
	hashes := gitbackend.Make(t, folder, everything)

	listing := string(gitbackend.Git(t, folder, nil, "ls-tree", "-rz", "main"))
	var got []string
	for line := range strings.SplitSeq(strings.TrimSuffix(listing, "\x00"), "\x00") {
		about, path, _ := strings.Cut(line, "\t")
		got = append(got, strings.Fields(about)[0]+" "+path)
	}
	want := "100644 README.md|100644 c|120000 docs/link|100644 odd/\"ö\n|100755 run.sh|160000 vendor"
	if strings.Join(got, "|") != want {
		t.Errorf("files: got %q, want %q", strings.Join(got, "|"), want)
	}
	parents := strings.Fields(string(gitbackend.Git(t, folder, nil, "rev-list", "--parents", "-1", "main")))
	if got, want := fmt.Sprint(parents), fmt.Sprint([]string{hashes["octopus"], hashes["0"], hashes["left"], hashes["right"]}); got != want {
		t.Errorf("the merge and its parents: got %s, want %s", got, want)
	}
	refs := strings.Fields(string(gitbackend.Git(t, folder, nil, "for-each-ref", "--format=%(refname)")))
	if got, want := strings.Join(refs, " "), "refs/heads/feature/a refs/heads/feature/b refs/heads/main refs/heads/release/1.0 refs/tags/v1 refs/tags/v2"; got != want {
		t.Errorf("refs: got %s, want %s", got, want)
	}
	if got := string(gitbackend.Git(t, folder, nil, "cat-file", "-p", "main:docs/link")); got != "../README.md" {
		t.Errorf("a link: got %q", got)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	withFilter := everything
	withFilter.Filter = true
	of256 := gitbackend.Repository{SHA256: true, Commits: []gitbackend.Commit{{Files: []gitbackend.File{{Path: "a", Content: "a"}}}}}
	gitbackend.Make(t, filepath.Join(root, "acme", "filter.git"), withFilter)
	gitbackend.Make(t, filepath.Join(root, "acme", "plain.git"), everything)
	gitbackend.Make(t, filepath.Join(root, "acme", "sha256.git"), of256)
	overTLS, trusting := gitbackend.ServeTLS(t, root)
	plain := gitbackend.Serve(t, root)
	for _, s := range []struct {
		*gitbackend.Server
		client *http.Client
		proto  string
	}{
		{plain, http.DefaultClient, "HTTP/1.1"},
		{overTLS, trusting, "HTTP/2.0"},
	} {
		for name, want := range map[string]struct{ has, hasNot string }{
			"filter": {"fetch=shallow wait-for-done filter\n", "sha256"},
			"plain":  {"object-format=sha1\n", "filter"},
			"sha256": {"object-format=sha256\n", "filter"},
		} {
			before := s.Requests()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/acme/"+name+".git/info/refs?service=git-upload-pack", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Git-Protocol", "version=2")
			resp, err := s.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK || resp.Proto != s.proto {
				t.Errorf("%s: %s %s, %v", name, resp.Proto, resp.Status, err)
			}
			if text := string(body); !strings.Contains(text, "version 2\n") || !strings.Contains(text, want.has) || strings.Contains(text, want.hasNot) {
				t.Errorf("%s: capabilities: got %q, want %q and not %q", name, text, want.has, want.hasNot)
			}
			if s.Requests() != before+1 || s.Bytes() < int64(len(body)) {
				t.Errorf("%s: counted %d requests and %d bytes", name, s.Requests()-before, s.Bytes())
			}
		}
	}
}

func TestMirror(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	original, copied := filepath.Join(root, "r.git"), filepath.Join(root, "copy.git")
	gitbackend.Make(t, original, everything)
	server := gitbackend.Serve(t, root)
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Secret") != "known" {
			http.Error(w, "no secret", http.StatusForbidden)
			return
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(guard.Close)
	slowed := gitbackend.Line{OneWay: time.Millisecond, BytesPerSecond: 12_500_000}.Slow(t, guard.URL)
	gitbackend.Mirror(t, copied, slowed+"/r.git", "X-Secret: known", gitbackend.Repository{Filter: true})
	refs := func(folder string) string { return string(gitbackend.Git(t, folder, nil, "show-ref", "--head")) }
	if got, want := refs(copied), refs(original); got != want {
		t.Errorf("refs of a copy: got\n%s\nwant\n%s", got, want)
	}
	if got := strings.TrimSpace(string(gitbackend.Git(t, copied, nil, "config", "uploadpack.allowFilter"))); got != "true" {
		t.Errorf("a copy's setting: got %s", got)
	}
}

// Latency and bandwidth, in virtual time.
func TestLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, near := net.Pipe()
		far, server := net.Pipe()
		line := gitbackend.Line{OneWay: 25 * time.Millisecond, BytesPerSecond: 100_000}
		go line.Join(near, far)

		begin := time.Now()
		go client.Write([]byte("question"))
		question := make([]byte, 8)
		if _, err := io.ReadFull(server, question); err != nil || string(question) != "question" {
			t.Fatalf("got %q, %v", question, err)
		}
		// The handshake, then the way of eight bytes.
		if got, want := time.Since(begin), 75*time.Millisecond+80*time.Microsecond; got != want {
			t.Errorf("the first bytes came after %s, want %s", got, want)
		}
		begin = time.Now()
		answer := bytes.Repeat([]byte("a"), 50_000)
		go func() {
			server.Write(answer)
			server.Close()
		}()
		got, err := io.ReadAll(client)
		if err != nil || !bytes.Equal(got, answer) {
			t.Errorf("got %d bytes, %v, want %d", len(got), err, len(answer))
		}
		if got, want := time.Since(begin), 525*time.Millisecond; got != want {
			t.Errorf("50,000 bytes came within %s, want %s", got, want)
		}
	})
}

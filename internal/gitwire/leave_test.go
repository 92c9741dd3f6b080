package gitwire_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/gitwire/gitbackend"
)

// Whoever leaves in the middle of a pack leaves nothing behind: no connection that nobody
// can use, and no process of git's. HTTP/2 keeps its connection, HTTP/1.1 begins another.
func TestLeaveGit(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	var files []gitbackend.File
	random := rand.NewChaCha8([32]byte{})
	for i := range 64 { // 4 MiB that cannot be compressed, after the README
		content := make([]byte, 64<<10)
		random.Read(content)
		files = append(files, gitbackend.File{Path: fmt.Sprintf("large/%02d", i), Content: string(content)})
	}
	files = append(files, gitbackend.File{Path: "README.md", Content: "# r\n"})
	hashes := gitbackend.Make(t, filepath.Join(root, "r.git"), gitbackend.Repository{Commits: []gitbackend.Commit{{Files: files}}})
	overTLS, trusting := gitbackend.ServeTLS(t, root)
	http1 := &http.Transport{MaxConnsPerHost: 1} // a second read waits for ever where the first has not left
	t.Cleanup(http1.CloseIdleConnections)
	for _, tt := range []struct {
		name        string
		server      *gitbackend.Server
		client      *http.Client
		connections int64
	}{
		{"HTTP/1.1", gitbackend.Serve(t, root), &http.Client{Transport: http1}, 3},
		{"HTTP/2", overTLS, trusting, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var fresh atomic.Int64
			trace := httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
				if !info.Reused {
					fresh.Add(1)
				}
			}}
			r := &gitwire.Remote{URL: tt.server.URL + "/r.git", TempDir: t.TempDir(), Do: func(req *http.Request) (*http.Response, error) {
				return tt.client.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), &trace)))
			}}
			const times = 3
			for range times {
				s, err := r.Snapshot(t.Context(), gitwire.Want{Head: hashOf(t, hashes["0"])}) // the root alone
				if err != nil {
					t.Fatal(err)
				}
				s.Close()
			}
			if got := fresh.Load(); got != tt.connections {
				t.Errorf("got %d connections, want %d", got, tt.connections)
			}
			if got := r.Stats().Bytes; got > times<<20 {
				t.Errorf("read %d bytes of %d packs: it did not leave", got, times)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := tt.server.Idle(ctx); err != nil {
				t.Errorf("git goes on: %v", err)
			}
		})
	}
}

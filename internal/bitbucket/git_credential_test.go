package bitbucket_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/memtransport"
)

// A credential that the git host refuses is not used there any more; the API's is its own.
func TestGitCredentials(t *testing.T) {
	h := &gitHost{answer: func(w http.ResponseWriter, r *http.Request) {
		if _, secret, basic := r.BasicAuth(); basic && secret == "t1" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		if !strings.HasPrefix(r.URL.Path, "/acme/") {
			fmt.Fprintf(w, `{"uuid":%q}`, r.Header.Get("Authorization"))
		}
	}}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := gitConfig(gitTest, memtransport.RoundTripper(h), "t1", "t2")
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		client, err := bitbucket.New(c)
		if err != nil {
			t.Fatal(err)
		}
		g := client.Git()
		for range 2 {
			got, _, err := fetched(t, g)
			equal(t, "answer", fmt.Sprint(got, err), "200 <nil>")
		}
		if line := `msg="credential refused: it is not used any more in this run" credential="workspace token t1" status=401 by="Bitbucket's git host"`; !strings.Contains(log.String(), line) {
			t.Errorf("log: got\n%s\nwant %s", log.String(), line)
		}
		post := "POST /acme/repo.git/git-upload-pack x-token-auth:"
		equal(t, "asked", h.journal(), []string{post + "t1 want", post + "t1 want", post + "t2 want", post + "t2 want"})
		equal(t, "credentials", g.Credentials(), []string{"workspace token t1: 2 requests, refused (401)", "workspace token t2: 2 requests, no rate limit header"})
		if _, err := client.Exists(t.Context(), "repo"); err != nil {
			t.Error(err)
		}
		equal(t, "refused by the API", len(client.Refused()), 0)
		equal(t, "credentials of the API", client.Credentials(), []string{"workspace token t1: 1 request, no rate limit header", "workspace token t2: 0 requests"})
		refused := g.Refused()
		if len(refused) != 1 || refused[0].What != "Bitbucket's git host refused a credential (401), and the run went on with the others: workspace token t1" {
			t.Errorf("refused: got %v, want the one by the git host", refused)
		}
	})
}

// The git host has one answer for a wrong credential and for a repository that is hidden: a
// credential that it accepted before stays in use.
func TestGitHidesARepository(t *testing.T) {
	const hidden = "You may not have access to this repository or it no longer exists in this workspace."
	refuse := func(w http.ResponseWriter) { http.Error(w, hidden, http.StatusUnauthorized) }
	t.Run("the repository", func(t *testing.T) {
		var hide atomic.Bool
		gitInBubble(t, &gitHost{answer: func(w http.ResponseWriter, _ *http.Request) {
			if hide.Load() {
				refuse(w)
			}
		}}, func(t *testing.T, g *bitbucket.Git) {
			for range 2 {
				fetched(t, g) // each credential once
			}
			hide.Store(true)
			for range 3 {
				status, _, err := fetched(t, g)
				equal(t, "answer", fmt.Sprint(status, err), "401 <nil>")
			}
			hide.Store(false)
			status, _, err := fetched(t, g)
			equal(t, "another repository", fmt.Sprint(status, err), "200 <nil>")
			equal(t, "requests", g.Requests(), 6)
			equal(t, "refused", len(g.Refused()), 0)
		})
	})
	t.Run("a credential", func(t *testing.T) {
		gitInBubble(t, &gitHost{answer: func(w http.ResponseWriter, r *http.Request) {
			if _, secret, _ := r.BasicAuth(); secret == "t1" {
				refuse(w)
			}
		}}, func(t *testing.T, g *bitbucket.Git) {
			for range 2 {
				status, _, err := fetched(t, g)
				equal(t, "answer of the other", fmt.Sprint(status, err), "200 <nil>")
			}
			equal(t, "refused", len(g.Refused()), 1)
		})
	})
}

// The refusal of the last credential is the answer, and what it means an *Error.
func TestGitStatusError(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		denied bool
		want   string
	}{
		{401, "Authentication failed", true, "git /acme/repo.git: 401 Unauthorized: Authentication failed; used was: workspace token"},
		{403, "The requested repository either does not exist or you do not have access.", false, "403 Forbidden: The requested repository"},
		{403, "To access this repository, enable two-step authentication.", true, "two-step"},
		{404, "", false, "404 Not Found"},
	} {
		t.Run(fmt.Sprint(tt.status, tt.body), func(t *testing.T) {
			h := &gitHost{answer: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			}}
			gitInBubble(t, h, func(t *testing.T, g *bitbucket.Git) {
				got, body, err := fetched(t, g)
				if err != nil || got != tt.status {
					t.Fatalf("got %d, %v, want the status", got, err)
				}
				err = g.StatusError("repo", got, []byte(body))
				wantError(t, err, tt.want)
				equal(t, "denied", bitbucket.Denied(err), tt.denied)
				equal(t, "not found, such as a branch", errors.Is(err, bitbucket.ErrNotFound), false)
				var of *bitbucket.Error
				equal(t, "hidden", errors.As(err, &of) && of.Hidden, tt.status == 404)
			})
		})
	}
}

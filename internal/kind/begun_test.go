package kind_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// Port may have been told what a killed run has read, and memory was not: the list of an
// earlier run would take entities back to what they were.
func TestListThatAKilledRunWasToAskFor(t *testing.T) {
	s := bitbuckettest.New("acme")
	inBubble(t, s, func(w world) {
		m := filled(w, 4)
		killed := m
		killed.folder = filepath.Join(w.TempDir(), "copy")
		time.Sleep(hour)
		copied := false
		s.OnRequest(func(_ int, r *http.Request) {
			if copied || !strings.HasSuffix(r.URL.Path, "/pullrequests") {
				return
			}
			copied = true
			if err := os.CopyFS(killed.folder, os.DirFS(m.folder)); err != nil {
				w.Error(err)
			}
		})
		m.bounded(4, kind.Options{MaxAge: day}, pullRequests)
		w.equal("asked, and killed", m.repositories(), "[1 2]")

		time.Sleep(hour)
		_, got := killed.bounded(2, kind.Options{MaxAge: day}, pullRequests)
		w.equal("asked", m.repositories(), "[1]")
		w.equal("neither known nor asked for", got[0].unasked(), 1)
		w.equal("from memory", len(got[0].ages(w)), 2)

		time.Sleep(hour)
		_, got = killed.bounded(2, kind.Options{MaxAge: day}, pullRequests)
		w.equal("asked", m.repositories(), "[2]")
		w.equal("neither known nor asked for", got[0].unasked(), 0)
		w.equal("from memory", len(got[0].ages(w)), 3)

		time.Sleep(hour)
		_, got = m.bounded(1, kind.Options{MaxAge: day}, pullRequests)
		w.equal("neither known nor asked for, without a kill", got[0].unasked(), 0)
		w.equal("from memory, without a kill", len(got[0].ages(w)), 4)
	})
}

// A list that did not come to its end, or has something odd, was told to Port and is not kept.
func TestListThatWasReadInPart(t *testing.T) {
	s := bitbuckettest.New("acme")
	inBubble(t, s, func(w world) {
		m := filled(w, 3)
		time.Sleep(hour)
		s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/repo-2/pullrequests", Mutate: func(o map[string]any) {
			delete(o["values"].([]any)[1].(map[string]any), "id")
		}})
		m.run(kind.Options{}, "")
		s.ClearFaults()
		m.asked()

		time.Sleep(hour)
		_, got := m.bounded(1, kind.Options{MaxAge: day}, pullRequests)
		w.equal("neither known nor asked for", got[0].unasked(), 1)
		w.equal("from memory", len(got[0].ages(w)), 2)

		_, got = m.bounded(2, kind.Options{MaxAge: day}, pullRequests)
		w.equal("asked", m.repositories(), "[2]")
		w.equal("from memory", len(got[0].ages(w)), 2)

		_, got = m.bounded(1, kind.Options{MaxAge: day}, pullRequests)
		w.equal("from memory, once it was read whole", len(got[0].ages(w)), 3)
	})
}

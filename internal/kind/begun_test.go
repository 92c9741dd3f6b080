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

// A run without a bound that was killed may have begun any list: each is read anew, before what
// has moved since.
func TestListsOfAKilledRunComeFirst(t *testing.T) {
	s := bitbuckettest.New("acme")
	inBubble(t, s, func(w world) {
		m := filled(w, 3)
		killed := m
		killed.folder = filepath.Join(w.TempDir(), "copy")
		time.Sleep(hour)
		s.OnRequest(func(int, *http.Request) {
			s.OnRequest(nil)
			if err := os.CopyFS(killed.folder, os.DirFS(m.folder)); err != nil {
				w.Error(err)
			}
		})
		o := kind.Options{MaxAge: day}
		m.bounded(0, o, pullRequests)
		m.asked()
		time.Sleep(hour)
		for i, asked := range []string{"[1]", "[2]", "[3]"} {
			_, got := killed.bounded(2, o, pullRequests)
			w.equal("asked", m.repositories(), asked)
			w.equal("neither known nor asked for", got[0].unasked(), 2-i)
			time.Sleep(hour)
			w.s.SetFile("repo-1", "README.md", []byte(asked)) // it moves
		}
	})
}

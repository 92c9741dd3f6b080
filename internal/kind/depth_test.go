package kind_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// addNested adds repositories of so many folders, each in the one before, and a file in
// the last one.
func addNested(s *bitbuckettest.Server, n, levels int) {
	path := ""
	for i := range levels {
		path += string(rune('a'+i)) + "/"
	}
	for i := range n {
		s.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%02d", i), Files: map[string]string{path + "x": ""}})
	}
}

// givesUp answers 555 to listings of some repositories beyond a depth.
func givesUp(s *bitbuckettest.Server, beyond int, of func(repository int) bool) {
	s.Fault(bitbuckettest.Fault{Status: bitbucket.StatusTooDeep, Times: -1, Match: func(r *http.Request) bool {
		slug, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/2.0/repositories/acme/r"), "/")
		repository, err := strconv.Atoi(slug)
		depth, _ := strconv.Atoi(r.URL.Query().Get("max_depth"))
		return err == nil && of(repository) && depth > beyond
	}})
}

// The depth that a server gives up on is not what the next listing begins with, nor
// does one repository make all others shallow.
func TestDepthIsRemembered(t *testing.T) {
	t.Parallel()
	all := func(int) bool { return true }
	first := func(i int) bool { return i == 0 }
	for _, tt := range []struct {
		name                 string
		repositories, levels int
		beyond               int // the depth that the server gives up on
		of                   func(repository int) bool
		requests, inVain     int // beside the list of repositories
	}{
		{"none", 10, 3, maxAsked, all, 10, 0},
		// The root and each folder are a listing of their own: 40 are the least.
		{"all, beyond one level", 10, 3, 1, all, 48, 8},
		{"all, beyond two levels", 40, 6, 2, all, 176, 15},
		{"all, beyond four levels", 10, 8, 4, all, 42, 8},
		{"all, beyond more than there is", 10, 3, 4, all, 19, 3},
		{"all, beyond ten levels", 10, 12, 10, all, 30, 5},
		{"one, beyond one level", 10, 6, 1, first, 23, 4},
		{"one, beyond four levels", 20, 12, 4, first, 31, 3},
		{"one of many, beyond one level", 50, 12, 1, first, 77, 6},
		{"the first half", 20, 6, 2, func(i int) bool { return i < 10 }, 60, 7},
		{"every other", 20, 6, 2, func(i int) bool { return i%2 == 0 }, 109, 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.repositories > 10 {
				skipShort(t)
			}
			s := bitbuckettest.New("acme")
			addNested(s, tt.repositories, tt.levels)
			givesUp(s, tt.beyond, tt.of)
			inBubble(t, s, func(w world) {
				got := w.good("folder", "folders: [{path: '**'}]")
				w.equal("folders", len(got), tt.repositories*tt.levels)
				requests, inVain := -1, 0
				for _, x := range w.s.Journal() {
					requests++
					if x.Status == bitbucket.StatusTooDeep {
						inVain++
					}
				}
				w.equal("requests", requests, tt.requests)
				w.equal("requests in vain", inVain, tt.inVain)
				w.s.ResetJournal()
				w.equal("the same again", folderPaths(w.good("folder", "folders: [{path: '**'}]")), folderPaths(got))
				w.equal("requests for it", len(w.s.Journal()), 0)
			})
		})
	}
}

// maxAsked is the depth that is asked for where a pattern has no end.
const maxAsked = 20

// A tree whose whole is too much, and its parts are not, costs one request in vain; the
// others are listed at once.
func TestDepthOfALargeRepository(t *testing.T) {
	files := map[string]string{}
	for i := range 20 {
		files[fmt.Sprintf("apps/%02d/src/x", i)] = ""
	}
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "a", Files: files})
	addNested(s, 5, 9)
	s.Fault(bitbuckettest.Fault{Status: bitbucket.StatusTooDeep, Times: -1, Match: func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/"+s.Head("a")+"/") && r.URL.Query().Get("max_depth") != "1"
	}})
	inBubble(t, s, func(w world) {
		w.equal("folders", len(w.good("folder", "folders: [{path: '**'}]")), 5*9+1+2*20)
		w.equal("requests", w.wire(), " a:@20 a:@1 a:apps@10 r00:@10 r01:@10 r02:@10 r03:@10 r04:@10")
	})
}

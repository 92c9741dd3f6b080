package kind_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/state"
)

// of extracts as a run of its own, from a store or from none, and says what it asked for beside
// lists of repositories.
func (w world) of(all []kind.Bound, o kind.Options, store *state.Store) (got []readings, asked string) {
	w.Helper()
	o.TempDir, o.State = w.TempDir(), store
	ws := kind.NewWorkspace(w.client, o)
	w.ws = ws
	w.requests()
	for _, bound := range all {
		got = append(got, w.readings(bound))
	}
	if err := ws.Close(); err != nil {
		w.Error(err)
	}
	git, rest := w.requests()
	return got, strings.TrimSpace(strings.Repeat("git ", git) + strings.ReplaceAll(rest, "list", ""))
}

// randomSelection is a resource of a kind that reads folders or files.
func randomSelection(t *testing.T, r *rand.Rand) kind.Bound {
	t.Helper()
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	pattern := func() string {
		return fmt.Sprintf("{path: '%s%s'}", one("", "a/", "**/", "*/", "{a,b}/", "c+d/"), one("*", "**", "README.md", "port.yml", "a", "*.{yml,json}"))
	}
	name, selector := one("repository", "folder", "file"), "includedFiles: ["+one("README.md", "a/README.md, port.yml", "Makefile, x.json, README.md, a/b/port.yml", "none")+"]"
	if name != "repository" {
		selector = fmt.Sprintf("%s, %ss: [%s, %s]", selector, name, pattern(), pattern())
	}
	bound, err := kind.Bind(resource(t, name, selector))
	if err != nil {
		t.Fatal(err)
	}
	if r.IntN(2) == 0 {
		bound = bound.Reading(withoutMIMEType)
	}
	return bound
}

// Whatever earlier runs read for whatever mapping, each gives the objects that it would give
// without a memory, byte for byte, and asks nothing for what it has read before.
func TestObjectsFromMemory(t *testing.T) {
	seeds := uint64(4)
	switch {
	case os.Getenv("TESTS") == "sweep":
		seeds = 200
	case os.Getenv("TESTS") == "full": // as .ci/run lets them
		seeds = 15
	case testing.Short():
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 14))
				s := bitbuckettest.New("acme")
				for i := range 3 {
					randomTree(s, fmt.Sprint("r", i), r)
				}
				s.Configure(bitbuckettest.Options{EscapedLinks: r.IntN(2) == 0, Git: gitwiretest.Options{NoFilter: r.IntN(2) == 0}})
				readers := []world{newWorld(t, s), overGit(t, s, kind.Options{})}
				m := readers[0].memory()
				for range 5 {
					w := readers[r.IntN(2)]
					o := kind.Options{KeepFiles: r.IntN(2) == 0, MaxFile: []int64{0, 4, 40}[r.IntN(3)]}
					all := []kind.Bound{randomSelection(t, r), randomSelection(t, r)}
					if r.IntN(2) == 0 {
						s.SetFile("r0", "a/port.yml", []byte(fmt.Sprint("n: ", r.IntN(10))))
					}
					want, _ := w.of(all, o, nil)
					store := m.open()
					got, _ := w.of(all, o, store)
					again, asked := w.of(all, o, store)
					m.close(store)
					if d := diff(want, got) + diff(want, again); d != "" {
						t.Errorf("%+v (-without +with memory):\n%s", o, d)
					}
					if asked != "" {
						t.Errorf("%+v: again it asked for %q, want nothing", o, asked)
					}
				}
			})
		})
	}
}

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
)

// randomTree is a repository of files of all sorts in a few folders.
func randomTree(s *bitbuckettest.Server, name string, r *rand.Rand) {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	path := func() string {
		var names []string
		for range r.IntN(4) {
			names = append(names, one("a", "b", "c+d", "é"))
		}
		return strings.Join(append(names, one("README.md", "port.yml", "x.json", "Makefile")), "/")
	}
	files, attributes := map[string]string{}, map[string]string{}
	for range r.IntN(30) {
		p := path()
		switch attributes[p] = one("", "", "", "", "executable", "link", "subrepository", "lfs"); attributes[p] {
		case "link":
			files[p] = one("", "../", "../../", "a/", "/", "./") + path()
		case "subrepository":
			files[p] = strings.Repeat("ab", 20)
		default:
			files[p] = one("", "a: 1", "# Title", `{"a": [1, "file://README.md"]}`, "x: file://../port.yml\ny: file://x.json", "a: [", "README.md", "caf\xe9")
		}
	}
	s.AddRepository(bitbuckettest.Repository{Name: name, Files: files})
	for p, a := range attributes {
		if a != "" {
			s.SetAttributes(name, p, a)
		}
	}
}

// Whatever is in a repository, whatever is asked, and whatever the git host can do, both
// readers give the same.
func TestReadersOnRandomTrees(t *testing.T) {
	seeds := uint64(10)
	switch {
	case os.Getenv("TESTS") == "sweep":
		seeds = 200
	case os.Getenv("TESTS") == "full": // as .ci/run lets them
		seeds = 20
	case testing.Short():
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				one := func(of ...string) string { return of[r.IntN(len(of))] }
				s := bitbuckettest.New("acme")
				for i := range 3 {
					randomTree(s, fmt.Sprint("r", i), r)
				}
				s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{
					NoFilter: r.IntN(2) == 0, NoBlobWants: r.IntN(4) == 0,
					Order: gitwiretest.Order(r.IntN(4)), Deltas: gitwiretest.Deltas(r.IntN(4)),
				}})
				over := overGit(t, s, kind.Options{KeepFiles: r.IntN(2) == 0})
				rest := newWorld(t, s)
				for range 4 {
					pattern := func() string {
						return fmt.Sprintf("{path: '%s%s'}", one("", "a/", "**/", "*/", "{a,b}/", "a/b/", "c+d/"), one("*", "**", "README.md", "port.yml", "a", "b", "*.{yml,json}"))
					}
					included := "includedFiles: [" + one("README.md", "a/README.md, port.yml", "Makefile, x.json, README.md, a/b/port.yml", "none") + "]"
					name, selector := one("repository", "folder", "file"), included
					if name != "repository" {
						selector = fmt.Sprintf("%s, %ss: [%s, %s]", included, name, pattern(), pattern())
					}
					bound, err := kind.Bind(resource(t, name, selector))
					if err != nil {
						t.Fatal(err)
					}
					bound = bound.Reading(withoutMIMEType)
					want, got := rest.readings(bound).withoutMIMEType(), over.readings(bound).withoutMIMEType()
					if d := diff(want, got); d != "" {
						t.Errorf("%s {%s} (-REST +git):\n%s", name, selector, d)
					}
				}
				if got := over.ws.Readings(); len(got.Fallbacks) > 0 && got.Fallbacks[0].Reason != "the git host gives no single files" {
					t.Errorf("got %+v, want git for all", got)
				}
				if got := s.Violations(); len(got) > 0 {
					t.Errorf("violations: got %q, want none", got)
				}
			})
		})
	}
}

package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/source"
	"port-bitbucket-exporter/internal/state"
)

// question is one thing that a run wants of a commit: what it answers, as text.
type question func(ctx context.Context, c *source.Commit) string

// questions make some of a random source, for files of all sorts.
type questions struct {
	*rand.Rand
	paths []string // some are there
	// eitherReader is true where it is left to chance whether git reads a file or REST.
	eitherReader bool
}

func (q questions) one(of ...string) string { return of[q.IntN(len(of))] }

func (q questions) path() string {
	var names []string
	for range q.IntN(3) {
		names = append(names, q.one("a", "b", "c+d"))
	}
	return strings.Join(append(names, q.one("README.md", "x.yml", "long", "link")), "/")
}

func (q questions) known() string { return q.one(q.paths...) }

func shown(text []byte, err error) string {
	if text == nil {
		return fmt.Sprintf("none %v\n", err)
	}
	return fmt.Sprintf("%q %v\n", text, err)
}

func (q questions) list() question {
	n, complete, all := glob.Need{Folder: q.one("", "", "a", "a/b", "none", "b", "README.md"), Depth: 1 + q.IntN(4)}, q.IntN(2) == 0, q.IntN(4) == 0
	return func(ctx context.Context, c *source.Commit) string {
		var found []source.Entry
		err := c.List(ctx, n, source.Visitor{
			Entry: func(_ glob.Need, e source.Entry) {
				if glob.Within(n.Folder, e.Path) && e.Path != n.Folder && glob.Level(e.Path)-glob.Level(n.Folder) <= n.Depth {
					found = append(found, e)
				}
			},
			Restart: func() { found = nil }, Unfinished: func() bool { return false },
		})
		lines := []string{fmt.Sprint(n, err)}
		for _, e := range found {
			var text []byte
			var textErr error
			if q.eitherReader { // each of them knows something that the other does not
				text, textErr = c.File(ctx, e.Path)
				lines = append(lines, e.Type+" "+e.Path+" "+shown(text, textErr))
				continue
			}
			if complete && e.Type == source.File {
				e, text, textErr = c.Text(ctx, e, all)
			}
			o, err := c.Object(e)
			if !all { // then it is not read
				delete(o, "mimetype")
			}
			encoded, jsonErr := json.Marshal(o)
			lines = append(lines, fmt.Sprintln(string(encoded), err, jsonErr)+shown(text, textErr))
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
}

func (q questions) fetch() question {
	paths := []string{q.known(), q.known(), q.path(), q.path(), "a"}
	return func(ctx context.Context, c *source.Commit) string {
		all := fmt.Sprintln(c.Fetch(ctx, paths))
		for _, p := range paths {
			all += p + " " + shown(c.File(ctx, p))
		}
		return all
	}
}

func (q questions) follow() question {
	path := q.one(q.known(), q.path())
	return func(ctx context.Context, c *source.Commit) string {
		at, text, err := c.Followed(ctx, path)
		return path + " -> " + at + " " + shown(text, err)
	}
}

func (q questions) instead() question {
	folder := q.one("", "a")
	paths := []string{folder + "/README.md", folder + "/x.yml", folder + "/none", folder + "/long"}
	return func(ctx context.Context, c *source.Commit) string {
		for i, p := range paths {
			paths[i] = strings.Trim(p, "/")
		}
		all := fmt.Sprintln(c.ListInstead(ctx, folder, paths))
		for _, p := range paths {
			all += p + " " + shown(c.File(ctx, p))
		}
		return all
	}
}

// large reads the beginning of what is too large.
func (q questions) large() question {
	path := q.known()
	return func(ctx context.Context, c *source.Commit) string {
		_, err := c.File(ctx, path)
		if large := (*source.TooLarge)(nil); errors.As(err, &large) {
			beginning, err := large.Beginning, error(nil)
			if beginning == nil {
				beginning, err = c.Beginning(ctx, path, 30)
			}
			return path + " begins with " + shown(beginning[:min(len(beginning), 30)], err)
		}
		return path + " " + fmt.Sprintln(err)
	}
}

func (q questions) entry() question {
	path := q.known()
	return func(ctx context.Context, c *source.Commit) string {
		e, err := c.Meta(ctx, path)
		return fmt.Sprintln(string(e.JSON), err)
	}
}

func (q questions) some() (all []question) {
	for range 2 + q.IntN(4) {
		of := []func() question{q.list, q.list, q.fetch, q.follow, q.instead, q.large, q.entry}
		all = append(all, of[q.IntN(len(of))]())
	}
	return all
}

// fill makes a random tree of the repository.
func (q *questions) fill(s *bitbuckettest.Server) (texts map[string]string) {
	texts = map[string]string{}
	attributes := map[string]string{}
	for range 4 + q.IntN(12) {
		p := q.path()
		texts[p] = q.one("", "a: 1", "# Title", "README.md", "../x.yml", strings.Repeat("z", 60), strings.Repeat("z", 30)+"\x00"+strings.Repeat("z", 30), "a\x00", strings.Repeat("y", 2000))
		attributes[p] = q.one("", "", "", "executable", "link", "subrepository", "lfs")
		switch attributes[p] {
		case "link":
			texts[p] = q.one("../", "", "a/") + q.path()
		case "subrepository":
			texts[p] = strings.Repeat("ab", 20)
		}
	}
	q.paths = slices.Sorted(maps.Keys(texts))
	for _, p := range q.paths {
		s.SetFile("r", p, []byte(texts[p]))
	}
	for _, p := range q.paths {
		if attributes[p] != "" {
			s.SetAttributes("r", p, attributes[p])
		}
	}
	return texts
}

// ask answers questions as one run does, in two commits, and says how many requests that took.
func (w world) ask(o source.Options, git bool, store *state.Store, all []question) (answers []string, requests int) {
	w.Helper()
	before := w.s.Requests() + w.s.GitRequests()
	o.State = store
	w.memory = w.newMemory(o, git)
	for _, part := range [][]question{all[:len(all)/2], all[len(all)/2:]} {
		c := w.commit()
		for _, q := range part {
			answers = append(answers, q(w.Context(), c))
		}
		if err := c.Close(); err != nil {
			w.Error(err)
		}
	}
	if err := w.memory.Close(); err != nil {
		w.Error(err)
	}
	return answers, w.s.Requests() + w.s.GitRequests() - before
}

// Whatever earlier runs read, whatever of that is lost, and whatever this one wants, it gets
// what it would get without them; and the same again costs nothing.
func TestRandomRuns(t *testing.T) {
	seeds := uint64(5)
	switch os.Getenv("TESTS") {
	case "full": // as .ci/run lets them
		seeds = 30
	case "sweep":
		seeds = 300
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 14))
			git, noWants := r.IntN(3) > 0, r.IntN(4) == 0
			q := &questions{Rand: r, eitherReader: git && noWants}
			inBubbleWith(t, map[string]string{"z": ""}, source.Options{}, git, func(w world) {
				w.s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{NoFilter: r.IntN(2) == 0, NoBlobWants: noWants}})
				texts := q.fill(w.s)
				folder := w.TempDir()
				var before []question
				for run := range 6 {
					if r.IntN(3) == 0 {
						p, text := q.known(), "new"
						if texts[p] == strings.Repeat("ab", 20) { // a submodule
							text = strings.Repeat("cd", 20)
						}
						texts[p] = text
						w.s.SetFile("r", p, []byte(text))
					}
					over := git && r.IntN(3) > 0
					o := source.Options{KeepFiles: r.IntN(2) == 0, MaxFile: []int64{0, 64, 40, 1500}[r.IntN(4)], OnlyGit: over && !noWants && r.IntN(3) == 0}
					all := append(q.some(), before[:min(len(before), r.IntN(3))]...)
					before = all
					want, _ := w.ask(o, over, nil, all)
					store := w.open(folder)
					if r.IntN(2) == 0 {
						for _, v := range source.StoredOf(store, w.repository(), slices.Collect(maps.Values(texts)), q.paths) {
							if r.IntN(3) == 0 {
								store.Put(nil, v.Class, v.Key...)
							}
						}
					}
					got, _ := w.ask(o, over, store, all)
					again, requests := w.ask(o, over, store, all)
					for i := range want {
						if d := cmp.Diff(want[i], got[i]) + cmp.Diff(want[i], again[i]); d != "" {
							w.Errorf("run %d, git %v, %+v (-without +with memory):\n%s", run, over, o, d)
						}
					}
					if requests > 0 && !noWants {
						w.Errorf("run %d, git %v, %+v: %d requests for the same again, want none", run, over, o, requests)
					}
					if err := store.Close(); err != nil {
						w.Error(err)
					}
				}
			})
		})
	}
}

package rerun_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// cases is how many histories are tried.
func cases() int {
	switch {
	case sweep():
		return 100
	case full():
		return 16
	case raceDetector:
		return 2
	}
	return 4
}

const mapping = `entityDeletionThreshold: 1
resources:
  - kind: project
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: .key
          title: .name
          blueprint: '"bitbucketProject"'
  - kind: repository
    selector:
      query: "true"
      includedFiles: [README.md]
    port:
      entity:
        mappings:
          identifier: .slug
          title: .name
          blueprint: '"bitbucketRepository"'
          properties:
            readme: .__includedFiles["README.md"]
            url: .links.html.href
          relations:
            project: .project.key
  - kind: pull-request
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: (.destination.repository.full_name | split("/")[1]) + "/" + (.id | tostring)
          title: .title
          blueprint: '"bitbucketPullRequest"'
          properties:
            status: .state
          relations:
            repository: .destination.repository.full_name | split("/")[1]
  - kind: file
    selector:
      query: "true"
      files:
        - path: "services/*/port.yml"
    port:
      entity:
        mappings:
          identifier: .repo.slug + "/" + .file.path
          title: .content.title
          blueprint: '"file"'
`

// TestHistories edits a workspace at random, and runs the program with budgets, ends and
// losses of its memory that are drawn too. Nothing is deleted whose source is there, each
// entity is what its source once was, and after the last edit Port soon holds what a full
// run gives.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range cases() {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newHistory(t, uint64(seed)).tell() })
		})
	}
}

// history is one of a workspace and the runs that read it.
type history struct {
	*world
	edited *workspace
	random *rand.Rand
	reader string
	past   map[string][]entity // what each entity has been, by blueprint and identifier
	copies []string            // of the memory, from earlier
	log    []string
}

func newHistory(t *testing.T, seed uint64) *history {
	random := rand.New(rand.NewPCG(seed, 3))
	h := &history{edited: newWorkspace(random, 8+random.IntN(4)), random: random, reader: []string{"rest", "auto"}[seed%2], past: map[string][]entity{}}
	h.world = newWorld(t, h.edited.Server, map[string]string{"MAPPING": mapping, "SOURCE_READER": h.reader})
	return h
}

// note adds to what is told of a history that went wrong.
func (h *history) note(format string, values ...any) {
	h.log = append(h.log, fmt.Sprintf(format, values...))
}

func (h *history) tell() {
	for range 4 + h.random.IntN(5) {
		h.step()
		if h.t.Failed() {
			break
		}
	}
	if !h.t.Failed() {
		h.settle()
	}
	if h.t.Failed() {
		for _, line := range h.log {
			h.t.Log(line)
		}
	}
}

// memory is the folder.
func (h *history) memory() string { return filepath.Join(h.dir, "state") }

// copyOf copies the memory.
func (h *history) copyOf() string {
	to := filepath.Join(h.dir, fmt.Sprintf("copy-%d", len(h.log)))
	if err := os.CopyFS(to, os.DirFS(h.memory())); err != nil && !os.IsNotExist(err) {
		h.t.Error(err)
	}
	return to
}

// replace puts a copy in place of the memory; "" leaves none.
func (h *history) replace(copied string) {
	if err := os.RemoveAll(h.memory()); err != nil {
		h.t.Error(err)
	}
	if copied == "" {
		return
	}
	if err := os.CopyFS(h.memory(), os.DirFS(copied)); err != nil && !os.IsNotExist(err) {
		h.t.Error(err)
	}
}

// step is some edits, a loss perhaps, and a run that may end early.
func (h *history) step() {
	for range h.random.IntN(4) {
		h.edited.edit()
	}
	h.lose()
	now := h.snapshot()
	before := catalogOf(h.port)
	killed := h.killed()
	var env []string
	budget := 1 + h.random.IntN(3*len(h.edited.slugs))
	bounded := h.random.IntN(3) > 0
	if bounded {
		env = append(env, fmt.Sprintf("MAX_REQUESTS=%d", budget))
	}
	r := h.run(env...)
	if bounded && r.requests > budget {
		h.t.Errorf("got %d requests, want at most %d", r.requests, budget)
	}
	h.stopAt = 0
	h.note("run %q ended as %s after %d requests to the API and %d to git, %d deleted, oldest %q", env, r.report.Status, r.requests, r.git, r.report.Deleted, r.report.OldestReadAt)
	if killed != nil && *killed != "" {
		h.replace(*killed)
	}
	h.check(before, now)
	if h.random.IntN(3) == 0 {
		h.copies = append(h.copies, h.copyOf())
	}
	time.Sleep(time.Duration(1+h.random.IntN(12*60)) * time.Minute)
	if h.random.IntN(6) == 0 {
		time.Sleep(48 * time.Hour)
	}
}

// killed ends the next run at a request, perhaps. A run that is killed leaves the memory as
// it was at that moment: its copy.
func (h *history) killed() *string {
	kind := h.random.IntN(4)
	if kind > 1 {
		return nil
	}
	copied := new(string)
	h.stopAt = int64(4 + h.random.IntN(60))
	h.kill = func(cancel context.CancelFunc) {
		if kind == 0 {
			*copied = h.copyOf()
		}
		cancel()
	}
	h.note("ended at request %d, killed %t", h.stopAt, kind == 0)
	return copied
}

// lose does something to the memory between two runs, perhaps.
func (h *history) lose() {
	switch h.random.IntN(8) {
	case 0:
		h.note("the memory is lost")
		h.replace("")
	case 1:
		if len(h.copies) > 0 {
			h.note("the memory is an older one")
			h.replace(h.copies[h.random.IntN(len(h.copies))])
		}
	case 2:
		files, _ := filepath.Glob(filepath.Join(h.memory(), "*")) // the pattern is sound
		if len(files) == 0 {
			return
		}
		file := files[h.random.IntN(len(files))]
		text, err := os.ReadFile(file)
		if err != nil {
			h.t.Error(err)
		}
		switch len(text) {
		case 0:
			err = os.Remove(file)
		default:
			text[h.random.IntN(len(text))] ^= 1
			err = os.WriteFile(file, text[:len(text)-h.random.IntN(2)*len(text)/2], 0o666)
		}
		h.note("%s is damaged", filepath.Base(file))
		if err != nil {
			h.t.Error(err)
		}
	}
}

// snapshot is what each entity is now, and is kept with what it was.
func (h *history) snapshot() map[string]entity {
	now := h.truth()
	for ref, e := range now {
		if was := h.past[ref]; len(was) == 0 || !cmp.Equal(was[len(was)-1], e) {
			h.past[ref] = append(was, e)
		}
	}
	return now
}

// check: what is in the workspace stays in Port, and is there what it is, what it was before
// the run or what it was since: nothing goes back.
func (h *history) check(before, now map[string]entity) {
	h.t.Helper()
	after := catalogOf(h.port)
	for ref := range before {
		if _, there := now[ref]; !there {
			continue
		}
		if _, stays := after[ref]; !stays {
			h.t.Errorf("%s is deleted, and its source is there", ref)
		}
	}
	for ref, e := range after {
		is := h.age(ref, e)
		if stub := e.Title == "" && len(e.Properties)+len(e.Relations) == 0; stub {
			continue // Port made it for a relation
		}
		if was, there := before[ref]; is < 0 || there && is < h.age(ref, was) {
			h.t.Errorf("%s is what it was not since the last run: %v; before it was %v, and ever %v", ref, e, was, h.past[ref])
		}
	}
}

// age is the last place of an entity in the order of what it has been; -1 for never.
func (h *history) age(ref string, e entity) int {
	for i, was := range slices.Backward(h.past[ref]) {
		if cmp.Equal(was, e) {
			return i
		}
	}
	return -1
}

// settle runs the program until Port must hold what the workspace does.
func (h *history) settle() {
	h.t.Helper()
	n := len(h.edited.slugs)
	const lists = 3 // of projects and repositories, the latter once more before a deletion
	perRun := 1 + h.random.IntN(n)
	cost := 1 // requests for a repository
	if h.reader == "rest" {
		cost += 6 // README, folder services, and what is in it
	}
	budget := lists + 1 + perRun*cost
	var r ran
	// A round until each repository is known, and one in which what is gone goes: a run that has
	// not read all deletes nothing.
	for range 2*((n+perRun-1)/perRun) + 1 {
		r = h.run(fmt.Sprintf("MAX_REQUESTS=%d", budget))
		h.note("settling within %d: %s after %d requests, %d deleted", budget, r.report.Status, r.requests, r.report.Deleted)
		if r.requests > budget {
			h.t.Errorf("got %d requests, want at most %d", r.requests, budget)
		}
		time.Sleep(time.Hour)
	}
	h.equalsTruth()
	if h.t.Failed() {
		h.t.Logf("the last run:\n%s%s", r.stdout, r.stderr)
	}
}

package faultmatrix_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// moves counts over all changes of the world.
var moves struct{ held, moved atomic.Int64 }

// sampleOfChanges is which part of them is tried where MATRIX asks for none. It
// shares no factor with the number of moments, so that it does not always fall on the same.
const sampleOfChanges = 37

// TestWorld tries each change in a world of its own, in virtual time: nothing fails, and
// the workspace changes while it is read.
func TestWorld(t *testing.T) {
	sample := sampler{of: sampleOfChanges, seen: map[string]bool{}}
	for _, reader := range []string{"rest", "auto"} {
		s := moving(t, reader)
		g, _ := s.good(t)
		truths := map[string]*truth{}
		for _, c := range changes(g.bitbucket) {
			if reader != "rest" && c.at.list != overGit && c.back.list != overGit { // as it is over REST
				continue
			}
			if !sample.pick(c.edit.name) {
				continue
			}
			if truths[c.edit.name] == nil {
				truths[c.edit.name] = s.truth(t, c.edit)
			}
			t.Run(s.name+"/"+c.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { s.move(t, g, truths[c.edit.name], c) })
			})
		}
	}
}

// moving is a small workspace in which every list has more than one page. Of each
// blueprint but one something is stale when a run begins.
func moving(t *testing.T, reader string) *scene {
	s := &scene{
		name: "reader " + reader, github: true,
		env:       map[string]string{"MAPPING": grownMapping, "SEND_RAW_DATA_EXAMPLES": "false", "SOURCE_READER": reader},
		workspace: func() *bitbuckettest.Server { return smallWorkspace("WEB", "refunds") },
	}
	s.organization.blueprints = blueprints(t, nil)
	s.runBefore(t, func() *bitbuckettest.Server {
		b := smallWorkspace("OLD", "legacy")
		b.SetFile("checkout", "services/cart/service.yml", []byte("name: cart\ntier: 1\n"))
		b.AddPullRequest("checkout", bitbuckettest.PullRequest{Title: "Merged since", CreatedOn: day(1), UpdatedOn: day(1)})
		return b
	})
	return s
}

// smallWorkspace has a project and a repository in it that were not there before, or are not
// any more.
func smallWorkspace(key, name string) *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	for _, key := range []string{"PAY", "PLAT", "DATA", "OPS", "QUIET", key} {
		b.AddProject(bitbuckettest.Project{Key: key, Name: "Project " + key})
	}
	for _, r := range []bitbuckettest.Repository{
		{Name: edited, ProjectKey: "PAY", Files: services("invoices", "fees", "tax")},
		{Name: "checkout", ProjectKey: "PAY", Files: services("basket")},
		{Name: "gateway", ProjectKey: "PLAT", Files: services("edge")},
		{Name: "ledger", ProjectKey: "DATA", Files: map[string]string{"README.md": "# Ledger\n"}},
		{Name: "notes", ProjectKey: "DATA"},
		{Name: "sandbox", ProjectKey: "OPS"},
		{Name: "website", ProjectKey: "OPS", Files: services("shop")},
		{Name: name, ProjectKey: key, Files: services(name + "-service")},
	} {
		b.AddRepository(r)
	}
	b.AddBranch("gateway", "release/1.x")
	for slug, n := range map[string]int{edited: 5, "ledger": 1, name: 2} {
		for i := range n {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: fmt.Sprintf("Change %d of %s", i+1, slug), CreatedOn: day(i), UpdatedOn: day(i)})
		}
	}
	return b
}

// truth is what a workspace holds, as entities, before an edit and after it.
type truth struct {
	start, end catalog
	// unread are those that the run cannot know of any more, nor that they are gone.
	unread map[string]bool
	// settled are the catalogs from which the runs after went well.
	settled sync.Map
}

func (tr *truth) cleaned(left string) bool {
	_, known := tr.settled.Load(left)
	return known
}

// truth asks organizations that are new: what is in them is not of the program.
func (s *scene) truth(t *testing.T, e edit) *truth {
	tr := &truth{start: s.firstRun(t, func(*world) {}), unread: map[string]bool{}}
	tr.end = tr.start
	if e.back == nil && !e.unread {
		tr.end = s.firstRun(t, func(w *world) { e.apply(w.bitbucket) })
	}
	if e.unread { // what would be another without the repository
		without := s.firstRun(t, func(w *world) { w.bitbucket.RemoveRepository(e.repo) })
		for ref, is := range tr.start {
			tr.unread[ref] = !cmp.Equal(is, without[ref])
		}
	}
	if e.back != nil { // what came meanwhile stays
		tr.end = s.firstRun(t, func(w *world) { e.apply(w.bitbucket); e.back(w.bitbucket) })
	}
	return tr
}

// firstRun is what a first run makes of a workspace.
func (s *scene) firstRun(t *testing.T, edit func(*world)) (all catalog) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		of := *s
		of.organization.entities = nil
		for _, e := range s.organization.entities {
			if !ours(e) {
				of.organization.entities = append(of.organization.entities, e)
			}
		}
		w := of.world(t)
		edit(w)
		if r := w.run(); r.exit != 0 {
			t.Errorf("the first run of a new organization: exit status %d\n%s%s", r.exit, r.stdout, r.stderr)
		}
		all = catalogOf(w.port)
	})
	// What was written by hand into an entity of the program is kept.
	for _, e := range s.organization.entities {
		is, there := all[e.Blueprint+"/"+e.Identifier]
		if note := e.Properties["note"]; there && note != nil && ours(e) {
			is.Properties = maps.Clone(is.Properties)
			is.Properties["note"] = note
			all[e.Blueprint+"/"+e.Identifier] = is
		}
	}
	return all
}

// move runs the scene with one change, then in the world as it is then, and once more.
func (s *scene) move(t *testing.T, g good, tr *truth, c change) {
	w := s.world(t)
	w.bitbucket.OmitSize(c.omitSize)
	done := c.plan(w)
	m := &mover{checker: checker{w: w, good: good{before: g.before}}, truth: tr, begin: tr.start, change: c}
	if c.at == beforeTheRun && c.edit.back == nil {
		m.begin = tr.end
	}
	m.changing()
	if !done() {
		m.errorf("the moment did not come")
	}
	w.network.before = nil
	// What comes after depends on what is there, and not on how it came about.
	if left := fmt.Sprint(m.after); !m.cleaned(left) {
		m.clean()
		m.idle()
		if len(m.faults) == 0 {
			m.settled.Store(left, true)
		}
	}
	if len(m.faults) > 0 {
		slices.Sort(m.faults)
		t.Errorf("%s\n%s", strings.Join(m.faults, "\n"), m.output)
		return
	}
	moves.held.Add(1)
	if c.moved() {
		moves.moved.Add(1)
	}
}

// between lets Port's clock go on, which counts whole seconds.
func between() { time.Sleep(2 * time.Second) }

func tellMoves() {
	fmt.Printf("world: %d edits held, %d of them moved a list between two pages\n", moves.held.Load(), moves.moved.Load())
}

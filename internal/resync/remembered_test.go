package resync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// how a run comes to know a list.
type how int

const (
	asks     how = iota
	recalls      // from the last time that it was asked for, where that is known
	leavesIt     // it is neither asked for nor known
	forgets      // as asks, and what it reads is lost: an older reading is known next
)

// lists stand in for a memory that may hold any list of any age: tests choose which.
type lists struct {
	mu     sync.Mutex
	known  map[string]knownList // by key of the source
	choose map[string]how       // by slug, in the next run
	counts [4]int               // of the last run
	oldest time.Time
}

type knownList struct {
	at      time.Time
	name    string
	objects [][]byte
}

// in lets a job know lists as chosen.
func (l *lists) in(job *resync.Job) {
	l.counts, l.oldest = [4]int{}, time.Time{}
	for _, res := range job.Bound.Resources {
		if res.Kind != "pull-request" {
			continue
		}
		extract := res.Bound.Extract
		res.Bound.Extract = func(ctx context.Context, ws *kind.Workspace) iter.Seq2[kind.Task, error] {
			return func(yield func(kind.Task, error) bool) {
				for task, err := range extract(ctx, ws) {
					task.Run = l.run(task)
					if !yield(task, err) {
						return
					}
				}
			}
		}
	}
}

func (l *lists) run(task kind.Task) kind.Run {
	return func(ctx context.Context) iter.Seq2[kind.Found, error] {
		return func(yield func(kind.Found, error) bool) {
			l.mu.Lock()
			known, from := l.known[task.Source.Key], l.choose[task.Source.Name]
			if from == recalls && known.name != task.Source.Name {
				from = asks
			}
			l.counts[from]++
			if from == recalls && (l.oldest.IsZero() || known.at.Before(l.oldest)) {
				l.oldest = known.at
			}
			l.mu.Unlock()
			switch from {
			case leavesIt:
				yield(kind.Found{}, fmt.Errorf("list: %w", bitbucket.ErrBudget))
				return
			case recalls:
				if !yield(kind.Found{}, &kind.Remembered{ReadAt: known.at}) {
					return
				}
				for _, text := range known.objects {
					object, err := bitbucket.Decode(text)
					if !yield(kind.Found{Object: object, Address: string(text)}, err) {
						return
					}
				}
				return
			}
			read := knownList{at: time.Now().UTC(), name: task.Source.Name}
			for found, err := range task.Run(ctx) {
				if err == nil {
					text, _ := json.Marshal(found.Object)
					read.objects = append(read.objects, text)
				}
				if !yield(found, err) || err != nil {
					return
				}
			}
			if from == asks {
				l.mu.Lock()
				l.known[task.Source.Key] = read
				l.mu.Unlock()
			}
		}
	}
}

// place is a repository of a workspace that is edited.
type place struct {
	names []string // the last one is its slug; none when it is removed
	pulls map[int]bool
	// held are the pull requests that Port has held since they were opened last, by any of
	// the names.
	held map[int]bool
}

func (p *place) slug() string { return p.names[len(p.names)-1] }

// round is what becomes of a workspace before a run, how the run comes to know its lists, in
// the order of the repositories, and how long it takes until the next one.
type round struct {
	edits []placeEdit
	hows  []how
	lost  bool // the memory is
	wait  time.Duration
}

type placeEdit struct{ at, number, what, again int }

func drawRound(rt *rapid.T) round {
	edit := rapid.Custom(func(rt *rapid.T) placeEdit {
		return placeEdit{rapid.IntRange(0, 2).Draw(rt, "edited"), rapid.IntRange(1, 3).Draw(rt, "number"), rapid.IntRange(0, 7).Draw(rt, "edit"), rapid.IntRange(0, 4).Draw(rt, "name again")}
	})
	return round{
		edits: rapid.SliceOfN(edit, 0, 6).Draw(rt, "edits"),
		hows:  rapid.SliceOfN(rapid.SampledFrom([]how{asks, recalls, recalls, leavesIt, forgets, forgets}), 4, 4).Draw(rt, "hows"),
		lost:  rapid.IntRange(0, 7).Draw(rt, "lost") == 7,
		wait:  time.Duration(rapid.IntRange(1, 40).Draw(rt, "hours")) * time.Hour,
	}
}

// places is a workspace that is edited in any way that matters to what is there.
type places struct {
	bitbucket *bitbuckettest.Server
	all       []*place
	made      int
}

func (w *places) edit(e placeEdit) {
	if e.at >= len(w.all) {
		slug := fmt.Sprintf("r%d", w.made)
		if again := fmt.Sprintf("r%d", e.again); e.again < w.made && !slices.ContainsFunc(w.all, func(p *place) bool { return slices.Contains(p.names, again) }) {
			slug = again
		}
		w.made++
		w.bitbucket.AddRepository(bitbuckettest.Repository{Name: slug})
		w.all = append(w.all, &place{names: []string{slug}, pulls: map[int]bool{}, held: map[int]bool{}})
		return
	}
	p, n := w.all[e.at], e.number
	switch {
	case e.what == 0 && len(w.all) > 1:
		w.bitbucket.RemoveRepository(p.slug())
		w.all = slices.Delete(w.all, e.at, e.at+1)
	case e.what == 1:
		slug := fmt.Sprintf("r%d", w.made)
		w.made++
		w.bitbucket.RenameRepository(p.slug(), slug)
		p.names = append(p.names, slug)
	case p.pulls[n]:
		w.bitbucket.RemovePullRequest(p.slug(), n)
		delete(p.pulls, n)
		delete(p.held, n)
	default:
		w.bitbucket.AddPullRequest(p.slug(), bitbuckettest.PullRequest{ID: n, Title: "title"})
		p.pulls[n] = true
	}
}

// check checks that Port holds every pull request that it held, and that is still there: by
// its present name, or until it has that, by an earlier one.
func (w *places) check(r result) {
	r.t.Helper()
	for _, p := range w.all {
		for n := range p.pulls {
			id := fmt.Sprintf("%s-%d", p.slug(), n)
			_, was := r.before["pull"][id]
			_, is := r.after["pull"][id]
			any := slices.ContainsFunc(p.names, func(name string) bool {
				_, is := r.after["pull"][fmt.Sprintf("%s-%d", name, n)]
				return is
			})
			if was && !is || p.held[n] && !any {
				r.t.Errorf("pull request %d of %s is there, and Port has lost it\n%s", n, p.slug(), r.story())
			}
			p.held[n] = is
		}
	}
}

// Whatever is edited, and whichever lists come from memory, of whatever age, or are left out:
// no entity is deleted whose object is there. Each run accounts for all, and says what it
// knew from before. One that asks for everything leaves what one of a new workspace does.
func TestMemoryDeletesNothingThatIsThere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rounds := rapid.SliceOfN(rapid.Custom(drawRound), 2, 6).Draw(rt, "rounds")
		synctest.Test(t, func(t *testing.T) { remembering(t, rounds) })
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// A pull request that goes is kept while its list is not asked for, and deleted once it is: what
// the property above finds is no work of runs that never delete, or never keep.
func TestMemoryKeepsAndDeletes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := func(h how) []how { return []how{h, h, h, h} }
		open := round{hows: all(asks), wait: time.Hour}
		gone := round{edits: []placeEdit{{number: 1, what: 2}}, hows: all(leavesIt), wait: time.Hour}
		if deleted, kept := remembering(t, []round{open, gone, {hows: all(recalls), wait: time.Hour}, open}); deleted != 1 || kept != 1 {
			t.Errorf("got %d deleted and %d kept, want 1 of both", deleted, kept)
		}
	})
}

// remembering runs the rounds, and one that asks for everything, and returns how many entities
// those of the rounds deleted, and kept.
func remembering(t *testing.T, rounds []round) (deleted, kept int) {
	m := mapped(everything, strings.ReplaceAll(repos, "created: .created_on, ", ""), pulls)
	p := &places{bitbucket: bitbuckettest.New("acme")}
	p.edit(placeEdit{})
	p.edit(placeEdit{number: 1, what: 2})
	l := &lists{known: map[string]knownList{}}
	w := newWorld(t, p.bitbucket)
	w.unequal, w.adjust = true, l.in
	for _, round := range rounds {
		for _, e := range round.edits {
			p.edit(e)
		}
		l.choose = map[string]how{}
		for i, place := range p.all {
			l.choose[place.slug()] = round.hows[i]
		}
		if round.lost {
			clear(l.known)
		}
		r := w.sync(m)
		deleted, kept = deleted+r.deleted, kept+r.kept
		p.check(r)
		r.told(report.Memory{Repositories: l.counts[recalls], OldestReadAt: l.oldest, NotAsked: l.counts[leavesIt]})
		if partial := r.report.Status() == report.Partial; partial != (l.counts[leavesIt] > 0) || r.err != nil {
			t.Errorf("got status %s, %v, with %d lists left out\n%s", r.report.Status(), r.err, l.counts[leavesIt], r.story())
		}
		time.Sleep(round.wait)
	}
	l.choose = nil
	got, fresh := w.sync(m).ended(report.Success), newWorld(t, p.bitbucket).sync(m)
	p.check(got)
	if diff := cmp.Diff(plain(fresh.after), plain(got.after)); diff != "" {
		t.Errorf("after a run that asks for everything (- of a new workspace, + got):\n%s\n%s", diff, got.story())
	}
	return deleted, kept
}

package reconcile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/reconcile"
)

func none(catalog.Ref) bool { return false }

// refs reads "bp/a bp/b".
func refs(text string) []catalog.Ref {
	var all []catalog.Ref
	for f := range strings.FieldsSeq(text) {
		blueprint, identifier, _ := strings.Cut(f, "/")
		all = append(all, catalog.Ref{Blueprint: blueprint, Identifier: identifier})
	}
	return all
}

func in(text string) func(catalog.Ref) bool {
	return func(r catalog.Ref) bool { return slices.Contains(refs(text), r) }
}

func TestDecide(t *testing.T) {
	t.Parallel()
	complete := reconcile.Resource{Blueprints: []string{"repo"}}
	broken := reconcile.Resource{Blueprints: []string{"pr"}, Gap: reconcile.Guard{Why: "unread"}}
	away := reconcile.Resource{Blueprints: []string{"pr"}, Partial: []reconcile.Partial{
		{Guard: reconcile.Guard{Why: "a is away"}, May: in("pr/a1 pr/x1 repo/a")}, {Guard: reconcile.Guard{Why: "x is away"}, May: in("pr/x1 pr/x2")},
	}}
	tests := []struct {
		name    string
		run     reconcile.Run
		delete  string
		blocked []reconcile.Blocked
		needed  string
		closed  bool
		bound   string // the setting that holds everything back
	}{
		{
			name:   "a gap of one source blocks what may come from it, in its own blueprints",
			run:    reconcile.Run{Resources: []reconcile.Resource{away}, Listed: refs("pr/b1 pr/a1 repo/a pr/x1 pr/x2"), Owned: 10, Produced: none, Needed: none, Threshold: 1},
			delete: "pr/b1 repo/a", blocked: []reconcile.Blocked{{"pr", 2, reconcile.Guard{Why: "a is away"}}, {"pr", 1, reconcile.Guard{Why: "x is away"}}}, closed: true,
		},
		{
			name: "a gap of one source of a computed blueprint blocks in any",
			run: reconcile.Run{
				Resources: []reconcile.Resource{{Any: true, Partial: away.Partial}}, Listed: refs("pr/b1 repo/a"), Owned: 10, Produced: none, Needed: none, Threshold: 1,
			},
			delete: "pr/b1", blocked: []reconcile.Blocked{{"repo", 1, reconcile.Guard{Why: "a is away"}}}, closed: true,
		},
		{
			name: "a gap of the whole resource comes before one of a source",
			run: reconcile.Run{
				Resources: []reconcile.Resource{away, broken}, Listed: refs("pr/a1"), Owned: 10, Produced: none, Needed: none, Threshold: 1,
			},
			blocked: []reconcile.Blocked{{"pr", 1, reconcile.Guard{Why: "unread"}}}, closed: true,
		},
		{
			name: "a guard blocks its blueprint alone",
			run: reconcile.Run{
				Resources: []reconcile.Resource{complete}, Guards: map[string]reconcile.Guard{"repo": {Why: "renamed"}},
				Listed: refs("repo/a old/x"), Owned: 10, Produced: none, Needed: none, Threshold: 1,
			},
			delete: "old/x", blocked: []reconcile.Blocked{{"repo", 1, reconcile.Guard{Why: "renamed"}}}, closed: true,
		},
		{
			name:   "what was not produced is stale",
			run:    reconcile.Run{Resources: []reconcile.Resource{complete}, Listed: refs("repo/b repo/a repo/c"), Owned: 3, Produced: in("repo/b"), Needed: none, Threshold: 0.9},
			delete: "repo/a repo/c",
		},
		{
			name:   "what a kept entity relates to stays, and is not stale",
			run:    reconcile.Run{Resources: []reconcile.Resource{complete}, Listed: refs("repo/a repo/b"), Owned: 2, Produced: none, Needed: in("repo/b"), Threshold: 0.9},
			delete: "repo/a", needed: "repo/b",
		},
		{
			name:   "a blueprint that no resource names any more is open",
			run:    reconcile.Run{Resources: []reconcile.Resource{complete}, Listed: refs("old/a"), Owned: 10, Produced: none, Needed: none, Threshold: 0.9},
			delete: "old/a",
		},
		{
			name:   "a gap closes its own blueprints alone",
			run:    reconcile.Run{Resources: []reconcile.Resource{complete, broken}, Listed: refs("repo/a pr/1 pr/2 old/x"), Owned: 10, Produced: none, Needed: none, Threshold: 0.9},
			delete: "old/x repo/a", blocked: []reconcile.Blocked{{Blueprint: "pr", Count: 2, Guard: reconcile.Guard{Why: "unread"}}}, closed: true,
		},
		{
			name: "one incomplete resource of two closes the blueprint",
			run: reconcile.Run{
				Resources: []reconcile.Resource{{Blueprints: []string{"pr"}}, broken},
				Listed:    refs("pr/1"), Owned: 10, Produced: none, Needed: none, Threshold: 1,
			},
			blocked: []reconcile.Blocked{{Blueprint: "pr", Count: 1, Guard: reconcile.Guard{Why: "unread"}}}, closed: true,
		},
		{
			name: "a gap of a computed blueprint closes all",
			run: reconcile.Run{
				Resources: []reconcile.Resource{complete, {Any: true, Gap: reconcile.Guard{Why: "an expression failed"}}},
				Listed:    refs("repo/a old/x"), Owned: 10, Produced: none, Needed: none, Threshold: 1,
			},
			blocked: []reconcile.Blocked{{"old", 1, reconcile.Guard{Why: "an expression failed"}}, {"repo", 1, reconcile.Guard{Why: "an expression failed"}}}, closed: true,
		},
		{
			name:   "a computed blueprint without a gap closes nothing",
			run:    reconcile.Run{Resources: []reconcile.Resource{{Any: true}}, Listed: refs("repo/a"), Owned: 10, Produced: none, Needed: none, Threshold: 1},
			delete: "repo/a",
		},
		{
			name:    "a halt keeps everything",
			run:     reconcile.Run{Resources: []reconcile.Resource{complete}, Listed: refs("repo/a repo/b"), Owned: 2, Produced: in("repo/b"), Needed: none, Threshold: 1, Halt: reconcile.Guard{Why: "time limit"}},
			blocked: []reconcile.Blocked{{"repo", 1, reconcile.Guard{Why: "time limit"}}}, closed: true,
		},
		{
			name:  "the threshold keeps everything",
			bound: "entityDeletionThreshold",
			run:   reconcile.Run{Resources: []reconcile.Resource{complete}, Listed: refs("repo/a repo/b old/x"), Owned: 3, Produced: none, Needed: none, Threshold: 0.9},
			blocked: []reconcile.Blocked{
				{"old", 1, reconcile.Guard{Why: "3 of 3 entities are stale, more than the entityDeletionThreshold of 0.9 allows"}},
				{"repo", 2, reconcile.Guard{Why: "3 of 3 entities are stale, more than the entityDeletionThreshold of 0.9 allows"}},
			},
		},
		{
			name:   "the threshold compares with all owned entities",
			run:    reconcile.Run{Listed: refs("repo/a repo/b repo/c"), Owned: 10, Produced: none, Needed: none, Threshold: 0.3},
			delete: "repo/a repo/b repo/c",
		},
		{
			name:    "a threshold of 0 keeps the only stale one of very many",
			bound:   "entityDeletionThreshold",
			run:     reconcile.Run{Listed: refs("repo/a"), Owned: 1_000_000, Produced: none, Needed: none},
			blocked: []reconcile.Blocked{{"repo", 1, reconcile.Guard{Why: "1 of 1000000 entities are stale, more than the entityDeletionThreshold of 0 allows"}}},
		},
		{
			name:   "a threshold of 1 lets everything go",
			run:    reconcile.Run{Listed: refs("repo/a repo/b"), Owned: 2, Produced: none, Needed: none, Threshold: 1},
			delete: "repo/a repo/b",
		},
		{
			name:  "more than may go",
			bound: "max_deletions",
			run:   reconcile.Run{Listed: refs("repo/a repo/b old/x"), Owned: 9, Produced: none, Needed: none, Threshold: 1, MaxDeletions: new(2)},
			blocked: []reconcile.Blocked{
				{"old", 1, reconcile.Guard{Why: "3 entities are stale, more than the input max_deletions of 2 allows"}},
				{"repo", 2, reconcile.Guard{Why: "3 entities are stale, more than the input max_deletions of 2 allows"}},
			},
		},
		{
			name:   "as many as may go",
			run:    reconcile.Run{Listed: refs("repo/a repo/b repo/a"), Owned: 9, Produced: none, Needed: none, Threshold: 1, MaxDeletions: new(2)},
			delete: "repo/a repo/b",
		},
		{
			name: "what is blocked is not counted among those that may go",
			run: reconcile.Run{
				Resources: []reconcile.Resource{broken}, Listed: refs("pr/1 pr/2 repo/a"), Owned: 9, Produced: none, Needed: none,
				Threshold: 1, MaxDeletions: new(1),
			},
			delete: "repo/a", blocked: []reconcile.Blocked{{"pr", 2, reconcile.Guard{Why: "unread"}}}, closed: true,
		},
		{
			name:    "deletion is only told",
			run:     reconcile.Run{Resources: []reconcile.Resource{broken}, Listed: refs("repo/a pr/1"), Owned: 9, Produced: none, Needed: none, Threshold: 1, Deletion: reconcile.Report},
			blocked: []reconcile.Blocked{{"pr", 1, reconcile.Guard{Why: "unread"}}, {"repo", 1, reconcile.Guard{Why: `the input deletion is "report"; with "apply" they would go`}}}, closed: true,
		},
		{
			name:    "deletion is never applied",
			run:     reconcile.Run{Listed: refs("repo/a"), Owned: 9, Produced: none, Needed: none, Threshold: 1, Deletion: reconcile.Never},
			blocked: []reconcile.Blocked{{"repo", 1, reconcile.Guard{Why: `the input deletion is "never"; with "apply" they would go`}}},
		},
		{
			name:   "listed twice is one",
			run:    reconcile.Run{Listed: refs("repo/a repo/b repo/a"), Owned: 4, Produced: none, Needed: none, Threshold: 0.5},
			delete: "repo/a repo/b",
		},
		{
			name: "nothing is listed",
			run:  reconcile.Run{Resources: []reconcile.Resource{complete}, Produced: none, Needed: none},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := reconcile.Verdict{Delete: refs(tt.delete), Blocked: tt.blocked, Needed: refs(tt.needed), Closed: tt.closed}
			if tt.bound != "" {
				for i := range want.Blocked {
					want.Blocked[i].Guard.Fix = "look in a plan at what would go: if that is right, raise " + tt.bound + " for one run; if not, look for what changed in the mapping and in Bitbucket"
				}
			}
			if diff := cmp.Diff(reconcile.Decide(tt.run), want); diff != "" {
				t.Errorf("got (-), want (+):\n%s", diff)
			}
		})
	}
}

// world is a run as a generator makes it.
type world struct {
	reconcile.Run
	produced, needed map[catalog.Ref]bool
	away             map[catalog.Ref]bool // what a source that is away may have produced
	percent          int
}

var blueprints = []string{"a", "b", "c", "d"}

func draw(t *rapid.T) world {
	w := world{percent: rapid.SampledFrom([]int{0, 10, 30, 50, 90, 100}).Draw(t, "threshold in percent")}
	ref := rapid.Custom(func(t *rapid.T) catalog.Ref {
		return catalog.Ref{Blueprint: rapid.SampledFrom(blueprints).Draw(t, "blueprint"), Identifier: fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "identifier"))}
	})
	w.Listed = rapid.SliceOfN(ref, 0, 30).Draw(t, "listed")
	set := func(name string) map[catalog.Ref]bool {
		m := map[catalog.Ref]bool{}
		for _, r := range rapid.SliceOfN(ref, 0, 8).Draw(t, name) {
			m[r] = true
		}
		return m
	}
	w.produced, w.needed, w.away = set("produced"), set("needed"), set("away")
	w.Produced = func(r catalog.Ref) bool { return w.produced[r] }
	w.Needed = func(r catalog.Ref) bool { return w.needed[r] }
	for range rapid.IntRange(0, 4).Draw(t, "resources") {
		r := reconcile.Resource{
			Blueprints: rapid.SliceOfNDistinct(rapid.SampledFrom(blueprints), 0, 2, rapid.ID).Draw(t, "blueprints"),
			Any:        rapid.IntRange(0, 7).Draw(t, "any") == 0,
			Gap:        reconcile.Guard{Why: rapid.SampledFrom([]string{"", "", "", "unread"}).Draw(t, "gap")},
		}
		if rapid.IntRange(0, 3).Draw(t, "away") == 0 {
			r.Partial = []reconcile.Partial{{Guard: reconcile.Guard{Why: "away"}, May: func(r catalog.Ref) bool { return w.away[r] }}}
		}
		w.Resources = append(w.Resources, r)
	}
	if rapid.IntRange(0, 4).Draw(t, "guarded") == 0 {
		w.Guards = map[string]reconcile.Guard{rapid.SampledFrom(blueprints).Draw(t, "guarded blueprint"): {Why: "guarded"}}
	}
	w.Halt.Why = rapid.SampledFrom([]string{"", "", "", "", "halt"}).Draw(t, "halt")
	w.Owned = len(w.distinct()) + rapid.IntRange(0, 20).Draw(t, "written")
	w.Threshold = float64(w.percent) / 100
	if rapid.Bool().Draw(t, "bounded") {
		w.MaxDeletions = new(rapid.IntRange(0, 10).Draw(t, "at most"))
	}
	w.Deletion = rapid.SampledFrom([]reconcile.Policy{reconcile.Apply, reconcile.Apply, reconcile.Apply, reconcile.Report, reconcile.Never}).Draw(t, "deletion")
	return w
}

func (w world) distinct() map[catalog.Ref]bool {
	m := map[catalog.Ref]bool{}
	for _, r := range w.Listed {
		m[r] = true
	}
	return m
}

// open reports whether an entity may go: every resource that can produce it is
// complete, as far as it can come from there.
func (w world) open(ref catalog.Ref) bool {
	for _, r := range w.Resources {
		can := r.Any
		for _, b := range r.Blueprints {
			can = can || b == ref.Blueprint
		}
		if can && (r.Gap.Why != "" || len(r.Partial) > 0 && w.away[ref]) {
			return false
		}
	}
	_, guarded := w.Guards[ref.Blueprint]
	return w.Halt.Why == "" && !guarded
}

// model is what may go, and how many entities of each blueprint are blocked.
func (w world) model() (gone map[catalog.Ref]bool, blocked map[string]int) {
	gone, blocked = map[catalog.Ref]bool{}, map[string]int{}
	for r := range w.distinct() {
		switch {
		case w.produced[r] || w.needed[r]:
		case w.open(r):
			gone[r] = true
		default:
			blocked[r.Blueprint]++
		}
	}
	tooMany := w.MaxDeletions != nil && len(gone) > *w.MaxDeletions
	if tooMany || w.Deletion != reconcile.Apply || len(gone)*100 > w.percent*w.Owned { // whole numbers: nothing is rounded
		for r := range gone {
			blocked[r.Blueprint]++
		}
		clear(gone)
	}
	return gone, blocked
}

func TestDecideIsTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		before := slices.Clone(w.Listed)
		got := reconcile.Decide(w.Run)
		gone, blocked := w.model()

		deleted := map[catalog.Ref]bool{}
		for _, r := range got.Delete {
			if deleted[r] {
				t.Errorf("%s is deleted twice", r)
			}
			deleted[r] = true
		}
		if !maps.Equal(deleted, gone) {
			t.Errorf("deleted: got %v, want %v", deleted, gone)
		}
		stays := map[string]int{}
		for _, h := range got.Blocked {
			stays[h.Blueprint] += h.Count
			if h.Guard.Why == "" {
				t.Errorf("%d of %s are blocked without a guard", h.Count, h.Blueprint)
			}
		}
		if !maps.Equal(stays, blocked) {
			t.Errorf("blocked: got %v, want %v", got.Blocked, blocked)
		}
		needed := map[catalog.Ref]bool{}
		for r := range w.distinct() {
			if w.needed[r] && !w.produced[r] {
				needed[r] = true
			}
		}
		if len(got.Needed) != len(needed) || slices.ContainsFunc(got.Needed, func(r catalog.Ref) bool { return !needed[r] }) {
			t.Errorf("needed: got %v, want %v", got.Needed, needed)
		}
		closed := w.Halt.Why != "" || len(w.Guards) > 0
		for _, r := range w.Resources {
			closed = closed || r.Gap.Why != "" || len(r.Partial) > 0
		}
		if got.Closed != closed {
			t.Errorf("closed: got %v, want %v", got.Closed, closed)
		}
		if !slices.IsSortedFunc(got.Delete, func(a, b catalog.Ref) int { return strings.Compare(a.String(), b.String()) }) {
			t.Errorf("deleted: got %v, want it sorted", got.Delete)
		}
		if !slices.Equal(w.Listed, before) {
			t.Error("the caller's list was written to")
		}
	})
}

func TestDecideObeysTheLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		got := reconcile.Decide(w.Run)
		for _, r := range got.Delete {
			if w.produced[r] {
				t.Errorf("%s was produced and is deleted", r)
			}
			if w.needed[r] {
				t.Errorf("%s is needed and is deleted", r)
			}
			if !w.open(r) {
				t.Errorf("%s is deleted, while its blueprint is closed", r)
			}
		}
		kept := 0
		for r := range w.distinct() {
			if w.produced[r] || w.needed[r] {
				kept++
			}
		}
		blocked := 0
		for _, h := range got.Blocked {
			blocked += h.Count
		}
		if sum := kept + blocked + len(got.Delete); sum != len(w.distinct()) {
			t.Errorf("listed: got %d accounted for, want %d", sum, len(w.distinct()))
		}
		if len(got.Delete)*100 > w.percent*w.Owned {
			t.Errorf("deleted: got %d of %d, want at most %d %%", len(got.Delete), w.Owned, w.percent)
		}
		if w.MaxDeletions != nil && len(got.Delete) > *w.MaxDeletions {
			t.Errorf("deleted: got %d, want at most %d", len(got.Delete), *w.MaxDeletions)
		}
		if w.Deletion != reconcile.Apply && len(got.Delete) > 0 {
			t.Errorf("deleted: got %v with deletion %v", got.Delete, w.Deletion)
		}
		// A bound, or less than to apply deletion, makes nothing go that would stay.
		free := w.Run
		free.MaxDeletions, free.Deletion = nil, reconcile.Apply
		if would := reconcile.Decide(free).Delete; len(got.Delete) > 0 && !slices.Equal(got.Delete, would) {
			t.Errorf("deleted: got %v, want all or nothing of %v", got.Delete, would)
		}
		// The order in which Port lists does not matter.
		w.Run.Listed = rapid.Permutation(w.Listed).Draw(t, "another order")
		if diff := cmp.Diff(reconcile.Decide(w.Run), got); diff != "" {
			t.Errorf("in another order: got (-), want (+):\n%s", diff)
		}
	})
}

// graph is relations between blueprints: "a>b" relates a to b.
type graph map[string]bool

func relations(text string) graph {
	g := graph{}
	for f := range strings.FieldsSeq(text) {
		g[f] = true
	}
	return g
}

func (g graph) relates(from, to string) bool { return g[from+">"+to] }

// reaches says whether from relates to to, directly or through others of the list.
func (g graph) reaches(list []string, from, to string) bool {
	seen := map[string]bool{}
	var visit func(string) bool
	visit = func(at string) bool {
		for _, next := range list {
			if g.relates(at, next) && !seen[next] {
				seen[next] = true
				if next == to || visit(next) {
					return true
				}
			}
		}
		return false
	}
	return visit(from)
}

func TestOrder(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, relations, given, want string }{
		{"nothing", "", "", ""},
		{"no relations", "", "b a c", "b a c"},
		{"chain", "pr>repo repo>project", "project repo pr", "pr repo project"},
		{"to itself", "a>a", "b a", "b a"},
		{"a blueprint that is not there", "a>x x>b", "b a", "b a"},
		{"diamond", "a>b a>c b>d c>d", "d c b a", "a c b d"},
		{"cycle", "a>b b>a", "b a", "b a"},
		{"cycle of three", "a>b b>c c>a", "c a b", "c a b"},
		{"a cycle goes before what it relates to", "b>c c>b b>a", "a b c", "b c a"},
		{"what relates to a cycle goes before it", "a>b b>c c>b", "b c a", "a b c"},
		{"between cycles", "a>b b>a b>c c>d d>c", "d c b a", "b a d c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(reconcile.Order(strings.Fields(tt.given), relations(tt.relations).relates), " ")
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOrderPutsDependantsFirst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.Permutation([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "given")[:rapid.IntRange(0, 6).Draw(t, "n")]
		g := graph{}
		for _, from := range list {
			for _, to := range list {
				g[from+">"+to] = rapid.IntRange(0, 3).Draw(t, from+">"+to) == 0
			}
		}
		given := slices.Clone(list)
		got := reconcile.Order(list, g.relates)
		if !slices.Equal(list, given) {
			t.Error("the caller's list was written to")
		}
		if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(list))) {
			t.Fatalf("got %v, want the same as %v", got, list)
		}
		for i, earlier := range got {
			for _, later := range got[i+1:] {
				if g.reaches(list, later, earlier) && !g.reaches(list, earlier, later) {
					t.Errorf("got %v, want %s, which relates to %s, before it", got, later, earlier)
				}
			}
		}
	})
}

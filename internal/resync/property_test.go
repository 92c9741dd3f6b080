package resync_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

// state is a workspace as plain values, so that it can be made twice.
type state struct {
	languages map[string]string      // by slug
	pulls     map[string]map[int]int // by slug and number: the title
}

func drawState(rt *rapid.T) state {
	// one repository and its pull request stay: without any, the guards hold
	s := state{map[string]string{"keep": "go"}, map[string]map[int]int{"keep": {1: 0}}}
	for i := range rapid.IntRange(1, 4).Draw(rt, "repositories") {
		slug := fmt.Sprintf("r%d", i)
		s.languages[slug] = "go"
		s.pulls[slug] = map[int]int{}
		for n := range rapid.IntRange(0, 2).Draw(rt, "pulls of "+slug) {
			s.pulls[slug][n+1] = 0
		}
	}
	return s
}

func (s state) build() *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	b.AddProject(bitbuckettest.Project{Key: "PAY"})
	for _, slug := range slices.Sorted(maps.Keys(s.languages)) {
		b.AddRepository(bitbuckettest.Repository{Name: slug, ProjectKey: "PAY", Language: s.languages[slug], Files: map[string]string{"README.md": "# " + slug}})
		for _, n := range slices.Sorted(maps.Keys(s.pulls[slug])) {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{ID: n, Title: fmt.Sprint("title ", s.pulls[slug][n])})
		}
	}
	return b
}

// edit is one change of a workspace.
type edit struct{ slug, what int }

func drawEdit(rt *rapid.T) edit {
	return edit{rapid.IntRange(0, 3).Draw(rt, "edited"), rapid.IntRange(0, 4).Draw(rt, "edit")}
}

// edit changes the workspace and what is known of it alike.
func (s state) edit(e edit, b *bitbuckettest.Server) {
	slug := fmt.Sprintf("r%d", e.slug)
	if s.pulls[slug] == nil {
		return
	}
	numbers := slices.Sorted(maps.Keys(s.pulls[slug]))
	switch e.what {
	case 0:
		b.RemoveRepository(slug)
		delete(s.languages, slug)
		delete(s.pulls, slug)
	case 1:
		s.languages[slug] += "+"
		b.UpdateRepository(slug, func(r *bitbuckettest.Repository) { r.Language = s.languages[slug] })
	case 2:
		n := 100 + len(numbers)
		if _, there := s.pulls[slug][n]; !there {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{ID: n, Title: "title 0"})
			s.pulls[slug][n] = 0
		}
	case 3:
		if len(numbers) > 0 {
			b.RemovePullRequest(slug, numbers[0])
			delete(s.pulls[slug], numbers[0])
		}
	case 4:
		if len(numbers) > 0 {
			s.pulls[slug][numbers[0]]++
			b.UpdatePullRequest(slug, numbers[0], func(p *bitbuckettest.PullRequest) { p.Title = fmt.Sprint("title ", s.pulls[slug][numbers[0]]) })
		}
	}
}

// drawFault is a fault of either service, of the kind that a run meets.
func drawFault(rt *rapid.T) func(w *world) {
	slug := fmt.Sprintf("r%d", rapid.IntRange(0, 3).Draw(rt, "slug of the fault"))
	nth, times := rapid.IntRange(1, 6).Draw(rt, "nth"), rapid.SampledFrom([]int{1, 5}).Draw(rt, "times")
	f := bitbuckettest.Fault{Nth: nth, Times: times}
	switch rapid.IntRange(0, 6).Draw(rt, "fault") {
	case 0:
		f.Status = 500
	case 1:
		f.Path, f.Nth, f.Status = "/repositories/acme/"+slug+"/pullrequests", 1, rapid.SampledFrom([]int{403, 404}).Draw(rt, "status")
	case 2:
		f.TruncateBody = 40
	case 3:
		f.Path, f.Nth, f.Status = "/repositories/acme/"+slug+"/src/**", 1, 500
	case 4:
		f.Path, f.Nth, f.Mutate = "/repositories/acme", 1, func(page map[string]any) { page["values"] = []any{} }
	case 5:
		f.DropConnection = true
	case 6:
		p := porttest.Fault{Path: "/v1/blueprints/**", Nth: nth, Times: times,
			Status: rapid.SampledFrom([]int{500, 422, 403}).Draw(rt, "status of Port"), Apply: rapid.Bool().Draw(rt, "applied")}
		return func(w *world) { w.port.Fault(p) }
	}
	return func(w *world) { w.bitbucket.Fault(f) }
}

// After a run with faults, nothing that is in the workspace is missing in Port, or
// has lost anything. After a run without, the catalog is that of a new workspace.
func TestFaultsLoseNothing(t *testing.T) {
	t.Parallel()
	m := mapped("entityDeletionThreshold: 1", projects, strings.Replace(repos, "query: 'true'", "query: 'true', includedFiles: [README.md]", 1), pulls)
	m = strings.Replace(m, "url: .links.html.href,", `readme: '.__includedFiles["README.md"]',`, 1)
	m = strings.ReplaceAll(m, "created: .created_on, ", "") // of the emulators' clock
	rapid.Check(t, func(rt *rapid.T) {
		s := drawState(rt)
		edits := rapid.SliceOfN(rapid.Custom(drawEdit), 0, 5).Draw(rt, "edits")
		faults := make([]func(*world), rapid.IntRange(1, 3).Draw(rt, "faults"))
		for i := range faults {
			faults[i] = drawFault(rt)
		}
		concurrency, seed := rapid.SampledFrom([]int{1, 4}).Draw(rt, "concurrency"), rapid.Uint64().Draw(rt, "delays")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, s.build())
			w.unequal, w.concurrency = true, concurrency
			w.delays = rand.New(rand.NewPCG(seed, 0))
			w.sync(m).ended(report.Success)
			for _, e := range edits {
				s.edit(e, w.bitbucket)
			}
			for _, f := range faults {
				f(w)
			}
			s.check(w.sync(m))

			w.port.ClearFaults()
			clean := newWorld(t, s.build())
			clean.port = w.port
			got := clean.sync(m).ended(report.Success)
			fresh := newWorld(t, s.build()).sync(m)
			if diff := cmp.Diff(plain(fresh.after), plain(got.after)); diff != "" {
				t.Errorf("after a clean run (- fresh, + got):\n%s", diff)
			}
			clean.sync(m).is(want{"writes": 0})
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// check compares what Port had before with what it has.
func (s state) check(r result) {
	r.t.Helper()
	there := func(blueprint, id string) bool {
		slug, _, _ := strings.Cut(id, "-")
		_, found := s.languages[slug]
		if blueprint == "pull" && found {
			found = slices.ContainsFunc(slices.Collect(maps.Keys(s.pulls[slug])), func(n int) bool { return id == fmt.Sprintf("%s-%d", slug, n) })
		}
		return found || blueprint == "project"
	}
	for blueprint, entities := range r.before {
		for id, was := range entities {
			now, kept := r.after[blueprint][id]
			switch {
			case !there(blueprint, id):
			case !kept:
				r.t.Errorf("%s %s is gone, and its object is there\n%s", blueprint, id, r.story())
			case len(now.Properties) < len(was.Properties) || len(now.Relations) < len(was.Relations) || now.Title == "":
				r.t.Errorf("%s %s has lost something: got %v, want the keys of %v\n%s", blueprint, id, now, was, r.story())
			}
		}
	}
}

// plain is what entities say, without times.
func plain(c catalog) map[string]map[string]any {
	out := map[string]map[string]any{}
	for blueprint, entities := range c {
		if len(entities) > 0 {
			out[blueprint] = map[string]any{}
		}
		for id, e := range entities {
			out[blueprint][id] = []any{e.Title, e.Properties, e.Relations}
		}
	}
	return out
}

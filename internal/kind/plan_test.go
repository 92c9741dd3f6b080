package kind_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

const day = 24 * hour

// bounded is a run that may send so many requests: a plan, and each resource, given by its kind
// and its selector.
func (m memory) bounded(n int, o kind.Options, resources ...[2]string) (kind.Planned, []extracted) {
	m.Helper()
	o.State = m.open()
	defer m.close(o.State)
	m.client = newClient(m.TB, m.s, 4, n)
	m.ws = m.workspace(o)
	defer m.ws.Close()
	return m.planned(resources...)
}

func (w world) planned(resources ...[2]string) (kind.Planned, []extracted) {
	w.Helper()
	var bounds []kind.Bound
	for _, r := range resources {
		bound, err := kind.Bind(resource(w.TB, r[0], r[1]))
		if err != nil {
			w.Fatal(err)
		}
		bounds = append(bounds, bound)
	}
	planned, err := w.ws.Plan(context.Background(), bounds)
	if err != nil {
		w.Fatal(err)
	}
	var all []extracted
	for _, b := range bounds {
		all = append(all, w.extractBound(b))
	}
	return planned, all
}

var pullRequests = [2]string{"pull-request", ""}

// unasked are the errors of a bound that was reached, and takes them away.
func (g *extracted) unasked() (n int) {
	var others []error
	for _, err := range g.failed {
		if errors.Is(err, bitbucket.ErrBudget) {
			n++
		} else {
			others = append(others, err)
		}
	}
	g.failed = others
	return n
}

func TestPlan(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 10)
		time.Sleep(hour)
		w.s.SetFile("repo-7", "README.md", []byte("new"))
		w.s.SetFile("repo-9", "README.md", []byte("new"))
		w.s.UpdatePullRequest("repo-9", 1, func(p *bitbuckettest.PullRequest) { p.Title = "new" })
		w.s.UpdatePullRequest("repo-3", 1, func(p *bitbuckettest.PullRequest) { p.Title = "new" })
		w.s.UpdatePullRequest("repo-7", 1, func(p *bitbuckettest.PullRequest) { p.Title = "new" })
		planned, got := m.bounded(6, kind.Options{MaxAge: day}, pullRequests)
		w.equal("planned", planned, kind.Planned{Candidates: 10, Granted: 4, Requests: 4, Remembered: 6})
		w.equal("requests: those that moved, the two that were read first; one is kept for the second reading", m.asked(),
			"/repositories/acme repo-1/pullrequests repo-2/pullrequests repo-7/pullrequests repo-9/pullrequests")
		w.equal("from memory", got[0].ages(w), []time.Duration{hour, hour, hour, hour, hour, hour})
		w.equal("objects", len(got[0].objects), 20)
		w.equal("of what was asked for", got[0].objects[16]["title"], any("new"))
		w.equal("of what was not", got[0].objects[4]["title"], any("first"))

		time.Sleep(hour)
		planned, got = m.bounded(8, kind.Options{MaxAge: day}, pullRequests)
		w.equal("planned", planned, kind.Planned{Candidates: 10, Granted: 6, Requests: 6, Remembered: 4})
		w.equal("requests: a third for those that changed last, and the rest for those that were read longest ago", m.asked(),
			"/repositories/acme repo-3/pullrequests repo-4/pullrequests repo-5/pullrequests repo-6/pullrequests repo-7/pullrequests repo-9/pullrequests")
		w.equal("from memory", got[0].ages(w), []time.Duration{hour, hour, 2 * hour, 2 * hour})
		w.equal("now it is new", got[0].objects[4]["title"], any("new"))
	})
}

// A first picture takes several runs, each of which goes on where the one before it stopped.
func TestPlanOfWhatWasNeverRead(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		want := 0
		for i := range 10 {
			name := fmt.Sprintf("repo-%d", i+1)
			w.s.AddRepository(bitbuckettest.Repository{Name: name})
			w.s.AddPullRequest(name, bitbuckettest.PullRequest{})
		}
		m := w.memory()
		for _, tt := range []struct {
			planned kind.Planned
			asked   string
			unasked int
		}{
			{kind.Planned{Candidates: 10, Granted: 4, Requests: 4, Unasked: 6}, "1 2 3 4", 6},
			{kind.Planned{Candidates: 10, Granted: 4, Requests: 4, Remembered: 4, Unasked: 2}, "5 6 7 8", 2},
			{kind.Planned{Candidates: 10, Granted: 3, Requests: 3, Remembered: 7}, "1 9 10", 0}, // one is left for the second reading
			{kind.Planned{Candidates: 10, Granted: 3, Requests: 3, Remembered: 7}, "2 3 4", 0},
		} {
			time.Sleep(hour)
			planned, got := m.bounded(5, kind.Options{MaxAge: day}, pullRequests)
			w.equal("planned", planned, tt.planned)
			asked := strings.NewReplacer("repo-", "", "/pullrequests", "", "/repositories/acme ", "").Replace(m.asked())
			w.equal("asked", asked, tt.asked)
			w.equal("not asked for", got[0].unasked(), tt.unasked)
			got[0].ages(w)
			want = 10 - tt.unasked
			w.equal("objects", len(got[0].objects), want)
		}
	})
}

// A list that cannot be read has its turn as the others have, and takes nothing of what is kept
// for the second reading.
func TestPlanOfAListThatFails(t *testing.T) {
	for name, fault := range map[string]bitbuckettest.Fault{
		"refused": {Path: "/repositories/acme/repo-1/pullrequests", Status: 400, Times: -1},
		"odd":     {Path: "/repositories/acme/repo-1/pullrequests", Times: -1, Mutate: func(o map[string]any) { delete(o["values"].([]any)[0].(map[string]any), "id") }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, bitbuckettest.New("acme"), func(w world) {
				for i := range 4 {
					name := fmt.Sprintf("repo-%d", i+1)
					w.s.AddRepository(bitbuckettest.Repository{Name: name})
					w.s.AddPullRequest(name, bitbuckettest.PullRequest{})
				}
				w.s.Fault(fault)
				m := w.memory()
				for _, want := range []string{"[1 2 3 4]", "[1 2]", "[3 4]", "[1 2]"} {
					time.Sleep(hour)
					n := 4
					if want == "[1 2 3 4]" {
						n = 20
					}
					m.bounded(n, kind.Options{MaxAge: day}, pullRequests)
					w.equal("asked", m.repositories(), want)
				}
			})
		})
	}
}

// A list that costs more than there is does not take all in each run.
func TestPlanOfAListThatIsTooLong(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		for i := range 3 {
			name := fmt.Sprintf("repo-%d", i+1)
			w.s.AddRepository(bitbuckettest.Repository{Name: name})
			for range 1 + 200*max(0, 1-i) {
				w.s.AddPullRequest(name, bitbuckettest.PullRequest{})
			}
		}
		m := w.memory()
		for _, tt := range []struct {
			n     int
			asked string
		}{{4, "[1]"}, {4, "[2 3]"}, {4, "[2 3]"}, {8, "[1 2 3]"}} {
			time.Sleep(hour)
			m.bounded(tt.n, kind.Options{MaxAge: day}, pullRequests)
			w.equal("asked", m.repositories(), tt.asked)
		}
	})
}

// A bound that the lists of repositories nearly use up leaves something for what is in them.
func TestPlanOfNextToNothing(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 3)
		for _, asked := range []string{"[1]", "[2]", "[3]", "[1]"} {
			time.Sleep(hour)
			m.bounded(2, kind.Options{MaxAge: day}, pullRequests)
			w.equal("asked", m.repositories(), asked)
		}
	})
}

// repositories are the numbers of those whose pull requests were asked for, once each.
func (m memory) repositories() string {
	seen := map[string]bool{}
	for path := range strings.FieldsSeq(m.asked()) {
		if of, ok := strings.CutSuffix(path, "/pullrequests"); ok {
			seen[strings.TrimPrefix(of, "repo-")] = true
		}
	}
	return fmt.Sprint(slices.Sorted(maps.Keys(seen)))
}

func TestWhatIsTooOldIsNotUsed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		age     time.Duration
		options kind.Options
		unasked int
	}{
		{"younger than MaxAge", day - 1, kind.Options{MaxAge: day}, 0},
		{"as old as MaxAge", day, kind.Options{MaxAge: day}, 2},
		{"no MaxAge", hour, kind.Options{}, 2},
		{"no lists from memory", hour, kind.Options{MaxAge: day, NoLists: true}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, bitbuckettest.New("acme"), func(w world) {
				m := filled(w, 3)
				time.Sleep(tt.age)
				n := 3
				if tt.options.NoLists { // nothing is known, and so nothing is deleted
					n = 2
				}
				planned, got := m.bounded(n, tt.options, pullRequests)
				w.equal("planned", planned, kind.Planned{Candidates: 3, Granted: 1, Requests: 1, Remembered: 2 - tt.unasked, Unasked: tt.unasked})
				if tt.unasked > 0 {
					w.equal("error", got[0].failed[0].Error(), `list pull requests of repository "repo-2": `+bitbucket.ErrBudget.Error())
				}
				w.equal("not asked for", got[0].unasked(), tt.unasked)
				w.equal("from memory", len(got[0].ages(w)), 2-tt.unasked)
				w.equal("objects", len(got[0].objects), 6-2*tt.unasked)
				w.equal("requests", m.asked(), "/repositories/acme repo-1/pullrequests")
			})
		})
	}
}

// A list that has grown costs more than it did. What the bound does not reach comes from
// memory, and a list that has begun is not finished from there.
func TestPlanThatCostsMore(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 4)
		for range 60 {
			w.s.AddPullRequest("repo-1", bitbuckettest.PullRequest{})
		}
		for range 110 {
			w.s.AddPullRequest("repo-2", bitbuckettest.PullRequest{})
		}
		time.Sleep(hour)
		planned, got := m.bounded(5, kind.Options{MaxAge: day}, pullRequests)
		w.equal("planned", planned, kind.Planned{Candidates: 4, Granted: 3, Requests: 3, Remembered: 1})
		w.equal("requests", m.asked(), "/repositories/acme repo-1/pullrequests repo-1/pullrequests repo-2/pullrequests repo-2/pullrequests")
		w.equal("not read to its end", got[0].unasked(), 1)
		w.equal("from memory", got[0].ages(w), []time.Duration{hour, hour})
		w.equal("objects", len(got[0].objects), 62+100+2+2)
		time.Sleep(hour)
		planned, got = m.bounded(7, kind.Options{MaxAge: day}, pullRequests)
		w.equal("planned: one costs what it did, and one more than it did", planned, kind.Planned{Candidates: 4, Granted: 3, Requests: 4, Unasked: 1})
		w.equal("requests", m.asked(), "/repositories/acme repo-1/pullrequests repo-1/pullrequests repo-3/pullrequests repo-4/pullrequests")
		w.equal("neither asked for nor what it was before it had begun", got[0].unasked(), 1)
		w.equal("from memory", len(got[0].ages(w)), 0)
		time.Sleep(hour)
		planned, got = m.bounded(7, kind.Options{MaxAge: day}, pullRequests)
		w.equal("planned", planned, kind.Planned{Candidates: 4, Granted: 2, Requests: 5, Remembered: 2})
		w.equal("requests", m.asked(), "/repositories/acme repo-1/pullrequests repo-1/pullrequests repo-2/pullrequests repo-2/pullrequests repo-2/pullrequests")
		w.equal("from memory", got[0].ages(w), []time.Duration{hour, hour})
	})
}

// What a run that was cut off has read is not asked for again, and takes nothing from the
// budget.
func TestPlanAfterACutOffRun(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 3)
		w.s.AddRepository(bitbuckettest.Repository{Name: "repo-4"})
		planned, got := m.bounded(9, kind.Options{MaxAge: day, ResumeAge: hour}, pullRequests)
		w.equal("planned", planned, kind.Planned{Candidates: 1, Granted: 1, Requests: 1, Remembered: 3})
		w.equal("from memory", len(got[0].ages(w)), 3)
		w.equal("requests", m.asked(), "/repositories/acme repo-4/pullrequests")
	})
}

// What a run that was cut off has read is no younger for that: MaxAge holds for it.
func TestNoListIsOlderThanMaxAge(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 3)
		time.Sleep(30 * time.Minute)
		for _, tt := range []struct {
			maxAge    time.Duration
			want      kind.Planned
			remembers int
		}{
			{30*time.Minute + 1, kind.Planned{Remembered: 3}, 3},
			{30 * time.Minute, kind.Planned{Candidates: 3, Granted: 3, Requests: 3}, 0},
		} {
			planned, got := m.bounded(9, kind.Options{MaxAge: tt.maxAge, ResumeAge: hour}, pullRequests)
			w.equal("planned", planned, tt.want)
			w.equal("from memory", len(got[0].ages(w)), tt.remembers)
		}
	})
}

// A clock that was ahead makes no list younger than one that is read now.
func TestNoAgeIsBelowZero(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 2)
		m.change("repo-1", func(r map[string]any) { r["read_at"] = time.Now().Add(30 * time.Second).UTC() })
		planned, got := m.bounded(2, kind.Options{MaxAge: 0, ResumeAge: 0}, pullRequests)
		w.equal("planned", planned, kind.Planned{Candidates: 2, Granted: 1, Requests: 1, Unasked: 1})
		w.equal("from memory", len(got[0].failed)-got[0].unasked(), 0)
		w.equal("from memory", len(got[0].ages(w)), 0)
	})
}

// The lists that resources begin with are read first, each once, and an error of one is that of
// its resource.
func TestPlanReadsTheListsFirst(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		w.s.AddProject(bitbuckettest.Project{Key: "PAY"})
		m := filled(w, 2)
		w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Query: "repo-2", Status: 403, Times: -1})
		both := [][2]string{pullRequests, {"project", ""}, {"pull-request", `repoQuery: 'name="repo-2"'`}, {"repository", ""}, {"project", ""},
			{"pull-request", `repoQuery: 'name="repo-1"', pullRequestQuery: 'state="MERGED"'`}, pullRequests}
		planned, got := m.bounded(20, kind.Options{MaxAge: day}, both...)
		w.equal("requests", m.asked(), "/repositories/acme /workspaces/acme/projects /repositories/acme /repositories/acme "+
			"repo-1/pullrequests repo-2/pullrequests repo-1/pullrequests")
		w.equal("planned", planned, kind.Planned{Candidates: 3, Granted: 3, Requests: 3})
		for i, g := range got {
			w.equal("error", g.err != nil, i == 2)
		}
		w.equal("projects", len(got[4].objects), 1)

		w.client = newClient(w, w.s, 4, 20)
		w.ws = w.workspace(kind.Options{MaxAge: day})
		planned, _ = w.planned(pullRequests, pullRequests)
		w.equal("without a memory, each asks for itself", planned, kind.Planned{Candidates: 2, Granted: 2, Requests: 4})
		w.equal("requests", m.asked(), "/repositories/acme repo-1/pullrequests repo-2/pullrequests repo-1/pullrequests repo-2/pullrequests")
	})
}

// Without a bound there is no plan, and no request moves.
func TestNoPlan(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 2)
		bound, err := kind.Bind(resource(w.TB, "pull-request", ""))
		if err != nil {
			w.Fatal(err)
		}
		planned, err := m.ws.Plan(context.Background(), []kind.Bound{bound})
		w.equal("planned", planned, kind.Planned{})
		w.equal("error", err, nil)
		w.equal("requests", m.asked(), "")
	})
}

func TestPlanThatIsStopped(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		w.client = newClient(w, w.s, 4, 5)
		w.ws = w.workspace(kind.Options{})
		bound, err := kind.Bind(resource(w.TB, "pull-request", ""))
		if err != nil {
			w.Fatal(err)
		}
		why := errors.New("stopped")
		ctx, stop := context.WithCancelCause(context.Background())
		stop(why)
		if _, err := w.ws.Plan(ctx, []kind.Bound{bound}); !errors.Is(err, why) {
			w.Errorf("got %v, want %v", err, why)
		}
	})
}

// The contents of a commit that is not known are a candidate; where not all can be asked for,
// each has its turn, however often the others move.
func TestContentsArePlanned(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 6)
		w.s.AddRepository(bitbuckettest.Repository{Name: "empty"})
		withFiles := [2]string{"repository", `includedFiles: [README.md]`}
		run := func(n int, want kind.Planned, asked string, resources ...[2]string) {
			m.Helper()
			time.Sleep(hour)
			planned, got := m.bounded(n, kind.Options{MaxAge: day}, resources...)
			w.equal("planned", planned, want)
			var repositories []string
			for name := range strings.FieldsSeq(strings.TrimPrefix(m.asked(), "/repositories/acme")) {
				name, of, _ := strings.Cut(strings.TrimPrefix(name, "repo-"), "/")
				repositories = append(repositories, name+of[:1])
			}
			w.equal("asked", strings.Join(repositories, " "), asked)
			unasked := 0
			for i := range got {
				unasked += got[i].unasked()
				got[i].ages(w)
			}
			w.equal("not asked for", unasked, want.Unasked)
		}
		run(4, kind.Planned{Candidates: 6, Granted: 3, Requests: 3, Unasked: 3}, "1s 2s 3s", withFiles)
		run(4, kind.Planned{Candidates: 3, Granted: 3, Requests: 3}, "4s 5s 6s", withFiles)
		run(4, kind.Planned{}, "", withFiles)
		for range 2 {
			for _, turn := range []string{"1s 2s", "3s 4s", "5s 6s"} {
				for i := range 6 {
					w.s.SetFile(fmt.Sprintf("repo-%d", i+1), "README.md", fmt.Appendf(nil, "# at %s\n", time.Now()))
				}
				run(4, kind.Planned{Candidates: 6, Granted: 2, Requests: 2, Unasked: 4}, turn, withFiles)
			}
		}
		// Lists and contents are weighed together: first what was never read, and then what moved
		// and was read longest ago.
		run(6, kind.Planned{Candidates: 11, Granted: 4, Requests: 4, Remembered: 3, Unasked: 4}, "1p 2p 3p emptyp", withFiles, pullRequests)
		run(8, kind.Planned{Candidates: 11, Granted: 6, Requests: 6, Remembered: 4, Unasked: 1}, "1s 2s 3s 4p 5p 6p", withFiles, pullRequests)
	})
}

// A branch that a selector names costs a request more, for its head, and what a repository
// costs is counted together.
func TestCostOfBranches(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 2)
		w.s.AddBranch("repo-1", "other")
		file := [2]string{"file", `files: [{path: README.md, repos: [{name: repo-1, branch: other}, repo-2, repo-1]}]`}
		planned, got := m.bounded(20, kind.Options{MaxAge: day}, file, [2]string{"repository", ""}, [2]string{"repository", `includedFiles: [README.md, a, b]`})
		w.equal("planned", planned, kind.Planned{Candidates: 2, Granted: 2, Requests: 4 + 2})
		w.equal("files", len(got[0].objects), 3)
		w.equal("not asked for", got[0].unasked()+got[2].unasked(), 0)
		planned, _ = m.bounded(20, kind.Options{MaxAge: day}, file)
		w.equal("planned: the head is not known, and may have moved", planned, kind.Planned{Candidates: 1, Granted: 1, Requests: 2})
	})
}

// Known is what memory saves of a forecast.
func TestKnown(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 4)
		withFiles := [2]string{"repository", `includedFiles: [README.md]`}
		file := [2]string{"file", `files: [{path: README.md, repos: [repo-1, repo-2, {name: repo-3, branch: other}]}]`}
		w.s.AddBranch("repo-3", "other")
		m.run(kind.Options{}, "") // it moved
		m.asked()
		bind := func(resources ...[2]string) (bounds []kind.Bound) {
			for _, r := range resources {
				b, err := kind.Bind(resource(w.TB, r[0], r[1]))
				if err != nil {
					w.Fatal(err)
				}
				bounds = append(bounds, b)
			}
			return bounds
		}
		bounds := bind(pullRequests, pullRequests, withFiles, file, [2]string{"project", ""}, [2]string{"pull-request", `repoQuery: 'name="repo-2"'`})
		known := func(o kind.Options, name string) string {
			if o.MaxFile == 0 {
				o.State = m.open()
				defer m.close(o.State)
			}
			m.ws = m.workspace(o)
			requests, sources := m.ws.Known(context.Background(), bounds)
			w.equal("known before a list is read", []int{requests, sources}, []int{0, 0})
			w.equal("requests", m.asked(), "")
			m.good(name, "")
			m.asked()
			requests, sources = m.ws.Known(context.Background(), bounds)
			w.equal("requests", m.asked(), "")
			return fmt.Sprint(requests, sources)
		}
		w.equal("of a run that was cut off: both lists of four", known(resumed, "repository"), "8 0")
		w.equal("of one that was not: the second resource has what the first one read", known(kind.Options{}, "repository"), "4 0")
		w.equal("without a memory", known(kind.Options{MaxFile: 1}, "repository"), "0 0")
		s := m.open()
		m.ws = m.workspace(kind.Options{State: s})
		m.good("repository", withFiles[1])
		m.asked()
		m.close(s)
		w.s.SetFile("repo-2", "README.md", []byte("new"))
		w.equal("contents of three, and of one that is named", known(kind.Options{}, "repository"), "4 4")
		w.equal("one moved", known(resumed, "repository"), "7 4")
	})
}

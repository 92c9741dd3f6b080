package kind_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/state"
)

const hour = time.Hour

// memory is a folder that runs keep what they have read in.
type memory struct {
	world
	folder string
}

func (w world) memory() memory { return memory{w, w.TempDir()} }

func (m memory) open() *state.Store {
	m.Helper()
	s, why := state.Open(state.Config{Folder: m.folder, Secret: "s", Workspace: "acme", Identifier: "i"})
	if s == nil {
		m.Fatal(why)
	}
	return s
}

func (m memory) close(s *state.Store) {
	m.Helper()
	if err := s.Close(); err != nil {
		m.Error(err)
	}
}

// run extracts the pull requests as another run.
func (m memory) run(o kind.Options, selector string) extracted {
	m.Helper()
	return m.runOf("pull-request", o, selector)
}

// runOf extracts a kind as another run.
func (m memory) runOf(name string, o kind.Options, selector string) extracted {
	m.Helper()
	o.State = m.open()
	defer m.close(o.State)
	m.ws = m.workspace(o)
	defer m.ws.Close()
	return m.extract(name, selector)
}

// resumed is what a run has for one that was cut off.
var resumed = kind.Options{ResumeAge: hour}

// filled is a memory of a workspace of so many repositories, as a run leaves it that was cut
// off at its end. Each has two pull requests.
func filled(w world, repositories int) memory {
	for i := range repositories {
		name := fmt.Sprintf("repo-%d", i+1)
		w.s.AddRepository(bitbuckettest.Repository{Name: name, MainBranch: "main", Files: map[string]string{"README.md": "# " + name + "\n"}})
		w.s.AddPullRequest(name, bitbuckettest.PullRequest{Title: "first"})
		w.s.AddPullRequest(name, bitbuckettest.PullRequest{Title: "second"})
	}
	m := w.memory()
	if got := m.run(kind.Options{}, ""); got.err != nil || len(got.failed) > 0 || len(got.objects) != 2*repositories {
		w.Fatalf("got %d objects, %v and %v", len(got.objects), got.err, got.failed)
	}
	m.asked()
	return m
}

// ages are when the lists were read that came from memory; other errors fail the test.
func (g extracted) ages(t testing.TB) (ages []time.Duration) {
	t.Helper()
	for _, err := range g.failed {
		var r *kind.Remembered
		if !errors.As(err, &r) {
			t.Errorf("got %v", err)
			continue
		}
		ages = append(ages, time.Since(r.ReadAt))
	}
	if g.err != nil {
		t.Error(g.err)
	}
	return ages
}

// key is that of the open pull requests of a repository, in a memory.
func (m memory) key(slug string) []string {
	q := url.Values{"q": {`state="OPEN"`}, "sort": {"id"}, "fields": {"+values.reviewers,+values.participants,+values.closed_on"}}
	return []string{m.s.UUID(slug), "pull-request", q.Encode()}
}

// change changes what is kept of the list of a repository, beside its pages.
func (m memory) change(slug string, f func(record map[string]any)) {
	m.Helper()
	s := m.open()
	defer m.close(s)
	text, ok := s.Get(state.List, m.key(slug)...)
	var record map[string]any
	if err := json.Unmarshal(text, &record); !ok || err != nil {
		m.Fatalf("got %t, %v", ok, err)
	}
	f(record)
	text, err := json.Marshal(record)
	if err != nil {
		m.Fatal(err)
	}
	s.Put(text, state.List, m.key(slug)...)
}

// withoutUpdatedOn takes updated_on from the next list of repositories, and from memory.
func (m memory) withoutUpdatedOn(slug string) {
	m.Helper()
	m.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Mutate: func(o map[string]any) { delete(o["values"].([]any)[0].(map[string]any), "updated_on") }})
	m.change(slug, func(r map[string]any) { r["updated_on"] = "" })
}

// The next run asks for what the one before it did not come to, and gives the same.
func TestCutOffRunGoesOn(t *testing.T) {
	skipShort(t)
	s := bitbuckettest.New("acme")
	inBubble(t, s, func(w world) {
		for i := range 6 {
			name := fmt.Sprintf("repo-%d", i+1)
			s.AddRepository(bitbuckettest.Repository{Name: name})
			for range 20 * i {
				dana := bitbuckettest.User{Name: "Dana " + name}
				s.AddPullRequest(name, bitbuckettest.PullRequest{Author: &dana, Reviewers: []bitbuckettest.User{dana}, Description: "<é & \u2028>"})
			}
		}
		m := w.memory()
		want := m.good("pull-request", "")
		m.asked()

		store := m.open()
		m.ws = m.workspace(kind.Options{State: store})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		bound, err := kind.Bind(resource(w.TB, "pull-request", ""))
		if err != nil {
			w.Fatal(err)
		}
		objects := 0
		for task, err := range bound.Extract(ctx, m.ws) {
			if err != nil {
				w.Fatal(err)
			}
			for _, err := range task.Run(ctx) {
				if err == nil {
					objects++
				}
				if objects == 150 { // in the first of two pages of repo-5
					cancel()
				}
			}
		}
		m.close(store)
		w.equal("requests of the run that is cut off", m.asked(), "/repositories/acme repo-1/pullrequests repo-2/pullrequests repo-3/pullrequests repo-4/pullrequests "+
			"repo-4/pullrequests repo-5/pullrequests")

		time.Sleep(time.Minute)
		got := m.run(resumed, "")
		w.equal("from memory", got.ages(w), []time.Duration{time.Minute, time.Minute, time.Minute, time.Minute})
		w.equal("objects", got.objects, want)
		w.equal("requests: the rest", m.asked(), "/repositories/acme repo-5/pullrequests repo-5/pullrequests repo-6/pullrequests repo-6/pullrequests")
		again := m.run(resumed, "")
		w.equal("objects", again.objects, want)
		w.equal("requests: the list of repositories", m.asked(), "/repositories/acme")
		w.equal("from memory", len(again.ages(w)), 6)
	})
}

// A run that is killed leaves what is on the disk by then, and no list by half.
func TestKilledRunGoesOn(t *testing.T) {
	s := bitbuckettest.New("acme")
	inBubble(t, s, func(w world) {
		const repositories = 40
		for i := range repositories {
			name := fmt.Sprintf("repo-%d", i+1)
			s.AddRepository(bitbuckettest.Repository{Name: name})
			s.AddPullRequest(name, bitbuckettest.PullRequest{})
		}
		m := w.memory()
		killed := m
		killed.folder = filepath.Join(w.TempDir(), "copy")
		s.OnRequest(func(n int, _ *http.Request) {
			if n != repositories-1 {
				return
			}
			if err := os.CopyFS(killed.folder, os.DirFS(m.folder)); err != nil {
				w.Error(err)
			}
		})
		want := m.run(kind.Options{}, "").objects
		m.asked()

		got := killed.run(resumed, "")
		w.equal("objects", got.objects, want)
		from := len(got.ages(w))
		w.equal("requests: the rest", strings.Count(m.asked(), "/pullrequests"), repositories-from)
		if from < repositories/2 || from >= repositories-2 {
			w.Errorf("got %d from memory, want most of the %d that were read", from, repositories-3)
		}
	})
}

func TestWhatIsAskedForAgain(t *testing.T) {
	now := time.Now
	for _, tt := range []struct {
		name     string
		options  kind.Options
		selector string
		before   func(m memory) // of the second run
		asked    bool           // for repo-1
	}{
		{name: "nothing", options: resumed},
		{name: "all, after a run that was not cut off", asked: true},
		{name: "younger than ResumeAge", options: resumed, before: func(memory) { time.Sleep(hour - 1) }},
		{name: "as old as ResumeAge", options: resumed, before: func(memory) { time.Sleep(hour) }, asked: true},
		{name: "read before the last run finished", options: kind.Options{ResumeAge: hour, LastFinished: time.Date(2000, 1, 1, 0, 0, 0, 1, time.UTC)}, asked: true},
		{name: "read after the last run finished", options: kind.Options{ResumeAge: hour, LastFinished: time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)}},
		{name: "no lists from memory", options: kind.Options{ResumeAge: hour, NoLists: true}, asked: true},
		{name: "another query", options: resumed, selector: `pullRequestQuery: 'state = "OPEN"'`, asked: true},
		{name: "the same query", options: resumed, selector: `pullRequestQuery: ' state="OPEN" ', repoQuery: 'name ~ "repo"'`},
		{name: "read in the future", options: resumed, asked: true, before: func(m memory) {
			m.change("repo-1", func(r map[string]any) { r["read_at"] = now().Add(time.Minute + time.Second) })
		}},
		{name: "read by a clock that was a little ahead", options: resumed, before: func(m memory) {
			m.change("repo-1", func(r map[string]any) { r["read_at"] = now().Add(time.Minute) })
		}},
		{name: "no time", options: resumed, asked: true, before: func(m memory) {
			m.change("repo-1", func(r map[string]any) { delete(r, "read_at") })
		}},
		{name: "not JSON of that form", options: resumed, asked: true, before: func(m memory) {
			m.change("repo-1", func(r map[string]any) { r["pages"] = "none" })
		}},
		{name: "a page is missing", options: resumed, asked: true, before: func(m memory) {
			m.change("repo-1", func(r map[string]any) { r["pages"] = append(r["pages"].([]any), []byte("another")) })
		}},
		{name: "a page less", options: resumed, asked: true, before: func(m memory) {
			m.change("repo-1", func(r map[string]any) { r["pages"] = []any{} })
		}},
		{name: "a push", options: resumed, asked: true, before: func(m memory) { m.s.SetFile("repo-1", "README.md", []byte("new")) }},
		{name: "renamed", options: resumed, asked: true, before: func(m memory) { m.s.RenameRepository("repo-1", "other") }},
		{name: "renamed, and nothing shows that it moved", options: resumed, asked: true, before: func(m memory) {
			m.s.UpdateRepository("repo-1", func(r *bitbuckettest.Repository) { r.Name = "Repo-1" })
			m.withoutUpdatedOn("repo-1")
		}},
		{name: "another slug, and nothing else", options: resumed, asked: true, before: func(m memory) {
			m.s.UpdateRepository("repo-1", func(r *bitbuckettest.Repository) { r.Slug = "other" })
			m.withoutUpdatedOn("other")
		}},
		{name: "a push that the hash alone shows", options: resumed, asked: true, before: func(m memory) {
			m.s.SetFile("repo-1", "README.md", []byte("new"))
			m.withoutUpdatedOn("repo-1")
		}},
		{name: "made anew", options: resumed, asked: true, before: func(m memory) {
			m.s.RemoveRepository("repo-1")
			m.s.AddRepository(bitbuckettest.Repository{Name: "repo-1", MainBranch: "main"})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, bitbuckettest.New("acme"), func(w world) {
				m := filled(w, 1)
				if tt.before != nil {
					tt.before(m)
				}
				got := m.run(tt.options, tt.selector)
				w.equal("asked", strings.HasSuffix(m.asked(), "/pullrequests"), tt.asked)
				w.equal("from memory", len(got.ages(w)) > 0, !tt.asked)
				want := m.good("pull-request", tt.selector)
				for _, objects := range [][]kind.Object{got.objects, want} {
					for _, o := range objects {
						delete(o, "__repository") // of another reading of the repositories
					}
				}
				w.equal("objects", got.objects, want)
			})
		})
	}
}

// A list that is not known to be whole, or has what cannot be used, is not remembered; nor does
// it take the place of an older one, unless some of it went to Port: then neither is used.
func TestWhatIsNotRemembered(t *testing.T) {
	second := func(value any) func(map[string]any) {
		return func(o map[string]any) { o["values"].([]any)[1] = value }
	}
	for _, tt := range []struct {
		name  string
		fault bitbuckettest.Fault
	}{
		{"odd value", bitbuckettest.Fault{Mutate: second(nil)}},
		{"no id", bitbuckettest.Fault{Mutate: second(map[string]any{"title": "x"})}},
		{"refused", bitbuckettest.Fault{Status: 403}},
		{"gone", bitbuckettest.Fault{Status: 404}},
		{"failing", bitbuckettest.Fault{Status: 500}},
		{"cut off", bitbuckettest.Fault{TruncateBody: 100}},
		{"another size", bitbuckettest.Fault{Mutate: func(o map[string]any) { o["size"] = json.Number("300") }}},
		{"fails at the second page", bitbuckettest.Fault{Query: "id > ", Status: 403}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, bitbuckettest.New("acme"), func(w world) {
				m := filled(w, 1)
				for range 60 {
					w.s.AddPullRequest("repo-1", bitbuckettest.PullRequest{})
				}
				time.Sleep(time.Minute)
				tt.fault.Path, tt.fault.Times = "/repositories/acme/repo-1/pullrequests", -1
				w.s.Fault(tt.fault)
				got := m.run(kind.Options{}, "")
				if len(got.failed) == 0 {
					w.Error("the fault does not show")
				}
				told := len(got.objects) > 0
				m.asked()
				w.s.ClearFaults()
				got = m.run(resumed, "")
				if told {
					w.equal("from memory", len(got.ages(w)), 0)
					w.equal("objects", len(got.objects), 62)
					return
				}
				w.equal("from memory: the list before", got.ages(w)[0] >= time.Minute, true)
				w.equal("objects", column(got.objects, "title"), "first second")
				w.equal("requests", m.asked(), "/repositories/acme")
			})
		})
	}
}

// What is under the digest of a page, and is not that page, is not used: not even the objects
// of the pages before it.
func TestForeignPage(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 1)
		for _, page := range []string{"", "\x02{}", "\x09{}", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "[]", "\x02{}\x02{}"} {
			digest := sha256.Sum256([]byte("none"))
			m.change("repo-1", func(r map[string]any) { r["pages"] = append(r["pages"].([]any)[:1], digest[:]) })
			s := m.open()
			s.Put([]byte(page), state.Page, string(digest[:]))
			m.close(s)
			got := m.run(resumed, "")
			w.equal("objects", column(got.objects, "title"), "first second")
			w.equal("from memory", len(got.ages(w)), 0)
			w.equal("requests", m.asked(), "/repositories/acme repo-1/pullrequests")
		}
	})
}

// Two resources that want the same list: the second has what the first one read, and that is
// not from memory.
func TestListOfTwoResources(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 2)
		w.ws = w.workspace(kind.Options{})
		w.good("pull-request", "")
		want := w.good("pull-request", "")
		w.equal("requests without a memory", m.asked(), "/repositories/acme repo-1/pullrequests repo-2/pullrequests repo-1/pullrequests repo-2/pullrequests")

		s := m.open()
		defer m.close(s)
		m.ws = m.workspace(kind.Options{State: s})
		m.good("pull-request", "")
		w.equal("objects", m.good("pull-request", ""), want)
		w.equal("requests with one", m.asked(), "/repositories/acme repo-1/pullrequests repo-2/pullrequests")
	})
}

// One pull request that changes leaves most of the pages as they are, and each is bounded.
func TestPages(t *testing.T) {
	skipShort(t)
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 1)
		for i := range 400 {
			w.s.AddPullRequest("repo-1", bitbuckettest.PullRequest{Title: fmt.Sprint(i)})
		}
		w.s.AddPullRequest("repo-1", bitbuckettest.PullRequest{Title: "long", Description: strings.Repeat("x", 300_000)})
		pages := func() (all []string) {
			if got := m.run(kind.Options{}, ""); len(got.objects) != 403 {
				w.Errorf("got %d objects", len(got.objects))
			}
			m.change("repo-1", func(r map[string]any) {
				for _, p := range r["pages"].([]any) {
					all = append(all, p.(string))
				}
			})
			return all
		}
		before := pages()
		store := m.open()
		for _, p := range before {
			digest, _ := base64.StdEncoding.DecodeString(p)
			page, ok := store.Get(state.Page, string(digest))
			if long := bytes.Contains(page, []byte(`"long"`)); !ok || !long && len(page) > 128<<10 {
				w.Errorf("a page has %d bytes", len(page))
			}
		}
		m.close(store)
		w.s.UpdatePullRequest("repo-1", 100, func(p *bitbuckettest.PullRequest) { p.Title = "changed" })
		w.s.RemovePullRequest("repo-1", 3)
		w.s.AddPullRequest("repo-1", bitbuckettest.PullRequest{Title: "another"})
		known := map[string]bool{}
		for _, p := range before {
			known[p] = true
		}
		after, fresh := pages(), 0
		for _, p := range after {
			if !known[p] {
				fresh++
			}
		}
		if fresh < 3 || fresh > 6 || len(after) < 10 {
			w.Errorf("got %d new pages of %d, want a few of many", fresh, len(after))
		}
		got := m.run(resumed, "")
		w.equal("from memory", len(got.ages(w)), 1)
		w.equal("objects", got.objects, m.good("pull-request", ""))
	})
}

// A list is as old as its beginning, however long it takes.
func TestAgeOfAList(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 1)
		for range 60 {
			w.s.AddPullRequest("repo-1", bitbuckettest.PullRequest{})
		}
		w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/repo-1/pullrequests", Delay: 10 * time.Second, Times: 2})
		m.run(kind.Options{}, "")
		w.equal("age", m.run(resumed, "").ages(w), []time.Duration{20 * time.Second})
	})
}

// Nothing more is given once the run is stopped.
func TestMemoryOfAStoppedRun(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 1)
		o := resumed
		o.State = m.open()
		defer m.close(o.State)
		m.ws = m.workspace(o)
		bound, err := kind.Bind(resource(w.TB, "pull-request", ""))
		if err != nil {
			w.Fatal(err)
		}
		why := errors.New("stopped")
		ctx, stop := context.WithCancelCause(context.Background())
		defer stop(nil)
		var last error
		for task := range bound.Extract(ctx, m.ws) {
			stop(why)
			for found, err := range task.Run(ctx) {
				if found.Object != nil {
					w.Error("an object is given")
				}
				last = err
			}
		}
		w.equal("error", errors.Is(last, why), true)
	})
}

// A plan may read a memory, and leaves it as it is.
func TestReadOnlyMemory(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		m := filled(w, 1)
		time.Sleep(time.Minute)
		s, why := state.Open(state.Config{Folder: m.folder, Secret: "s", Workspace: "acme", Identifier: "i", ReadOnly: true})
		if why != "" {
			w.Fatal(why)
		}
		m.ws = m.workspace(kind.Options{State: s})
		m.good("pull-request", "")
		m.close(s)
		w.equal("age of the list", m.run(resumed, "").ages(w), []time.Duration{time.Minute})
	})
}

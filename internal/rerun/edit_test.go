package rerun_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// workspace is a small one that edits change, and what is known of it.
type workspace struct {
	*bitbuckettest.Server
	random *rand.Rand
	slugs  []string         // of the repositories
	open   map[string][]int // pull requests, by repository
	bare   map[string]bool  // without the folder of services
	n      int              // of edits, so that no two give the same text
}

// newWorkspace has so many repositories.
func newWorkspace(random *rand.Rand, repositories int) *workspace {
	w := &workspace{Server: bitbuckettest.New("acme"), random: random, open: map[string][]int{}, bare: map[string]bool{}}
	w.AddProject(bitbuckettest.Project{Key: "ACME"})
	for range repositories {
		w.add()
	}
	return w
}

// pick is one of the repositories.
func (w *workspace) pick() string { return w.slugs[w.random.IntN(len(w.slugs))] }

func (w *workspace) text() string {
	w.n++
	return fmt.Sprintf("edit %d", w.n)
}

func (w *workspace) add() {
	slug := slug(w.n)
	w.AddRepository(bitbuckettest.Repository{Name: slug, ProjectKey: "ACME", Files: map[string]string{
		"README.md": "# " + w.text(), "src/main.go": "package main\n", "services/api/port.yml": "title: api\n",
	}})
	w.slugs = append(w.slugs, slug)
	for range w.random.IntN(4) {
		w.request(slug)
	}
}

func (w *workspace) request(slug string) {
	w.open[slug] = append(w.open[slug], w.AddPullRequest(slug, bitbuckettest.PullRequest{Title: w.text(), CreatedOn: time.Now(), UpdatedOn: time.Now()}))
}

// edit changes something. Repositories move as in the service: with what is pushed and what
// is merged, and not with what else happens to a pull request.
func (w *workspace) edit() {
	slug := w.pick()
	at := 0
	if n := len(w.open[slug]); n > 0 {
		at = w.random.IntN(n)
	}
	switch what := w.random.IntN(9); {
	case what == 0:
		w.SetFile(slug, "README.md", []byte("# "+w.text()))
	case what == 1 || what == 2 && w.bare[slug]:
		w.bare[slug] = false
		w.SetFile(slug, fmt.Sprintf("services/s%d/port.yml", w.random.IntN(3)), []byte("title: "+w.text()+"\n"))
	case what == 2:
		w.bare[slug] = true
		w.RemoveFolder(slug, "services")
	case what == 3:
		w.request(slug)
	case what == 4 && w.n%3 == 0:
		w.add()
	case what == 5 && w.n%3 == 0 && len(w.slugs) > 8: // fewer than a quarter go at once
		w.RemoveRepository(slug)
		w.slugs = slices.DeleteFunc(w.slugs, func(s string) bool { return s == slug })
		delete(w.open, slug)
	case len(w.open[slug]) == 0:
		w.request(slug)
	case what <= 6:
		w.UpdatePullRequest(slug, w.open[slug][at], func(p *bitbuckettest.PullRequest) { p.Title, p.UpdatedOn = w.text(), time.Now() })
	default:
		merged := what == 7
		w.UpdatePullRequest(slug, w.open[slug][at], func(p *bitbuckettest.PullRequest) {
			if p.State, p.UpdatedOn = "DECLINED", time.Now(); merged {
				p.State = "MERGED"
			}
		})
		w.open[slug] = slices.Delete(w.open[slug], at, at+1)
		if merged {
			w.SetFile(slug, "src/main.go", []byte("package main // "+w.text()+"\n"))
		}
	}
}

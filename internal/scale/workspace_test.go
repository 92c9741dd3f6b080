package scale_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

const (
	slug  = "acme"
	token = "token-of-benchmarks"
)

// size is that of a workspace.
type size struct{ repositories, pullRequests int } // pull requests of each repository

// all is how many pull requests there are.
func (s size) all() int { return s.repositories * s.pullRequests }

// entities is how many there are of the default mapping: one project, and all in it.
func (s size) entities() int { return 1 + s.repositories + s.all() }

// workspace is a Bitbucket workspace that may be large: it keeps the repositories, in a strict
// emulator, and makes the pull requests of one of them when they are asked for, in another.
type workspace struct {
	size
	repositories *bitbuckettest.Server

	mu     sync.Mutex
	recent []*pulls // the last one asked for is the last
	wrong  []string
	served int // pull requests of the last repository, as far as pages of them were asked for
	last   func()
}

// pulls are the pull requests of one repository.
type pulls struct {
	repository string
	server     func() *bitbuckettest.Server
}

// maxRecent is how many lists are kept for their next pages.
const maxRecent = 32

func newWorkspace(s size) *workspace {
	w := &workspace{size: s, repositories: emptyWorkspace()}
	for i := range s.repositories {
		addRepository(w.repositories, i)
	}
	return w
}

func emptyWorkspace() *bitbuckettest.Server {
	s := bitbuckettest.New(slug)
	s.AllowToken(token, bitbuckettest.Access{Limit: -1, GitLimit: -1})
	s.AddProject(bitbuckettest.Project{Key: "ACME", Description: "All services", CreatedOn: began})
	return s
}

// began is when everything was made: dates do not depend on what else a server holds.
var began = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

func repositoryName(i int) string { return fmt.Sprintf("service-%05d", i) }

// addRepository adds the repository of a number, of about 4 KB in a list.
func addRepository(to *bitbuckettest.Server, i int) {
	random := rand.New(rand.NewPCG(uint64(i), 0))
	at := began.Add(time.Duration(i) * time.Minute)
	to.AddRepository(bitbuckettest.Repository{
		Name: repositoryName(i), ProjectKey: "ACME", Private: true, Language: "go", Size: 1000 + i,
		Description: prose(random, 900), CreatedOn: at, UpdatedOn: at,
		Files: map[string]string{"README.md": "# " + repositoryName(i) + "\n\n" + prose(random, 1000) + "\n"},
	})
}

// addPullRequests adds those of a repository, each of about 10 KB in a list.
func addPullRequests(to *bitbuckettest.Server, i, n int) {
	random := rand.New(rand.NewPCG(uint64(i), 1))
	for id := 1; id <= n; id++ {
		author := person(random)
		reviewers := []bitbuckettest.User{*person(random), *person(random), *person(random)}
		participants := []bitbuckettest.Participant{{User: *author, Role: "PARTICIPANT"}}
		for k, r := range reviewers {
			participants = append(participants, bitbuckettest.Participant{User: r, Approved: k == 0, ParticipatedOn: began})
		}
		at := began.Add(time.Duration(i*n+id) * time.Second)
		to.AddPullRequest(repositoryName(i), bitbuckettest.PullRequest{
			ID: id, Title: prose(random, 60), Description: prose(random, 1000), Author: author,
			Reviewers: reviewers, Participants: participants, CreatedOn: at, UpdatedOn: at.Add(time.Hour),
			SourceBranch: "feature/" + strconv.Itoa(id),
		})
	}
}

// person is one of some hundred.
func person(random *rand.Rand) *bitbuckettest.User {
	given, family := strings.Fields("Dana Kim Alex Robin Sam Chris Lee Noor Ada Max Ira Jo"), strings.Fields("Ruiz Lee Okafor Weiss Novak Silva Ahmed Berg Costa Díaz Ito Møller")
	return &bitbuckettest.User{Name: given[random.IntN(len(given))] + " " + family[random.IntN(len(family))]}
}

// prose is text of about so many bytes.
func prose(random *rand.Rand, n int) string {
	words := strings.Fields("the service reads orders from queue and writes invoices ledger payments run tests before each change deploy with values see runbook for alerts latency budget retries timeouts database schema migrations are applied at start dashboards metrics traces logs owner channel weekly release")
	var text strings.Builder
	for text.Len() < n {
		text.WriteString(words[random.IntN(len(words))])
		text.WriteByte(' ')
	}
	return strings.TrimSpace(text.String())
}

// pullRequestsOf returns the repository whose pull requests an address names.
func pullRequestsOf(path string) (repository string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/2.0/repositories/"+slug+"/")
	repository, route, _ := strings.Cut(rest, "/")
	return repository, ok && strings.HasPrefix(route, "pullrequests")
}

func (w *workspace) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	repository, ok := pullRequestsOf(r.URL.Path)
	if !ok {
		w.repositories.ServeHTTP(out, r)
		w.repositories.ResetJournal()
		return
	}
	if repository == repositoryName(w.size.repositories-1) && w.serves(r) {
		w.last()
	}
	server := w.pulls(repository)
	server.ServeHTTP(out, r)
	if wrong := server.Violations(); len(wrong) > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.wrong = append(w.wrong, wrong...)
	}
}

// serves counts the pull requests of a page of the last repository, and reports whether somebody
// waits for the last one.
func (w *workspace) serves(r *http.Request) bool {
	n, err := strconv.Atoi(r.URL.Query().Get("pagelen"))
	if err != nil {
		n = 10
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.served
	w.served += min(n, w.pullRequests)
	return w.last != nil && before < w.pullRequests && w.served >= w.pullRequests
}

// again has last called before the last page of the last repository's pull requests is answered, in
// the run that begins: results of others that wait for that page are none of it.
func (w *workspace) again(last func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.served, w.last = 0, last
}

// pulls returns the emulator that holds the pull requests of a repository.
func (w *workspace) pulls(repository string) *bitbuckettest.Server {
	w.mu.Lock()
	at := slices.IndexFunc(w.recent, func(p *pulls) bool { return p.repository == repository })
	if at < 0 {
		w.recent = append(w.recent, &pulls{repository, sync.OnceValue(func() *bitbuckettest.Server { return w.make(repository) })})
		at = len(w.recent) - 1
	}
	found := w.recent[at]
	w.recent = append(slices.Delete(w.recent, at, at+1), found)
	if len(w.recent) > maxRecent {
		w.recent = slices.Delete(w.recent, 0, 1)
	}
	w.mu.Unlock()
	return found.server()
}

func (w *workspace) make(repository string) *bitbuckettest.Server {
	s := emptyWorkspace()
	var i int
	if _, err := fmt.Sscanf(repository, "service-%d", &i); err == nil && i < w.size.repositories {
		addRepository(s, i)
		addPullRequests(s, i, w.pullRequests)
	}
	return s
}

// violations are the requests that no correct caller sends.
func (w *workspace) violations() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append(w.repositories.Violations(), w.wrong...)
}

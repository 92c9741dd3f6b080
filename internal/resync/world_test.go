package resync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/face"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
	"port-bitbucket-exporter/internal/transport"
)

// bubble runs a test in virtual time. A goroutine that a run leaves behind fails it.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// bubbleSerial is for a test that shares what it finds with its siblings.
func bubbleSerial(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// world is both services, called in process, and how to run against them.
type world struct {
	t         *testing.T
	bitbucket *bitbuckettest.Server
	port      *porttest.Server

	workspace   string
	concurrency int
	timeLimit   time.Duration
	maxRequests int        // to Bitbucket; 0 means no bound
	delays      *rand.Rand // of every answer; nil for none
	delaysMu    sync.Mutex
	// unequal lets the counts differ from what changed in Port: a lost answer, a
	// stub that was filled later.
	unequal bool
	// extract takes the place of what the first resource extracts; nil for none.
	extract kind.Extract
	// elsewhere answers requests to other hosts than Bitbucket's and Port's; nil for none.
	elsewhere http.RoundTripper
	// reword changes what Port says of a refused entity; nil leaves it.
	reword func(index int, entity map[string]any) string
	// through changes what goes to Port and comes back; nil for nothing.
	through func(http.RoundTripper) http.RoundTripper
	// violated lets the emulators be asked what a correct client never asks.
	violated bool
	// overGit reads folders and files over git.
	overGit bool
	// adjust changes the job of a run; nil for nothing.
	adjust func(*resync.Job)
}

// The blueprints of the tests: each relates to the one before it.
var blueprints = []string{
	`{"identifier":"project","title":"Project","schema":{"properties":{"name":{"type":"string"}},"required":[]},"relations":{}}`,
	`{"identifier":"repo","title":"Repository","schema":{"properties":{
		"url":{"type":"string","format":"url"},"language":{"type":"string"},"description":{"type":"string"},"private":{"type":"boolean"},
		"size":{"type":"number"},"created":{"type":"string","format":"date-time"},"readme":{"type":"string"},"raw":{"type":"object"},"tags":{"type":"array"}},"required":[]},
		"relations":{"project":{"title":"Project","target":"project","many":false,"required":false},
			"peers":{"title":"Peers","target":"repo","many":true,"required":false}}}`,
	`{"identifier":"pull","title":"Pull request","schema":{"properties":{
		"status":{"type":"string","enum":["OPEN","MERGED","DECLINED"]},"author":{"type":"string"},"reviewers":{"type":"array"}},"required":[]},
		"relations":{"repo":{"title":"Repository","target":"repo","many":false,"required":false}}}`,
	`{"identifier":"service","title":"Service","schema":{"properties":{"owner":{"type":"string"}},"required":[]},
		"relations":{"repo":{"title":"Repository","target":"repo","many":false,"required":false}}}`,
}

func newWorld(t *testing.T, b *bitbuckettest.Server) *world {
	t.Helper()
	p := porttest.New()
	p.AllowClient("client-id", "client-secret")
	b.AllowToken("workspace-token", bitbuckettest.Access{Limit: -1})
	for _, text := range blueprints {
		p.AddBlueprint(text)
	}
	return &world{t: t, bitbucket: b, port: p, workspace: "acme", concurrency: 10}
}

// acme is a workspace with some repositories: each name may say its project, as in "PAY/api".
func acme(names ...string) *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	projects := map[string]bool{}
	for _, name := range names {
		key, slug, found := strings.Cut(name, "/")
		if !found {
			key, slug = "", name
		} else if !projects[key] {
			projects[key] = true
			b.AddProject(bitbuckettest.Project{Key: key})
		}
		b.AddRepository(bitbuckettest.Repository{Name: slug, ProjectKey: key, Language: "go", Files: map[string]string{"README.md": "# " + slug}})
	}
	return b
}

// Resources of mappings.
const (
	projects = `
- kind: project
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: .key, title: .name, blueprint: '"project"', properties: {name: .name}}}}`
	repos = `
- kind: repository
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"repo"',
    properties: {url: .links.html.href, language: .language, size: .size, created: .created_on, private: .is_private}, relations: {project: .project.key}}}}`
	pulls = `
- kind: pull-request
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: '(.destination.repository.full_name|split("/")[1]) + "-" + (.id|tostring)', title: .title, blueprint: '"pull"',
    properties: {status: .state, author: .author.display_name, reviewers: '[.reviewers[].display_name]'}, relations: {repo: '.destination.repository.full_name|split("/")[1]'}}}}`
)

// mapped is a mapping of resources; those without "-" are lines of the top level.
func mapped(parts ...string) string {
	head, resources := "", ""
	for _, p := range parts {
		if strings.HasPrefix(strings.TrimSpace(p), "-") {
			resources += p
		} else {
			head += p + "\n"
		}
	}
	return head + "resources:" + resources + "\n"
}

// entity is a resource of one kind with an entity in flow style.
func entity(kind, mappings string) string {
	return "\n- kind: " + kind + "\n  selector: {query: 'true'}\n  port: {entity: {mappings: " + mappings + "}}"
}

type catalog = map[string]map[string]porttest.Entity

// result is what one run did.
type result struct {
	t             *testing.T
	report        *report.Report
	err           error
	before, after catalog
	requests      []bitbuckettest.Exchange
	writes        []porttest.Exchange // to entities
	counts        report.Counts
	deleted, kept int
}

// sync does one run, an hour after the one before, and checks that it accounts for
// all that happened.
func (w *world) sync(text string) result {
	w.t.Helper()
	return w.syncContext(context.Background(), text)
}

func (w *world) syncContext(ctx context.Context, text string) result {
	w.t.Helper()
	w.port.Age(time.Hour)
	w.port.ResetJournal()
	w.bitbucket.ResetJournal()
	start := time.Now().UTC().Truncate(time.Millisecond)
	r := result{t: w.t, report: &report.Report{Started: start}, before: w.port.Catalog()}
	r.err = resync.Run(ctx, w.job(text), r.report)
	r.after, r.requests = w.port.Catalog(), w.bitbucket.Journal()
	for _, e := range w.port.Writes() {
		if strings.Contains(e.Path, "/entities") {
			r.writes = append(r.writes, e)
		}
	}
	r.counts = r.report.Total()
	for _, b := range r.report.Blueprints {
		r.deleted, r.kept = r.deleted+b.Deleted, r.kept+b.StaleKept
	}
	w.account(r, start)
	w.traced(r)
	w.whole(r)
	if all := append(w.port.Violations(), w.bitbucket.Violations()...); len(all) > 0 && !w.violated {
		w.t.Errorf("the emulators were asked what nobody should ask: %q", all)
	}
	return r
}

func (w *world) job(text string) resync.Job {
	w.t.Helper()
	m, err := mapping.Parse("mapping.yml", []byte(text))
	if err != nil {
		w.t.Fatalf("mapping: %v\n%s", err, text)
	}
	plan, err := check.Bind(m, nil)
	if err != nil {
		w.t.Fatalf("bind: %v\n%s", err, text)
	}
	if w.extract != nil {
		plan.Resources[0].Bound.Extract = w.extract
	}
	log := slog.New(slog.DiscardHandler)
	client, err := bitbucket.New(bitbucket.Config{
		BaseURL: "http://bitbucket.test/2.0", Workspace: w.workspace, CredentialKind: "workspace access token",
		Credentials: []transport.Credential{{
			Name:         "token",
			Authorize:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer workspace-token") },
			AuthorizeGit: func(r *http.Request) { r.SetBasicAuth("x-token-auth", "workspace-token") },
		}},
		Git:  w.git(),
		Rate: transport.Rate{N: 1_000_000, Window: time.Hour}, Concurrency: w.concurrency, MaxRequests: w.maxRequests,
		UserAgent: "test", Transport: w.hosts(w.slow(w.bitbucket.RoundTripper())), Log: log,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	p := port.New(port.Config{
		BaseURL: "http://port.test", ClientID: "client-id", ClientSecret: "client-secret", Identifier: "test", Version: "1",
		Transport: w.exclusive(w.slow(w.changed(w.port.RoundTripper()))), Log: log,
	})
	start, err := p.Login(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	job := resync.Job{Bound: plan, Bitbucket: client, Port: p, Start: start, Concurrency: w.concurrency, Log: log}
	if w.timeLimit > 0 {
		job.Deadline = time.Now().Add(w.timeLimit)
	}
	if w.adjust != nil {
		w.adjust(&job)
	}
	return job
}

// git is the emulator's git host where it is used.
func (w *world) git() bitbucket.GitConfig {
	if !w.overGit {
		return bitbucket.GitConfig{}
	}
	return bitbucket.GitConfig{BaseURL: "http://bitbucket.test", Rate: transport.Rate{N: 60_000, Window: time.Hour}}
}

// identifiers are those of a bulk upsert, in order; a search query's is its JSON.
func identifiers(body []byte) []string {
	var sent struct{ Entities []map[string]json.RawMessage }
	if err := json.Unmarshal(body, &sent); err != nil {
		panic(err)
	}
	var all []string
	for _, e := range sent.Entities {
		all = append(all, strings.Trim(string(e["identifier"]), `"`))
	}
	return all
}

// traced checks that what Port refused, or failed at, is told with its trace.
func (w *world) traced(r result) {
	w.t.Helper()
	for _, p := range r.report.Problems() {
		ofPort := slices.ContainsFunc([]string{"Port refused", "Port did not take", "could not be deleted", "could not be listed"}, func(part string) bool {
			return strings.Contains(p.Text(), part)
		})
		if ofPort && p.Severity == diag.Error && !strings.Contains(p.Example, "(x-trace-id ") {
			w.t.Errorf("told without a trace: %s", p)
		}
	}
}

// account compares the report with what changed in Port.
func (w *world) account(r result, start time.Time) {
	w.t.Helper()
	for _, res := range r.report.Resources {
		if err := res.Balance(); err != nil {
			w.t.Errorf("resource %d: %v", res.Index, err)
		}
	}
	w.named(r.report)
	var sum report.Blueprint
	for _, b := range r.report.Blueprints {
		sum.Created, sum.Updated, sum.Unchanged, sum.Rejected = sum.Created+b.Created, sum.Updated+b.Updated, sum.Unchanged+b.Unchanged, sum.Rejected+b.Rejected
	}
	if c := r.counts; sum.Created != c.Created || sum.Updated != c.Updated || sum.Unchanged != c.Unchanged || sum.Rejected > c.Rejected {
		w.t.Errorf("blueprints count %+v, resources %+v", sum, c)
	}
	var created, updated, deleted int
	for b, entities := range r.after {
		for id, e := range entities {
			_, was := r.before[b][id]
			stub := e.Title == "" && len(e.Properties)+len(e.Relations) == 0
			switch {
			case e.UpdatedAt.Before(start) || !was && stub:
			case was:
				updated++
			default:
				created++
			}
		}
	}
	for b, entities := range r.before {
		for id := range entities {
			if _, there := r.after[b][id]; !there {
				deleted++
			}
		}
	}
	got, want := []int{r.counts.Created, r.counts.Updated, r.deleted}, []int{created, updated, deleted}
	if !slices.Equal(got, want) && !w.unequal {
		w.t.Errorf("the report has created, updated, deleted %v; in Port it was %v", got, want)
	}
}

// want are figures of a run: those named are compared.
type want map[string]int

// is checks figures of the run by their outputs' names.
func (r result) is(w want) result {
	r.t.Helper()
	all := want{
		"created": r.counts.Created, "updated": r.counts.Updated, "unchanged": r.counts.Unchanged, "rejected": r.counts.Rejected,
		"merged": r.counts.Merged, "extracted": r.counts.Extracted, "filtered": r.counts.Filtered, "skipped": r.counts.Skipped,
		"failed": r.counts.Failed, "deleted": r.deleted, "kept": r.kept, "requests": len(r.requests), "writes": len(r.writes),
	}
	for name, n := range w {
		got, known := all[name]
		if !known {
			r.t.Fatalf("no figure %q", name)
		}
		if got != n {
			r.t.Errorf("%s: got %d, want %d\n%s", name, got, n, r.story())
		}
	}
	return r
}

// ended checks the status of the run.
func (r result) ended(status string) result {
	r.t.Helper()
	if got := r.report.Status(); got != status {
		r.t.Errorf("status: got %s, want %s (%v)\n%s", got, status, r.err, r.story())
	}
	if failed := r.err != nil; failed != (status == report.Failed) {
		r.t.Errorf("error: got %v, want one: %v", r.err, status == report.Failed)
	}
	return r
}

func (r result) story() string {
	var b strings.Builder
	for _, p := range r.report.Problems() {
		fmt.Fprintf(&b, "  %s: %s\n", p.Severity, face.Line(p))
	}
	return b.String()
}

// problem finds the one that holds all the parts.
func (r result) problem(parts ...string) diag.Problem {
	r.t.Helper()
	for _, p := range r.report.Problems() {
		text := p.Severity.String() + ": " + face.Line(p)
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) }) {
			return p
		}
	}
	r.t.Errorf("no problem with %q:\n%s", parts, r.story())
	return diag.Problem{}
}

// heldBy checks which guard holds the deletion in a blueprint back, and how much.
func (r result) heldBy(blueprint, guard string, stale int) result {
	r.t.Helper()
	b := r.report.Blueprint(blueprint)
	if !strings.Contains(b.HeldBy, guard) || guard == "" != (b.HeldBy == "") || b.StaleKept != stale {
		r.t.Errorf("blueprint %s: held by %q, %d stale kept; want %q, %d\n%s", blueprint, b.HeldBy, b.StaleKept, guard, stale, r.story())
	}
	if guard != "" {
		r.problem("warning", guard, blueprint)
	}
	return r
}

// has checks which entities of a blueprint Port holds.
func (r result) has(blueprint string, ids ...string) result {
	r.t.Helper()
	var got []string
	for id := range r.after[blueprint] {
		got = append(got, id)
	}
	slices.Sort(got)
	slices.Sort(ids)
	if !slices.Equal(got, ids) {
		r.t.Errorf("blueprint %s: got %q, want %q\n%s", blueprint, got, ids, r.story())
	}
	return r
}

// batches are the identifiers of the upserts, in the order of the answers.
func (r result) batches(blueprint string) [][]string {
	var all [][]string
	for _, e := range r.writes {
		if e.Path == "/v1/blueprints/"+blueprint+"/entities/bulk" {
			all = append(all, identifiers(e.RequestBody))
		}
	}
	return all
}

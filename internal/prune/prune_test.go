package prune_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/prune"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
)

const ours = "port-ocean/bitbucket-cloud/1/test/exporter"

var blueprints = []string{
	`{"identifier":"team","title":"Team","schema":{"properties":{},"required":[]},"relations":{}}`,
	`{"identifier":"service","title":"Service","schema":{"properties":{"url":{"type":"string"},"level":{"type":"string","default":"low"},"tags":{"type":"array"}},"required":[]},
		"calculationProperties":{"size":{"type":"number","calculation":"1"}},
		"relations":{"team":{"title":"Team","target":"team","many":false,"required":false},"uses":{"title":"Uses","target":"service","many":true,"required":false}}}`,
	`{"identifier":"pull","title":"Pull request","schema":{"properties":{},"required":[]},"relations":{"service":{"title":"Service","target":"service","many":false,"required":false}}}`,
}

// The mapping of most cases: resource 1 gives services, resource 2 pull requests.
const services = `
createMissingRelatedEntities: false
entityDeletionThreshold: 1
resources:
- kind: repository
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"service"', relations: {team: .project.key}}}}
- kind: pull-request
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: '.destination.repository.name + "-" + (.id|tostring)', blueprint: '"pull"', relations: {service: .destination.repository.name}}}}
`

// scene is what Port holds and what a run knows, and how it is pruned.
type scene struct {
	t       *testing.T
	port    *porttest.Server
	mapping string
	known   *inventory.Inventory
	// entities are those that the run produced; the inventory has them as the scene is pruned.
	entities map[catalog.Ref]*inventory.Entity
	report   *report.Report
	failure  error
	again    func(doomed []catalog.Ref)
	adjust   func(*prune.Config)
	ctx      context.Context
}

// newScene is a run that has read both resources to their end, and produced one entity of
// each.
func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, port: porttest.New(), mapping: services, report: &report.Report{}, ctx: context.Background(), again: func([]catalog.Ref) {}}
	s.port.AllowClient("id", "secret")
	for _, text := range blueprints {
		s.port.AddBlueprint(text)
	}
	s.known, s.entities = inventory.New(1, 2), map[catalog.Ref]*inventory.Entity{}
	t.Cleanup(func() { s.known.Close() })
	for _, r := range s.known.Resources {
		r.Tasks, r.Listed, r.Extracted, r.Held = 1, true, 1, []int{1}
		r.Sources["{api}"] = source("api")
	}
	s.produce("service", "api", 1)
	s.produce("pull", "api-1", 2)
	s.known.Stored["service"], s.known.Stored["pull"] = inventory.Stored{}, inventory.Stored{}
	for i, kind := range []string{"repository", "pull-request"} {
		s.report.Resources = append(s.report.Resources, &report.Resource{
			Index: i + 1, Kind: kind, Blueprints: []string{[]string{"service", "pull"}[i]}, Listed: true, Complete: true,
		})
	}
	return s
}

func source(slug string) inventory.Source {
	text := fmt.Sprintf(`{"type":"repository","uuid":"{%[1]s}","slug":%[1]q,"name":%[1]q,"full_name":"acme/%[1]s","links":{"html":{"href":"https://bitbucket.org/acme/%[1]s"}},"project":{"key":"PAY"}}`, slug)
	return inventory.Source{Key: "{" + slug + "}", Name: slug, Read: func() ([]byte, error) { return []byte(text), nil }}
}

// produce adds an entity that Port stored and the run has updated, by entry 0 of a resource.
func (s *scene) produce(blueprint, id string, resource int) *inventory.Entity {
	e := &inventory.Entity{
		Results: []inventory.Result{{Entry: inventory.Entry{Resource: resource}, Address: "https://bitbucket.org/acme/" + id}},
		Source:  "{api}", Flags: inventory.Flags{Written: true, Counted: true, Updated: true},
	}
	s.entities[catalog.Ref{Blueprint: blueprint, Identifier: id}] = e
	s.report.Blueprint(blueprint).Updated++
	s.store(blueprint, porttest.Entity{Identifier: id})
	return e
}

// store lets Port hold an entity of ours.
func (s *scene) store(blueprint string, e porttest.Entity) {
	if e.Datasource == "" {
		e.Datasource = ours
	}
	s.port.PutEntity(blueprint, e)
}

func (s *scene) stale(blueprint string, ids ...string) {
	for _, id := range ids {
		s.store(blueprint, porttest.Entity{Identifier: id})
	}
}

// run prunes, an hour after all was written.
func (s *scene) run() {
	s.t.Helper()
	s.port.Age(time.Hour)
	bound, problems := check.Check("mapping.yml", []byte(s.mapping), nil)
	if bound == nil {
		s.t.Fatal(problems)
	}
	client := port.New(port.Config{
		BaseURL: "http://port.test", ClientID: "id", ClientSecret: "secret", Identifier: "test", Version: "1",
		Transport: s.port.RoundTripper(), Log: slog.New(slog.DiscardHandler),
	})
	began, err := client.Login(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	c := prune.Config{
		Displaced: func() string { return "" },
		Bound:     bound, Inventory: s.known, Port: client, Store: client.Entities, Schemas: port.NewSchemas(client), Report: s.report, Began: began,
		Failure: func() error { return s.failure }, Again: s.again, Deletion: reconcile.Apply,
		Selector: func(int) prune.SelectorHistory { return prune.SelectorUnknown },
	}
	if s.adjust != nil {
		s.adjust(&c)
	}
	for ref, e := range s.entities {
		if err := s.known.Entities.Keep(ref, *e); err != nil {
			s.t.Fatal(err)
		}
	}
	s.port.ResetJournal()
	prune.Run(s.ctx, c)
}

// left are the entities that Port holds, without those that the run produced.
func (s *scene) left() (left []string) {
	for blueprint, entities := range s.port.Catalog() {
		for id := range entities {
			if ref := (catalog.Ref{Blueprint: blueprint, Identifier: id}); !s.known.Entities.Produced(ref) {
				left = append(left, ref.String())
			}
		}
	}
	slices.Sort(left)
	return left
}

// trace is what tells the answers of Port apart.
var trace = regexp.MustCompile(` \(x-trace-id [^)]*\)`)

// problems are those of the report, as lines: severity, message, fix, example.
func (s *scene) problems() []string {
	var lines []string
	for _, p := range s.report.Problems() {
		line := fmt.Sprintf("%v: %s", p.Severity, p.Message)
		if p.Fix != "" {
			line += "; fix: " + p.Fix
		}
		if p.Example != "" {
			example, _, _ := strings.Cut(p.Example, " (x-trace-id")
			line += "; example: " + example
		}
		lines = append(lines, trace.ReplaceAllString(line, ""))
	}
	return lines
}

// counts are deleted and kept entities by blueprint, sorted, where there are any.
func (s *scene) counts() (counts []string) {
	for _, b := range s.report.Blueprints {
		if b.Deleted+b.StaleKept > 0 {
			counts = append(counts, fmt.Sprintf("%s: %d deleted, %d kept", b.Identifier, b.Deleted, b.StaleKept))
		}
	}
	slices.Sort(counts)
	return counts
}

// outcome is what a case expects.
type outcome struct {
	left, counts, problems []string
	settled                bool
	causes                 report.Cause
}

func (s *scene) is(want outcome) {
	s.t.Helper()
	got := outcome{left: s.left(), counts: s.counts(), problems: s.problems(), settled: s.report.Settled}
	for c := report.RejectedEntity; c <= report.Fatal; c <<= 1 {
		if s.report.Has(c) {
			got.causes |= c
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
		s.t.Errorf("(- want, + got):\n%s", diff)
	}
	if v := s.port.Violations(); len(v) > 0 {
		s.t.Errorf("Port was asked what it refuses: %q", v)
	}
}

// try runs cases, each in virtual time.
func try(t *testing.T, cases []struct {
	name   string
	change func(*scene)
	want   outcome
}) {
	t.Helper()
	t.Parallel()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				c.change(s)
				s.run()
				s.is(c.want)
			})
		})
	}
}

type cases = []struct {
	name   string
	change func(*scene)
	want   outcome
}

const (
	emptyFix = "check the workspace and what the credential may see; if everything is gone indeed, delete the entities in Port"
	gapOf    = "1 stale entities of blueprint \"service\" are not deleted: "
)

func blocked(why, fix string) string {
	line := "warning: " + gapOf + why
	if fix != "" {
		line += "; fix: " + fix
	}
	return line
}

// bounded is the fix where more would go than a setting allows.
func bounded(setting string) string {
	return "look in a plan at what would go: if that is right, raise " + setting + " for one run; if not, look for what changed in the mapping and in Bitbucket"
}

// What is stale goes, and each reason that blocks it is reported with its fix.
func TestWhatGoes(t *testing.T) {
	gone := outcome{counts: []string{"service: 1 deleted, 0 kept"}}
	kept := func(problems ...string) outcome {
		return outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: problems}
	}
	try(t, cases{
		{"nothing is stale", func(s *scene) {}, outcome{settled: true}},
		{"what is stale", func(s *scene) { s.stale("service", "old") }, gone},
		{"what the run produced, and did not write, stays", func(s *scene) {
			s.entity("service", "api").Written = false
		}, outcome{settled: true}},
		{"an entity of others stays", func(s *scene) {
			s.store("service", porttest.Entity{Identifier: "theirs", Datasource: "someone"})
		}, outcome{left: []string{"service/theirs"}, settled: true}},
		{"the run failed", func(s *scene) { s.stale("service", "old"); s.failure = errors.New("boom") }, kept(blocked("the run failed: boom", ""))},
		{"nothing is stale, and the run failed", func(s *scene) { s.failure = errors.New("boom") }, outcome{}},
		{"the time limit", func(s *scene) { s.stale("service", "old"); s.report.Mark(report.TimeLimit) },
			outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: []string{blocked("the time limit was reached", "")}, causes: report.TimeLimit}},
		{"the time limit in the second reading", func(s *scene) {
			s.stale("service", "old")
			s.again = func([]catalog.Ref) { s.report.Mark(report.TimeLimit) }
		}, outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: []string{blocked("the time limit was reached", "")}, causes: report.TimeLimit}},
		{"a gap that the second reading finds", func(s *scene) {
			s.stale("service", "old")
			s.again = func(doomed []catalog.Ref) {
				if len(doomed) != 1 || doomed[0].Identifier != "old" {
					s.t.Errorf("got %v doomed, want service/old", doomed)
				}
				s.known.Resources[0].Miss("a list that moved")
			}
		}, kept(blocked("a list that moved", ""))},
		{"a stand-in mapping", func(s *scene) {
			s.stale("service", "old")
			s.adjust = func(c *prune.Config) { c.StandIn = true }
		}, kept(blocked("the built-in default mapping ran instead of one that is not known: none is given, and Port stores none",
			"give the mapping that made them as the input mapping or mapping_file; where the default one is meant, give examples/default-mapping.yml"))},
		{"a gap of the resource", func(s *scene) { s.stale("service", "old"); s.known.Resources[0].Miss("not read") }, kept(blocked("not read", ""))},
		{"a gap of another resource", func(s *scene) { s.stale("service", "old"); s.known.Resources[1].Miss("not read") }, gone},
		{"a rejected entity without a name", func(s *scene) { s.stale("service", "old"); s.known.Resources[0].Unnamed = "no name" }, kept(blocked("no name", ""))},
		{"a source that may have produced it", func(s *scene) {
			s.stale("service", "old")
			s.known.Resources[0].MissSource(inventory.Gap{Source: source("old"), Why: "old was not read", Fix: "leave it out"})
		}, kept(blocked("old was not read", "leave it out"))},
		{"no entity of the resource is held", func(s *scene) {
			s.stale("service", "old")
			s.known.Resources[0].Held[0] = 0
		}, kept(blocked("Port holds no entity that resource 1 (repository) gave in this run",
			"check the selector and the identifier: the counts of the resource say what became of its objects"))},
		{"deletion is report", func(s *scene) {
			s.stale("service", "old")
			s.adjust = func(c *prune.Config) { c.Deletion = reconcile.Report }
		}, kept(blocked(`the input deletion is "report"; with "apply" they would go`, ""))},
		{"too many by max_deletions", func(s *scene) {
			s.stale("service", "old")
			none := 0
			s.adjust = func(c *prune.Config) { c.MaxDeletions = &none }
		}, kept(blocked("1 entities are stale, more than the input max_deletions of 0 allows", bounded("max_deletions")))},
		{"too many by the threshold", func(s *scene) {
			s.stale("service", "old")
			s.mapping = strings.Replace(s.mapping, "Threshold: 1", "Threshold: 0.3", 1)
		}, kept(blocked("1 of 3 entities are stale, more than the entityDeletionThreshold of 0.3 allows", bounded("entityDeletionThreshold")))},
		{"as many as the threshold allows", func(s *scene) {
			s.stale("service", "old")
			s.mapping = strings.Replace(s.mapping, "Threshold: 1", "Threshold: 0.34", 1)
		}, gone},
		{"a produced entity counts once among ours, listed or not", func(s *scene) {
			s.stale("service", "old")
			s.entity("service", "api").Written = false
			s.mapping = strings.Replace(s.mapping, "Threshold: 1", "Threshold: 0.3", 1)
		}, kept(blocked("1 of 3 entities are stale, more than the entityDeletionThreshold of 0.3 allows", bounded("entityDeletionThreshold")))},
		{"deletion is never", func(s *scene) {
			s.stale("service", "old")
			s.adjust = func(c *prune.Config) {
				c.Deletion, c.Reconciling = reconcile.Never, func() { s.t.Error("stale entities were looked for") }
			}
		}, outcome{left: []string{"service/old"}, problems: []string{`notice: stale entities were not looked for: the input deletion is "never"`}}},
		{"the run has ended", func(s *scene) {
			s.stale("service", "old")
			ctx, cancel := context.WithCancel(s.ctx)
			cancel()
			s.ctx = ctx
		}, outcome{left: []string{"service/old"}}},
	})
}

// Where Port's list cannot be read, nothing goes; where it has none, blueprints are searched.
func TestPortsList(t *testing.T) {
	const route = "/v1/blueprints/entities/datasource-entities"
	list := func(status, nth int) func(s *scene) {
		return func(s *scene) {
			s.stale("service", "old")
			s.port.Fault(porttest.Fault{Path: route, Status: status, Nth: nth, Times: -1})
		}
	}
	unlisted := func(severity, fix, words string) outcome {
		want := outcome{left: []string{"service/old"}, problems: []string{severity + ": what Port owns could not be listed: nothing is deleted; fix: " + fix + "; example: " + words}}
		if severity == "error" {
			want.causes = report.Undelivered
		}
		return want
	}
	searched := outcome{counts: []string{"service: 1 deleted, 0 kept"}, problems: []string{"notice: Port does not list a whole data source any more: the blueprints of the mapping were searched"}}
	try(t, cases{
		{"404", list(404, 1), searched},
		{"410", list(410, 1), searched},
		{"403", list(403, 1), unlisted("warning", "give Port's credential the role admin, or delete stale entities in Port", "list entities of this data source: POST "+route+": 403 Forbidden")},
		{"400", list(400, 1), unlisted("error", "run again", "list entities of this data source: POST "+route+": 400 Bad Request")},
		{"a blueprint that is not there is passed over", func(s *scene) {
			list(404, 1)(s)
			s.known.Stored["absent"] = inventory.Stored{Absent: true}
		}, searched},
		{"nothing is stale by searches alone: not settled", func(s *scene) {
			s.port.Fault(porttest.Fault{Path: route, Status: 404, Times: -1})
		}, outcome{problems: searched.problems}},
		{"a page that comes twice", func(s *scene) {
			s.stale("service", "old")
			s.entity("service", "api").Written = false
			s.mapping = strings.Replace(s.mapping, "Threshold: 1", "Threshold: 0.3", 1)
			s.port.Fault(porttest.Fault{Path: route, Rewrite: twice})
		}, outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"},
			problems: []string{blocked("1 of 3 entities are stale, more than the entityDeletionThreshold of 0.3 allows", bounded("entityDeletionThreshold"))}}},
	})
}

// twice repeats the entities of an answer in it.
func twice(body []byte) []byte {
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		panic(err)
	}
	entities := answer["entities"].([]any)
	answer["entities"] = slices.Concat(entities, entities)
	out, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return out
}

// Reconciling is called once, before Port's list is read.
func TestReconciling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		calls := 0
		s.adjust = func(c *prune.Config) {
			c.Reconciling = func() {
				calls++
				for _, e := range s.port.Journal() {
					if strings.Contains(e.Path, "datasource-entities") {
						t.Error("called after the list was read")
					}
				}
			}
		}
		if s.run(); calls != 1 {
			t.Errorf("called %d times, want once", calls)
		}
	})
}

package faultmatrix_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// scene is what a run finds.
type scene struct {
	name      string
	env       map[string]string
	workspace func() *bitbuckettest.Server
	// organization is made before all combinations.
	organization snapshot
	github       bool
	// varies is set where what a run asks depends on which resource is the first: files
	// may come by with the folders.
	varies bool
	// part says which combinations are tried; nil for all.
	part func(i int, u use) bool
	// meanwhile is what somebody else does in Port while the run goes on, once: it
	// deletes an entity.
	meanwhile func(*porttest.Server, *http.Request) bool
}

// snapshot is what an organization of Port holds.
type snapshot struct {
	blueprints []string
	entities   []porttest.Entity
	record     map[string]any // of the integration; nil for none
}

func (s snapshot) server() *porttest.Server {
	p := porttest.New()
	for _, text := range s.blueprints {
		p.AddBlueprint(text)
	}
	for _, e := range s.entities {
		p.PutEntity(e.Blueprint, e)
	}
	if s.record != nil {
		p.PutIntegration(identifier, s.record)
	}
	return p
}

// world makes the scene anew.
func (s *scene) world(t testing.TB) *world {
	w := newWorld(t, s.workspace(), s.organization.server(), s.env)
	if s.github {
		w.github()
	} else {
		w.pipeline()
	}
	if s.meanwhile != nil {
		w.network.before = func(req *http.Request) {
			if req.URL.Host == portHost && w.network.others.Load() == 0 && s.meanwhile(w.port, req) {
				w.network.others.Add(1)
			}
		}
	}
	return w
}

var (
	//go:embed testdata/grown.yml
	grownMapping string
	//go:embed testdata/blueprints.json
	grownBlueprints []byte
)

// scenes are all that there are. Of the first, all combinations are tried; the others
// differ in what the mapping comes from and in what is rejected, and a part of their
// combinations does.
func scenes(t *testing.T) []*scene {
	grown, stored, fresh := grown(t), stored(t), fresh()
	stored.part = func(i int, u use) bool { return i%6 == 0 || u.path == recordRoute || u.path == upsertRoute }
	fresh.part = func(i int, u use) bool { return i%3 == 0 || strings.HasPrefix(u.path, "/v1/blueprints") }
	return []*scene{grown, stored, fresh, grownOver(t, "auto"), grownOver(t, "git"), withoutFilters(t), furtherKinds(t), sharedLists(t), consumed(t)}
}

// grownOver is grown with its folders and files over git. All faults fall on git's routes, and
// a part of them on the others: those that only git alone or only REST has lie there.
func grownOver(t *testing.T, reader string) *scene {
	s := grown(t)
	s.name, s.env = "grown, reader "+reader, maps.Clone(s.env)
	s.env["SOURCE_READER"] = reader
	s.part = func(i int, u use) bool { return u.overGit() || i%12 == 0 && u.service == ofBitbucket }
	return s
}

// consumed is grown with the access tokens of an OAuth consumer, which end so soon that a run has
// several. The faults fall on the route that gives them.
func consumed(t *testing.T) *scene {
	s := grownOver(t, "auto")
	s.name = "consumer"
	s.env["BITBUCKET_WORKSPACE_TOKEN"], s.env["BITBUCKET_CLIENT_ID"], s.env["BITBUCKET_CLIENT_SECRET"] = "", consumerID, consumerHush
	s.part = func(_ int, u use) bool { return u.path == bitbuckettest.TokenRoute }
	return s
}

// withoutFilters is the same with git alone, where whole commits come.
func withoutFilters(t *testing.T) *scene {
	s := grownOver(t, "git")
	s.name, s.varies = "grown, reader git, no filters", true
	s.part = func(_ int, u use) bool { return u.overGit() }
	s.workspace = func() *bitbuckettest.Server {
		b := grow(young())
		b.Configure(bitbuckettest.Options{Git: gitwiretest.Options{NoFilter: true, Deltas: gitwiretest.OfsDeltas}})
		return b
	}
	return s
}

// grown is a workspace that has changed since the last run, with a mapping that uses
// all that the program can read. Nothing of it is rejected.
func grown(t *testing.T) *scene {
	s := &scene{
		name: "grown", github: true,
		env:       map[string]string{"MAPPING": grownMapping, "PUBLISH_MAPPING": "always", "SEND_RAW_DATA_EXAMPLES": "false"},
		workspace: func() *bitbuckettest.Server { return grow(young()) },
		meanwhile: func(p *porttest.Server, req *http.Request) bool {
			return strings.HasSuffix(req.URL.Path, "/pullRequest/bulk/entities/delete") && p.RemoveEntity("pullRequest", "legacy-2")
		},
	}
	s.organization.blueprints = blueprints(t, nil)
	s.runBefore(t, young)
	s.organization.record = map[string]any{
		"version": "0.0.9", "config": map[string]any{"resources": []any{}},
		"resyncState": map[string]any{"status": "running", "lastResyncStart": "1999-12-31T00:00:00Z"},
	}
	return s
}

// stored is grown with its mapping in Port, two credentials, and a repository that
// Port does not take, since it has no README.
func stored(t *testing.T) *scene {
	s := &scene{
		name:      "stored",
		env:       map[string]string{"BITBUCKET_WORKSPACE_TOKEN": token + "," + secondToken, "SEND_RAW_DATA_EXAMPLES": "false"},
		workspace: func() *bitbuckettest.Server { return grow(young()) },
	}
	s.organization.blueprints = blueprints(t, map[string][]string{"repository": {"readme"}})
	var config map[string]any
	if err := yaml.Unmarshal([]byte(strings.Replace(grownMapping, "createMissingRelatedEntities: false", "createMissingRelatedEntities: true", 1)), &config); err != nil {
		t.Fatal(err)
	}
	s.organization.record = map[string]any{"version": app.Version(), "config": config}
	s.runBefore(t, young)
	return s
}

// fresh is the first run: Port knows neither the integration nor a blueprint, and the
// default mapping makes identifiers of names, not all of which are any.
func fresh() *scene {
	return &scene{name: "fresh", github: true, workspace: young}
}

// blueprints are those of the mapping, some with properties that are required.
func blueprints(t *testing.T, required map[string][]string) (texts []string) {
	var all []map[string]any
	if err := json.Unmarshal(grownBlueprints, &all); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if names := required[b["identifier"].(string)]; names != nil {
			b["schema"].(map[string]any)["required"] = names
		}
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// runBefore fills the organization with what a run over the workspace of that time made,
// with what others have made there, and with what is stale for more than one reason.
func (s *scene) runBefore(t *testing.T, workspace func() *bitbuckettest.Server) {
	s.fill(t, workspace, func(w *world) {
		ours := w.port.Entities("project")[0].Datasource
		w.port.PutEntity("retired", porttest.Entity{Identifier: "gone", Datasource: ours})
		w.port.PutEntity("page", porttest.Entity{Identifier: "ledger/CHANGES.md", Datasource: ours})
		w.port.PutEntity("project", porttest.Entity{Identifier: "by-hand", Title: "Made by hand"})
		w.port.PutEntity("repository", porttest.Entity{
			Identifier: "of-another-integration", Datasource: "port-ocean/bitbucket-cloud/1.0.0/another/exporter",
			Properties: map[string]any{"note": "not ours"},
		})
		checkout := w.port.Catalog()["repository"]["checkout"]
		checkout.Properties["note"] = "written by hand"
		w.port.PutEntity("repository", checkout)
	})
}

// fill fills the organization with what a run over the workspace of that time made, and with what
// others have done since.
func (s *scene) fill(t *testing.T, workspace func() *bitbuckettest.Server, others func(*world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, workspace(), s.organization.server(), s.env)
		if r := w.run(); r.exit != 0 {
			t.Fatalf("the run before ended with %d, %s:\n%s%s", r.exit, r.report.Status, r.stdout, r.stderr)
		}
		others(w)
		w.port.Age(time.Hour)
		for _, of := range w.port.Catalog() {
			s.organization.entities = slices.AppendSeq(s.organization.entities, maps.Values(of))
		}
	})
	slices.SortFunc(s.organization.entities, func(a, b porttest.Entity) int {
		return strings.Compare(a.Blueprint+"/"+a.Identifier, b.Blueprint+"/"+b.Identifier)
	})
}

// young is the workspace at the time of the run before.
func young() *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	for _, key := range []string{"PAY", "PLAT", "DATA", "OPS", "OLD"} {
		b.AddProject(bitbuckettest.Project{Key: key, Name: "Project " + key, Description: "what " + key + " does"})
	}
	for _, r := range []bitbuckettest.Repository{
		{Name: "checkout", ProjectKey: "PAY", Files: services("api", "web", "worker", "cron")},
		{Name: "gateway", ProjectKey: "PLAT", Files: services("edge", "dns")},
		{Name: "ledger", ProjectKey: "PAY", Files: services("books")},
		{Name: "Data Lake", ProjectKey: "DATA", Files: services("ingest"), NoTarget: true},
		{Name: "sandbox", ProjectKey: "OPS"},
		{Name: "website", ProjectKey: "OPS", Files: services("shop"), MainBranch: "release/2.x"},
		{Name: "legacy", ProjectKey: "OLD", Files: services("mainframe")},
	} {
		b.AddRepository(r)
	}
	b.AddBranch("gateway", "release/1.x")
	author := bitbuckettest.User{Name: "Dana Ruiz"}
	for slug, n := range map[string]int{"checkout": 5, "gateway": 4, "ledger": 1, "data-lake": 1, "legacy": 3} {
		for i := range n {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{
				Title: fmt.Sprintf("Change %d of %s", i+1, slug), Author: &author, Reviewers: []bitbuckettest.User{{Name: "Mei Tanaka"}},
				CreatedOn: day(i), UpdatedOn: day(i),
			})
		}
	}
	return b
}

// services are the files of a repository in which there are some.
func services(names ...string) map[string]string {
	files := map[string]string{"README.md": "# A repository\n", "run.sh": "#!/bin/sh\nexec run\n", "OWNERS": "everybody\n"}
	for i, name := range names {
		files["services/"+name+"/service.yml"] = fmt.Sprintf("name: %s\ntier: %d\n", name, i+1)
		if i%2 == 0 {
			files["services/"+name+"/OWNERS"] = "team of " + name + "\n"
		}
	}
	return files
}

// day gives dates that do not depend on the order of a map.
func day(i int) time.Time { return time.Date(2026, time.November, 1+i, 9, 0, 0, 0, time.UTC) }

// grow is what has happened since: things are new, changed and gone, of every kind.
func grow(b *bitbuckettest.Server) *bitbuckettest.Server {
	b.RemoveRepository("legacy")
	b.RemoveProject("OLD")
	b.AddProject(bitbuckettest.Project{Key: "WEB", Name: "Project WEB"})
	b.UpdateProject("PAY", func(p *bitbuckettest.Project) { p.Description = "cards and wallets" })
	b.AddRepository(bitbuckettest.Repository{Name: "refunds", ProjectKey: "WEB", Files: map[string]string{
		"README.md": "# Refunds\n", "services/refunder/service.yml": "name: refunder\ntier: 1\n",
	}})
	b.UpdateRepository("website", func(r *bitbuckettest.Repository) { r.ProjectKey = "WEB" })
	b.SetFile("checkout", "README.md", []byte("# Checkout, with a new text\n"))
	b.SetFile("checkout", "services/api/service.yml", []byte("name: api\ntier: 3\n"))
	b.SetFile("gateway", "services/edge/OWNERS", []byte("another team\n"))
	b.RemoveFile("gateway", "services/dns/service.yml")
	b.UpdatePullRequest("checkout", 2, func(p *bitbuckettest.PullRequest) { p.Title, p.UpdatedOn = "Another title", day(9) })
	b.UpdatePullRequest("gateway", 1, func(p *bitbuckettest.PullRequest) { p.State = "MERGED" })
	b.AddPullRequest("refunds", bitbuckettest.PullRequest{Title: "The first one", CreatedOn: day(3), UpdatedOn: day(3)})
	return b
}

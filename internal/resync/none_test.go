package resync_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

// the entities of what a repository has at some paths, in a blueprint
const fromRepository = `{identifier: '.__repository.slug + "/" + (.uuid | gsub("[{}]"; ""))', blueprint: '"%s"', properties: {%s}}`

func blueprintOf(identifier string) string {
	return `{"identifier": "` + identifier + `", "title": "x", "schema": {"properties": {"name": {"type": "string"}}, "required": []}, "relations": {}}`
}

// twoWithPipelines are repositories with environments, and deployments and pipelines.
func twoWithPipelines() *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	for _, slug := range []string{"payments", "web"} {
		b.AddRepository(bitbuckettest.Repository{Name: slug, Files: map[string]string{"a": "b"}})
		b.AddEnvironment(slug, bitbuckettest.Environment{Name: "Production"})
		b.AddEnvironment(slug, bitbuckettest.Environment{Name: "Staging"})
		for range 2 {
			b.AddPipeline(slug, bitbuckettest.Pipeline{CreatedOn: time.Now()})
			b.AddDeployment(slug, bitbuckettest.Deployment{Environment: "Production", StartedOn: time.Now().Add(-time.Hour)})
		}
	}
	return b
}

// A repository with deployments has environments: that it has none, once or twice, says nothing of its
// deployments.
func TestNoEnvironmentsOfDeployments(t *testing.T) {
	t.Parallel()
	for _, environments := range []string{"", "environment"} {
		for _, times := range []int{1, -1} {
			t.Run(fmt.Sprint(environments, times), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t, twoWithPipelines())
					w.unequal = true
					w.port.AddBlueprint(blueprintOf("deployed"))
					w.port.AddBlueprint(blueprintOf("environment"))
					text := mapped(entity("deployment", fmt.Sprintf(fromRepository, "deployed", "name: .environment.name")))
					if environments != "" {
						text = mapped(entity("environment", fmt.Sprintf(fromRepository, "environment", "name: .name"))) + strings.TrimPrefix(text, "resources:")
					}
					w.sync(text).ended(report.Success)
					w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/web/environments/", Status: http.StatusNotFound, Times: times})
					r := w.sync(text).ended(report.Partial)
					if got := len(r.after["deployed"]); got != 4 {
						t.Errorf("got %d deployments, want 4\n%s", got, r.story())
					}
					r.problem("list environments of repository \"web\": Bitbucket answers 404, as if there were none, and lists deployments to some", "map nothing of .environment but its uuid")
				})
			})
		}
	}
}

// That a repository has no such list is known to each resource that reads it, in this run and in
// later ones that have it in memory: an answer that comes once deletes nothing of any of them.
func TestListThatIsNotThereForTwo(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"environment", "pipeline"} {
		for _, remembers := range []bool{false, true} {
			t.Run(fmt.Sprint(name, remembers), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t, twoWithPipelines())
					w.unequal = true
					w.port.AddBlueprint(blueprintOf("one"))
					w.port.AddBlueprint(blueprintOf("other"))
					if remembers {
						w.remembers(0)
					}
					text := mapped(entity(name, fmt.Sprintf(fromRepository, "one", "name: .name")), entity(name, fmt.Sprintf(fromRepository, "other", "name: .name")))
					w.sync(text).ended(report.Success).is(want{"created": 8})
					route := "/repositories/acme/web/" + name + "s/"
					w.bitbucket.Fault(bitbuckettest.Fault{Path: route, Status: http.StatusNotFound})
					w.sync(text).ended(report.Partial).is(want{"deleted": 0})
					w.sync(text).ended(report.Success).is(want{"deleted": 0})
					w.bitbucket.SwitchPipelinesOff("web")
					w.sync(text).ended(report.Success).is(want{"deleted": 4})
				})
			})
		}
	}
}

// A repository whose pipelines are off says so by 404: what Port holds of them goes, after one more
// request. A 404 that does not come twice deletes nothing, and is told.
func TestListThatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		change  func(b *bitbuckettest.Server)
		status  string
		deleted int
		asked   int // for lists of pipelines
	}{
		{"unchanged", func(*bitbuckettest.Server) {}, report.Success, 0, 2},
		{"off", func(b *bitbuckettest.Server) { b.SwitchPipelinesOff("web") }, report.Success, 3, 3}, // with the repository that was made for the relation
		{"once", func(b *bitbuckettest.Server) {
			b.Fault(bitbuckettest.Fault{Path: "/repositories/acme/web/pipelines/", Status: http.StatusNotFound})
		}, report.Partial, 0, 3},
		{"off, and the repositories cannot be listed again", func(b *bitbuckettest.Server) {
			b.SwitchPipelinesOff("web")
			b.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Nth: 2, Times: -1, Status: http.StatusForbidden})
		}, report.Partial, 0, 2},
		{"off for long, and others are too old", func(b *bitbuckettest.Server) {
			b.AddRepository(bitbuckettest.Repository{Name: "old"})
			b.SwitchPipelinesOff("old")
			b.UpdatePipeline("payments", 1, func(p *bitbuckettest.Pipeline) { p.CreatedOn = p.CreatedOn.AddDate(-1, 0, 0) })
		}, report.Success, 1, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, bitbuckettest.New("acme"))
				for _, text := range append(porttest.DefaultBlueprints(), strings.TrimSuffix(strings.TrimPrefix(readFile(exampleKinds+"pipeline.json"), "[\n"), "]\n")) {
					w.port.AddBlueprint(text)
				}
				for _, slug := range []string{"payments", "web"} {
					w.bitbucket.AddRepository(bitbuckettest.Repository{Name: slug, Files: map[string]string{"a": "b"}})
					for range 2 {
						w.bitbucket.AddPipeline(slug, bitbuckettest.Pipeline{CreatedOn: time.Now()})
					}
				}
				text := readFile(exampleKinds + "pipeline.yml")
				w.sync(text).ended(report.Success).is(want{"created": 4})
				w.port.Age(time.Hour)
				tt.change(w.bitbucket)
				w.bitbucket.ResetJournal()
				r := w.sync(text).ended(tt.status).is(want{"deleted": tt.deleted})
				asked := 0
				for _, x := range w.bitbucket.Journal() {
					if strings.HasSuffix(x.Path, "/pipelines/") {
						asked++
					}
				}
				if asked != tt.asked {
					t.Errorf("got %d requests for pipelines, want %d", asked, tt.asked)
				}
				if tt.name == "once" {
					r.problem(`repository "web" answered 404, as one that has none, and asked once more: it has some`)
				}
			})
		})
	}
}

package resync_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

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

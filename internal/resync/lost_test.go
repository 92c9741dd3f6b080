package resync_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// When the temporary file is cut while a run goes on, what it can no longer compare is written
// as if it had changed, all is counted once, and nothing is deleted. The test is not parallel,
// since it sets where temporary files are made.
func TestTemporaryFileIsCut(t *testing.T) {
	skipShort(t)
	const n = 500
	var schema, wide []string // so that digests fill more than what waits in memory
	for i := range 20 {
		schema = append(schema, fmt.Sprintf(`"p%d":{"type":"string"}`, i))
		wide = append(wide, fmt.Sprintf("p%d: .key", i))
	}
	m := mapped(entity("project", `{identifier: .key, title: .name, blueprint: '"wide"', properties: {`+strings.Join(wide, ", ")+`}}`),
		entity("project", `{identifier: .key, blueprint: '"wide"', properties: {q: .key}}`))
	for _, c := range []struct {
		name      string
		resource  int // the file is cut in
		parts     int // after so many parts of it
		unchanged int // that are known to be so
	}{
		{"what Port stored", 1, 2, 50},
		{"what the run has produced", 2, 1, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			synctest.Test(t, func(t *testing.T) {
				b := bitbuckettest.New("acme")
				for i := range n {
					b.AddProject(bitbuckettest.Project{Key: fmt.Sprintf("P%04d", i)})
				}
				w := newWorld(t, b)
				w.port.AddBlueprint(blueprint("wide", strings.Join(schema, ",")+`,"q":{"type":"string"}`))
				w.sync(m).ended(report.Success).is(want{"created": n, "merged": n})
				w.sync(m).ended(report.Success).is(want{"unchanged": n, "merged": n, "writes": 0})
				w.port.PutEntity("wide", porttest.Entity{Identifier: "old", Datasource: ours})
				w.unequal = true
				parts := 0
				w.adjust = func(j *resync.Job) {
					j.Watch.Resource = func(of *report.Resource, _ bool) {
						if of.Index != c.resource {
							return
						}
						if parts++; parts == c.parts {
							cut(t)
						}
					}
				}
				r := w.sync(m).is(want{"merged": n, "deleted": 0, "kept": 1})
				if got := r.counts.Unchanged + r.counts.Updated; got != n || r.counts.Unchanged < c.unchanged || len(r.writes) == 0 {
					t.Errorf("got %d unchanged and %d updated in %d writes, want %d in all, and %d unchanged or more", r.counts.Unchanged, r.counts.Updated, len(r.writes), n, c.unchanged)
				}
				if p := r.problem("could not be read again from its temporary file: nothing is deleted"); p.Fix == "" || p.Example == "" {
					t.Errorf("got fix %q, example %q", p.Fix, p.Example)
				}
				r.heldBy("wide", "could not be read again", 1)
				w.adjust = nil
				w.sync(m).ended(report.Success).is(want{"unchanged": n, "merged": n, "deleted": 1, "writes": 1})
			})
		})
	}
}

// cut empties the temporary files.
func cut(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got the temporary files %q, %v, want one", files, err)
	}
	for _, f := range files {
		if err := os.Truncate(f, 0); err != nil {
			t.Fatal(err)
		}
	}
}

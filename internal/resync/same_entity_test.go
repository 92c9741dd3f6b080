package resync_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

func numbered(n int) *bitbuckettest.Server {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("P%d/r%02d", i%3, i))
	}
	return acme(names...)
}

// The last result in list order wins whatever the network does, and the counts do
// not depend on it.
func TestCollisionLastOneWins(t *testing.T) {
	t.Parallel()
	// 90 objects give 25 identifiers: some collide within a batch, some with one under way.
	m := mapped(entity("repository", `{identifier: '"r" + (.slug[1:]|tonumber % 25|tostring)', title: .slug, blueprint: '"repo"', relations: {project: .project.key}}`))
	for _, concurrency := range []int{1, 10, 50} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%d requests at once, delays %d", concurrency, seed), func(t *testing.T) {
				if seed > 0 {
					skipShort(t)
				}
				bubble(t, func(t *testing.T) {
					w := newWorld(t, numbered(90))
					w.concurrency = concurrency
					w.delays = rand.New(rand.NewPCG(seed, 0))
					check := func(r result, title func(i int) string) {
						for i := range 25 {
							last := i + 75
							if last >= 90 {
								last = i + 50
							}
							id := fmt.Sprintf("r%d", i)
							if got, want := r.after["repo"][id].Title, title(last); got != want {
								t.Errorf("title of %s: got %s, want %s", id, got, want)
							}
						}
					}
					slug := func(i int) string { return fmt.Sprintf("r%02d", i) }
					r := w.sync(m).ended(report.Success).is(want{"created": 25, "merged": 65, "updated": 0})
					check(r, slug)
					p := r.problem("warning", "different objects give the same identifier", "the last one wins", "mapping.yml")
					if got, want := p.Example, `"r0" from https://bitbucket.org/acme/r00 and from https://bitbucket.org/acme/r25`; got != want || p.Count != 65 {
						t.Errorf("example, count: got %s, %d; want %s, 65", got, p.Count, want)
					}
					w.sync(m).is(want{"writes": 0, "unchanged": 25, "merged": 65})
					changed := mapped(entity("repository", `{identifier: '"r" + (.slug[1:]|tonumber % 25|tostring)', title: '"new " + .slug', blueprint: '"repo"'}`))
					r = w.sync(changed).is(want{"updated": 25, "merged": 65})
					check(r, func(i int) string { return "new " + slug(i) })
				})
			})
		}
	}
}

// More entities change than can wait: what has gone out early is put right.
func TestCollisionBeyondWhatWaits(t *testing.T) {
	skipShort(t)
	bubble(t, func(t *testing.T) {
		b := bitbuckettest.New("acme")
		for i := range 1050 {
			b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%04d", i)})
		}
		w := newWorld(t, b)
		w.delays = rand.New(rand.NewPCG(1, 1))
		// the first and the last object collide, with more than a thousand between them
		m := func(title string) string {
			return mapped(entity("repository", `{identifier: 'if .slug == "r1049" then "r0000" else .slug end', title: '`+title+`', blueprint: '"repo"', properties: {readme: '"x" * 10000'}}`))
		}
		w.sync(m(".slug")).is(want{"created": 1049, "merged": 1})
		keep := `if .slug == "r1049" then .slug else "new " + .slug end` // what Port holds of r0000 is right already
		r := w.sync(m(keep)).ended(report.Success)
		if got, want := r.after["repo"]["r0000"].Title, "r1049"; got != want {
			t.Errorf("title: got %s, want %s", got, want)
		}
	})
}

// Dropped results leave the room that they took: many large ones in a row.
func TestCollisionsOfLargeEntities(t *testing.T) {
	skipShort(t)
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(60))
		m := func(text string) string {
			return mapped(entity("repository", `{identifier: '"one"', title: .slug, blueprint: '"repo"', properties: {readme: '"`+text+`" * 100000'}}`))
		}
		w.sync(m("abcd")).is(want{"created": 1, "merged": 59})
		r := w.sync(m("efgh")).ended(report.Success).is(want{"updated": 1, "merged": 59})
		if got, want := r.after["repo"]["one"].Title, "r59"; got != want {
			t.Errorf("title: got %s, want %s", got, want)
		}
	})
}

func TestEnrichment(t *testing.T) {
	t.Parallel()
	first := `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {language: .language}}`
	second := `{identifier: .slug, title: '"second " + .name', blueprint: '"repo"', properties: {private: .is_private}}`
	for _, c := range []struct {
		name, mapping string
	}{
		{"two resources", mapped(entity("repository", first), entity("repository", second))},
		{"one resource", mapped(entity("repository", "["+first+", "+second+"]"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, numbered(40))
				w.delays = rand.New(rand.NewPCG(7, 7))
				// An entity counts once; each of its two results fills two batches of 20.
				r := w.sync(c.mapping).ended(report.Success).is(want{"extracted": 80, "created": 40, "merged": 40, "writes": 4})
				for id, e := range r.after["repo"] {
					if e.Properties["language"] != "go" || e.Properties["private"] != false || e.Title != "second "+id {
						t.Errorf("%s: got %v, title %q; want both parts, the title of the second", id, e.Properties, e.Title)
					}
				}
			})
		})
	}
}

func TestEnrichmentCountsOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(30))
		m := mapped(
			entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"'}`),
			entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {language: .language}}`))
		w.sync(m).is(want{"created": 30, "merged": 30})
		w.bitbucket.UpdateRepository("r07", func(r *bitbuckettest.Repository) { r.Language = "rust" })
		r := w.sync(m).is(want{"updated": 1, "unchanged": 29, "merged": 30, "writes": 1})
		one, two := r.report.Resources[0].Counts, r.report.Resources[1].Counts
		if one.Unchanged != 29 || one.Merged != 1 || two.Updated != 1 || two.Merged != 29 {
			t.Errorf("got %+v and %+v; want the changed entity counted by the resource that changed it", one, two)
		}
	})
}

// Who creates a related entity that is missing must not depend on the network.
func TestRelatedEntitiesSameAtAnyConcurrency(t *testing.T) {
	t.Parallel()
	m := mapped(
		entity("repository", `[{identifier: .slug, title: .name, blueprint: '"repo"', relations: {project: .project.key, peers: '["r00", "r" + (.size|tostring)]'}},
    {identifier: .project.key, title: .project.name, blueprint: '"project"'}]`), pulls)
	var known []want
	for i, concurrency := range []int{1, 10, 50} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%d requests at once, delays %d", concurrency, seed), func(t *testing.T) {
				bubbleSerial(t, func(t *testing.T) {
					b := numbered(45)
					for i := range 45 {
						b.AddPullRequest(fmt.Sprintf("r%02d", i), bitbuckettest.PullRequest{Title: "x"})
						b.UpdateRepository(fmt.Sprintf("r%02d", i), func(r *bitbuckettest.Repository) { r.Size = 10 + (i*37)%35 })
					}
					w := newWorld(t, b)
					w.concurrency, w.unequal = concurrency, true
					w.delays = rand.New(rand.NewPCG(seed, uint64(i)))
					r := w.sync(m).ended(report.Success)
					known = append(known, want{"created": r.counts.Created, "updated": r.counts.Updated, "merged": r.counts.Merged, "writes": len(r.writes)})
				})
			})
		}
	}
	for _, k := range known[1:] {
		if !reflect.DeepEqual(k, known[0]) {
			t.Errorf("got %v, want %v as in the first run", k, known[0])
		}
	}
}

// With a collision, a result that waits for a related entity must not come back
// over a later one; with enrichment the order of the mapping stays.
func TestRetryKeepsTheOrder(t *testing.T) {
	t.Parallel()
	late := entity("repository", `{identifier: '"late-" + .slug', title: .slug, blueprint: '"project"'}`)
	for _, c := range []struct {
		name, mapping, title string
	}{
		{"collision", mapped("createMissingRelatedEntities: false",
			entity("repository", `{identifier: '"one"', title: .slug, blueprint: '"repo"', relations: {project: 'if .slug == "r00" then "late-r00" else null end'}}`), late), "r02"},
		{"enrichment", mapped("createMissingRelatedEntities: false",
			entity("repository", `{identifier: .slug, title: '"first"', blueprint: '"repo"', relations: {project: '"late-r00"'}}`),
			entity("repository", `{identifier: .slug, title: '"second"', blueprint: '"repo"'}`), late), "second"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, numbered(3))
				r := w.sync(c.mapping).ended(report.Success)
				for id, e := range r.after["repo"] {
					if e.Title != c.title {
						t.Errorf("title of %s: got %q, want %q", id, e.Title, c.title)
					}
				}
			})
		})
	}
}

func TestMissingRelatedEntitiesAreRetried(t *testing.T) {
	t.Parallel()
	const off = "createMissingRelatedEntities: false"
	t.Run("in the order of the relations", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, bitbuckettest.Sample())
			r := w.sync(mapped(off, pulls, repos, projects)).ended(report.Success).is(want{"created": 426, "rejected": 0})
			writes := r.batches("pull")
			// each once, after what it relates to
			if got, want := len(writes), 15; got != want {
				t.Errorf("requests for pull requests: got %d, want %d", got, want)
			}
		})
	})
	t.Run("a chain within a blueprint", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, numbered(5))
			m := mapped(off, entity("repository", `{identifier: .slug, title: .slug, blueprint: '"repo"',
    relations: {peers: 'if .slug == "r04" then [] else ["r0" + (.slug[2:]|tonumber + 1|tostring)] end'}}`))
			w.sync(m).ended(report.Success).is(want{"created": 5})
		})
	})
	t.Run("what stays missing is rejected with its reason", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, numbered(3))
			m := mapped(off, entity("repository", `{identifier: .slug, title: .slug, blueprint: '"repo"', relations: {project: '"none"'}}`),
				entity("repository", `{identifier: .slug, title: .slug, blueprint: '"service"', relations: {repo: .slug}}`))
			r := w.sync(m).ended(report.Partial).is(want{"created": 0, "rejected": 6})
			p := r.problem("error", "404", `blueprint "repo"`, "mapping.yml")
			if p.Count != 3 {
				t.Errorf("count: got %d, want 3", p.Count)
			}
		})
	})
	t.Run("a cycle ends", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, numbered(2))
			m := mapped(off, entity("repository", `{identifier: .slug, title: .slug, blueprint: '"repo"', relations: {peers: '["r00", "r01"]'}}`))
			w.sync(m).ended(report.Partial).is(want{"rejected": 2})
		})
	})
}

func TestNotMerging(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(1))
		w.sync(mapped(repos))
		r := w.sync(mapped("enableMergeEntity: false", entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {language: .language}}`)))
		r.is(want{"updated": 1})
		var keys []string
		for k := range r.after["repo"]["r00"].Properties {
			keys = append(keys, k)
		}
		if !slices.Equal(keys, []string{"language"}) {
			t.Errorf("properties: got %q, want what is mapped alone", keys)
		}
	})
}

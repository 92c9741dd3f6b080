package prune_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/prune"
)

// readAt is when what comes from memory was read.
var readAt = time.Date(2026, 11, 29, 6, 20, 0, 0, time.UTC)

// list lets the run know repositories of the resource of pull requests.
func (s *scene) list(slugs ...string) *inventory.Resource {
	of := s.known.Resources[1]
	for _, slug := range slugs {
		of.Sources["{"+slug+"}"] = source(slug)
		of.Tasks++
	}
	return of
}

// What comes from memory holds back what it may have given since, and nothing else.
func TestFromMemory(t *testing.T) {
	gone := outcome{counts: []string{"pull: 1 deleted, 0 kept"}, settled: false}
	kept := func(id, why, fix string) outcome {
		return outcome{left: []string{"pull/" + id}, counts: []string{"pull: 0 deleted, 1 kept"},
			problems: []string{`warning: 1 stale entities of blueprint "pull" are not deleted: ` + why + "; fix: " + fix}}
	}
	const (
		one      = "resource 2 (pull-request): the lists of 1 repository come from memory, and the oldest was read at 2026-11-29T06:20:00Z"
		two      = "resource 2 (pull-request): the lists of 2 repositories come from memory, and the oldest was read at 2026-11-29T06:20:00Z"
		later    = "they go in a run that asks for these lists again: one with a higher max_requests or without state_dir asks for all"
		left     = "resource 2 (pull-request): not everything of 1 repository was asked for, since max_requests was reached"
		leftNext = "run again, or raise max_requests: what was left out is asked for first"
	)
	try(t, cases{
		{"nothing is stale, and something comes from memory", func(s *scene) { s.list("web").Remember("{web}", readAt) }, outcome{settled: true}},
		{"nothing is stale, and something was not asked for", func(s *scene) { s.list("web").Leave("{web}") }, outcome{}},
		{"of a source from memory", func(s *scene) { s.stale("pull", "web-7"); s.list("web").Remember("{web}", readAt) }, kept("web-7", one, later)},
		{"of one of two, of which the other is younger", func(s *scene) {
			s.stale("pull", "web-7")
			of := s.list("web", "app")
			of.Remember("{web}", readAt.Add(time.Hour))
			of.Remember("{app}", readAt)
		}, kept("web-7", two, later)},
		{"of a source that was read", func(s *scene) { s.stale("pull", "api-7"); s.list("web").Remember("{web}", readAt) }, gone},
		{"of a source that is not there any more", func(s *scene) { s.stale("pull", "old-7"); s.list("web").Remember("{web}", readAt) }, gone},
		{"what a source gives under another name than listed shows that frames do not hold", func(s *scene) {
			s.stale("pull", "old-7")
			s.produce("pull", "older-1", 2).Source = "{web}"
			s.list("web").Remember("{web}", readAt)
		}, kept("old-7", one, later)},
		{"a source of which nothing is known", func(s *scene) { s.stale("pull", "old-7"); s.list().Remember("", readAt) }, kept("old-7", one, later)},
		{"identifiers that do not show their source", func(s *scene) {
			s.stale("pull", "old-7")
			s.list("web").Remember("{web}", readAt)
			s.mapping = strings.Replace(s.mapping, `.destination.repository.name + "-" + (.id|tostring)`, `.title + (.id|tostring)`, 1)
		}, kept("old-7", one, later)},
		{"of another resource", func(s *scene) { s.stale("service", "old"); s.list("web").Remember("{web}", readAt) },
			outcome{counts: []string{"service: 1 deleted, 0 kept"}}},
		{"of a source that was not asked for", func(s *scene) { s.stale("pull", "web-7"); s.list("web").Leave("{web}") }, kept("web-7", left, leftNext)},
		{"an earlier name of one that was not asked for", func(s *scene) { s.stale("pull", "old-7"); s.list("web").Leave("{web}") }, kept("old-7", left, leftNext)},
		{"no earlier name, where Port knows the present one", func(s *scene) {
			s.stale("pull", "old-7", "web-7")
			s.list("web").Leave("{web}")
		}, outcome{left: []string{"pull/web-7"}, counts: []string{"pull: 1 deleted, 1 kept"},
			problems: []string{`warning: 1 stale entities of blueprint "pull" are not deleted: ` + left + "; fix: " + leftNext}}},
		{"what another source may have given shows no present name", func(s *scene) {
			s.mapping = strings.Replace(s.mapping, `.destination.repository.name + "-" + (.id|tostring)`, `.destination.repository.name + (.id|tostring)`, 1)
			s.produce("pull", "api1", 2)
			delete(s.entities, catalog.Ref{Blueprint: "pull", Identifier: "api-1"})
			s.stale("pull", "old7", "web11")
			s.list("web", "web1").Leave("{web}")
		}, outcome{left: []string{"pull/api-1", "pull/old7", "pull/web11"}, counts: []string{"pull: 0 deleted, 3 kept"},
			problems: []string{`warning: 3 stale entities of blueprint "pull" are not deleted: ` + left + "; fix: " + leftNext}}},
	})
}

// What holds many sources back is found as if each were a gap of its own.
func TestManyAsOneByOne(t *testing.T) {
	t.Parallel()
	names := []string{"a", "a1", "a-1", "b", "b-", "11", "web"}
	mappings := []string{services,
		strings.Replace(services, `.destination.repository.name + "-" + (.id|tostring)`, `(.id|tostring) + .destination.repository.name`, 1),
		strings.Replace(services, `.destination.repository.name + "-" + (.id|tostring)`, `.destination.repository.name + (.id|tostring)`, 1),
		strings.Replace(services, `.destination.repository.name + "-" + (.id|tostring)`, `.destination.repository.name + .title + .destination.repository.name`, 1),
		strings.Replace(services, `.destination.repository.name + "-" + (.id|tostring)`, `.destination.repository.name`, 1),
		strings.Replace(services, `.destination.repository.name + "-" + (.id|tostring)`, `.title`, 1),
		strings.Replace(services, `blueprint: '"service"', relations: {team: .project.key}`, `blueprint: '"pull"'`, 1),
	}
	blocked := 0
	rapid.Check(t, func(rt *rapid.T) {
		listed := rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(rt, "listed")
		missed := rapid.SliceOfDistinct(rapid.SampledFrom(append(listed, "")), rapid.ID[string]).Draw(rt, "missed")
		stale := rapid.SliceOfDistinct(rapid.Custom(func(rt *rapid.T) string {
			name := rapid.SampledFrom(append(names, "older")).Draw(rt, "name")
			return fmt.Sprintf(rapid.SampledFrom([]string{"%s-1", "%[1]s", "1%s", "%s11", "%[1]sx%[1]s"}).Draw(rt, "identifier"), name)
		}), rapid.ID[string]).Draw(rt, "stale")
		text := rapid.SampledFrom(mappings).Draw(rt, "mapping")
		prunedBy := func(miss func(of *inventory.Resource, slug string)) (left []string) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				s.mapping = text
				s.adjust = func(c *prune.Config) { c.ConfirmRenames = true }
				of := s.list(listed...)
				for _, slug := range missed {
					if slug != "" {
						miss(of, slug)
					}
				}
				s.stale("pull", stale...)
				s.run()
				left = s.left()
			})
			return left
		}
		one := prunedBy(func(of *inventory.Resource, slug string) {
			of.MissSource(inventory.Gap{Source: source(slug), Why: slug})
		})
		all := prunedBy(func(of *inventory.Resource, slug string) { of.Leave("{" + slug + "}") })
		memory := prunedBy(func(of *inventory.Resource, slug string) {
			of.Remember("{"+slug+"}", readAt)
		})
		if diff := cmp.Diff(one, all); diff != "" {
			rt.Fatalf("left by a gap for each source (-), and by one for all (+):\n%s", diff)
		}
		for _, id := range memory {
			if !slices.Contains(one, id) {
				rt.Fatalf("%s stays for what comes from memory, and not for what was not read", id)
			}
		}
		blocked += len(one)
	})
	if blocked == 0 {
		t.Error("nothing was ever held back")
	}
}

// The look at what is stale costs about the same for thousands of sources as for one.
func TestThousandsFromMemory(t *testing.T) {
	t.Parallel()
	const repositories, stale = 5_000, 200
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		slugs := make([]string, repositories)
		for i := range slugs {
			slugs[i] = fmt.Sprintf("repo-%d", i)
		}
		of := s.list(slugs...)
		for _, slug := range slugs {
			of.Remember("{"+slug+"}", readAt)
		}
		for i := range stale {
			s.stale("pull", fmt.Sprintf("removed-%d-1", i), fmt.Sprintf("repo-%d-99", i))
		}
		s.run()
		if got := s.counts(); !slices.Equal(got, []string{fmt.Sprintf("pull: %d deleted, %d kept", stale, stale)}) {
			t.Errorf("got %q, want %d deleted and as many kept", got, stale)
		}
		if got := len(s.problems()); got != 1 {
			t.Errorf("got %d problems, want one for all:\n%s", got, strings.Join(s.problems(), "\n"))
		}
	})
}

package kind_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
)

// choice is what a selector says of repositories.
type choice struct {
	repos, excludeRepos, projects, excludeProjects []string
	activeWithin                                   int
}

func (c choice) String() string {
	var keys []string
	for key, patterns := range map[string][]string{"repos": c.repos, "excludeRepos": c.excludeRepos, "projects": c.projects, "excludeProjects": c.excludeProjects} {
		if len(patterns) > 0 {
			keys = append(keys, fmt.Sprintf("%s: ['%s']", key, strings.Join(patterns, "', '")))
		}
	}
	if c.activeWithin > 0 {
		keys = append(keys, fmt.Sprint("activeWithin: ", c.activeWithin))
	}
	return strings.Join(keys, ", ")
}

// takes says the same of one repository in the plainest way.
func (c choice) takes(o kind.Object) bool {
	matches := func(patterns []string, name string) bool {
		return name != "" && slices.ContainsFunc(patterns, func(p string) bool { ok, err := path.Match(p, name); return ok && err == nil })
	}
	slug := o["slug"].(string)
	key := ""
	if p, ok := o["project"].(kind.Object); ok {
		key = p["key"].(string)
	}
	at, err := time.Parse(time.RFC3339, o["updated_on"].(string))
	return err == nil && (len(c.repos) == 0 || matches(c.repos, slug)) && !matches(c.excludeRepos, slug) &&
		(len(c.projects) == 0 || matches(c.projects, key)) && !matches(c.excludeProjects, key) &&
		(c.activeWithin == 0 || !at.Before(time.Now().AddDate(0, 0, -c.activeWithin)))
}

// Whatever is in a workspace, and whatever is chosen, each kind takes what a plain look at all
// repositories takes: that Bitbucket narrows the list changes nothing.
func TestChoicesOfRepositories(t *testing.T) {
	seeds := uint64(6)
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them
		seeds = 40
	} else if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			some := func(most int, of ...string) (all []string) {
				for range r.IntN(most + 1) {
					all = append(all, of[r.IntN(len(of))])
				}
				return all
			}
			inBubbleWith(t, func() *bitbuckettest.Server {
				s := bitbuckettest.New("acme")
				for _, key := range []string{"PAY", "OPS", "OPS2", "NONE"} {
					s.AddProject(bitbuckettest.Project{Key: key})
				}
				for i := range 12 {
					at := time.Now().Add(-time.Duration(r.IntN(5)) * 24 * hour)
					s.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("%s-%d", []string{"api", "web"}[r.IntN(2)], i), MainBranch: "main",
						ProjectKey: []string{"PAY", "OPS", "OPS2", ""}[r.IntN(4)], CreatedOn: at, UpdatedOn: at})
				}
				return s
			}, func(w world) {
				all := w.good("repository", "")
				slugs := []string{"api-*", "web-?", "*-1[01]", "*"}
				for _, o := range all {
					slugs = append(slugs, o["slug"].(string))
				}
				for range 10 {
					c := choice{some(2, slugs...), some(1, slugs[4:]...), some(2, "PAY", "OPS", "OPS*", "NONE", "?AY"), some(1, "OPS", "P*"), r.IntN(6)}
					var want []kind.Object
					for _, o := range all {
						if c.takes(o) {
							want = append(want, o)
						}
					}
					w.s.ResetJournal()
					for _, selector := range []string{c.String(), strings.TrimPrefix(c.String()+", repoQuery: 'name ~ \"-\" OR name = \"x\"'", ", ")} {
						w.equal(selector, column(w.good("repository", selector), "slug"), column(want, "slug"))
					}
					pulls := 0
					w.s.ResetJournal()
					w.good("pull-request", c.String())
					for _, x := range w.s.Journal() {
						if strings.HasSuffix(x.Path, "/pullrequests") {
							pulls++
						}
					}
					w.equal("repositories asked for pull requests: "+c.String(), pulls, len(want))
					w.equal("folders: "+c.String(), len(w.tasks("folder", "folders: [{path: '*'}], "+c.String())), len(want))
				}
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// tasks are those of an extraction that have a source.
func (w world) tasks(name, selector string) (all []kind.Task) {
	w.Helper()
	bound, err := kind.Bind(resource(w.TB, name, strings.TrimSuffix(selector, ", ")))
	if err != nil {
		w.Fatal(err)
	}
	for task, err := range bound.Extract(w.Context(), w.ws) {
		if err != nil {
			w.Fatal(err)
		}
		if task.Source.Key != "" {
			all = append(all, task)
		}
	}
	return all
}

// What Bitbucket is asked for, where it can narrow the list; Narrowed says so either way.
func TestNarrowedLists(t *testing.T) {
	inBubbleWith(t, aged, func(w world) {
		w.s.AddProject(bitbuckettest.Project{Key: "PAY"})
		w.s.AddRepository(bitbuckettest.Repository{Name: `"x`, Slug: "x", ProjectKey: "PAY"})
		many := "A"
		for i := range 20 {
			many += fmt.Sprint(", A", i)
		}
		for selector, want := range map[string]string{
			"projects: [PAY]":               `project.key = "PAY"`,
			"projects: [PAY, OPS, PAY]":     `(project.key = "PAY" OR project.key = "OPS")`,
			"projects: [PAY, O*]":           ``,
			"projects: ['{PAY,OPS}']":       ``,
			`projects: ['P\*"']`:            `project.key = "P*\""`,
			"projects: [" + many + "]":      ``,
			"excludeProjects: [PAY]":        ``,
			"repos: [x], excludeRepos: [y]": ``,
			"activeWithin: 30":              `updated_on >= 1999-12-02T00:00:00+00:00`,
			`projects: [PAY], activeWithin: 1, repoQuery: 'name="a" OR name="b"'`: `(name="a" OR name="b") AND project.key = "PAY" AND updated_on >= 1999-12-31T00:00:00+00:00`,
			`repos: [x], repoQuery: ' name="a" OR name="b"'`:                      `name="a" OR name="b"`,
		} {
			bound, err := kind.Bind(resource(w.TB, "repository", selector))
			if err != nil {
				w.Fatal(err)
			}
			w.filters()
			for range bound.Extract(w.Context(), w.workspace(kind.Options{})) {
			}
			if got := w.filters(); len(got) != 1 || got[0] != want || !bound.Narrowed {
				w.Errorf("%s: got %q, narrowed %t, want %q", selector, got, bound.Narrowed, want)
			}
		}
	})
}

// A repository of which the list does not tell when it changed, or its project, is taken.
func TestRepositoriesThatDoNotTell(t *testing.T) {
	inBubbleWith(t, aged, func(w world) {
		w.s.Fault(bitbuckettest.Fault{Times: -1, Path: "/repositories/acme", Mutate: func(o map[string]any) {
			for _, v := range o["values"].([]any) {
				delete(v.(map[string]any), "updated_on")
				delete(v.(map[string]any), "project")
			}
		}})
		w.equal("slugs", column(w.good("repository", "projects: ['P*'], excludeProjects: ['*'], activeWithin: 30"), "slug"), "month new")
	})
}

// What a selector leaves out is left out, whatever Bitbucket made of the filter.
func TestAnswersAreJudged(t *testing.T) {
	for key, value := range map[string]any{"updated_on": "1999-11-01T00:00:00.000000+00:00", "project": map[string]any{"key": "OPS"}} {
		t.Run(key, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server {
				s := aged()
				s.AddProject(bitbuckettest.Project{Key: "PAY"})
				s.UpdateRepository("month", func(r *bitbuckettest.Repository) { r.ProjectKey, r.UpdatedOn = "PAY", time.Now() })
				s.UpdateRepository("new", func(r *bitbuckettest.Repository) { r.ProjectKey, r.UpdatedOn = "PAY", time.Now() })
				return s
			}, func(w world) {
				const selector = "projects: [PAY], activeWithin: 30"
				w.equal("taken", column(w.good("repository", selector), "slug"), "month new")
				w.s.Fault(bitbuckettest.Fault{Times: -1, Path: "/repositories/acme", Mutate: func(o map[string]any) {
					o["values"].([]any)[0].(map[string]any)[key] = value
				}})
				w.ws = w.workspace(kind.Options{})
				w.equal("taken of another answer", column(w.good("repository", selector), "slug"), "new")
				w.equal("folders", len(w.tasks("folder", "folders: [{path: '*'}], "+selector)), 1)
				w.equal("lists", len(w.tasks("pull-request", selector)), 1)
			})
		})
	}
}

// A name that the workspace does not have is told, with what it may have been meant for; one whose
// repositories are left out by other keys is not.
func TestNamesThatTheWorkspaceDoesNotHave(t *testing.T) {
	for selector, want := range map[string]struct {
		requests int // of two resources, beside that for the list and those for pull requests
		warnings string
	}{
		"repos: [checkout-apy, orphan, lazy*]":            {0, `repos: the workspace has no repository "checkout-apy" that the credential can see|did you mean "checkout-api"?|true`},
		"repos: [Checkout API]":                           {0, `repos: the workspace has no repository "Checkout API" that the credential can see|did you mean "checkout-api"?|true`},
		"repos: [nothing, x*, checkout-api]":              {0, `repos: the workspace has no repository "nothing" that the credential can see|write its slug as Bitbucket shows it, or remove it|true`},
		"excludeRepos: [orphans]":                         {0, `excludeRepos: the workspace has no repository "orphans" that the credential can see|did you mean "orphan"?|false`},
		"excludeRepos: [nothing], projects: [PAY]":        {0, ``},
		"repos: [orphan, checkout-api], projects: [PAY]":  {2, ``},
		"repos: [orphans, checkout-api], projects: [PAY]": {2, `repos: the workspace has no repository "orphans" that the credential can see|write its slug as Bitbucket shows it, or remove it|true`},
		"projects: [pay, PAY]":                            {1, `projects: the workspace has no project "pay" that the credential can see|did you mean "PAY"?|true`},
		"projects: [PAYS, EMPTY]":                         {1, `projects: the workspace has no project "PAYS" that the credential can see|did you mean "PAY"?|true`},
		"projects: [EMPTY]":                               {1, ``},
		"excludeProjects: [PAYS, EMPTY]":                  {1, `excludeProjects: the workspace has no project "PAYS" that the credential can see|did you mean "PAY"?|false`},
		"projects: [PAY], activeWithin: 3":                {0, ``},
	} {
		t.Run(selector, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server {
				s := workspace()
				s.AddProject(bitbuckettest.Project{Key: "EMPTY"})
				for _, slug := range s.Slugs() {
					s.UpdateRepository(slug, func(r *bitbuckettest.Repository) { r.UpdatedOn = time.Now() })
				}
				return s
			}, func(w world) {
				got := w.extract("pull-request", selector)
				var all []string
				for _, err := range got.failed {
					var warning *kind.Warning
					if !errors.As(err, &warning) {
						w.Fatal(err)
					}
					all = append(all, fmt.Sprintf("%s|%s|%t", warning.Message, warning.Fix, warning.BlocksDeletion))
				}
				w.equal("warnings", strings.Join(all, "\n"), want.warnings)
				pulls := strings.Count(w.asked(), "/pullrequests")
				w.extract("pull-request", selector) // the projects are read once
				w.equal("requests", w.client.Requests()-2*pulls-1, want.requests)
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// Where a missing scope hides the projects, that is told, and nothing else of the run is lost.
func TestProjectsThatMayNotBeLookedUp(t *testing.T) {
	inBubble(t, workspace(), func(w world) {
		w.s.AllowToken("good", bitbuckettest.Access{Scopes: []string{"repository", "pullrequest"}})
		got := w.extract("pull-request", "projects: [PAY, NONE]")
		var warning *kind.Warning
		if len(got.failed) != 1 || !errors.As(got.failed[0], &warning) || !warning.BlocksDeletion || !strings.Contains(warning.Message, `cannot be asked`) {
			w.Errorf("got %v, want a warning", got.failed)
		}
	})
}

// The second reading has what a selector takes, and nothing that it leaves out, whatever other
// resources share the list; what was left out and is taken now was not read.
func TestSecondReadingsKeepToTheChoice(t *testing.T) {
	inBubbleWith(t, aged, func(w world) {
		bind := func(selector string) kind.Bound {
			bound, err := kind.Bind(resource(w.TB, "repository", selector))
			if err != nil {
				w.Fatal(err)
			}
			for range bound.Extract(w.Context(), w.ws) {
			}
			return bound
		}
		all, some, others := bind(""), bind("repos: [o*, n*]"), bind("excludeRepos: [o*]")
		for _, name := range []string{"odd", "even"} {
			w.s.AddRepository(bitbuckettest.Repository{Name: name})
		}
		w.s.RenameRepository("month", "october")
		for _, tt := range []struct {
			bound kind.Bound
			want  string
		}{{all, "odd even"}, {some, "october odd"}, {others, "even"}} {
			second, err := tt.bound.Again(w.Context(), w.ws)
			var got []string
			for _, s := range second.Appeared {
				text, err := s.JSON()
				if err != nil || !strings.Contains(string(text), s.Name) {
					w.Errorf("got %s and %v, want the JSON of %s", text, err, s.Name)
				}
				got = append(got, s.Name)
			}
			if strings.Join(got, " ") != tt.want || err != nil {
				w.Errorf("got %q and %v, want %q", got, err, tt.want)
			}
		}
		w.equal("requests", w.asked(), "/repositories/acme /repositories/acme")
	})
}

// Patterns that can match nothing are told where they stand.
func TestPatternsOfRepositories(t *testing.T) {
	t.Parallel()
	for selector, want := range map[string]string{
		"repos: [acme/x]":          `"acme/x" has a slash, and no slug has one: write "x"`,
		"excludeRepos: ['']":       `"" is not a valid pattern: `,
		"projects: ['[']":          `"[" is not a valid pattern: it has a "["`,
		"excludeProjects: [a, b/]": `"b/" has a slash, and no key of a project has one: `,
		"activeWithin: 0":          `expected`,
	} {
		_, err := kind.Bind(resource(t, "folder", "folders: [{path: a}], "+selector))
		var problems diag.Problems
		if !errors.As(err, &problems) || len(problems.Errors()) != 1 || !strings.HasPrefix(problems[0].Message+": "+problems[0].Fix, want) {
			t.Errorf("%s: got %v, want one error: %s", selector, err, want)
		}
	}
}

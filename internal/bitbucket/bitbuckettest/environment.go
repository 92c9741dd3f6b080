package bitbuckettest

import (
	"net/http"
	"strings"
)

// Environment is one that the pipelines of a repository deploy to.
type Environment struct {
	Name string
	// Type is Test, Staging or Production; "" is Test.
	Type string
}

// environments are those of the repositories, in the order of their ranks.
type environments struct {
	shelf[*environment]
	pipelines *pipelines
}

type environment struct {
	Environment
	repo *repository
	rank int
}

func newEnvironments(ps *pipelines) *environments {
	return &environments{newShelf[*environment](ps.repositories), ps}
}

// environmentRanks are the types of environments, and their ranks.
var environmentRanks = map[string]int{"Test": 0, "Staging": 1, "Production": 2}

// routes have a slash at their end, as those of pipelines. No filter and no order are documented, and none is taken here.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/, read 2026-11.
func (es *environments) routes() []*route {
	return []*route{{path: "/repositories/{workspace}/{repo_slug}/environments/", scope: "pipeline", granular: "read:pipeline:bitbucket",
		parameters: []string{"page", "pagelen", "fields"}, maxPagelen: 100, handle: es.list}}
}

func (es *environments) examples(v view) map[string]object {
	es.AddEnvironment("example", Environment{Name: "Test"})
	return map[string]object{"environment": es.by[es.repositories.all[0]][0].tree(v)}
}

// AddEnvironment adds an environment, the last of its repository, and returns its uuid, with braces.
func (es *environments) AddEnvironment(slug string, e Environment) (uuid string) {
	es.add(slug, func(r *repository, before int) *environment {
		if e.Type == "" {
			e.Type = "Test"
		}
		if _, ok := environmentRanks[e.Type]; !ok || e.Name == "" || es.find(r, e.Name) != nil {
			panic("bitbuckettest: an environment of " + slug + " without a type or a name of its own")
		}
		in := &environment{e, r, before}
		uuid = in.uuid()
		return in
	})
	return uuid
}

// RemoveEnvironment removes an environment. Its deployments stay.
func (es *environments) RemoveEnvironment(slug, name string) {
	es.remove(slug, func(e *environment) bool { return e.Name == name })
}

// find returns an environment by its name, of which the case makes no difference; nil for none.
func (es *environments) find(r *repository, name string) *environment {
	for _, e := range es.by[r] {
		if strings.EqualFold(e.Name, name) {
			return e
		}
	}
	return nil
}

// sample gives the repositories that have pipelines the environments that Bitbucket begins with.
func (es *environments) sample(slugs []string) {
	for i, slug := range slugs {
		if i%2 == 0 && i != 2 {
			for _, name := range []string{"Test", "Staging", "Production"} {
				es.AddEnvironment(slug, Environment{Name: name, Type: name})
			}
		}
	}
}

func (es *environments) list(v view, q *request) *answer {
	r, refusal := es.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	if es.pipelines.off[r] {
		return refuse(http.StatusNotFound, "Not found")
	}
	return v.pageByNumber(q, items(es.by[r], false))
}

func (e *environment) uuid() string { return uuidOf("environment", e.repo.seed, e.Name) }

// tree has no dates.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/ and public clients, read 2026-11.
func (e *environment) tree(view) object {
	return object{
		{"type", "deployment_environment", shown},
		{"uuid", e.uuid(), shown},
		{"name", e.Name, shown},
		{"slug", Slug(e.Name), shown},
		{"rank", e.rank, shown},
		{"hidden", false, shown},
		{"environment_type", object{
			{"type", "deployment_environment_type", shown}, {"name", e.Type, shown}, {"rank", environmentRanks[e.Type], shown},
		}, shown},
		{"category", object{{"name", e.Type, shown}}, shown},
		{"lock", object{{"type", "deployment_environment_lock_open", shown}, {"name", "OPEN", shown}}, shown},
		{"restrictions", object{{"type", "deployment_restrictions_configuration", shown}, {"admin_only", false, shown}}, shown},
		{"deployment_gate_enabled", false, shown},
		{"environment_lock_enabled", true, shown},
	}
}

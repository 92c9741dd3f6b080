package kind

import (
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var environment = define(Kind{
	Name: "environment", Aliases: []string{"environments", "env", "deployment-environment"},
	Manual: Manual{What: "the [environments](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/) that pipelines deploy to", Requests: "1 for each repository",
		Scope: "pipeline", APIScope: "read:pipeline:bitbucket"},
	Objects: shape.Kind{
		Object:     withRepository(environmentShape),
		Identifier: `.__repository.slug + "/environments/" + (.uuid | gsub("[{}]"; ""))`,
		Missing: map[string]string{
			".created_on": "Bitbucket gives no dates of environments",
			".updated_on": "Bitbucket gives no dates of environments",
			".repository": "write .__repository",
		},
	},
	place: inRepository,
}, extractAged[environmentSelector])

// environmentShape has besides what is documented what answers have: they are documented as objects
// with more fields than are named.
var environmentShape = "type uuid name slug rank# hidden? environment_type{type name rank#} category{name} lock{type name} " +
	"restrictions{type admin_only?} deployment_gate_enabled? environment_lock_enabled? links{self{href}}"

// inEnvironments are the keys of a selector that choose environments.
type inEnvironments struct {
	Environments []string `yaml:"environments" help:"Names of environments, such as Production, in upper or lower case: all when it is absent."`
}

func (s inEnvironments) selective() bool { return len(s.Environments) > 0 }

func (s inEnvironments) problems(raw mapping.Selector) (problems diag.Problems) {
	for i, name := range s.Environments {
		if strings.TrimSpace(name) == "" {
			problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, fmt.Sprintf("environments[%d]", i),
				"the environment has no name", "write its name, such as Production, or leave environments out for all of them"))
		}
	}
	return problems
}

// takes reports whether an environment of the name is taken. Within a repository, the case of a name
// makes no difference: bitbucket-pipelines.yml names them in lower case.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/set-up-and-monitor-deployments/, read 2026-11.
func (s inEnvironments) takes(name string) bool {
	return len(s.Environments) == 0 || slices.ContainsFunc(s.Environments, func(one string) bool { return strings.EqualFold(strings.TrimSpace(one), name) })
}

type environmentSelector struct {
	ofRepositories
	inEnvironments
}

func (s environmentSelector) selective() bool { return s.narrowed() || s.inEnvironments.selective() }

func (s environmentSelector) problems(raw mapping.Selector) diag.Problems {
	return append(s.walked.problems(raw), s.inEnvironments.problems(raw)...)
}

// aged is the list of the environments of a repository. Its path ends with a slash. A repository whose
// pipelines are off has none.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/#api-repositories-workspace-repo-slug-environments-get
func (s environmentSelector) aged(c *bitbucket.Client, r bitbucket.Repository, _ parts) aged {
	a := environmentsOf(s.ofRepositories, c, r)
	a.only = choice{takes: func(o Object) bool {
		name, _ := o["name"].(string)
		return s.takes(name)
	}}
	return a
}

// environmentsOf is the list of the environments of a repository.
func environmentsOf(s ofRepositories, c *bitbucket.Client, r bitbucket.Repository) aged {
	a := s.listOf(c, r, "environment", "uuid", "environments", "")
	a.optional, a.shared = true, true
	a.name = func(o Object) string { return fmt.Sprintf("%s environment %v", r.Slug, o["name"]) }
	return a
}

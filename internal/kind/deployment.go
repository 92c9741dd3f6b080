package kind

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var deployment = define(Kind{
	Name: "deployment", Aliases: []string{"deployments", "deploy", "release"},
	Manual: Manual{What: "the [deployments](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/) of pipelines to environments",
		Requests: "1 for each repository and 100 deployments, whatever `since` is; 1 more for each repository where names of environments matter, " +
			"and with `enrichWithFirstCommit` 1 for each deployment and 100 commits, of new deployments alone with `state_dir`",
		Scope: "pipeline", APIScope: "read:pipeline:bitbucket"},
	Objects: shape.Kind{
		Object:     withRepository(deploymentShape),
		Identifier: `.__repository.slug + "/deployments/" + (.uuid | gsub("[{}]"; ""))`,
		Missing: map[string]string{
			".repository":      "write .__repository",
			".commit":          "write .release.commit",
			".status":          "write .state.status.name",
			".environment.url": "Bitbucket gives none: .state.url is the page of the deployment",
		},
	},
	place: inRepository,
}, extractAged[deploymentSelector])

// deploymentShape has the times of the documentation, and those that answers have in their place.
var deploymentShape = "type uuid key number# version# created_on last_update_time step{type uuid} environment{" + environmentShape + "} " +
	"release" + releaseShape + " deployable" + releaseShape + " " +
	"state{type name url deployer{" + accountFields + "} status{type name} started_on completed_on start_date completion_date trigger_name} links{self{href}} " +
	firstCommitKey + "{type hash date message author" + person + " links{html{href}}} " + commitCountKey + "#"

const releaseShape = "{type uuid key name url created_on pipeline{type uuid} commit{type hash links{self{href} html{href}}}}"

// whenDeployed are the paths of the times of a deployment, the best first.
var whenDeployed = [][]string{
	{"state", "completed_on"}, {"state", "completion_date"}, {"state", "started_on"}, {"state", "start_date"},
	{"last_update_time"}, {"created_on"}, {"release", "created_on"}, {"deployable", "created_on"},
}

// deployedAt is when a deployment ended, or else began, or was made.
func deployedAt(o Object) (at time.Time, ok bool) {
	for _, path := range whenDeployed {
		if at, ok = timeAt(o, path...); ok {
			return at, true
		}
	}
	return at, false
}

type deploymentSelector struct {
	ofRepositories
	inEnvironments
	Since                 int  `yaml:"since" help:"Takes the deployments of so many days: all when it is absent."`
	EnrichWithFirstCommit bool `yaml:"enrichWithFirstCommit" help:"Gives deployments that have ended __firstCommit and __commitCount, the oldest and the number of the commits since the last successful deployment to the same environment, where the mapping reads them."`
}

func (s deploymentSelector) selective() bool { return s.narrowed() || s.inEnvironments.selective() }

func (s deploymentSelector) problems(raw mapping.Selector) diag.Problems {
	return append(s.walked.problems(raw), s.inEnvironments.problems(raw)...)
}

// aged is the list of the deployments of a repository. Its path ends with a slash. Bitbucket ignores
// q here and refuses an order, and no order is known: the list is always read whole. A repository
// whose pipelines are off has none.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/#api-repositories-workspace-repo-slug-deployments-get;
// the traps are those that public clients met, read 2026-11.
func (s deploymentSelector) aged(c *bitbucket.Client, r bitbucket.Repository, p parts) aged {
	a := s.listOf(c, r, "deployment", "uuid", "deployments", "")
	a.optional, a.endpoint.Grows = true, true // a deployment does not go
	window := choice{since: daysBefore(p.moment, s.Since), when: deployedAt}
	a.only = choice{takes: func(o Object) bool { return !window.old(o) && s.takesEnvironment(o) }}
	a.through = func(ctx context.Context, ws *Workspace, all iter.Seq2[Found, error]) iter.Seq2[Found, error] {
		if s.namesEnvironments() {
			all = nameEnvironments(ctx, ws, environmentsOf(s.ofRepositories, c, r).agedList, all)
		}
		if s.enriches() {
			all = withCommits(ctx, ws, a, all)
		}
		return all
	}
	a.name = func(o Object) string {
		release, _ := o["release"].(Object)
		if release["name"] == nil {
			return fmt.Sprintf("%s deployment %v", r.Slug, o["uuid"])
		}
		return fmt.Sprintf("%s deployment of %v (%v)", r.Slug, release["name"], o["uuid"])
	}
	return a
}

func (s deploymentSelector) takesEnvironment(o Object) bool {
	environment, _ := o["environment"].(Object)
	name, _ := environment["name"].(string)
	return s.takes(name)
}

// namesEnvironments reports whether more than the uuids of environments matters.
func (s deploymentSelector) namesEnvironments() bool {
	return len(s.Environments) > 0 || slices.ContainsFunc([]string{"name", "slug", "rank", "environment_type", "category"}, func(key string) bool {
		return s.reads.any("environment", key)
	})
}

// nameEnvironments adds to the environments of deployments what a list of environments has of them:
// answers have their uuids alone. The list is read when a deployment comes that has no more.
//
// Source: clients that read both lists to show names, read 2026-11.
func nameEnvironments(ctx context.Context, ws *Workspace, list agedList, all iter.Seq2[Found, error]) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		var known map[string]Object // by uuid; nil until they are read
		for found, err := range all {
			environment, _ := found.Object["environment"].(Object)
			if err == nil && environment != nil && environment["name"] == nil {
				if known == nil {
					var more bool
					if known, more = readEnvironments(ctx, ws, list, yield); !more {
						return
					}
				}
				uuid, _ := environment["uuid"].(string)
				for key, value := range known[uuid] {
					if _, has := environment[key]; !has {
						environment[key] = clone(value)
					}
				}
			}
			if !yield(found, err) {
				return
			}
		}
	}
}

// readEnvironments reads a list of environments. Its errors, and a *Remembered where it comes from memory,
// are yielded; nothing may be yielded any more when more is false. A repository that deploys to
// environments has a list of them: that it has none is an error, and not a *None, which would be one of
// the deployments.
func readEnvironments(ctx context.Context, ws *Workspace, list agedList, yield func(Found, error) bool) (known map[string]Object, more bool) {
	known, list.also = map[string]Object{}, true
	for found, err := range ws.aged(ctx, list) {
		if err == nil {
			uuid, _ := found.Object["uuid"].(string)
			known[uuid] = found.Object
			continue
		}
		if none := (*None)(nil); errors.As(err, &none) {
			err = &advised{fmt.Errorf("list %s: Bitbucket answers 404, as if there were none, and lists deployments to some", list.endpoint.Name),
				"run again; if it stays so, map nothing of .environment but its uuid, and leave out the selector's environments"}
		}
		if !yield(Found{}, err) || !goesOn(err) {
			return nil, false
		}
	}
	return known, true
}

package kind

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var pipeline = define(Kind{
	Name: "pipeline", Aliases: []string{"pipelines", "build", "workflow-run", "pipeline-run"},
	Manual: Manual{What: "runs of [pipelines](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/), the newest first", Requests: "1 for each repository and 100 pipelines of the window",
		Scope: "pipeline", APIScope: "read:pipeline:bitbucket"},
	Objects: shape.Kind{
		Object:     withRepository(pipelineShape),
		Identifier: `.__repository.slug + "/pipelines/" + (.build_number | tostring)`,
		Missing:    map[string]string{".repository.slug": "write .__repository.slug"},
	},
	place: inRepository,
}, extractAged[pipelineSelector])

var pipelineShape = "type uuid build_number# run_number# creator{" + accountFields + "} repository" + shortRepository + " " +
	"target{type ref_type ref_name selector{type pattern} commit{" + commitFields + "} source destination destination_commit{" + commitFields + "} " +
	"pullrequest{type id# title draft? links{self{href} html{href}}}} " +
	"trigger{type name} state{type name stage{type name} result{type name error{type key message}}} " +
	"created_on completed_on build_seconds_used# duration_in_seconds# first_successful? expired? has_variables? links{self{href} steps{href}}"

type pipelineSelector struct {
	ofRepositories
	recent
	refNames
	Status []pipelineStatus `yaml:"status" help:"Takes the pipelines of which the state, its stage or its result has one of these names: all when it is absent."`
}

// pipelineStatus is what Bitbucket calls the state of a pipeline, where it is halted, or its result.
type pipelineStatus string

// pipelineStatuses are the names that pipelines have.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/#api-repositories-workspace-repo-slug-pipelines-get, read 2026-11.
var pipelineStatuses = []string{
	"PARSING", "PENDING", "IN_PROGRESS", "BUILDING", "PAUSED", "HALTED", "COMPLETED",
	"SUCCESSFUL", "PASSED", "FAILED", "ERROR", "STOPPED", "EXPIRED", "UNKNOWN",
}

// Values are the names of statuses.
func (pipelineStatus) Values() []string { return pipelineStatuses }

// alsoCalled are names by which the list is filtered, and the ones that its objects have.
var alsoCalled = map[pipelineStatus]string{"PASSED": "SUCCESSFUL", "BUILDING": "IN_PROGRESS"}

func (s pipelineSelector) selective() bool {
	return s.narrowed() || s.refNames.selective() || len(s.Status) > 0
}

func (s pipelineSelector) problems(raw mapping.Selector) diag.Problems {
	problems := append(s.walked.problems(raw), s.refNames.problems(raw)...)
	return append(problems, checkEach(raw, "status", s.Status, pipelineStatuses, "status")...)
}

// aged is the list of the pipelines of a repository, the newest first. Its path ends with a slash,
// and its links lose the sort. A repository whose pipelines are off has none.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/#api-repositories-workspace-repo-slug-pipelines-get;
// the traps are those that public clients met, read 2026-11.
func (s pipelineSelector) aged(c *bitbucket.Client, r bitbucket.Repository, p parts) aged {
	a := s.listOf(c, r, "pipeline", "uuid", "pipelines", "")
	a.endpoint.Counted = true
	a.optional = true
	a.query = url.Values{"sort": {"-created_on"}}
	takesBranch := s.refNames.takes(r.MainBranch)
	a.only = s.choice(p.moment, 30, 100, choice{
		name:  fmt.Sprintf("%q %v %v %q", s.Branches, s.DefaultBranchOnly, s.IncludeMergeQueue, s.Status),
		takes: func(o Object) bool { return s.takesRef(o, takesBranch) && s.takesStatus(o) },
		when:  func(o Object) (time.Time, bool) { return timeAt(o, "created_on") },
	})
	a.only.order(&a.endpoint)
	a.endpoint.Grows = true // a pipeline does not go, and its time does not change
	a.name = func(o Object) string { return fmt.Sprintf("%s pipeline #%v", r.Slug, o["build_number"]) }
	return a
}

// takesRef reports whether the branch that a pipeline ran on is taken. One of a pull request ran on
// its source.
func (s pipelineSelector) takesRef(o Object, takesBranch func(string) bool) bool {
	target, _ := o["target"].(Object)
	name, _ := target["ref_name"].(string)
	if source, ok := target["source"].(string); ok && name == "" {
		name = source
	}
	if kind, ok := target["ref_type"].(string); ok && !strings.HasSuffix(kind, "branch") {
		return len(s.Branches) == 0 && !s.DefaultBranchOnly
	}
	return takesBranch(name)
}

func (s pipelineSelector) takesStatus(o Object) bool {
	if len(s.Status) == 0 {
		return true
	}
	state, _ := o["state"].(Object)
	for _, at := range []any{state, state["stage"], state["result"]} {
		named, _ := at.(Object)
		name, _ := named["name"].(string)
		if slices.ContainsFunc(s.Status, func(one pipelineStatus) bool { return name == string(one) || name != "" && name == alsoCalled[one] }) {
			return true
		}
	}
	return false
}

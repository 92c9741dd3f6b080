package kind

import (
	"fmt"
	"net/url"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/filter"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var branch = define(Kind{
	Name: "branch", Aliases: []string{"branches"},
	Manual: Manual{What: "[branches](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/), with their last commits",
		Requests: "1 for each repository, and for each 100 branches of one with more, which are read twice; none for a repository that has not moved since a run with the same `state_dir`",
		Scope:    "repository", APIScope: "read:repository:bitbucket"},
	Objects: shape.Kind{
		Object:     withRepository(branchShape),
		Identifier: `.__repository.slug + "/branches/" + .name`,
		Missing: map[string]string{
			".default":               "write .name == .__repository.mainbranch.name",
			".updated_on":            "write .target.date",
			".commit":                "write .target",
			".target.author.account": "write .target.author.user",
		},
	},
	place: inRepository,
}, extractAged[branchSelector])

// fullCommit are the fields of a commit that a branch or tag names, or a list of commits has.
var fullCommit = "type hash date message author" + person + " committer" + person + " summary{type raw markup html} " +
	linksTo("self html diff approve comments statuses patch") + " parents[" + commitFields + "] repository" + shortRepository

// person is who made a commit: the account where one has the address.
var person = "{type raw user{" + accountFields + "}}"

var branchShape = "type name target{" + fullCommit + "} merge_strategies[] sync_strategies[] default_merge_strategy " +
	linksTo("self commits html pullrequest_create")

type branchSelector struct {
	ofRepositories
	refNames
}

func (s branchSelector) selective() bool { return s.narrowed() || s.refNames.selective() }

func (s branchSelector) problems(raw mapping.Selector) diag.Problems {
	return append(s.walked.problems(raw), s.refNames.problems(raw)...)
}

// aged is the list of the branches of a repository: of its main branch alone where no other is
// wanted. A push, and a branch that comes or goes, moves the repository.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-get;
// what moves a repository was seen by public clients, read 2026-11.
func (s branchSelector) aged(c *bitbucket.Client, r bitbucket.Repository, _ parts) aged {
	a := s.listOf(c, r, "branch", "name", "refs", "branches")
	a.endpoint.Name = fmt.Sprintf("branches of repository %q", r.Slug)
	a.moves = true
	if s.DefaultBranchOnly {
		a.none = r.MainBranch == ""
		a.query = url.Values{"q": {"name = " + filter.Quote(r.MainBranch)}}
	}
	takes := s.takes(r.MainBranch)
	a.only = choice{takes: func(o Object) bool {
		name, _ := o["name"].(string)
		return takes(name)
	}}
	a.name = func(o Object) string { return fmt.Sprintf("%s branch %v", r.Slug, o["name"]) }
	return a
}

package kind

import (
	"cmp"
	"fmt"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var branchRestriction = define(Kind{
	Name: "branch-restriction", Aliases: []string{"branch-restrictions", "branch-permission", "branch-protection", "repository-policy"},
	Manual: Manual{
		What: "[branch restrictions](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-branch-restrictions/): who may push to, delete or merge into which branches, " +
			"and what a merge needs; for admins of the repository",
		Requests: "1 for each repository with up to 100",
		Scope:    "repository:admin", APIScope: "admin:repository:bitbucket",
	},
	Objects: shape.Kind{
		Object:     withRepository(restrictionShape),
		Identifier: `.__repository.slug + "/branch-restrictions/" + (.id | tostring)`,
		Missing:    map[string]string{".branch": "write .pattern, or .branch_type where .branch_match_kind is branching_model", ".repository.slug": "write .__repository.slug"},
	},
	place: inRepository,
}, extractAged[restrictionSelector])

var restrictionShape = "type id# kind branch_match_kind branch_type pattern value# users[" + accountFields + "] " +
	"groups[type name slug full_slug " + ownerShape + " " + workspaceShape + " " + linksTo("self html") + "] links{self{href}}"

type restrictionSelector struct {
	ofRepositories
	Kinds []restrictionKind `yaml:"kinds" help:"Takes these kinds of restrictions alone: all when it is absent."`
}

// restrictionKind is what a restriction is about.
type restrictionKind string

// restrictionKinds are those that Bitbucket has.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-branch-restrictions/, read 2026-11.
var restrictionKinds = []string{
	"push", "delete", "force", "restrict_merges", "require_tasks_to_be_completed", "require_approvals_to_merge",
	"require_review_group_approvals_to_merge", "require_default_reviewer_approvals_to_merge", "require_no_changes_requested",
	"require_passing_builds_to_merge", "require_commits_behind", "reset_pullrequest_approvals_on_change", "smart_reset_pullrequest_approvals",
	"reset_pullrequest_changes_requested_on_change", "require_all_dependencies_merged", "enforce_merge_checks",
	"allow_auto_merge_when_builds_pass", "require_all_comments_resolved",
}

// Values are the names of kinds.
func (restrictionKind) Values() []string { return restrictionKinds }

func (s restrictionSelector) selective() bool { return s.narrowed() || len(s.Kinds) > 0 }

func (s restrictionSelector) problems(raw mapping.Selector) diag.Problems {
	return append(s.walked.problems(raw), checkEach(raw, "kinds", s.Kinds, restrictionKinds, "kind of restriction")...)
}

// aged is the list of the restrictions of a repository.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-branch-restrictions/#api-repositories-workspace-repo-slug-branch-restrictions-get
func (s restrictionSelector) aged(c *bitbucket.Client, r bitbucket.Repository, _ parts) aged {
	a := s.listOf(c, r, "branch-restriction", "id", "branch-restrictions")
	a.only = among("kind", s.Kinds)
	a.name = func(o Object) string {
		pattern, _ := o["pattern"].(string)
		model, _ := o["branch_type"].(string)
		return fmt.Sprintf("%s branch restriction %v of %s", r.Slug, o["kind"], cmp.Or(pattern, model))
	}
	return a
}

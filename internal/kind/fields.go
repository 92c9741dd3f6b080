package kind

import (
	"strings"

	"port-bitbucket-exporter/internal/shape"
)

// The fields of objects of Bitbucket, in the notation of the package shape: those that its
// lists give, and where no answer is known those that its documentation names. A field that
// the documentation alone has, while every answer of that place leaves it out, is left out
// here too: it is null, and a mapping that reads it gets a warning.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/, and answers of the API, read 2026-11.

// linksTo are links by their names.
func linksTo(names string) string {
	return "links{" + strings.ReplaceAll(names, " ", "{href} ") + "{href}}"
}

var (
	// pageLinks are the links that most objects have.
	pageLinks = linksTo("self html avatar")
	// accountFields are those of a person, or of an app: a person has no username any more,
	// and an app, such as an access token, has a status and a kind.
	accountFields = "type uuid display_name nickname account_id account_status kind created_on " + pageLinks
	// ownerShape is a workspace as an account, or the person whose workspace it is.
	ownerShape = "owner{type uuid display_name username nickname account_id account_status kind created_on website location " +
		linksTo("self html avatar members projects repositories") + "}"
	workspaceShape = "workspace{type uuid name slug " + pageLinks + "}"
	// shortRepository is a repository that another object names.
	shortRepository = "{type full_name name uuid " + pageLinks + "}"
	repositoryLinks = strings.TrimSuffix(linksTo("self html avatar pullrequests commits forks watchers branches tags downloads source hooks issues"), "}") +
		" clone[name href]}"
	// commitFields are those of a commit that another object names.
	commitFields = "type hash " + linksTo("self html")

	// repositoryShape has of the main branch's target what the list is asked for.
	repositoryShape = "type uuid full_name name slug description scm website " + ownerShape + " " + workspaceShape +
		" is_private? project{type uuid key name " + pageLinks + "} fork_policy created_on updated_on size# language mainbranch{type name target{hash}} " +
		"override_settings{default_merge_strategy? branching_model? branch_restrictions?} parent" + shortRepository +
		" enforced_signed_commits* has_issues? has_wiki? " + repositoryLinks + " " + includedFiles + "{+}"
	repositoryExtras = " __defaultReviewers[type reviewer_type user{" + accountFields + "}] " +
		"__branchingModel{type development{name branch* use_mainbranch? is_valid?} production{name branch* use_mainbranch? is_valid? enabled?} branch_types[kind prefix] links{self{href}}} " +
		"__headStatuses[" + statusFields + "]"
	// statusFields are those of the state that a build has set on a commit.
	statusFields     = "type uuid key refname url state name description created_on updated_on commit{" + commitFields + "} " + linksTo("self commit")
	pullRequestShape = "type id# title description state draft? queued? author{" + accountFields + "} " +
		"source{branch{name links{}} commit{" + commitFields + "} repository" + shortRepository + "} " +
		"destination{branch{name merge_strategies[] default_merge_strategy} commit{" + commitFields + "} repository" + shortRepository + "} " +
		"merge_commit{" + commitFields + "} close_source_branch? closed_by{" + accountFields + "} reason comment_count# task_count# " +
		"created_on updated_on closed_on summary{type raw markup html} reviewers[" + accountFields + " user{" + accountFields + "}] " +
		"participants[type user{" + accountFields + "} role approved? state participated_on] " +
		linksTo("self html commits approve request-changes diff diffstat comments activity merge decline statuses")
	pullRequestExtras = " __statuses[" + statusFields + "] __diffstat{files# lines_added# lines_removed#} " +
		"__tasks[id# state created_on updated_on resolved_on content{raw markup html} creator{" + accountFields + "} pending? resolved_by{" + accountFields + "} links{}] " +
		"__activity[+ pull_request{type id# title draft?} update{date author{" + accountFields + "} state title} approval{date user{" + accountFields + "}} " +
		"changes_requested{date user{" + accountFields + "}} comment{id# created_on updated_on user{" + accountFields + "} content{raw markup html}}]"

	pullRequestFields = shape.Of(pullRequestShape)

	folderShape = "folder{type path name commit{" + commitFields + "} " + linksTo("self meta") + " " + includedFiles + "{+}} " +
		"repo{" + repositoryShape + "} pattern branch " + includedFiles + "{+}"
	fileShape = "file{path name content* size#} content* metadata{type path commit{" + commitFields +
		" repository{type full_name name uuid " + repositoryLinks + " mainbranch{type name}}} size# mimetype escaped_path attributes[] " +
		linksTo("self meta history") + "} repo{" + repositoryShape + "} branch " + includedFiles + "{+}"
)

package kind

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/shape"
)

var pullRequest = define(Kind{
	Name: "pull-request", Aliases: []string{"pr", "prs", "mr", "merge-request"},
	Manual: Manual{What: "pull requests: the open ones, or what a filter selects", Requests: "1 for each repository and 50 pull requests", Scope: "pullrequest", APIScope: "read:pullrequest:bitbucket"},
	Objects: shape.Kind{
		Object:     pullRequestFields,
		Identifier: `(.destination.repository.full_name | split("/")[1]) + "/" + (.id | tostring)`,
		Missing:    missingInPullRequests(),
	},
	place: place{put: putInDestination, paths: [][]string{{"destination", "repository"}}},
}, extractAged[pullRequestSelector])

// missingInPullRequests are fields of single pull requests, of whole repositories, and of
// accounts as they once were.
func missingInPullRequests() map[string]string {
	missing := map[string]string{
		".rendered": "lists leave it out, and only the answer for one pull request has it: " +
			"write .summary.html for the description in HTML, .description and .title for the texts",
		".merge_commit.date": "write .closed_on",
	}
	for _, end := range []string{".source", ".destination"} {
		missing[end+".repository.slug"] = "write (" + end + `.repository.full_name | split("/")[1])`
	}
	for _, account := range []string{".author", ".closed_by", ".reviewers[]", ".participants[].user"} {
		missing[account+".username"] = "Bitbucket has no usernames of people any more: write " + account + ".nickname"
	}
	return missing
}

// maxPullRequests is the longest page of pull requests. A longer one is refused
// with "Invalid pagelen", although the documentation says 100 for every route;
// seen in public clients.
const maxPullRequests = 50

func destinationUUID(pullRequest Object) string {
	destination, _ := pullRequest["destination"].(Object)
	repository, _ := destination["repository"].(Object)
	uuid, _ := repository["uuid"].(string)
	return uuid
}

type pullRequestSelector struct {
	walked
	PullRequestQuery string `yaml:"pullRequestQuery" help:"Takes the pull requests that this filter in Bitbucket's query language selects, in which now-30d, now-12h or now-4w is a time before the run: state=\"OPEN\" when it is absent."`
	// IncludedFiles is accepted and not used: the incumbent does the same.
	IncludedFiles []string `yaml:"includedFiles" deprecated:"true" help:"Has no effect for pull requests."`
}

func (s pullRequestSelector) selective() bool {
	return s.narrowed() || strings.TrimSpace(s.PullRequestQuery) != ""
}

func (s pullRequestSelector) problems(raw mapping.Selector) diag.Problems {
	return append(s.walked.problems(raw), checkFilter(raw, "pullRequestQuery", s.PullRequestQuery, pullRequestFields)...)
}

func (pullRequestSelector) cost() Cost { return Cost{Each: true, Repositories: 1} }

// openPullRequests is the query when the selector has none.
const openPullRequests = `state="OPEN"`

// pullRequestsKey is the key of the lists of pull requests that a query selects, one of each
// repository.
type pullRequestsKey struct{ query string }

func (s pullRequestSelector) pullRequests() pullRequestsKey {
	return pullRequestsKey{cmp.Or(strings.TrimSpace(s.PullRequestQuery), openPullRequests)}
}

// lists adds to what expressions reach what this program reads itself.
func (s pullRequestSelector) lists(reads *reach.Paths) map[any]*reach.Paths {
	if reads != nil {
		reads = reach.Union(reads, ofPullRequest())
		reachReviewers(reads)
	}
	return map[any]*reach.Paths{s.pullRequests(): reads}
}

func (s pullRequestSelector) parts(ws *Workspace) parts {
	reads := ws.options.Parts[s.pullRequests()]
	return parts{"pull-request", reads, fieldsOf(reads, pullRequestFields)}
}

// ofPullRequest is what this program reads of a pull request: what identifies it, its address,
// what names it when it is odd, and when it changed.
func ofPullRequest() *reach.Paths {
	p := &reach.Paths{}
	p.Add("id")
	p.Add("title")
	p.Add("updated_on")
	p.Add("links", "html", "href")
	p.Add("destination", "repository", "uuid")
	return p
}

// reachReviewers adds what nameReviewers copies: what is read of the user of a reviewer is that of
// the reviewer.
func reachReviewers(reads *reach.Paths) {
	reviewers := reads.Keys["reviewers"]
	if reviewers == nil || reviewers.Each == nil || reviewers.Each.Keys["user"] == nil {
		return
	}
	reviewers.Each = reach.Union(reviewers.Each, reviewers.Each.Keys["user"])
}

// aged is the list of the pull requests of a repository that the query selects, in the order
// of their numbers, with reviewers, participants and closed_on, which a list leaves out unless
// asked.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-get
func (s pullRequestSelector) aged(c *bitbucket.Client, r bitbucket.Repository, p parts) aged {
	query := s.pullRequests().query
	return aged{kind: p.kind, repository: r, complete: nameReviewers,
		endpoint: bitbucket.Endpoint[bitbucket.Listed]{
			Name:    fmt.Sprintf("pull requests of repository %q", r.Slug),
			Path:    c.Path("repositories", r.Slug, "pullrequests"),
			Route:   "pullrequests",
			Pagelen: maxPullRequests,
			Reads:   p.reads,
			Fields:  p.fields,
			Key: func(l bitbucket.Listed) (string, error) {
				id, ok := l.Object["id"].(json.Number)
				if !ok {
					return "", errors.New("it has no id that is a number")
				}
				return destinationUUID(l.Object) + id.String(), nil
			},
			Sorted: bitbucket.Sorted[bitbucket.Listed]{
				Number: func(l bitbucket.Listed) (int64, bool) {
					id, _ := l.Object["id"].(json.Number)
					n, err := id.Int64()
					return n, err == nil
				},
				Behind: func(q url.Values, number int64) url.Values {
					q = maps.Clone(q)
					q.Set("q", fmt.Sprintf("(%s) AND id > %d", q.Get("q"), number))
					return q
				},
			},
		},
		query: url.Values{
			"q":      {query},
			"sort":   {"id"},
			"fields": {"+values.reviewers,+values.participants,+values.closed_on"},
		},
	}
}

// putInDestination puts a repository into a pull request as Bitbucket does: with less
// than its own answer has.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/, read 2026-11.
func putInDestination(object, source Object) Object {
	short := Object{}
	for _, key := range []string{"type", "full_name", "name", "uuid"} {
		short[key] = source[key]
	}
	links, _ := source["links"].(Object)
	short["links"] = Object{"self": links["self"], "html": links["html"], "avatar": links["avatar"]}
	destination, _ := object["destination"].(Object)
	if destination == nil {
		destination = Object{}
		object["destination"] = destination
	}
	destination["repository"] = short
	return object
}

// nameReviewers adds to each reviewer a copy of itself as "user", as participants
// have it: the documented default mapping reads .reviewers[].user.display_name,
// and a reviewer of Bitbucket is the account itself.
func nameReviewers(pullRequest Object) {
	reviewers, _ := pullRequest["reviewers"].([]any)
	for _, r := range reviewers {
		if account, ok := r.(Object); ok && account["user"] == nil {
			account["user"] = clone(account)
		}
	}
}

package kind

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/filter"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/shape"
)

var pullRequest = define(Kind{
	Name: "pull-request", Aliases: []string{"pr", "prs", "mr", "merge-request"},
	Manual: Manual{What: "pull requests: the open ones, or what a filter selects", Requests: "1 for each repository and 50 pull requests of the window", Scope: "pullrequest", APIScope: "read:pullrequest:bitbucket"},
	Objects: shape.Kind{
		Object:     withRepository(pullRequestShape + pullRequestExtras),
		Identifier: `(.destination.repository.full_name | split("/")[1]) + "/" + (.id | tostring)`,
		Missing:    missingInPullRequests(),
	},
	place: place{put: putInDestination, paths: [][]string{{"destination", "repository"}, {withinKey}}},
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
	ofRepositories
	PullRequestQuery string             `yaml:"pullRequestQuery" help:"Takes the pull requests that this filter in Bitbucket's query language selects, in which now-30d, now-12h or now-4w is a time before the run: state=\"OPEN\" when it and states are absent."`
	States           []pullRequestState `yaml:"states" help:"Takes the pull requests of these states: OPEN alone when it and pullRequestQuery are absent."`
	Since            int                `yaml:"since" help:"Takes the pull requests that changed within so many days, by updated_on: all when it is absent."`
	MaxResults       int                `yaml:"maxResults" help:"Takes so many pull requests of each repository at most, those that changed last: all when it is absent."`
	// IncludedFiles is accepted and not used: the incumbent does the same.
	IncludedFiles []string `yaml:"includedFiles" deprecated:"true" help:"Has no effect for pull requests."`
}

// pullRequestState is a state of a pull request, in any case of letters.
type pullRequestState string

// pullRequestStates are those that Bitbucket knows.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-get, read 2026-11.
var pullRequestStates = []string{"OPEN", "MERGED", "DECLINED", "SUPERSEDED"}

// Values are the states that Bitbucket knows.
func (pullRequestState) Values() []string { return pullRequestStates }

// activity reports whether expressions name what happened to pull requests.
func (s pullRequestSelector) activity() bool { return s.reads.names(activityKey) }

func (s pullRequestSelector) selective() bool {
	return s.narrowed() || strings.TrimSpace(s.PullRequestQuery) != "" || len(s.States) > 0 || s.Since > 0 || s.MaxResults > 0
}

func (s pullRequestSelector) problems(raw mapping.Selector) diag.Problems {
	problems := append(s.walked.problems(raw), checkFilter(raw, "pullRequestQuery", s.PullRequestQuery, pullRequestFields)...)
	for i, state := range s.States {
		key := fmt.Sprintf("states[%d]", i)
		switch {
		case state == "":
			problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, key, "the state is empty", "use one of "+strings.Join(pullRequestStates, ", ")))
		case !slices.Contains(pullRequestStates, strings.ToUpper(string(state))):
			problems = append(problems, checkOneOf(raw, key, string(state), pullRequestStates, "state")...)
		}
	}
	for _, name := range filter.Fields(s.PullRequestQuery) {
		if name.Text == "state" && len(s.States) > 0 {
			return append(problems, raw.ProblemAt(mapping.RuleSelectorValue, diag.Error, "pullRequestQuery", name.Offset,
				"states and pullRequestQuery both say which states are taken", "name them in states alone, or remove states"))
		}
	}
	return problems
}

func (s pullRequestSelector) cost() Cost {
	c := Cost{Repositories: 1, Objects: len(s.reads.wanted(extrasOfPullRequests))}
	if s.activity() {
		c.Repositories++
	}
	return c
}

// openPullRequests is the query when the selector has none.
const openPullRequests = `state="OPEN"`

// pullRequestsKey is the key of the lists of pull requests that a query selects, one of each
// repository.
type pullRequestsKey struct{ query string }

// pullRequests is the query of all keys together. It has no time in full: a list is remembered
// under it.
func (s pullRequestSelector) pullRequests() pullRequestsKey {
	var all []string
	own := strings.TrimSpace(s.PullRequestQuery)
	if own != "" {
		all = append(all, own)
	}
	if states := s.ofStates(); len(states) > 0 {
		all = append(all, strings.Join(states, " OR "))
	} else if len(all) == 0 {
		all = append(all, openPullRequests)
	}
	if s.Since > 0 {
		all = append(all, fmt.Sprintf("updated_on >= now-%dd", min(s.Since, maxDays)))
	}
	for i := range all {
		if len(all) > 1 && (i == 0 && own != "" || strings.Contains(all[i], " OR ")) {
			all[i] = "(" + all[i] + ")"
		}
	}
	return pullRequestsKey{strings.Join(all, " AND ")}
}

// ofStates are the filters for the states, each once and in one order, so that resources of the same
// states share their lists.
func (s pullRequestSelector) ofStates() (all []string) {
	for _, known := range pullRequestStates {
		if slices.ContainsFunc(s.States, func(state pullRequestState) bool { return strings.EqualFold(string(state), known) }) {
			all = append(all, `state="`+known+`"`)
		}
	}
	return all
}

var (
	_ lister = pullRequestSelector{}
	_ parter = pullRequestSelector{}
)

// lists adds to what expressions reach what this program reads itself. The repository is no part of
// the list.
func (s pullRequestSelector) lists(reads *reach.Paths) map[any]*reach.Paths {
	if reads != nil {
		reads = reach.Union(listedOf(reads), ofPullRequest())
		if s.activity() {
			reads.Add("created_on")
		}
		if s.reads.names("__tasks") {
			reads.Add("task_count")
		}
		reachReviewers(reads)
	}
	return map[any]*reach.Paths{s.pullRequests(): reads}
}

func (s pullRequestSelector) parts(ws *Workspace) parts {
	reads := ws.options.Parts[s.pullRequests()]
	return parts{kind: "pull-request", reads: reads, fields: fieldsOf(reads, pullRequestFields), moment: ws.moment}
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
	a := aged{complete: nameReviewers, within: s.within(), extras: s.reads.wanted(extrasOfPullRequests), activity: s.activity()}
	a.agedList = agedList{kind: p.kind, repository: r,
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
			"q":      {s.pullRequests().query},
			"sort":   {"id"},
			"fields": {"+values.reviewers,+values.participants,+values.closed_on"},
		},
	}
	a.only = s.choice(p.moment)
	if s.MaxResults > 0 { // by links: what is sorted by a time that moves has no key
		a.query.Set("sort", "-updated_on")
		a.endpoint.Sorted = bitbucket.Sorted[bitbucket.Listed]{}
		a.only.order(&a.endpoint)
		a.endpoint.InFront = true
	}
	return a
}

// choice is what since and maxResults leave. Bitbucket narrows the list to since; what comes from
// memory is narrowed here.
func (s pullRequestSelector) choice(moment time.Time) choice {
	window := choice{when: func(o Object) (time.Time, bool) { return timeAt(o, "updated_on") }}
	window.since = daysBefore(moment, s.Since)
	if s.MaxResults > 0 {
		window.name, window.most = fmt.Sprintf("most=%d", s.MaxResults), s.MaxResults
		return window
	}
	if s.Since == 0 {
		return choice{}
	}
	return choice{takes: func(o Object) bool { return !window.old(o) }}
}

// putInDestination puts a repository into a pull request as Bitbucket does, with less than its own
// answer has, and as a whole at __repository.
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
	object[withinKey] = source
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

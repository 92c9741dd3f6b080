package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/filter"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// roles of the caller in a repository.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-get, read 2026-11.
var roles = []string{"member", "contributor", "admin", "owner"}

// role is a role of the caller in a repository, or empty.
type role string

// Values are the roles that Bitbucket knows.
func (role) Values() []string { return roles }

// walked are the keys of every selector whose kind walks repositories. Those that choose
// repositories make a choice: what Port holds of the others is stale.
type walked struct {
	UserRole        role     `yaml:"userRole" help:"Takes the repositories in which the caller has this role."`
	RepoQuery       string   `yaml:"repoQuery" help:"Takes the repositories that this filter in Bitbucket's query language selects, in which now-30d, now-12h or now-4w is a time before the run."`
	TakeRepos       []string `yaml:"repos" help:"Takes the repositories whose slugs match one of these patterns, such as checkout-api or payment-*: all when it is absent."`
	ExcludeRepos    []string `yaml:"excludeRepos" help:"Leaves out the repositories whose slugs match one of these patterns."`
	Projects        []string `yaml:"projects" help:"Takes the repositories of the projects whose keys match one of these patterns, such as PAY or OPS*: all when it is absent."`
	ExcludeProjects []string `yaml:"excludeProjects" help:"Leaves out the repositories of the projects whose keys match one of these patterns."`
	ActiveWithin    int      `yaml:"activeWithin" help:"Takes the repositories that changed within so many days, by updated_on: all when it is absent."`
}

const (
	// maxNarrowed is how many projects Bitbucket is asked for by name: an address has room for 8 KB.
	maxNarrowed = 20
	// maxNarrowedBytes bounds the filter that a selector's own keys make, for the same reason.
	maxNarrowedBytes = 2000
)

// query is what Bitbucket is asked for: the fewest repositories that it can narrow the list to.
func (w walked) query() bitbucket.RepositoryQuery {
	var all []string
	own := strings.TrimSpace(w.RepoQuery)
	if own != "" {
		all = append(all, own)
	}
	if projects := w.ofProjects(); projects != "" {
		all = append(all, projects)
	}
	if w.ActiveWithin > 0 {
		all = append(all, fmt.Sprintf("updated_on >= now-%dd", min(w.ActiveWithin, maxDays)))
	}
	if own != "" && len(all) > 1 {
		all[0] = "(" + own + ")"
	}
	return bitbucket.RepositoryQuery{Role: string(w.UserRole), Query: strings.Join(all, " AND ")}
}

// ofProjects is the filter for the repositories of the projects, where all of them are named;
// empty otherwise.
func (w walked) ofProjects() string {
	var all []string
	for _, pattern := range w.Projects {
		p, err := glob.Parse(pattern)
		key, literal := p.Literal()
		if err != nil || !literal {
			return ""
		}
		if one := "project.key = " + filter.Quote(key); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	text := strings.Join(all, " OR ")
	switch {
	case len(all) > maxNarrowed || len(text) > maxNarrowedBytes:
		return ""
	case len(all) > 1:
		return "(" + text + ")"
	}
	return text
}

func (w walked) list() any { return w.query() }

// again reads the list a second time. Appeared holds what is taken now and was not at the first
// reading: also what the first reading had and left out.
func (w walked) again(ctx context.Context, ws *Workspace) (Second, error) {
	second, err := ws.repositoriesAgain(ctx, w.query())
	t := w.taking(ws)
	second.Appeared = nil
	for _, l := range second.appeared {
		if t.takes(l.now.Repository) && (l.before == nil || !t.takes(*l.before)) {
			second.Appeared = append(second.Appeared, l.now.source())
		}
	}
	return second, err
}

// without returns the repoQuery that leaves out a repository, quoted for YAML.
func (w walked) without(s Source) string {
	var repository struct{ Name string }
	if text, err := s.JSON(); err != nil || json.Unmarshal(text, &repository) != nil {
		repository.Name = s.Name // which is most often the same
	}
	text := "name != " + filter.Quote(repository.Name)
	if query := strings.TrimSpace(w.RepoQuery); query != "" {
		text = "(" + query + ") AND " + text
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

func (w walked) selective() bool { return false }

func (w walked) readsFiles() bool { return false }

func (w walked) narrowed() bool { return w.narrowing() != "" }

// narrowing names the keys that choose repositories, for a message; empty when there are none.
func (w walked) narrowing() string {
	var keys []string
	add := func(given bool, names ...string) {
		if given {
			keys = append(keys, names...)
		}
	}
	add(w.UserRole != "" || strings.TrimSpace(w.RepoQuery) != "", "userRole", "repoQuery")
	add(len(w.TakeRepos) > 0, "repos")
	add(len(w.ExcludeRepos) > 0, "excludeRepos")
	add(len(w.Projects) > 0, "projects")
	add(len(w.ExcludeProjects) > 0, "excludeProjects")
	add(w.ActiveWithin > 0, "activeWithin")
	if len(keys) < 2 {
		return strings.Join(keys, "")
	}
	return strings.Join(keys[:len(keys)-1], ", ") + " and " + keys[len(keys)-1]
}

// maxDays is a window that begins before there was Bitbucket.
const maxDays = 36500

func (w walked) problems(s mapping.Selector) diag.Problems {
	problems := checkFilter(s, "repoQuery", w.RepoQuery, shape.Of(repositoryShape))
	for _, of := range w.patterns() {
		problems = append(problems, checkNames(s, of.key, of.patterns)...)
		for i, pattern := range of.patterns {
			if strings.Contains(pattern, "/") {
				problems = append(problems, s.Problem(mapping.RuleSelectorValue, diag.Error, of.key+"["+strconv.Itoa(i)+"]",
					fmt.Sprintf("%q has a slash, and no %s has one", pattern, of.name), fmt.Sprintf("write %q", pattern[strings.LastIndex(pattern, "/")+1:])))
			}
		}
	}
	return append(problems, checkOneOf(s, "userRole", string(w.UserRole), roles, "role")...)
}

// namePatterns are the patterns of a key that chooses repositories.
type namePatterns struct {
	key, name string // of the key, and what its patterns are for
	patterns  []string
	project   bool // of projects, and not of repositories
	leaves    bool // leaves out what matches
}

func (w walked) patterns() []namePatterns {
	return []namePatterns{
		{"repos", "slug", w.TakeRepos, false, false},
		{"excludeRepos", "slug", w.ExcludeRepos, false, true},
		{"projects", "key of a project", w.Projects, true, false},
		{"excludeProjects", "key of a project", w.ExcludeProjects, true, true},
	}
}

package kind

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// ofRepositories is embedded in the selector of a kind that reads one list of each repository and
// whose objects have their repository at __repository. The selector adds its own keys, and aged.
type ofRepositories struct {
	walked
	reads Reads
}

var _ reader = &ofRepositories{}

func (s *ofRepositories) read(reads Reads, _ []string) { s.reads = reads }

func (ofRepositories) cost() Cost { return Cost{Repositories: 1} }

// within reports whether objects are to have their repository.
func (s ofRepositories) within() bool { return s.reads.any(withinKey) }

// listOf is a list of a repository at a path below its own, of objects that a text or number at
// the key identifies, in pages of 100 that are whole.
func (s ofRepositories) listOf(c *bitbucket.Client, r bitbucket.Repository, kind, key string, path ...string) aged {
	return aged{within: s.within(), agedList: agedList{
		kind: kind, repository: r,
		endpoint: bitbucket.Endpoint[bitbucket.Listed]{
			Name:    fmt.Sprintf("%ss of repository %q", strings.ReplaceAll(kind, "-", " "), r.Slug),
			Path:    c.Path("repositories", append([]string{r.Slug}, path...)...),
			Route:   kind,
			Pagelen: 100,
			Key:     keyOf(key),
		},
	}}
}

// keyOf is an Endpoint's Key of objects that a text or number at the first of some keys identifies.
func keyOf(keys ...string) func(bitbucket.Listed) (string, error) {
	return func(l bitbucket.Listed) (string, error) {
		for _, key := range keys {
			switch v := l.Object[key].(type) {
			case string:
				if v != "" {
					return v, nil
				}
			case fmt.Stringer: // a number
				return v.String(), nil
			}
		}
		return "", fmt.Errorf("it has no %s", strings.Join(keys, " and no "))
	}
}

// withRepository is the notation of an object that has its repository at __repository.
func withRepository(fields string) *shape.Shape {
	return shape.Of(fields + " " + withinKey + "{" + repositoryShape + "}")
}

// recent are the keys of a selector whose list has the newest objects first.
type recent struct {
	Since      int `yaml:"since" default:"30" help:"Takes the objects of so many days: 30 when it is absent."`
	MaxResults int `yaml:"maxResults" default:"100" help:"Takes so many objects of each repository at most, the newest: 100 when it is absent."`
}

// choice is what the keys choose by a time, counted from a moment; c.name stands for the kind's other keys.
func (r recent) choice(moment time.Time, days, most int, c choice) choice {
	if r.Since > 0 {
		days = r.Since
	}
	if r.MaxResults > 0 {
		most = r.MaxResults
	}
	c.since, c.most = daysBefore(moment, days), most
	c.name = strings.TrimSpace(fmt.Sprintf("since=%d most=%d %s", days, most, c.name))
	return c
}

// refNames are the keys of a selector that choose branches.
type refNames struct {
	Branches          []string `yaml:"branches" help:"Patterns of branches, such as main and release/*: all when it is absent."`
	DefaultBranchOnly bool     `yaml:"defaultBranchOnly" help:"Takes the main branch of each repository alone."`
	IncludeMergeQueue bool     `yaml:"includeMergeQueue" help:"Takes also the branches that Bitbucket's merge queue makes for a while."`
}

// mergeQueue begins the names of branches that a merge queue makes for a while.
//
// Source: https://www.atlassian.com/blog/bitbucket/merge-queues-how-we-ship-faster-with-fewer-incidents, read 2026-11.
const mergeQueue = "bitbucket-merge-queue-"

func (b refNames) selective() bool { return len(b.Branches) > 0 }

func (b refNames) problems(raw mapping.Selector) diag.Problems {
	return checkNames(raw, "branches", b.Branches)
}

// takes returns what reports whether a branch of a repository is taken.
func (b refNames) takes(mainBranch string) func(name string) bool {
	matches := matcher(b.Branches)
	return func(name string) bool {
		switch {
		case b.DefaultBranchOnly && name != mainBranch:
			return false
		case strings.HasPrefix(name, mergeQueue) && !b.IncludeMergeQueue:
			return false
		}
		return matches(name)
	}
}

// checkNames finds what is not a pattern in a list of them.
func checkNames(raw mapping.Selector, key string, patterns []string) (problems diag.Problems) {
	for i, pattern := range patterns {
		if _, err := glob.Parse(pattern); err != nil || pattern == "" {
			message := fmt.Sprintf("%q is not a valid pattern", pattern)
			if err != nil {
				message += ": it " + err.Error()
			}
			problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, fmt.Sprintf("%s[%d]", key, i), message,
				patternFix(err, `* is for a part of a name up to the next slash, ** for any number of parts; write "\" before a character that is meant as it is`)))
		}
	}
	return problems
}

// matcher returns what reports whether a name matches one of some patterns that were checked; none
// take all.
func matcher(patterns []string) func(name string) bool {
	var all []glob.Pattern
	for _, pattern := range patterns {
		if p, err := glob.Parse(pattern); err == nil {
			all = append(all, p)
		}
	}
	return func(name string) bool {
		return len(patterns) == 0 || slices.ContainsFunc(all, func(p glob.Pattern) bool { return p.Matches(name) })
	}
}

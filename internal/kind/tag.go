package kind

import (
	"cmp"
	"fmt"
	"net/url"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var tag = define(Kind{
	Name: "tag", Aliases: []string{"tags"},
	Manual: Manual{What: "[tags](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/), those of the newest commits first", Requests: "1 for each repository, and for each 100 tags of `maxResults`, which are read twice where it is more",
		Scope: "repository", APIScope: "read:repository:bitbucket"},
	Objects: shape.Kind{
		Object:     withRepository(tagShape),
		Identifier: `.__repository.slug + "/tags/" + .name`,
		Missing: map[string]string{
			".commit":     "write .target",
			".created_on": "write .date // .target.date",
		},
	},
	place: inRepository,
}, extractAged[tagSelector])

// tagShape has a message, a date and a tagger, which are null of a tag that is a name alone.
var tagShape = "type name message date tagger" + person + " target{" + fullCommit + "} " + linksTo("self commits html")

type tagSelector struct {
	ofRepositories
	Tags       []string `yaml:"tags" help:"Patterns of tags, such as v1.*: all when it is absent."`
	MaxResults int      `yaml:"maxResults" default:"100" help:"Takes so many objects of each repository at most, the newest: 100 when it is absent."`
}

func (s tagSelector) selective() bool { return s.narrowed() || len(s.Tags) > 0 }

func (s tagSelector) problems(raw mapping.Selector) diag.Problems {
	return append(s.walked.problems(raw), checkNames(raw, "tags", s.Tags)...)
}

// aged is the list of the tags of a repository, those of the newest commits first. That it can be
// sorted so is not documented; public clients do it, read 2026-11.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/#api-repositories-workspace-repo-slug-refs-tags-get
func (s tagSelector) aged(c *bitbucket.Client, r bitbucket.Repository, _ parts) aged {
	a := s.listOf(c, r, "tag", "name", "refs", "tags")
	a.query = url.Values{"sort": {"-target.date"}}
	matches := matcher(s.Tags)
	most := cmp.Or(s.MaxResults, 100)
	a.only = choice{
		name: fmt.Sprintf("most=%d %q", most, s.Tags),
		takes: func(o Object) bool {
			name, _ := o["name"].(string)
			return matches(name)
		},
		when: func(o Object) (time.Time, bool) { return timeAt(o, "target", "date") },
		most: most,
	}
	a.only.order(&a.endpoint)
	a.name = func(o Object) string { return fmt.Sprintf("%s tag %v", r.Slug, o["name"]) }
	return a
}

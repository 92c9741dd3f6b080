package bitbuckettest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Tag is a tag of a repository.
type Tag struct {
	Name   string
	Commit string // "" is the head of the main branch
	// Message makes it an annotated tag, which has a date and a tagger.
	Message string
	Date    time.Time // zero: the server's clock
}

// tags are those of the repositories. Git does not serve them: the reader asks for branches and commits.
type tags struct{ shelf[*tagOf] }

type tagOf struct {
	Tag
	repo *repository
	head *commit
}

func newTags(rs *repositories) *tags { return &tags{newShelf[*tagOf](rs)} }

func (ts *tags) routes() []*route {
	return []*route{{path: "/repositories/{workspace}/{repo_slug}/refs/tags", scope: "repository", granular: "read:repository:bitbucket",
		parameters: []string{"q", "sort", "page", "pagelen", "fields"}, maxPagelen: 100, handle: ts.list}}
}

func (ts *tags) examples(v view) map[string]object {
	ts.AddTag("example", Tag{Name: "v1", Message: "first"})
	return map[string]object{"tag": ts.by[ts.repositories.all[0]][0].tree(v)}
}

// AddTag adds a tag.
func (ts *tags) AddTag(slug string, t Tag) {
	ts.add(slug, func(r *repository, _ int) *tagOf {
		head := r.head()
		if t.Commit != "" {
			head = r.commits[slices.IndexFunc(r.commits, func(c *commit) bool { return c.hash() == t.Commit })]
		}
		if head == nil || t.Name == "" || slices.ContainsFunc(ts.by[r], func(o *tagOf) bool { return o.Name == t.Name }) {
			panic("bitbuckettest: no commit, or tag " + t.Name + " is there already")
		}
		if t.Message != "" {
			ts.ws().stamp(&t.Date, nil)
		}
		return &tagOf{t, r, head}
	})
}

// RemoveTag removes a tag.
func (ts *tags) RemoveTag(slug, name string) {
	ts.remove(slug, func(t *tagOf) bool { return t.Name == name })
}

// sample gives each third repository a few tags.
func (ts *tags) sample(slugs []string) {
	for i, slug := range slugs {
		if i%3 != 0 || ts.repositories.must(slug).head() == nil {
			continue
		}
		for n := range 1 + i%4 {
			t := Tag{Name: "v1." + strconv.Itoa(n) + ".0"}
			if n%2 == 0 {
				t.Message, t.Date = "Release "+t.Name, time.Date(2026, time.March, 1+n, 8, 0, 0, 0, time.UTC)
			}
			ts.AddTag(slug, t)
		}
	}
}

// list is in the order of the names, unless it is sorted.
func (ts *tags) list(v view, q *request) *answer {
	r, refusal := ts.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	all, refusal := v.selectItems(q, selection{
		kind: "tag",
		source: func() []item {
			named := items(ts.by[r], false)
			slices.SortFunc(named, func(a, b item) int { return strings.Compare(a.(*tagOf).Name, b.(*tagOf).Name) })
			return named
		},
	})
	if refusal != nil {
		return refusal
	}
	return v.pageByNumber(q, all)
}

// tree has nulls where the tag is a name alone.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/, read 2026-11.
func (t *tagOf) tree(v view) object {
	full := v.w.slug + "/" + t.repo.Slug
	self := v.base + "/repositories/" + full
	var tagger, date any
	if t.Message != "" {
		tagger = object{{"type", "author", shown}, {"raw", "Build Bot <bot@example.com>", shown}}
		date = t.Date.UTC().Format("2006-01-02T15:04:05-07:00")
	}
	return object{
		{"name", t.Name, shown},
		{"type", "tag", shown},
		{"message", textOrNull(t.Message), shown},
		{"date", date, shown},
		{"tagger", tagger, shown},
		{"target", v.commitTree(t.repo, t.head), shown},
		{"links", links(
			"self", self+"/refs/tags/"+t.Name,
			"commits", self+"/commits/"+t.Name,
			"html", site+full+"/commits/tag/"+t.Name,
		), shown},
	}
}

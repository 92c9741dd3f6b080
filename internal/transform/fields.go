package transform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/mapping"
)

// fields are those of the objects of each kind, at their top level.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/ (project, repository,
// pullrequest), and answers of the API, read 2026-11.
var fields = map[string][]string{
	"project": {
		"type", "uuid", "key", "name", "description", "is_private", "owner", "workspace", "links", "created_on", "updated_on", "has_publicly_visible_repos",
	},
	"repository": {
		"type", "uuid", "full_name", "name", "slug", "description", "scm", "website", "owner", "workspace", "is_private", "project", "fork_policy",
		"created_on", "updated_on", "size", "language", "mainbranch", "override_settings", "parent", "enforced_signed_commits", "has_issues",
		"has_wiki", "links", includedFiles,
	},
	"pull-request": {
		"type", "id", "title", "description", "state", "draft", "queued", "author", "source", "destination", "merge_commit", "close_source_branch",
		"closed_by", "reason", "comment_count", "task_count", "created_on", "updated_on", "summary", "rendered", "reviewers", "participants", "links",
	},
	"folder": {"folder", "repo", "pattern", "branch", includedFiles},
	"file":   {"file", "content", "metadata", "repo", "branch", includedFiles},
}

const includedFiles = "__includedFiles"

// otherNames are fields as other products, and a documented example, name them.
var otherNames = map[string]string{
	"main_branch": ".mainbranch.name", "default_branch": ".mainbranch.name", "defaultbranch": ".mainbranch.name", "branch": ".mainbranch.name",
	"url": ".links.html.href", "html_url": ".links.html.href", "web_url": ".links.html.href", "link": ".links.html.href", "href": ".links.html.href",
	"private": ".is_private", "visibility": ".is_private", "created_at": ".created_on", "createdat": ".created_on", "updated_at": ".updated_on",
	"updatedat": ".updated_on", "merged_at": ".updated_on", "number": ".id", "iid": ".id", "status": ".state", "body": ".description",
	"assignees": ".reviewers", "source_branch": ".source.branch.name", "target_branch": ".destination.branch.name",
	"head": ".source", "base": ".destination", "repository": ".destination.repository", "path": ".file.path", "filename": ".file.name",
}

// checkFields tells of fields that the objects of the kind do not have, where it is
// known what was meant.
func (c *compiler) checkFields(x *expression) {
	known := fields[c.resource.Kind]
	if x.tree == nil || known == nil {
		return
	}
	c.checkReviewers(x)
	told := map[string]bool{c.resource.ItemsToParseName: c.resource.ItemsToParse != nil}
	for _, key := range rootFields(x.tree) {
		if slices.Contains(known, key) || told[key] {
			continue
		}
		told[key] = true
		fix := c.fieldFix(key, known)
		if fix == "" {
			continue
		}
		at := 0
		for _, t := range tokens(x.source) {
			if t.kind == fieldToken && t.value == "."+key {
				at = t.start
				break
			}
		}
		c.add(x.Problem(mapping.RuleField, mapping.Warning, at, fmt.Sprintf("the objects of the kind %s have no field %q: it is null", c.resource.Kind, key), fix))
	}
}

// fieldNames are the fields of the objects that expressions see; nil when the kind is
// not known.
func (c *compiler) fieldNames() []string {
	known := fields[c.resource.Kind]
	if c.resource.ItemsToParse != nil && known != nil {
		known = append(slices.Clone(known), c.resource.ItemsToParseName)
	}
	return known
}

// checkReviewers tells where the documented default mapping reads more than Bitbucket
// has. It works, since each reviewer carries itself as its user.
func (c *compiler) checkReviewers(x *expression) {
	const path = ".reviewers[].user"
	if at := strings.Index(x.source, path); at >= 0 && c.resource.Kind == "pull-request" {
		c.add(x.Problem(mapping.RuleField, mapping.Note, at, "a reviewer of Bitbucket is the account itself; its field user is a copy that is made here",
			"write .reviewers[] for "+path))
	}
}

// fieldFix says what was meant; it is empty when that is not known.
func (c *compiler) fieldFix(key string, known []string) string {
	if path := otherNames[key]; path != "" && slices.Contains(known, firstKey(path)) {
		return "write " + path
	}
	if near, ok := mapping.Nearest(key, known); ok {
		return "did you mean ." + near + "?"
	}
	return ""
}

// firstKey is the first key of a path as otherNames has it.
func firstKey(path string) string {
	q, err := gojq.Parse(path)
	if err != nil {
		return ""
	}
	key, _ := keyOf(q.Term.Index)
	return key
}

// sameInput are the functions whose arguments see what the function sees.
var sameInput = []string{
	"select", "first", "last", "limit", "isempty", "error", "add", "path", "del", "has", "contains", "inside", "startswith", "endswith", "ltrimstr",
	"rtrimstr", "join", "split", "test", "match", "capture", "scan", "splits", "range", "debug", "tojson", "getpath", "index", "rindex", "indices",
}

// rootFields are the keys that an expression reads of the object itself, as far as
// that can be told, in their order.
func rootFields(q *gojq.Query) []string {
	r := rooted{typer: newTyper(q)}
	r.query(q)
	return r.keys
}

type rooted struct {
	typer
	keys []string
}

// query looks at a query that sees the object.
func (r *rooted) query(q *gojq.Query) {
	if q == nil {
		return
	}
	if q.Term != nil {
		r.term(q.Term)
		return
	}
	r.query(q.Left)
	if q.Op != gojq.OpPipe || len(q.Patterns) > 0 || identical(q.Left) {
		r.query(q.Right)
	}
}

// identical reports whether a query gives what it sees.
func identical(q *gojq.Query) bool {
	t := onlyTerm(q)
	return t != nil && t.Type == gojq.TermTypeIdentity && len(t.SuffixList) == 0
}

func (r *rooted) term(t *gojq.Term) {
	for _, suffix := range t.SuffixList {
		r.index(suffix.Index)
	}
	switch t.Type {
	case gojq.TermTypeIdentity:
		if len(t.SuffixList) > 0 {
			r.key(t.SuffixList[0].Index)
		}
	case gojq.TermTypeIndex:
		r.key(t.Index)
		r.index(t.Index)
	case gojq.TermTypeQuery:
		r.query(t.Query)
	case gojq.TermTypeArray:
		r.query(t.Array.Query)
	case gojq.TermTypeUnary:
		r.term(t.Unary.Term)
	case gojq.TermTypeString:
		r.text(t.Str)
	case gojq.TermTypeFormat:
		r.text(t.Str)
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			r.query(kv.KeyQuery)
			r.query(kv.Val)
			if kv.Val == nil && kv.Key != "" && kv.Key[0] != '$' {
				r.keys = append(r.keys, kv.Key)
			}
		}
	case gojq.TermTypeIf:
		r.query(t.If.Cond)
		r.query(t.If.Then)
		for _, elif := range t.If.Elif {
			r.query(elif.Cond)
			r.query(elif.Then)
		}
		r.query(t.If.Else)
	case gojq.TermTypeTry:
		r.query(t.Try.Body)
	case gojq.TermTypeReduce:
		r.query(t.Reduce.Query)
	case gojq.TermTypeForeach:
		r.query(t.Foreach.Query)
	case gojq.TermTypeFunc:
		if slices.Contains(sameInput, t.Func.Name) && !r.own[t.Func.Name] {
			for _, arg := range t.Func.Args {
				r.query(arg)
			}
		}
		if (t.Func.Name == "any" || t.Func.Name == "all") && len(t.Func.Args) == 2 {
			r.query(t.Func.Args[0])
		}
	}
}

func (r *rooted) text(s *gojq.String) {
	if s != nil {
		for _, q := range s.Queries {
			r.query(q)
		}
	}
}

func (r *rooted) key(i *gojq.Index) {
	if key, ok := keyOf(i); ok {
		r.keys = append(r.keys, key)
	}
}

// index looks at what is computed in brackets.
func (r *rooted) index(i *gojq.Index) {
	if i != nil {
		r.query(i.Start)
		r.query(i.End)
		r.text(i.Str)
	}
}

package kind

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/source"
)

// ReadsOf makes Reads of what expressions reach. A field that costs requests of its own is read
// only where an expression names it: one that takes the whole object does not ask for it.
func ReadsOf(paths *reach.Paths) Reads {
	return func(path ...string) bool {
		if strings.HasPrefix(path[0], extraPrefix) && path[0] != includedFiles && path[0] != withinKey {
			return paths.Keys[path[0]] != nil
		}
		return paths.Reach(path...)
	}
}

// extraPrefix begins the names of fields that this program adds to objects.
const extraPrefix = "__"

// listedOf leaves out of what is read of an object the fields that no list of Bitbucket has.
func listedOf(paths *reach.Paths) *reach.Paths {
	if paths == nil {
		return nil
	}
	listed := reach.Union(paths)
	for key := range listed.Keys {
		if strings.HasPrefix(key, extraPrefix) {
			delete(listed.Keys, key)
		}
	}
	return listed
}

// extra is a field of an object that costs requests of its own. It is asked for where the mapping
// names it.
type extra struct {
	key  string
	read func(ctx context.Context, w enricher, r bitbucket.Repository, o Object) (any, error)
}

// unusedField is the name of a field that no object has: Reads that reach it reach everything.
const unusedField = extraPrefix + "nobody"

// names reports whether an expression names a field, and does not just take the whole object.
func (r Reads) names(key string) bool { return r != nil && r(key) && !r(unusedField) }

// wanted are the extras that expressions name.
func (r Reads) wanted(all []extra) (some []extra) {
	for _, e := range all {
		if r.names(e.key) {
			some = append(some, e)
		}
	}
	return some
}

// enricher asks for what objects are enriched with.
type enricher struct{ *Workspace }

// enrich adds extras to an object. The error is that of the first one that could not be read.
func (w enricher) enrich(ctx context.Context, r bitbucket.Repository, o Object, extras []extra) error {
	for _, e := range extras {
		value, err := e.read(ctx, w, r, o)
		if err != nil {
			return err
		}
		o[e.key] = value
	}
	return nil
}

// enrichAll yields objects of a repository with their extras, in their order. Some are asked for
// side by side.
func (w enricher) enrichAll(ctx context.Context, r bitbucket.Repository, all []Found, extras []extra, yield func(Found, error) bool) bool {
	work := func(ctx context.Context, f Found) error { return w.enrich(ctx, r, f.Object, extras) }
	for found, err := range concurrent.Ahead(ctx, w.ahead, all, work) {
		err, last := w.ofOne(ctx, r, found, err)
		if !yield(found, err) || last {
			return false
		}
	}
	return true
}

// ofOne returns the error of an extra as that of its object, unless it is the last of the task.
func (w enricher) ofOne(ctx context.Context, r bitbucket.Repository, of Found, err error) (told error, last bool) {
	if err == nil {
		return nil, false
	}
	err = w.rest.OrGone(ctx, r.Slug, err)
	if gone := (*Gone)(nil); errors.As(err, &gone) || Denied(err) || ctx.Err() != nil || errors.Is(err, bitbucket.ErrBudget) {
		return err, true
	}
	return &Unreadable{Object: of.Address, Err: err}, false
}

// byText is an Endpoint's Key of objects that have nothing that identifies them: no list has equal
// ones, unless it has one twice.
func byText(l bitbucket.Listed) (string, error) {
	text, err := json.Marshal(l.Object) // whatever the order of its keys was
	digest := sha256.Sum256(text)
	return string(digest[:]), err
}

// list yields a list of a repository.
func (w enricher) list(ctx context.Context, r bitbucket.Repository, name, route string, path ...string) iter.Seq2[bitbucket.Listed, error] {
	return bitbucket.List(ctx, w.client, bitbucket.Endpoint[bitbucket.Listed]{
		Name:    fmt.Sprintf("%s of repository %q", name, r.Slug),
		Path:    w.client.Path("repositories", append([]string{r.Slug}, path...)...),
		Route:   route,
		Pagelen: 100,
		NoJSON:  true,
		Once:    true,
		Key:     byText,
	}, nil)
}

// values are the objects of a list.
func values(list iter.Seq2[bitbucket.Listed, error]) ([]any, error) {
	all := []any{}
	for l, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, l.Object)
	}
	return all, nil
}

// extrasOfRepositories are the fields of repositories that cost one request each.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-effective-default-reviewers-get,
// https://developer.atlassian.com/cloud/bitbucket/rest/api-group-branching-model/#api-repositories-workspace-repo-slug-effective-branching-model-get,
// https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/#api-repositories-workspace-repo-slug-commit-commit-statuses-get
var extrasOfRepositories = []extra{
	{"__defaultReviewers", func(ctx context.Context, w enricher, r bitbucket.Repository, _ Object) (any, error) {
		return values(w.list(ctx, r, "default reviewers", "effective-default-reviewers", "effective-default-reviewers"))
	}},
	{"__branchingModel", func(ctx context.Context, w enricher, r bitbucket.Repository, _ Object) (any, error) {
		return w.client.Object(ctx, fmt.Sprintf("branching model of repository %q", r.Slug), w.client.Path("repositories", r.Slug, "effective-branching-model"))
	}},
	{"__headStatuses", func(ctx context.Context, w enricher, r bitbucket.Repository, _ Object) (_ any, err error) {
		head := r.Hash
		if head == "" && r.MainBranch != "" { // the list does not say
			head, err = w.head(ctx, r)
		}
		if head == "" || err != nil {
			return []any{}, err
		}
		return values(w.list(ctx, r, "statuses of the head", "statuses", "commit", head, "statuses"))
	}},
}

// extrasOfPullRequests are the fields of pull requests that cost one request of each pull request.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-statuses-get,
// https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/
var extrasOfPullRequests = []extra{
	{"__statuses", func(ctx context.Context, w enricher, r bitbucket.Repository, o Object) (any, error) {
		return values(w.ofPullRequest(ctx, r, o, "statuses"))
	}},
	{"__tasks", func(ctx context.Context, w enricher, r bitbucket.Repository, o Object) (any, error) {
		if count, ok := o["task_count"].(fmt.Stringer); ok && count.String() == "0" {
			return []any{}, nil
		}
		return values(w.ofPullRequest(ctx, r, o, "tasks"))
	}},
	{"__diffstat", diffstatOf},
}

// head is the commit of a main branch; empty where it has none.
func (w enricher) head(ctx context.Context, r bitbucket.Repository) (string, error) {
	heads, err := w.rest.Heads(ctx, r, []string{r.MainBranch})
	if none := (*source.NoBranch)(nil); errors.As(err, &none) {
		return "", nil
	}
	return heads[r.MainBranch].Hash, err
}

// ofPullRequest yields a list of a pull request.
func (w enricher) ofPullRequest(ctx context.Context, r bitbucket.Repository, o Object, list string) iter.Seq2[bitbucket.Listed, error] {
	id := fmt.Sprint(o["id"])
	return w.list(ctx, r, list+" of pull request "+id, "pullrequest-"+list, "pullrequests", id, list)
}

// diffstatOf counts the files of a pull request, and the lines that it adds and removes; null where
// source and destination have no commit in common, which Bitbucket says twice.
//
// Source: that such a diffstat answers 400 is what public clients saw, read 2026-11.
func diffstatOf(ctx context.Context, w enricher, r bitbucket.Repository, o Object) (any, error) {
	count := func() (d diffstat, err error) {
		for l, err := range w.ofPullRequest(ctx, r, o, "diffstat") {
			if err != nil {
				return d, err
			}
			d.files++
			d.added += number(l.Object["lines_added"])
			d.removed += number(l.Object["lines_removed"])
		}
		return d, nil
	}
	d, err := count()
	var e *bitbucket.Error
	unrelated := func() bool { return errors.As(err, &e) && e.Status == http.StatusBadRequest }
	if unrelated() { // or it was a fault
		d, err = count()
	}
	switch {
	case unrelated():
		return nil, nil
	case err != nil:
		return nil, err
	}
	return d.object(), nil
}

// diffstat is what a pull request changes: there may be many files.
type diffstat struct{ files, added, removed int64 }

func (d diffstat) object() Object {
	count := func(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }
	return Object{"files": count(d.files), "lines_added": count(d.added), "lines_removed": count(d.removed)}
}

// number is a whole number of an object; 0 for anything else.
func number(v any) int64 {
	n, ok := v.(interface{ Int64() (int64, error) })
	if !ok {
		return 0
	}
	value, _ := n.Int64()
	return value
}

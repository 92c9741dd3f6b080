package source

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"net/http"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/glob"
)

// REST is Bitbucket's API as a Source.
type REST struct {
	Client *bitbucket.Client
	// May reports whether a repository, by its key, may be asked for what it holds; else the
	// error is bitbucket.ErrBudget. Nil means always.
	May func(repository string) bool
}

var _ Source = REST{}

// allowed is nil where a repository may be asked for what it holds.
func (r REST) allowed(of bitbucket.Repository) error {
	if r.May == nil || r.May(of.Key()) {
		return nil
	}
	return fmt.Errorf("read repository %q: %w", of.Slug, bitbucket.ErrBudget)
}

// Heads asks for the first branch. A main branch that is named and not there is that of a
// repository without commits, when there is no other branch either.
func (r REST) Heads(ctx context.Context, of bitbucket.Repository, branches []string) (map[string]Head, error) {
	err := r.allowed(of)
	if err != nil {
		return nil, err
	}
	hash, err := r.head(ctx, of, branches[0])
	if err != nil {
		return nil, err
	}
	return map[string]Head{branches[0]: {Hash: hash}}, nil
}

func (r REST) head(ctx context.Context, of bitbucket.Repository, branch string) (string, error) {
	hash, err := r.Client.Head(ctx, of.Slug, branch)
	if !errors.Is(err, bitbucket.ErrNotFound) {
		return hash, r.OrGone(ctx, of.Slug, err)
	}
	there, existsErr := r.Client.Exists(ctx, of.Slug)
	switch {
	case existsErr != nil:
		return "", existsErr
	case !there:
		return "", &Gone{Slug: of.Slug}
	}
	others, listErr := r.Client.Branches(ctx, of.Slug)
	i := slices.IndexFunc(others, func(b bitbucket.Branch) bool { return b.Name == branch })
	switch {
	case i >= 0 && others[i].Target.Hash != "": // it came meanwhile, or the server gives no single branch
		return others[i].Target.Hash, nil
	case branch != of.MainBranch:
		return "", &NoBranch{error: err, Others: others}
	case listErr != nil: // also when they are not found: the repository is there
		return "", listErr
	case len(others) > 0:
		return "", &NoBranch{fmt.Errorf("the main branch %q of repository %q is not there, while others are; give the repository another main branch in its settings", branch, of.Slug), others}
	}
	return "", nil
}

// NoBranch is the error for a branch that is not there, with others of its repository: those with the
// newest commits, as far as they are known. It is bitbucket.ErrNotFound but for the main branch.
type NoBranch struct {
	error
	Others []bitbucket.Branch
}

func (n *NoBranch) Unwrap() error { return n.error }

// Wider widens nothing: each page costs a request.
func (r REST) Wider(_ context.Context, _ bitbucket.Repository, w Want) (glob.Need, error) {
	return w.Need, nil
}

// List asks for the folder, page by page. Git keeps no folder with nothing in it, and hardly a commit:
// where nothing is listed it asks once more.
func (r REST) List(ctx context.Context, at Revision, n Want) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := r.allowed(at.Repository); err != nil {
			yield(Entry{}, err)
			return
		}
		for range 2 {
			if some := r.list(ctx, at, n, yield); some {
				return
			}
		}
	}
}

// list is List once. It returns false where nothing is listed.
func (r REST) list(ctx context.Context, at Revision, n Want, yield func(Entry, error) bool) (some bool) {
	// There is no such folder; the root is there, and what has begun goes on.
	missing := func(err error) bool { return errors.Is(err, bitbucket.ErrNoFile) && n.Folder != "" && !some }
	for e, err := range r.Client.Tree(ctx, at.Repository.Slug, at.Hash, n.Folder, n.Depth) {
		if !isOdd(err) && !(missing(err) && provenAbsent(err, n.Folder)) {
			err = r.orAbsent(ctx, at, n.Folder, Folder, r.OrGone(ctx, at.Repository.Slug, err))
		}
		if missing(err) {
			if n.Missing != nil {
				n.Missing(provenAbsent(err, n.Folder))
			}
			return true
		}
		some = true
		if !yield(Entry{Entry: e}, err) {
			return true
		}
	}
	return some
}

// Read returns a file, or at most limit bytes of it. The error is bitbucket.ErrNoFile when
// there is no file of that path, and bitbucket.ErrElsewhere when another host keeps it. Proven
// is that of bitbucket.Client.File.
func (r REST) Read(ctx context.Context, at Revision, path string, limit int64) (text []byte, proven bool, err error) {
	if err := r.allowed(at.Repository); err != nil {
		return nil, false, err
	}
	text, proven, err = r.Client.File(ctx, at.Repository.Slug, at.Hash, path, limit)
	if err == nil || provenAbsent(err, path) || errors.Is(err, bitbucket.ErrElsewhere) {
		return text, proven, err
	}
	err = r.orAbsent(ctx, at, path, File, r.OrGone(ctx, at.Repository.Slug, err))
	return nil, provenAbsent(err, path), err
}

// errDoubted is ErrNoFile where the list that does not have the path may have been made by
// something on the way.
var errDoubted = fmt.Errorf("%w, as far as one answer says", bitbucket.ErrNoFile)

// provenAbsent is bitbucket.ProvenAbsent, also for what orAbsent returns.
func provenAbsent(err error, path string) bool {
	return bitbucket.ProvenAbsent(err, path) && !errors.Is(err, errDoubted)
}

// Meta returns what is known of a path without reading it.
func (r REST) Meta(ctx context.Context, at Revision, path string) (Entry, error) {
	if err := r.allowed(at.Repository); err != nil {
		return Entry{}, err
	}
	e, err := r.Client.Meta(ctx, at.Repository.Slug, at.Hash, path)
	return Entry{Entry: e}, r.OrGone(ctx, at.Repository.Slug, err)
}

// orAbsent looks for a path that was not found, with an answer that does not say what is
// missing, in the folders above it. It returns bitbucket.ErrNoFile when one of them is read
// to its end and has nothing of that type there, else the error, which is bitbucket.ErrBudget
// too when no request is left for that.
//
// Source: "Not Found" in plain text, a recorded answer of 404.
func (r REST) orAbsent(ctx context.Context, at Revision, path, entryType string, err error) error {
	if path == "" || !errors.Is(err, bitbucket.ErrNotFound) || provenAbsent(err, path) {
		return err
	}
	above := path[:max(strings.LastIndex(path, "/"), 0)]
	proof := newProof(at, glob.Need{Folder: above, Depth: 1}, maphash.MakeSeed())
	for e, listErr := range r.Client.Tree(ctx, at.Repository.Slug, at.Hash, above, 1) {
		if listErr = r.orAbsent(ctx, at, above, Folder, listErr); errors.Is(listErr, bitbucket.ErrNoFile) && above != "" {
			return listErr
		}
		if errors.Is(listErr, bitbucket.ErrBudget) {
			return fmt.Errorf("%w: %w", err, listErr)
		}
		if listErr != nil || e.Path == path && e.Type == entryType {
			return &notSure{err}
		}
		proof.entry(Entry{Entry: e})
	}
	absent := bitbucket.ErrNoFile
	if !proof.holds() {
		absent = errDoubted
	}
	return fmt.Errorf("%w: folder %q does not have it: %w", err, "/"+above, absent)
}

// notSure is an error that says that something is not there, and is not known to be right.
type notSure struct{ err error }

func (n *notSure) Error() string { return n.err.Error() }

// As finds what is behind it.
func (n *notSure) As(target any) bool { return errors.As(n.err, target) }

// Is is as that of the error, but for bitbucket.ErrNoFile.
func (n *notSure) Is(target error) bool {
	return target != bitbucket.ErrNoFile && errors.Is(n.err, target)
}

// OrGone asks again for a repository that answered an error: it returns a *Gone when the
// repository is not there any more, else the error, which is bitbucket.ErrBudget too when no
// request is left for that.
func (r REST) OrGone(ctx context.Context, slug string, err error) error {
	var e *bitbucket.Error
	if !errors.As(err, &e) || e.Denied() || !e.Hidden && e.Status != http.StatusNotFound && e.Status != http.StatusForbidden {
		return err
	}
	there, existsErr := r.Client.Exists(ctx, slug)
	switch {
	case existsErr == nil && !there:
		return &Gone{Slug: slug}
	case errors.Is(existsErr, bitbucket.ErrBudget):
		return fmt.Errorf("%w: %w", err, existsErr)
	}
	return err
}

// isOdd reports whether an error is about one value of a list, after which others may follow.
func isOdd(err error) bool {
	var o *bitbucket.Odd
	return errors.As(err, &o)
}

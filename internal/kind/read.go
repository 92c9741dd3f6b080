package kind

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/glob"
)

// Why files are left out, or have no text.
const (
	elsewhere = "a file is kept on another host (Git LFS), and is not read"
	notText   = "a file is binary, and has no text"
)

// body is a file that was asked for: a nil text with an empty blob is that of no file.
type body struct {
	there bool
	text  []byte
	kept  blob // instead of the text
	err   error
}

// file gives the bytes of a file, or nil when the commit has no such file or it is
// a folder or a submodule; no request is made for a file that a listing at hand does
// not have. More than the workspace's maximum is an error, an *Omitted, before it is
// read where the size is known. A file on another host (Git LFS) is an *Omitted too,
// and bitbucket.ErrElsewhere. The error is a *Gone when the repository is not there
// any more.
func (c *checkout) file(ctx context.Context, name string) ([]byte, error) {
	if c.hash == "" {
		return nil, nil
	}
	if err := c.tree.lock(ctx); err != nil {
		return nil, err
	}
	defer c.tree.unlock()
	name = strings.Trim(name, "/")
	if b, ok := c.known(name); ok {
		return c.bytes(name, b)
	}
	text, err := c.read(ctx, name)
	var omitted *Omitted
	if err != nil && !errors.As(err, &omitted) {
		return nil, c.ws.gone(ctx, c.repository.Slug, err)
	}
	b := body{there: text != nil, text: text, err: err}
	if large := (*tooLarge)(nil); errors.As(err, &large) {
		b.err = c.tooLarge(name, nil) // what was read of it is not to be kept
	}
	if !c.ws.options.KeepFiles {
		c.recent.add(name, b)
		return text, err
	}
	if b.there {
		b.text, b.kept = nil, c.ws.spool.put(text)
	}
	c.tree.bodies[name] = b
	return text, err
}

func (c *checkout) known(name string) (body, bool) {
	if c.ws.options.KeepFiles {
		b, ok := c.tree.bodies[name]
		return b, ok
	}
	return c.recent.find(name)
}

func (c *checkout) bytes(name string, b body) ([]byte, error) {
	if !b.there || b.text != nil {
		return b.text, b.err
	}
	text, err := io.ReadAll(c.ws.spool.open(b.kept))
	if err != nil {
		return nil, fmt.Errorf("read file %q of repository %q again: %w", name, c.repository.Slug, err)
	}
	return text, nil
}

// read asks for a file that was not asked for before.
func (c *checkout) read(ctx context.Context, name string) ([]byte, error) {
	is, size, err := c.look(name)
	limit := c.ws.options.MaxFile
	switch {
	case err != nil:
		return nil, err
	case is == absent, is == present && (size == isFolder || size == isSubmodule):
		return nil, nil
	case is == present && size == isElsewhere:
		return nil, c.elsewhere(name)
	case is == present && size > limit:
		return nil, c.tooLarge(name, nil)
	}
	text, err := c.ws.client.File(ctx, c.repository.Slug, c.hash, name, limit+1)
	switch {
	case errors.Is(err, bitbucket.ErrNoFile):
		return nil, nil
	case errors.Is(err, bitbucket.ErrElsewhere):
		return nil, c.elsewhere(name)
	case err == nil && int64(len(text)) > limit:
		return nil, c.tooLarge(name, text)
	}
	return text, err
}

func (c *checkout) elsewhere(name string) error {
	return &Omitted{Object: c.at(name), Why: elsewhere, Err: bitbucket.ErrElsewhere}
}

// tooLarge is for a file of which the beginning was read, or nothing.
func (c *checkout) tooLarge(name string, beginning []byte) error {
	return &Omitted{Object: c.at(name), Why: fmt.Sprintf("a file is larger than max_file_size (%d bytes), and is not read", c.ws.options.MaxFile),
		Fix: "raise the input max_file_size, or leave the file out", Err: &tooLarge{beginning}}
}

// at names a file in messages.
func (c *checkout) at(name string) string { return c.repository.Slug + "/" + name }

// tooLarge is a file over the workspace's maximum, with what was read of it.
type tooLarge struct{ beginning []byte }

func (t *tooLarge) Error() string { return "a file is larger than max_file_size" }

// text gives a file as UTF-8, or nil when there is none. It is nil, too, with a
// warning to be told, for one that is binary or kept on another host. One that is
// too large is an error, since a null would overwrite what Port holds.
func (c *checkout) text(ctx context.Context, name string) (any, error) {
	body, err := c.file(ctx, name)
	if large := (*tooLarge)(nil); errors.As(err, &large) {
		body, err = c.beginning(ctx, name, large)
	}
	var omitted *Omitted
	switch {
	case errors.As(err, &omitted):
		c.warn(Warning{Message: omitted.Why + ": it is null", Fix: omitted.Fix, Example: omitted.Object})
		return nil, nil
	case err != nil || body == nil:
		return nil, err
	case binary(body):
		c.warn(Warning{Message: notText + ": it is null", Example: c.at(strings.Trim(name, "/"))})
		return nil, nil
	}
	return strings.ToValidUTF8(string(body), "\uFFFD"), nil
}

// maxEntity is more than an entity in Port can hold, in bytes.
const maxEntity = 1<<20 + 1

// beginning reads as much of a file that is too large as no entity can hold: a
// mapping may use a part of it, and an entity with all of it is rejected by its
// property's name. Where less than that is too large, the file is not given.
func (c *checkout) beginning(ctx context.Context, name string, large *tooLarge) ([]byte, error) {
	switch {
	case c.ws.options.MaxFile < maxEntity-1:
		return nil, fmt.Errorf("read file %q: %w; raise the input max_file_size", c.at(strings.Trim(name, "/")), large)
	case large.beginning != nil:
		return large.beginning[:min(len(large.beginning), maxEntity)], nil
	}
	body, err := c.ws.client.File(ctx, c.repository.Slug, c.hash, name, maxEntity)
	if err != nil {
		return nil, c.ws.gone(ctx, c.repository.Slug, err)
	}
	return body, nil
}

// reader is the Found.Read of an object whose files lie in a folder.
func (c *checkout) reader(folder string) func(context.Context, string) (any, error) {
	return func(ctx context.Context, name string) (any, error) { return c.text(ctx, below(folder, name)) }
}

// below joins the path of a file to that of a folder.
func below(folder, name string) string {
	name = strings.TrimPrefix(name, "/")
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

// listingInstead is from how many files of one folder on it is listed before they
// are read: one request then tells which of them are there.
const listingInstead = 3

// included reads files below a folder, the root when it is empty: their texts by
// the names as given, and null for what is not there. Others are null with a
// warning, see text and warnings. One that cannot be read is an error, since a null
// would overwrite what Port holds. The error is a *Gone when the repository is not
// there any more.
func (c *checkout) included(ctx context.Context, folder string, names []string) (Object, error) {
	all := Object{}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if err := c.listInstead(ctx, folder, names); err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := c.text(ctx, below(folder, name))
		if err != nil {
			return nil, err
		}
		all[name] = text
	}
	return all, nil
}

// rootFiles are the included files of a repository's root, for one task: they are
// read for its first object, and are the same for all.
type rootFiles struct {
	checkout *checkout
	names    []string
	files    Object
	err      error
}

// rootFiles returns the root's files of these names that expressions reach; nil without names.
func (c *checkout) rootFiles(names []string, reads Reads) *rootFiles {
	if len(names) == 0 {
		return nil
	}
	return &rootFiles{checkout: c, names: reads.of(names, includedFiles)}
}

// included gives a copy of the files, that the caller may write into.
func (r *rootFiles) included(ctx context.Context) (any, error) {
	if r.files == nil && r.err == nil {
		r.files, r.err = r.checkout.included(ctx, "", r.names)
	}
	if r.err != nil {
		return nil, r.err
	}
	return clone(r.files), nil
}

// listInstead lists the folder when enough of the names are in it, and not known.
func (c *checkout) listInstead(ctx context.Context, folder string, names []string) error {
	if c.hash == "" {
		return nil
	}
	if err := c.tree.lock(ctx); err != nil {
		return err
	}
	defer c.tree.unlock()
	blind := map[string]bool{}
	for _, name := range names {
		path := below(folder, name)
		if _, ok := c.known(path); ok || glob.Level(path) != glob.Level(folder)+1 {
			continue
		}
		is, _, err := c.look(path)
		if err != nil {
			return err
		}
		if is == unknown {
			blind[path] = true
		}
	}
	if len(blind) < listingInstead {
		return nil
	}
	return c.ws.gone(ctx, c.repository.Slug, c.list(ctx, &listing{Need: glob.Need{Folder: folder, Depth: 1}}, func(bitbucket.Entry) {}))
}

// warn keeps a warning, once, until the next call of untold.
func (c *checkout) warn(w Warning) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.noted[w] {
		c.noted[w] = true
		c.pending = append(c.pending, &w)
	}
}

// fail keeps the odd entries of a listing until the next call of untold, once for each
// listing: what a pattern looks for may be among them.
func (c *checkout) fail(l *listing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.noted[l] {
		return
	}
	c.noted[l] = true
	for _, err := range l.odd {
		c.pending = append(c.pending, unreadable(err))
	}
}

// untold returns the errors and warnings since the last call. A task yields them when it has
// found its objects, and after each object: reading a file that a mapping names may add some.
func (c *checkout) untold() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	pending := c.pending
	c.pending = nil
	return pending
}

// tell yields what untold returns.
func (c *checkout) tell(yield func(Found, error) bool) bool {
	for _, err := range c.untold() {
		if !yield(Found{}, err) {
			return false
		}
	}
	return true
}

// maxRecent bounds the texts of the files that a checkout keeps by itself, in bytes.
const maxRecent = 2 << 20

// recent are the bodies that were asked for last, oldest first. One is always kept.
type recent struct {
	names  []string
	bodies map[string]body
	size   int
}

// overhead is what a body costs besides its text, in bytes.
const overhead = 200

func (r *recent) find(name string) (body, bool) {
	b, ok := r.bodies[name]
	if ok {
		i := slices.Index(r.names, name)
		r.names = append(slices.Delete(r.names, i, i+1), name)
	}
	return b, ok
}

func (r *recent) add(name string, b body) {
	if r.bodies == nil {
		r.bodies = map[string]body{}
	}
	r.names, r.bodies[name] = append(r.names, name), b
	r.size += len(b.text) + overhead
	for r.size > maxRecent && len(r.names) > 1 {
		r.size -= len(r.bodies[r.names[0]].text) + overhead
		delete(r.bodies, r.names[0])
		r.names = r.names[1:]
	}
}

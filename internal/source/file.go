package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/spool"
)

// files reads the files of a commit. It is safe for concurrent use.
type files struct {
	past
	folders *lister      // nil without a hash
	texts   *spool.Spool // of fetched; that of the run when the run keeps files

	mu      sync.Mutex // guards what follows
	recent  recent
	fetched map[string]body // with their texts in a spool
}

// remembered finds a body that the commit keeps by itself.
func (c *files) remembered(name string) (body, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.fetched[name]; ok {
		return b, true
	}
	return c.recent.find(name)
}

// remember keeps a body, unless the run keeps all.
func (c *files) remember(name string, b body) {
	if c.memory.options.KeepFiles {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.add(name, b)
}

// File returns the bytes of a file, or nil when the commit has no such file or it is a
// folder or a submodule; no request is made for a file that a listing at hand does not
// have. More than Options.MaxFile is an *Omitted that wraps a *TooLarge, before it is read
// where the size is known. A file on another host (Git LFS) is an *Omitted too, and
// bitbucket.ErrElsewhere. The error is a *Gone when the repository is not there any more.
//
// A file that is asked for several times at once is read once.
func (c *files) File(ctx context.Context, name string) ([]byte, error) {
	name = strings.Trim(name, "/")
	b, err := c.body(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.bytes(name, b)
}

// body returns a file that was read before, or reads it. The error is that of a wait.
func (c *files) body(ctx context.Context, name string) (body, error) {
	if c.at.Hash == "" {
		return body{}, nil
	}
	for {
		b, f, begun := c.tree.file(name, c.remembered)
		switch {
		case begun:
			return c.read(ctx, name, f), nil
		case f == nil:
			return b, nil
		}
		if err := f.wait(ctx); err != nil {
			return body{}, err
		}
		if f.stopped {
			continue
		}
		if b = f.body; b.lasts() {
			c.remember(name, c.lasting(name, b))
		}
		return b, nil
	}
}

// bytes returns those of a body.
func (c *files) bytes(name string, b body) ([]byte, error) {
	if !b.there || b.text != nil || b.err != nil {
		return b.text, b.err
	}
	if b.stored {
		if s, ok := c.memory.storedText(b.id); ok && s.text != nil {
			return s.text, nil
		}
		return nil, fmt.Errorf("read file %q of repository %q again: the store has lost it", name, c.at.Repository.Slug)
	}
	text, err := c.texts.Read(b.kept)
	if err != nil {
		return nil, fmt.Errorf("read file %q of repository %q again: %w", name, c.at.Repository.Slug, err)
	}
	return text, nil
}

// read asks for a file that was not asked for before, and keeps it.
func (c *files) read(ctx context.Context, name string, f *flight) body {
	var kept *body
	defer func() { c.tree.endFile(name, f, kept) }()
	f.body = c.ask(ctx, name)
	f.stopped = f.body.err != nil && ctx.Err() != nil
	if !f.body.lasts() {
		return f.body
	}
	b := c.lasting(name, f.body)
	if !c.memory.options.KeepFiles {
		c.remember(name, b)
		return f.body
	}
	if b.stored {
		b.text = nil
	}
	if b.text != nil {
		b.text, b.kept = nil, c.texts.Put(b.text)
	}
	kept = &b
	return f.body
}

// lasting returns what is kept of a body: not what was read of a file that is too large.
func (c *files) lasting(name string, b body) body {
	if large := (*TooLarge)(nil); errors.As(b.err, &large) {
		b.err = c.tooLarge(name, nil)
	}
	return b
}

// ask reads a file, over git where that reads the repository.
func (c *files) ask(ctx context.Context, name string) (read body) {
	git := c.memory.readers.gitFor(c.at.Repository)
	if git == nil {
		return c.askREST(ctx, name)
	}
	done := false
	err := c.overGit(ctx, git, []string{name}, func(_ Entry, b body) {
		done = true
		if b.text != nil {
			b.text = append([]byte{}, b.text...)
		}
		read = b
	})
	switch {
	case c.memory.readers.falls(c.at.Repository, err):
		return c.askREST(ctx, name)
	case err != nil:
		return body{err: err}
	case !done:
		return c.askREST(ctx, name)
	}
	return read
}

// askREST reads a file, unless a listing at hand shows that it cannot be read.
func (c *files) askREST(ctx context.Context, name string) body {
	if b, ok := c.recorded(name); ok { // before a listing is looked through
		c.memory.knew(c.tree)
		return b
	}
	is, size, err := c.folders.look(name)
	limit := c.memory.options.MaxFile
	switch {
	case err != nil:
		return body{err: err}
	case is == absent, is == present && (size == isFolder || size == isSubmodule):
		return body{}
	case is == present && size == isElsewhere:
		return body{err: c.elsewhere(name)}
	case is == present && size > limit:
		return body{err: c.tooLarge(name, nil)}
	}
	return c.readREST(ctx, name, is, size)
}

// leastRead is how much of a file is read at least, in bytes: the first entry of a folder,
// which is answered in place of a file, is in it.
const leastRead = 16 << 10

// readREST asks for a file. A submodule, of which the hash is answered, is none.
func (c *files) readREST(ctx context.Context, name string, is presence, size int64) body {
	limit := c.maxFile
	text, proven, err := c.memory.readers.rest.Read(ctx, c.at, name, max(limit+1, leastRead))
	if is == unknown && isHash(text) {
		e, metaErr := c.Meta(ctx, name)
		attribute := attributeOf(e)
		switch {
		case errors.Is(metaErr, bitbucket.ErrNoFile):
			proven = false
		case metaErr != nil:
			return body{err: metaErr}
		case attribute == Submodule:
			text, err = nil, bitbucket.ErrNoFile
		}
		proven = proven && (attribute != "" || e.Size == int64(len(text)))
		c.tree.setAttribute(name, attribute)
	}
	if int64(len(text)) > limit {
		text = text[:limit+1]
	}
	if is == present && size >= 0 && err == nil {
		proven = int64(len(text)) == size
	}
	if proven {
		c.record(name, text, limit, err)
	}
	return c.bodyRead(name, text, err)
}

// Beginning reads at most limit bytes of a file that is there.
func (c *files) Beginning(ctx context.Context, name string, limit int64) ([]byte, error) {
	name = strings.Trim(name, "/")
	if git := c.memory.readers.gitFor(c.at.Repository); git != nil {
		beginning, err := c.beginningOverGit(ctx, git, name, limit)
		if !c.memory.readers.falls(c.at.Repository, err) {
			return beginning, err
		}
	}
	if text, ok := c.recordedBeginning(name, limit); ok {
		return text, nil
	}
	text, proven, err := c.memory.readers.rest.Read(ctx, c.at, name, limit)
	if proven && err == nil && int64(len(text)) == limit {
		c.record(name, text, limit-1, nil)
	}
	return text, err
}

// ListingInstead is how many files of one folder are asked for at least when ListInstead lists
// the folder: one request then shows which of them are there.
const ListingInstead = 3

// ListInstead lists a folder when that is cheaper than to ask for files of it, given by
// their paths. Over git, Fetch lists it anyway.
func (c *files) ListInstead(ctx context.Context, folder string, paths []string) error {
	if c.at.Hash == "" || c.memory.readers.gitFor(c.at.Repository) != nil {
		return nil
	}
	blind := map[string]bool{}
	for _, path := range paths {
		if glob.Level(path) != glob.Level(folder)+1 || c.tree.has(path) {
			continue
		}
		if _, ok := c.remembered(path); ok || c.hasRecord(path) {
			continue
		}
		is, _, err := c.folders.look(path)
		if err != nil {
			return err
		}
		if is == unknown {
			blind[path] = true
		}
	}
	if len(blind) < ListingInstead {
		return nil
	}
	_, _, err := c.folders.list(ctx, glob.Need{Folder: folder, Depth: 1}, Visitor{Entry: func(glob.Need, Entry) {}, Restart: func() {}})
	return err
}

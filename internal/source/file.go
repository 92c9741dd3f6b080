package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/glob"
)

// File returns the bytes of a file, or nil when the commit has no such file or it is a
// folder or a submodule; no request is made for a file that a listing at hand does not
// have. More than Options.MaxFile is an *Omitted that wraps a *TooLarge, before it is read
// where the size is known. A file on another host (Git LFS) is an *Omitted too, and
// bitbucket.ErrElsewhere. The error is a *Gone when the repository is not there any more.
//
// A file that is asked for several times at once is read once.
func (c *Commit) File(ctx context.Context, name string) ([]byte, error) {
	if c.at.Hash == "" {
		return nil, nil
	}
	name = strings.Trim(name, "/")
	for {
		b, f, begun := c.tree.file(name, c.remembered)
		switch {
		case begun:
			b = c.read(ctx, name, f)
		case f == nil:
			return c.bytes(name, b)
		default:
			if err := f.wait(ctx); err != nil {
				return nil, err
			}
			if f.stopped {
				continue
			}
			if b = f.body; b.lasts() {
				c.remember(name, c.lasting(name, b))
			}
		}
		return b.text, b.err
	}
}

// bytes returns those of a body that was kept.
func (c *Commit) bytes(name string, b body) ([]byte, error) {
	if !b.there || b.text != nil {
		return b.text, b.err
	}
	text, err := io.ReadAll(c.memory.spool.open(b.kept))
	if err != nil {
		return nil, fmt.Errorf("read file %q of repository %q again: %w", name, c.at.Repository.Slug, err)
	}
	return text, nil
}

// read asks for a file that was not asked for before, and keeps it.
func (c *Commit) read(ctx context.Context, name string, f *flight) body {
	var kept *body
	defer func() { c.tree.endFile(name, f, kept) }()
	text, err := c.ask(ctx, name)
	f.body = body{there: text != nil, text: text, err: err}
	f.stopped = err != nil && ctx.Err() != nil
	if !f.body.lasts() {
		return f.body
	}
	b := c.lasting(name, f.body)
	if !c.memory.options.KeepFiles {
		c.remember(name, b)
		return f.body
	}
	if b.there {
		b.text, b.kept = nil, c.memory.spool.put(text)
	}
	kept = &b
	return f.body
}

// lasting returns what is kept of a body: not what was read of a file that is too large.
func (c *Commit) lasting(name string, b body) body {
	if large := (*TooLarge)(nil); errors.As(b.err, &large) {
		b.err = c.tooLarge(name, nil)
	}
	return b
}

// ask reads a file, unless a listing at hand shows that it cannot be read.
func (c *Commit) ask(ctx context.Context, name string) ([]byte, error) {
	is, size, err := c.folders.look(name)
	limit := c.memory.options.MaxFile
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
	text, err := c.memory.source.Read(ctx, c.at, name, limit+1)
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

// Beginning reads at most limit bytes of a file that is there.
func (c *Commit) Beginning(ctx context.Context, name string, limit int64) ([]byte, error) {
	return c.memory.source.Read(ctx, c.at, strings.Trim(name, "/"), limit)
}

func (c *Commit) elsewhere(name string) error {
	return &Omitted{Object: c.At(name), Why: "a file is kept on another host (Git LFS), and is not read", Err: bitbucket.ErrElsewhere}
}

// tooLarge is for a file of which the beginning was read, or nothing.
func (c *Commit) tooLarge(name string, beginning []byte) error {
	return &Omitted{Object: c.At(name), Why: fmt.Sprintf("a file is larger than max_file_size (%d bytes), and is not read", c.memory.options.MaxFile),
		Fix: "raise the input max_file_size, or leave the file out", Err: &TooLarge{beginning}}
}

// ListingInstead is from how many files of one folder on ListInstead lists it: one request
// then shows which of them are there.
const ListingInstead = 3

// ListInstead lists a folder when that is cheaper than to ask for files of it, given by
// their paths.
func (c *Commit) ListInstead(ctx context.Context, folder string, paths []string) error {
	if c.at.Hash == "" {
		return nil
	}
	blind := map[string]bool{}
	for _, path := range paths {
		if glob.Level(path) != glob.Level(folder)+1 || c.tree.has(path) {
			continue
		}
		if _, ok := c.remembered(path); ok {
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

package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/spool"
)

// Fetch reads files together where git reads the repository: File then finds them. Elsewhere
// it does nothing.
func (c *files) Fetch(ctx context.Context, paths []string) error {
	git := c.memory.readers.gitFor(c.at.Repository)
	if c.at.Hash == "" || git == nil {
		return nil
	}
	var unread []string
	for _, path := range paths {
		path = strings.Trim(path, "/")
		if _, ok := c.remembered(path); !ok && !c.tree.has(path) {
			unread = append(unread, path)
		}
	}
	if len(unread) == 0 {
		return nil
	}
	kept := map[gitwire.Hash]spool.Blob{}
	err := c.overGit(ctx, git, unread, func(e Entry, b body) {
		if b.stored {
			b.text = nil
		}
		if b.text != nil {
			if _, ok := kept[e.ID]; !ok {
				kept[e.ID] = c.texts.Put(bytes.Clone(b.text))
			}
			b.text, b.kept = nil, kept[e.ID]
		}
		c.keep(e.Path, b)
	})
	if c.memory.readers.falls(c.at.Repository, err) {
		return nil
	}
	return err
}

// keep keeps a body whose text is in the spool.
func (c *files) keep(path string, b body) {
	if c.memory.options.KeepFiles {
		c.tree.keep(path, b)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetched[path] = b
}

// overGit reads files over git. It hands on the body of each path, with its entry where there
// is one; the text is not to be kept. It hands on nothing once REST reads the repository.
func (c *files) overGit(ctx context.Context, git *Git, paths []string, got func(Entry, body)) error {
	if err := c.listParents(ctx, paths); err != nil {
		return err
	}
	entries, err := c.folders.find(paths)
	if err != nil || c.memory.readers.gitFor(c.at.Repository) == nil {
		return err
	}
	byID := map[gitwire.Hash][]Entry{}
	var ids []gitwire.Hash
	for _, path := range paths {
		e, ok := entries[path]
		if !ok || e.Type != File || e.mode == gitwire.Submodule {
			var b body
			if e.Path = path; !ok {
				b.err = c.folders.oddOf(path)
			}
			got(e, b)
			continue
		}
		if byID[e.ID] == nil {
			ids = append(ids, e.ID)
		}
		byID[e.ID] = append(byID[e.ID], e)
	}
	text := func(id gitwire.Hash, size int64, text []byte) error {
		for _, e := range byID[id] {
			got(e, c.bodyOf(e, size, text))
		}
		return nil
	}
	ids, err = c.handOnTaken(ids, text)
	if err != nil {
		return err
	}
	ids = slices.DeleteFunc(ids, func(id gitwire.Hash) bool { return c.handOnStored(git, byID[id], got) })
	if len(ids) == 0 {
		return nil
	}
	err = git.Texts(ctx, c.at.Repository, ids, func(id gitwire.Hash, size int64, body []byte) error {
		c.memory.saveText(id, size, body)
		return text(id, size, body)
	})
	if errors.Is(err, errNoTexts) && c.tree.forgetStored() {
		return c.overGit(ctx, git, paths, got) // they come by with the folders
	}
	if err == nil {
		c.memory.readers.gave(c.at.Repository)
	}
	return err
}

// handOnTaken hands on the texts that came by with listings, and returns the other IDs.
func (c *files) handOnTaken(ids []gitwire.Hash, got func(id gitwire.Hash, size int64, text []byte) error) (left []gitwire.Hash, err error) {
	for _, id := range ids {
		came, ok := c.folders.taken(id)
		if !ok {
			left = append(left, id)
			continue
		}
		text, err := c.texts.Read(came.kept)
		if err == nil {
			err = got(id, came.size, text)
		}
		if err != nil {
			return nil, err
		}
	}
	return left, nil
}

// beginningOverGit returns as much of a file as git hands on, and at most limit bytes.
func (c *files) beginningOverGit(ctx context.Context, git *Git, name string, limit int64) (beginning []byte, err error) {
	entries, err := c.folders.find([]string{name})
	if err != nil {
		return nil, err
	}
	id := entries[name].ID
	if beginning, ok := c.storedBeginning(git, id, limit); ok {
		return beginning, nil
	}
	err = git.Texts(ctx, c.at.Repository, []gitwire.Hash{id}, func(_ gitwire.Hash, _ int64, text []byte) error {
		beginning = append([]byte{}, text[:min(int64(len(text)), limit)]...)
		return nil
	})
	if err == nil {
		c.memory.saveBeginning(id.String(), beginning)
	}
	return beginning, err
}

// listParents lists the folders of files, unless listings at hand show what they hold.
func (c *files) listParents(ctx context.Context, paths []string) error {
	wanted, folders := map[string]bool{}, map[string]bool{}
	for _, path := range paths {
		wanted[path] = true
		if folder := path[:max(strings.LastIndex(path, "/"), 0)]; !c.folders.overGitCovers(glob.Need{Folder: folder, Depth: 1}) {
			folders[folder] = true
		}
	}
	if len(folders) == 0 {
		return nil
	}
	n := glob.Need{Depth: everything}
	for folder := range folders {
		if len(folders) == 1 {
			n = glob.Need{Folder: folder, Depth: 1}
		}
	}
	_, _, err := c.folders.list(ctx, n, Visitor{
		Entry: func(glob.Need, Entry) {}, Restart: func() {}, Keep: func(path string) bool { return wanted[path] }, overGit: true,
	})
	return err
}

// Text reads the file of an entry, as File does, and completes the entry by its size, and by
// the attributes that only its text shows; when all is true, by all that only Bitbucket's API
// has of it. A file that has no text of its own is not read.
func (c *files) Text(ctx context.Context, e Entry, all bool) (Entry, []byte, error) {
	for _, without := range []string{Submodule, Elsewhere, Binary} {
		if slices.Contains(e.Attributes, without) {
			return e, nil, nil
		}
	}
	b, err := c.body(ctx, e.Path)
	if err != nil {
		return e, nil, err
	}
	text, err := c.bytes(e.Path, b)
	if !e.overGit() || err != nil && !errors.Is(err, bitbucket.ErrElsewhere) && len(b.attributes) == 0 {
		return e, text, err
	}
	if all || b.unsized { // unsized: REST read it, after git had listed it
		meta, metaErr := c.Meta(ctx, e.Path)
		return meta, text, cmp.Or(metaErr, err)
	}
	e.Size, e.Attributes = b.size, slices.Concat(e.Attributes, b.attributes)
	return e, text, err
}

// Meta returns an entry as Bitbucket's API has it.
func (c *files) Meta(ctx context.Context, path string) (Entry, error) {
	if e, ok := c.storedEntry(path); ok {
		return e, nil
	}
	e, err := c.memory.readers.rest.Meta(ctx, c.at, path)
	if err == nil {
		c.saveEntry(path, e)
	}
	return e, err
}

package source

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/glob"
)

// Visitor is given what List finds.
type Visitor struct {
	// Entry is called for each entry, with what the listing holds: a folder at its deepest
	// level may have entries that it does not hold.
	Entry func(of glob.Need, e Entry)
	// Restart is called when the entries that were given so far do not count.
	Restart func()
	// Unfinished reports, at the end, whether more is wanted than the listing holds.
	Unfinished func() bool
}

// List visits what is in a folder, down to a depth and maybe deeper, and maybe beside the
// folder: from a listing at hand, or from a new one. That is less deep where the server
// gave up on listings before, and of depth 1 where it gives up on this one: the folders in
// it are then to be listed by themselves. A folder that is not there has nothing in it.
func (c *Commit) List(ctx context.Context, n glob.Need, v Visitor) error {
	if c.at.Hash == "" {
		return nil
	}
	is, size, err := c.folders.look(n.Folder)
	if err != nil || is == absent || is == present && size != isFolder {
		return err
	}
	l, asked, err := c.folders.list(ctx, n, v)
	if err != nil {
		return err
	}
	c.note(l)
	if asked > 0 {
		c.memory.depths.listed(asked, asked < n.Depth && v.Unfinished())
	}
	return nil
}

// lister lists folders of a commit, and knows what they hold. It is safe for concurrent use.
type lister struct {
	memory *Memory
	at     Revision
	tree   *tree

	mu      sync.Mutex // guards what follows
	indexes map[*listing]index
}

// list visits a listing. It returns how deep a new one is, or 0 for one at hand.
func (s *lister) list(ctx context.Context, n glob.Need, v Visitor) (of *listing, asked int, err error) {
	for {
		l, f, ask, begun := s.tree.listing(n, &s.memory.depths)
		switch {
		case l != nil:
			ix, err := s.replay(l, func(e Entry) { v.Entry(l.Need, e) })
			if err == nil {
				s.setIndex(l, ix)
			}
			return l, 0, err
		case !begun:
			if err := f.wait(ctx); err != nil {
				return nil, 0, err
			}
			continue
		}
		l, err := s.fetch(ctx, f, ask, v)
		if ask.Depth == 1 || !bitbucket.TooDeep(err) {
			return l, ask.Depth, err
		}
		v.Restart()
	}
}

// fetch asks for a listing, and keeps it when it comes to its end.
func (s *lister) fetch(ctx context.Context, f *flight, ask glob.Need, v Visitor) (l *listing, err error) {
	depth := ask.Depth
	defer func() { s.tree.endListing(f, l, depth) }()
	var kept bytes.Buffer
	packer, err := s.memory.packer(&kept)
	if err != nil {
		return nil, err
	}
	defer s.memory.packers.Put(packer)
	read := &listing{Need: ask}
	var ix index
	for e, err := range s.memory.source.List(ctx, s.at, ask) {
		if isOdd(err) {
			read.odd = append(read.odd, err)
			continue
		}
		if depth > 1 && bitbucket.TooDeep(err) {
			s.memory.depths.tooDeep(depth)
			depth = 1
		}
		if err != nil {
			return nil, err
		}
		if _, err := packer.Write(e.JSON); err != nil {
			return nil, err
		}
		ix = append(ix, indexEntry(s.memory.seed, e))
		v.Entry(ask, e)
	}
	if err := packer.Close(); err != nil {
		return nil, err
	}
	read.kept = s.memory.spool.put(bytes.Clone(kept.Bytes()))
	ix.sort()
	s.setIndex(read, ix)
	return read, nil
}

// replay visits the entries of a listing at hand, and returns its index.
func (s *lister) replay(l *listing, visit func(Entry)) (index, error) {
	var ix index
	d := json.NewDecoder(flate.NewReader(s.memory.spool.open(l.kept)))
	for {
		var e Entry
		err := d.Decode(&e.Entry)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the listing of folder %q of repository %q again: %w", "/"+l.Folder, s.at.Repository.Slug, err)
		}
		ix = append(ix, indexEntry(s.memory.seed, e))
		visit(e)
	}
	ix.sort()
	return ix, nil
}

func (s *lister) setIndex(l *listing, ix index) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.indexes[l] = ix
}

// index returns that of a listing at hand, made once for the commit.
func (s *lister) index(l *listing) (index, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ix, ok := s.indexes[l]
	if ok {
		return ix, nil
	}
	ix, err := s.replay(l, func(Entry) {})
	if err == nil {
		s.indexes[l] = ix
	}
	return ix, err
}

// look returns what is known of a path. The size is that of an index, when present.
func (s *lister) look(path string) (presence, int64, error) {
	for _, l := range s.tree.at() {
		if !glob.Within(l.Folder, path) || path == l.Folder {
			continue
		}
		ix, err := s.index(l)
		if err != nil {
			return unknown, 0, err
		}
		listed := firstSegments(path, glob.Level(l.Folder)+l.Depth)
		size, ok := ix.find(maphash.String(s.memory.seed, listed))
		switch {
		case !ok && len(l.odd) > 0: // it may be there
		case !ok || listed != path && size != isFolder:
			return absent, 0, nil
		case listed == path:
			return present, size, nil
		}
	}
	return unknown, 0, nil
}

package source

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/spool"
)

// Visitor is given what List finds.
type Visitor struct {
	// Entry is called for each entry, with what the listing holds: a folder at its deepest
	// level may have entries that it does not hold.
	Entry func(of glob.Need, e Entry)
	// Restart is called when the entries that were given so far do not count.
	Restart func()
	// Several is true when other folders are to be listed afterwards.
	Several bool
	// Keep reports whether a file is to be read afterwards: some of them come by with a
	// listing. Nil means none.
	Keep func(path string) bool
	// Unfinished reports, at the end, whether more is wanted than the listing holds.
	Unfinished func() bool

	overGit bool // nothing is listed once REST reads the repository
}

// List visits what is in a folder, down to a depth and maybe deeper, and maybe beside the
// folder: from a listing at hand, or from a new one. That is less deep where the server
// gave up on listings before, and of depth 1 where it gives up on this one: the folders in
// it are then to be listed by themselves. A folder that is not there has nothing in it.
func (c *Commit) List(ctx context.Context, n glob.Need, v Visitor) error {
	if c.at.Hash == "" {
		return nil
	}
	if !c.folders.overGitCovers(n) { // else to visit it is cheaper than to look
		is, size, err := c.folders.look(n.Folder)
		if err != nil || is == absent || is == present && size != isFolder {
			return err
		}
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
	texts  *spool.Spool // of those that come by

	mu      sync.Mutex // guards what follows
	finds   int        // calls of find
	indexes map[*listing]index
	came    map[gitwire.Hash]came // texts that came by with listings
}

// came is a text that came by, or its beginning, in the spool.
type came struct {
	size int64
	kept spool.Blob
}

// take keeps a text that comes by.
func (s *lister) take(id gitwire.Hash, size int64, text []byte) error {
	s.memory.saveText(id, size, text)
	kept := s.texts.Put(bytes.Clone(text))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.came[id] = came{size, kept}
	return nil
}

// taken returns a text that came by.
func (s *lister) taken(id gitwire.Hash) (came, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.came[id]
	return c, ok
}

// list visits a listing, and returns it. It returns how deep a new one of REST is, or 0.
func (s *lister) list(ctx context.Context, n glob.Need, v Visitor) (of *listing, asked int, err error) {
	for {
		reader, of := s.memory.readers.of(s.at.Repository), s.at.Repository
		git, overGit := reader.(*Git)
		if v.overGit && !overGit {
			return nil, 0, nil
		}
		if l := s.tree.holding(n, overGit); l != nil {
			return l, 0, s.again(l, v)
		}
		wide, err := reader.Wider(ctx, of, Want{Need: n, Several: v.Several, Keep: v.Keep})
		if s.memory.readers.falls(of, err) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		l, f, ask, begun := s.tree.listing(n, wide, s.memory.depthsOf(reader))
		switch {
		case l != nil:
			return l, 0, s.again(l, v)
		case !begun:
			if err := f.wait(ctx); err != nil {
				return nil, 0, err
			}
			continue
		}
		if overGit {
			l, err = s.overGit(ctx, git, f, ask, v)
			if !s.memory.readers.falls(of, err) {
				return l, 0, err
			}
		} else {
			l, err = s.fetch(ctx, reader, f, ask, v)
			if ask.Depth == 1 || !bitbucket.TooDeep(err) && !errors.Is(err, errFlat) {
				return l, ask.Depth, err
			}
		}
		v.Restart()
	}
}

// again visits a listing at hand.
func (s *lister) again(l *listing, v Visitor) error {
	if l.stored {
		s.memory.knew(s.tree)
	}
	visit := func(e Entry) { v.Entry(l.Need, e) }
	if l.git {
		return s.replay(l, visit)
	}
	var ix index
	err := s.replay(l, func(e Entry) {
		ix = append(ix, indexEntry(s.memory.seed, e))
		visit(e)
	})
	if err == nil {
		s.setIndex(l, ix)
	}
	return err
}

// overGit asks for a listing, and keeps it, without an index: it may be of a whole tree, and
// what is wanted of it mostly known.
func (s *lister) overGit(ctx context.Context, git *Git, f *flight, ask glob.Need, v Visitor) (l *listing, err error) {
	defer func() { s.tree.endListing(f, l, ask.Depth) }()
	read, kept := &listing{Need: ask, git: true}, compact{spool: s.memory.spool}
	for e, err := range git.List(ctx, s.at, Want{Need: ask, Keep: v.Keep, Text: s.take}) {
		switch {
		case isOdd(err):
			read.odd = append(read.odd, err)
			continue
		case err != nil:
			return nil, err
		}
		kept.add(e)
		v.Entry(ask, e)
	}
	kept.flush()
	read.kept, read.sure = kept.kept, len(read.odd) == 0
	s.memory.readers.read(s.at.Repository)
	return read, nil
}

// errFlat means that a listing at hand is flat.
var errFlat = errors.New("the listing is less deep than it was asked for")

// fetch asks for a listing, and keeps it when it comes to its end.
func (s *lister) fetch(ctx context.Context, reader Source, f *flight, ask glob.Need, v Visitor) (l *listing, err error) {
	depth := ask.Depth
	defer func() { s.tree.endListing(f, l, depth) }()
	var kept bytes.Buffer
	pack, err := packer(&kept)
	if err != nil {
		return nil, err
	}
	defer packers.Put(pack)
	read := &listing{Need: ask}
	proof := newProof(s.at, ask, s.memory.seed)
	var ix index
	for e, err := range reader.List(ctx, s.at, Want{Need: ask, Missing: proof.absent}) {
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
		if _, err := pack.Write(e.JSON); err != nil {
			return nil, err
		}
		ix = append(ix, indexEntry(s.memory.seed, e))
		proof.entry(e)
		v.Entry(ask, e)
	}
	read.sure = proof.holds() && len(read.odd) == 0
	if len(read.odd) == 0 { // else one of these may be what a folder has in it
		depth = proof.depth()
	}
	read.Depth, read.flat = depth, depth < ask.Depth
	if err := pack.Close(); err != nil {
		return nil, err
	}
	read.kept = []spool.Blob{s.memory.spool.Put(bytes.Clone(kept.Bytes()))}
	s.setIndex(read, ix)
	if read.flat {
		return read, errFlat
	}
	return read, nil
}

// replay visits the entries of a listing at hand.
func (s *lister) replay(l *listing, visit func(Entry)) error {
	err := s.unpack(l, visit)
	if err != nil {
		return fmt.Errorf("read the listing of folder %q of repository %q again: %w", "/"+l.Folder, s.at.Repository.Slug, err)
	}
	return nil
}

func (s *lister) unpack(l *listing, visit func(Entry)) error {
	from := make([]io.Reader, len(l.kept))
	for i, b := range l.kept {
		from[i] = s.memory.spool.Open(b)
	}
	if l.git {
		return expand(io.MultiReader(from...), visit)
	}
	d := json.NewDecoder(flate.NewReader(io.MultiReader(from...)))
	for {
		var e Entry
		err := d.Decode(&e.Entry)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		visit(e)
	}
}

// setIndex keeps the entries of a listing as its index.
func (s *lister) setIndex(l *listing, ix index) {
	ix.sort()
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
	err := s.replay(l, func(e Entry) { ix = append(ix, indexEntry(s.memory.seed, e)) })
	if err == nil {
		ix.sort()
		s.indexes[l] = ix
	}
	return ix, err
}

// overGitCovers reports whether a listing of git at hand holds what is needed.
func (s *lister) overGitCovers(n glob.Need) bool {
	return slices.ContainsFunc(s.tree.atHand(true), func(l *listing) bool { return l.Covers(n) })
}

// atHand returns the listings at hand for the reader of the repository.
func (s *lister) atHand() []*listing { return s.tree.atHand(s.memory.readers.overGit(s.at.Repository)) }

// find returns those of some paths that a listing at hand has, by path. All that are wanted
// together are looked for in one pass. Where it is called again, it is so file by file: then it
// asks an index first, since a pass for each file that is not there would cost too much.
func (s *lister) find(paths []string) (map[string]Entry, error) {
	s.mu.Lock()
	s.finds++
	again := s.finds > 1
	s.mu.Unlock()
	found := make(map[string]Entry, len(paths))
	wanted := make(map[string]bool, len(paths))
	for _, p := range paths {
		if again {
			if is, _, err := s.look(p); err != nil {
				return nil, err
			} else if is == absent {
				continue
			}
		}
		wanted[p] = true
	}
	for _, l := range s.atHand() {
		if len(found) == len(wanted) {
			break
		}
		err := s.replay(l, func(e Entry) {
			if wanted[e.Path] {
				found[e.Path] = e
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// oddOf returns an error when a path is in no listing at hand, and may be among what one of
// them leaves out.
func (s *lister) oddOf(path string) error {
	for _, l := range s.atHand() {
		if len(l.odd) > 0 && glob.Within(l.Folder, path) {
			return fmt.Errorf("look for %q in repository %q: %w", path, s.at.Repository.Slug, errors.Join(l.odd...))
		}
	}
	return nil
}

// look returns what is known of a path. The size is that of an index, when present.
func (s *lister) look(path string) (presence, int64, error) {
	for _, l := range s.atHand() {
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

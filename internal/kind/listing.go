package kind

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

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/glob"
)

type treeKey struct{ repository, hash string }

// tree is what a run has read of one commit.
type tree struct {
	turn     chan struct{} // who holds its one token may read and change what follows
	listings []*listing
	shallow  map[string]int // folder → the depth that it is listed to, instead of more
	bodies   map[string]body
}

func newTree() *tree {
	t := &tree{turn: make(chan struct{}, 1), shallow: map[string]int{}, bodies: map[string]body{}}
	t.turn <- struct{}{}
	return t
}

// lock waits for the tree. A mutex would do, but could not be given up on.
func (t *tree) lock(ctx context.Context) error {
	select {
	case <-t.turn:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *tree) unlock() { t.turn <- struct{}{} }

// listing is all that is in a folder, down to a depth. A folder that does not exist
// has nothing in it.
type listing struct {
	glob.Need
	kept blob    // the entries as compressed JSON, one after the other
	odd  []error // of entries that cannot be used: any path may be among them
}

// entries visits what is in a folder, down to a depth and maybe deeper, and maybe
// beside the folder, with the listing that it comes from: one at hand, or a new one.
// That is less deep where the server gave up on listings before, and of depth 1 where
// it gives up on this one: the folders in it are then listed by themselves. restart
// is called when what was visited so far does not count. It returns how deep a new
// listing is, or 0 for one at hand.
func (c *checkout) entries(ctx context.Context, n glob.Need, visit func(*listing, bitbucket.Entry), restart func()) (asked int, err error) {
	wanted := n.Depth
	if depth, ok := c.tree.shallow[n.Folder]; ok {
		n.Depth = min(n.Depth, depth)
	}
	for _, l := range c.tree.listings {
		if l.Covers(n) {
			c.fail(l)
			return 0, c.replay(l, func(e bitbucket.Entry) { visit(l, e) })
		}
	}
	n.Depth = c.ws.depths.limit(n.Depth)
	l := &listing{Need: n}
	err = c.list(ctx, l, func(e bitbucket.Entry) { visit(l, e) })
	if n.Depth > 1 && bitbucket.TooDeep(err) {
		c.ws.depths.tooDeep(n.Depth)
		c.tree.shallow[n.Folder] = 1
		restart()
		return c.entries(ctx, n, visit, restart)
	}
	if n.Depth < wanted {
		c.tree.shallow[n.Folder] = n.Depth
	}
	if err == nil {
		c.fail(l)
	}
	return n.Depth, err
}

// list asks for a listing, and keeps it when it comes to its end.
func (c *checkout) list(ctx context.Context, l *listing, visit func(bitbucket.Entry)) error {
	var kept bytes.Buffer
	packer, err := c.ws.packer(&kept)
	if err != nil {
		return err
	}
	defer c.ws.packers.Put(packer)
	var ix index
	for e, err := range c.ws.client.Tree(ctx, c.repository.Slug, c.hash, l.Folder, l.Depth) {
		if errors.Is(err, bitbucket.ErrNoFile) && l.Folder != "" && len(ix) == 0 {
			break // there is no such folder; the root is there, and what has begun goes on
		}
		if isOdd(err) {
			l.odd = append(l.odd, err)
			continue
		}
		if err != nil {
			return err
		}
		if _, err := packer.Write(e.JSON); err != nil {
			return err
		}
		ix = append(ix, c.indexed(e))
		visit(e)
	}
	if err := packer.Close(); err != nil {
		return err
	}
	l.kept = c.ws.spool.put(bytes.Clone(kept.Bytes()))
	ix.sort()
	c.indexes[l] = ix
	c.tree.listings = append(c.tree.listings, l)
	return nil
}

// packer compresses into a buffer. It is to be put back: a new one takes more than a
// megabyte.
func (w *Workspace) packer(into *bytes.Buffer) (*flate.Writer, error) {
	if p, ok := w.packers.Get().(*flate.Writer); ok {
		p.Reset(into)
		return p, nil
	}
	return flate.NewWriter(into, flate.BestSpeed)
}

// replay visits the entries of a listing at hand.
func (c *checkout) replay(l *listing, visit func(bitbucket.Entry)) error {
	var ix index
	d := json.NewDecoder(flate.NewReader(c.ws.spool.open(l.kept)))
	for {
		var e bitbucket.Entry
		err := d.Decode(&e)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read the listing of folder %q of repository %q again: %w", "/"+l.Folder, c.repository.Slug, err)
		}
		ix = append(ix, c.indexed(e))
		visit(e)
	}
	ix.sort()
	c.indexes[l] = ix
	return nil
}

// index says in little memory what a listing holds, sorted by hash. Two paths of
// one hash are as good as impossible, and would cost a request, or a size.
type index []indexed

type indexed struct {
	hash uint64 // of the path
	size int64  // of a file; one of the below of anything else
}

const (
	isFolder    = -1
	isSubmodule = -2
	isElsewhere = -3 // in Git LFS
)

func (c *checkout) indexed(e bitbucket.Entry) indexed {
	size := e.Size
	switch {
	case entryType(e.Type) != files:
		size = isFolder
	case slices.Contains(e.Attributes, "subrepository"):
		size = isSubmodule
	case slices.Contains(e.Attributes, "lfs"):
		size = isElsewhere
	}
	return indexed{maphash.String(c.ws.seed, e.Path), size}
}

func (ix index) sort() {
	slices.SortFunc(ix, func(a, b indexed) int {
		switch {
		case a.hash < b.hash:
			return -1
		case a.hash > b.hash:
			return 1
		}
		return 0
	})
}

func (ix index) find(hash uint64) (size int64, ok bool) {
	i, ok := slices.BinarySearchFunc(ix, hash, func(e indexed, hash uint64) int {
		switch {
		case e.hash < hash:
			return -1
		case e.hash > hash:
			return 1
		}
		return 0
	})
	if !ok {
		return 0, false
	}
	return ix[i].size, true
}

// presence is what the listings at hand tell of a path.
type presence int

const (
	unknown presence = iota
	absent
	present
)

// look tells what is known of a path. The size is that of an index, when present.
func (c *checkout) look(path string) (presence, int64, error) {
	for _, l := range c.tree.listings {
		if !glob.Within(l.Folder, path) || path == l.Folder {
			continue
		}
		if _, ok := c.indexes[l]; !ok {
			if err := c.replay(l, func(bitbucket.Entry) {}); err != nil {
				return unknown, 0, err
			}
		}
		listed := firstSegments(path, glob.Level(l.Folder)+l.Depth)
		size, ok := c.indexes[l].find(maphash.String(c.ws.seed, listed))
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

// firstSegments cuts a path off behind n segments.
func firstSegments(path string, n int) string {
	for i := range len(path) {
		if path[i] == '/' {
			if n--; n == 0 {
				return path[:i]
			}
		}
	}
	return path
}

package source

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/spool"
)

// A listing that git read is kept without the JSON of its entries. Each of them is: how many
// bytes its path shares with the one before, how many follow, these, what it is, and its ID.
// The numbers are varints.

// modes are what a path may be, each known by its place in the list.
var modes = []gitwire.Mode{gitwire.Folder, gitwire.File, gitwire.Executable, gitwire.Link, gitwire.Submodule}

// chunk is how much of a listing is put into the spool at once, in bytes.
const chunk = 64 << 10

// compact writes entries into a spool.
type compact struct {
	spool *spool.Spool
	kept  []spool.Blob
	open  []byte // not in the spool yet
	last  string // path
}

func (c *compact) add(e Entry) {
	shared := 0
	for shared < min(len(c.last), len(e.Path)) && c.last[shared] == e.Path[shared] {
		shared++
	}
	c.open = binary.AppendUvarint(c.open, uint64(shared))
	c.open = binary.AppendUvarint(c.open, uint64(len(e.Path)-shared))
	c.open = append(c.open, e.Path[shared:]...)
	c.open = append(c.open, byte(slices.Index(modes, e.mode)))
	c.open = append(c.open, e.ID[:]...)
	c.last = e.Path
	if len(c.open) >= chunk {
		c.flush()
	}
}

// flush puts the rest.
func (c *compact) flush() {
	c.kept = append(c.kept, c.spool.Put(c.open))
	c.open = nil
}

// expand visits the entries that a compact wrote.
func expand(from io.Reader, visit func(Entry)) error {
	r := bufio.NewReader(from)
	var path []byte
	var rest [1 + len(gitwire.Hash{})]byte
	for {
		shared, err := binary.ReadUvarint(r)
		if err == io.EOF {
			return nil
		}
		more := uint64(0)
		if err == nil {
			more, err = binary.ReadUvarint(r)
		}
		if err == nil {
			path = slices.Grow(path[:shared], int(more))[:shared+more]
			_, err = io.ReadFull(r, path[shared:])
		}
		if err == nil {
			_, err = io.ReadFull(r, rest[:])
		}
		if err != nil {
			return fmt.Errorf("an entry ends too early: %w", err)
		}
		visit(entryOf(gitwire.Entry{Path: string(path), Mode: modes[rest[0]], Hash: gitwire.Hash(rest[1:])}))
	}
}

package gitwire

import (
	"fmt"
	"iter"
)

// level is a folder that Entries is in: its path, and what is left of its tree.
type level struct {
	path string
	p    place
	read int    // bytes of the tree that were read into buf
	buf  []byte // some of them
	rest []byte // of buf
}

const (
	maxItem  = maxName + 32 // bytes of the longest item: its mode, its name, its hash
	levelBuf = 4 * maxItem
)

// Entries returns the items of all listed folders in the order of git's trees, each folder
// before its items. It may be called again, and side by side.
func (s *Snapshot) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		stack := []*level{s.level("", s.root)}
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			i, ok, err := s.next(top)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !ok {
				stack = stack[:len(stack)-1]
				continue
			}
			if len(top.path)+1+len(i.name) > maxPath {
				continue
			}
			e := Entry{join(top.path, i.name), i.mode, Hash(i.hash)}
			if !yield(e, nil) {
				return
			}
			if i.mode == Folder && s.enter(e.Path) {
				at, ok := s.store.byHash[e.Hash]
				if !ok {
					yield(Entry{}, fmt.Errorf("folder %q was not listed: Enter does not always say the same", e.Path))
					return
				}
				stack = append(stack, s.level(e.Path, at))
			}
		}
	}
}

func (s *Snapshot) level(path string, at int32) *level {
	p := s.store.places[at]
	if p.listing != 0 {
		p = s.store.places[p.listing]
	}
	return &level{path: path, p: p, buf: make([]byte, 0, min(int(p.size), levelBuf))}
}

// next reads the next item of a folder.
func (s *Snapshot) next(l *level) (i item, ok bool, err error) {
	size := int(l.p.size)
	if len(l.rest) < maxItem && l.read < size {
		n := copy(l.buf[:cap(l.buf)], l.rest)
		l.buf = l.buf[:n+min(cap(l.buf)-n, size-l.read)]
		if err := s.store.read(l.p, l.read, l.buf[n:]); err != nil {
			return i, false, err
		}
		l.read += len(l.buf) - n
		l.rest = l.buf
	}
	if len(l.rest) == 0 {
		return i, false, nil
	}
	i, l.rest, err = nextItem(l.rest)
	return i, err == nil, err
}

// Missing lists the kept files that did not come by, for Blobs, each once.
func (s *Snapshot) Missing() []Hash { return s.missing }

// LeftOut returns the number of items that the listing leaves out for their names, and the
// path of the first: names that no work tree can hold (".", "..", ".git"), control characters,
// invalid UTF-8, the second of two equal names, names above 1,024 bytes and paths above 4,096.
func (s *Snapshot) LeftOut() (n int, example string) { return s.leftOut, s.example }

// Close removes what the Snapshot keeps on disk.
func (s *Snapshot) Close() error { return s.store.close() }

package gitwire

import (
	"fmt"
	"os"
)

// storeTail is how much a store holds in memory.
const storeTail = 64 << 10

// store keeps the texts of objects on disk, in a file that only this user can read. It makes
// the file when there is more than a little.
type store struct {
	dir    string
	limit  int64 // bytes
	file   *os.File
	left   bool   // the file still has a name
	tail   []byte // after what lies in the file
	size   int64  // of all texts
	places []place
	byHash map[Hash]int32
}

// place is where a text lies.
type place struct {
	at      int64
	size    int32
	listing int32 // the place of the tree without the items to leave out; 0 where none are
	chain   uint16
	kind    kind
}

func newStore(dir string, limit int64) *store {
	// The first place belongs to no object, so that 0 means none.
	return &store{dir: dir, limit: limit, places: make([]place, 1), byHash: map[Hash]int32{}}
}

// fits reports whether a text of a size may be put.
func (s *store) fits(size int) bool { return int64(size) <= s.limit-s.size }

// put keeps a text and returns its place.
func (s *store) put(k kind, chain int, text []byte) (int32, error) {
	if !s.fits(len(text)) {
		return 0, &LimitError{"bytes of folders", s.limit}
	}
	if len(s.tail)+len(text) > storeTail {
		if err := s.write(s.tail); err != nil {
			return 0, err
		}
		s.tail = s.tail[:0]
	}
	if len(text) > storeTail {
		if err := s.write(text); err != nil {
			return 0, err
		}
	} else {
		s.tail = append(s.tail, text...)
	}
	s.places = append(s.places, place{at: s.size, size: int32(len(text)), chain: uint16(chain), kind: k})
	s.size += int64(len(text))
	return int32(len(s.places) - 1), nil
}

func (s *store) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if s.file == nil {
		file, err := os.CreateTemp(s.dir, "git-*") // mode 0600
		if err != nil {
			return err
		}
		s.file = file
		s.left = os.Remove(file.Name()) != nil // not every system removes a file that is open
	}
	_, err := s.file.Write(text)
	return err
}

// read fills b from a text of the store, from an offset in it.
func (s *store) read(p place, from int, b []byte) error {
	at := p.at + int64(from)
	if begin := s.size - int64(len(s.tail)); at >= begin {
		copy(b, s.tail[at-begin:])
		return nil
	}
	if _, err := s.file.ReadAt(b, at); err != nil {
		return fmt.Errorf("read the folders back from disk: %w", err)
	}
	return nil
}

// text reads the text at a place into a buffer, which it returns.
func (s *store) text(i int32, buf []byte) ([]byte, error) {
	p := s.places[i]
	buf = sized(buf, int(p.size))
	return buf, s.read(p, 0, buf)
}

func (s *store) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.left {
		err = os.Remove(s.file.Name())
	}
	s.file = nil
	return err
}

// sized returns a buffer of a length, which is buf where that is large enough.
func sized(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n, max(n, min(2*cap(buf), mib)))
	}
	return buf[:n]
}

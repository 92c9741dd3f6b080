package state

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// entry is a sealed value on its way from file to file.
type entry struct {
	index  index
	age    byte // runs since it was used last
	sealed []byte
}

// room is about what an entry takes in a segment, in bytes.
func (e entry) room() int64 { return int64(len(e.sealed)) + 64 }

// segment is a file of entries in the order of their indexes: a bbolt database that was
// written in one transaction, and is never changed.
//
// bbolt trusts its files: it checks no more than a checksum of the first two pages. So it reads
// none of their bytes before the file has proven itself.
type segment struct {
	Name        string
	Size        int64
	Code        []byte // of the whole file
	First, Last index
	Ages        []byte // of the entries, in their order

	db     *bbolt.DB
	bucket *bbolt.Bucket
}

// bucketName is that of the one bucket.
var bucketName = []byte("values")

// press makes segments.
type press struct {
	folder *folder
	keys   *keys
	blanks map[int][]byte // by the size of their pages
}

func newPress(f *folder, k *keys) *press { return &press{f, k, map[int][]byte{}} }

// Larger pages lose less at their end, smaller ones in those that are empty.
const (
	minPage  = 4 << 10
	maxPage  = 32 << 10
	perPage  = 32 // pages in a segment, about, where the size of pages allows
	ownPages = 4  // pages of an empty database
)

// pageOf is the size of the pages of a segment with so many bytes of entries.
func pageOf(room int64) (page int) {
	for page = minPage; page < maxPage && room > perPage*int64(page); page *= 2 {
	}
	return page
}

// blank is an empty database. bbolt waits for the disk when it makes a new one, also with
// NoSync: so a run makes one for each size of pages, and copies it. Learned by trial, with
// bbolt 1.5.0.
func (p *press) blank(page int) ([]byte, error) {
	if p.blanks[page] != nil {
		return p.blanks[page], nil
	}
	file, draft, err := p.folder.create()
	if err != nil {
		return nil, err
	}
	defer p.folder.remove([]string{draft})
	db, err := bbolt.Open(draft, 0, &bbolt.Options{OpenFile: opened(file), PageSize: page, NoSync: true, NoGrowSync: true, NoStatistics: true})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	text, err := p.folder.root.ReadFile(draft)
	if err == nil {
		p.blanks[page] = text[:min(len(text), ownPages*page)] // some systems make it longer
	}
	return p.blanks[page], err
}

// opened hands a file to bbolt, which closes it.
func opened(file *os.File) func(string, int, os.FileMode) (*os.File, error) {
	return func(string, int, os.FileMode) (*os.File, error) { return file, nil }
}

// segment writes entries, in the order of their indexes, to a new file and opens it. Nothing
// waits for the disk: a file that a loss of power tears does not prove itself.
func (p *press) segment(entries []entry) (s *segment, err error) {
	var room int64
	for _, e := range entries {
		room += e.room()
	}
	blank, err := p.blank(pageOf(room))
	if err != nil {
		return nil, err
	}
	file, draft, err := p.folder.create()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.folder.remove([]string{draft})
		}
	}()
	used, err := fill(file, draft, blank, entries, room)
	if err != nil {
		return nil, err
	}
	s = &segment{
		Name:  strings.TrimSuffix(draft, draftEnd) + segmentEnd,
		First: entries[0].index, Last: entries[len(entries)-1].index, Ages: make([]byte, len(entries)),
	}
	for i, e := range entries {
		s.Ages[i] = e.age
	}
	if err := p.folder.cut(draft, used); err != nil {
		return nil, err
	}
	if file, s.Size, err = p.folder.open(draft); err != nil {
		return nil, err
	}
	s.Code, err = p.keys.code(file)
	if err = errors.Join(err, file.Close()); err != nil { // not every system renames an open file
		return nil, err
	}
	if err := p.folder.publish(draft, s.Name); err != nil {
		return nil, err
	}
	if file, _, err = p.folder.open(s.Name); err == nil {
		err = s.open(file)
	}
	if err != nil {
		p.folder.remove([]string{s.Name})
		return nil, err
	}
	return s, nil
}

// fill writes a database. It returns the length of what is in use of the file, which is
// longer on some systems.
func fill(file *os.File, name string, blank []byte, entries []entry, room int64) (size int64, err error) {
	if _, err := file.WriteAt(blank, 0); err != nil {
		file.Close()
		return 0, err
	}
	db, err := bbolt.Open(name, 0, &bbolt.Options{
		OpenFile: opened(file), InitialMmapSize: int(room + room/2), Timeout: time.Second,
		NoSync: true, NoGrowSync: true, NoFreelistSync: true, NoStatistics: true,
	})
	if err != nil {
		return 0, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket(bucketName)
		if err != nil {
			return err
		}
		bucket.FillPercent = 1
		for i, e := range entries {
			number := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen32+len(e.sealed)), uint64(i))
			if err := bucket.Put(e.index[:], append(number, e.sealed...)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
	}
	return size, errors.Join(err, db.Close())
}

// prove opens the file for finding, when it is the one that was written.
func (s *segment) prove(f *folder, k *keys) error {
	file, size, err := f.open(s.Name)
	if err != nil {
		return err
	}
	if size != s.Size {
		file.Close()
		return fmt.Errorf("%s has %d bytes, want %d", s.Name, size, s.Size)
	}
	code, err := k.code(io.LimitReader(file, size+1))
	if err == nil && !hmac.Equal(code, s.Code) {
		err = fmt.Errorf("%s is not as it was written", s.Name)
	}
	if err != nil {
		file.Close()
		return err
	}
	return s.open(file)
}

// open opens a file that is proven, and closes it with the segment.
func (s *segment) open(file *os.File) (err error) {
	s.db, err = bbolt.Open(s.Name, 0, &bbolt.Options{OpenFile: opened(file), ReadOnly: true, Timeout: time.Second, NoStatistics: true})
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	tx, err := s.db.Begin(false)
	if err == nil {
		if s.bucket = tx.Bucket(bucketName); s.bucket != nil {
			return nil
		}
		err = errors.Join(fmt.Errorf("%s has no values", s.Name), tx.Rollback())
	}
	s.close()
	return err
}

// find returns what is sealed under an index, which is valid until close, and marks it as
// used.
func (s *segment) find(i index) (sealed []byte, ok bool) {
	if i.compare(s.First) < 0 || i.compare(s.Last) > 0 {
		return nil, false
	}
	number, sealed, ok := numbered(s.bucket.Get(i[:]), len(s.Ages))
	if ok {
		s.Ages[number] = 0
	}
	return sealed, ok
}

// entries are all of a segment, valid until close.
func (s *segment) entries() iter.Seq[entry] {
	return func(yield func(entry) bool) {
		cursor := s.bucket.Cursor()
		for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
			number, sealed, ok := numbered(value, len(s.Ages))
			if ok && !yield(entry{index(key), s.Ages[number], sealed}) {
				return
			}
		}
	}
}

// numbered takes the number of an entry off a value of the database.
func numbered(value []byte, entries int) (number int, sealed []byte, ok bool) {
	n, length := binary.Uvarint(value)
	if length <= 0 || n >= uint64(entries) {
		return 0, nil, false
	}
	return int(n), value[length:], true
}

func (s *segment) close() {
	if s.db == nil {
		return
	}
	if s.bucket != nil {
		_ = s.bucket.Tx().Rollback()
	}
	_ = s.db.Close()
	s.db, s.bucket = nil, nil
}

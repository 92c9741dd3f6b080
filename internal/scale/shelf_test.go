package scale_test

import (
	"crypto/md5"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"port-bitbucket-exporter/internal/port/porttest"
)

// shelf keeps entities in a file, in the order in which they came first. One of them takes
// about 60 bytes of memory.
type shelf struct {
	file   *os.File
	end    int64
	places []place
	at     map[[md5.Size]byte]int32 // in places, by identifier
	aged   time.Duration            // by how much all of them were made older
}

// place is where an entity is in the file. It has no pointers.
type place struct {
	offset int64
	length int32
	aged   time.Duration // when it was written
}

// newShelf makes one whose file is in a folder.
func newShelf(folder string) (*shelf, error) {
	file, err := os.CreateTemp(folder, "entities-")
	return &shelf{file: file, at: map[[md5.Size]byte]int32{}}, err
}

// close removes the file.
func (s *shelf) close() error { return errors.Join(s.file.Close(), os.Remove(s.file.Name())) }

// keep writes an entity into the file.
func (s *shelf) keep(e porttest.Entity) {
	text, err := json.Marshal(e)
	if err == nil {
		_, err = s.file.WriteAt(text, s.end)
	}
	if err != nil {
		panic(err)
	}
	p := place{s.end, int32(len(text)), s.aged}
	s.end += int64(len(text))
	key := md5.Sum([]byte(e.Identifier))
	if at, known := s.at[key]; known {
		s.places[at] = p
		return
	}
	s.at[key] = int32(len(s.places))
	s.places = append(s.places, p)
}

// read returns the entity at a place, as old as it is by now.
func (s *shelf) read(p place) porttest.Entity {
	d := json.NewDecoder(io.NewSectionReader(s.file, p.offset, int64(p.length)))
	d.UseNumber()
	var e porttest.Entity
	if err := d.Decode(&e); err != nil {
		panic(err)
	}
	e.CreatedAt, e.UpdatedAt = e.CreatedAt.Add(p.aged-s.aged), e.UpdatedAt.Add(p.aged-s.aged)
	return e
}

package inventory

import (
	"encoding/binary"
	"errors"
	"sync"

	"port-bitbucket-exporter/internal/spool"
)

// store keeps what is not in memory: records in a log. The first byte of each is what it is.
type store struct {
	log *spool.Log

	mu  sync.Mutex // guards what follows
	err error      // the first that occurred
}

// What a record is.
const (
	recordEntity = 'e' // what the run did with an entity
	recordDigest = 'd' // what Port stored of one
	recordTarget = 't'
	recordEdges  = 'r'
)

func newStore() *store { return &store{log: spool.NewLog("")} }

// fail remembers an error, and returns it.
func (s *store) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	return err
}

func (s *store) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// read returns the record at a position, which must be one of a kind.
func (s *store) read(at int64, kind byte, buffer *[]byte) (*decoder, error) {
	record, err := s.log.Read(at, buffer)
	if err != nil {
		return nil, s.fail(err)
	}
	if record[0] != kind {
		return nil, s.fail(errDecode)
	}
	return s.decode(record), nil
}

// all visits the records of a kind, in their order. What is handed to visit may be read until
// it returns.
func (s *store) all(kind byte, visit func(at int64, d *decoder) (more bool, err error)) error {
	for r, err := range s.log.All() {
		if err != nil {
			return s.fail(err)
		}
		if r.Text[0] != kind {
			continue
		}
		if more, err := visit(r.At, s.decode(r.Text)); !more || err != nil {
			return err
		}
	}
	return nil
}

var errDecode = errors.New("internal error: a record of the temporary file has another form")

func (s *store) decode(record []byte) *decoder { return &decoder{store: s, rest: record[1:]} }

func appendText(record []byte, text string) []byte {
	return append(binary.AppendUvarint(record, uint64(len(text))), text...)
}

// decoder takes the parts of a record in the order in which they were appended.
type decoder struct {
	store *store
	rest  []byte
	bad   bool // it ends too early
}

// err returns why not all that was taken was there.
func (d *decoder) err() error {
	if d.bad {
		return d.store.fail(errDecode)
	}
	return nil
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) text() string {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return ""
	}
	text := string(d.rest[:n])
	d.rest = d.rest[n:]
	return text
}

package spool

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"iter"
	"slices"
	"sync"
)

// Log keeps records in a Spool, one after the other: small ones, and very many of them. Those
// that were appended last are in memory until there is enough for one write; where nothing can
// be written, all are, from then on. It is safe for concurrent use. It must be closed.
//
// A record is its length as a varint, a checksum, and its bytes. The checksum is also one of
// the position, so that no other record is taken for it, nor a hole in the file.
type Log struct {
	spool *Spool

	mu     sync.Mutex // guards what follows
	begin  int64      // of open
	open   []byte     // not in the spool yet
	memory []piece    // what the spool could not write
}

// piece is a part of a Log that is in memory.
type piece struct {
	begin int64
	text  []byte
}

// Record is one of a Log. Its bytes may be read until the next one is asked for.
type Record struct {
	At   int64
	Text []byte
}

const (
	atOnce    = 64 << 10 // how much is written, and read, at once, in bytes
	first     = 512      // how much is read of a record whose length is not known, in bytes
	sum       = 4        // bytes of a checksum
	maxRecord = 64 << 20 // no record has more bytes: a length above it is damage
)

// errDamaged is the error of a record that is not as it was appended.
var errDamaged = errors.New("the temporary file was changed or cut")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(at int64, record []byte) uint32 {
	var position [8]byte
	binary.LittleEndian.PutUint64(position[:], uint64(at))
	return crc32.Update(crc32.Checksum(position[:], castagnoli), castagnoli, record)
}

// NewLog returns an empty Log, which makes its file as New does.
func NewLog(folder string) *Log { return &Log{spool: New(folder)} }

// Append appends a record, and returns its position.
func (l *Log) Append(record []byte) (at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) > 0 && len(l.open)+len(record) > atOnce {
		l.flush()
	}
	at = l.begin + int64(len(l.open))
	l.open = binary.AppendUvarint(l.open, uint64(len(record)))
	l.open = binary.LittleEndian.AppendUint32(l.open, checksum(at, record))
	l.open = append(l.open, record...)
	return at
}

// flush hands what is open over to the spool.
func (l *Log) flush() {
	kept, begin := l.spool.Put(l.open), l.begin
	l.begin += int64(len(l.open))
	if kept.memory != nil {
		l.memory, l.open = append(l.memory, piece{begin, kept.memory}), nil
	}
	l.open = l.open[:0]
}

// Read returns a record, in a buffer that grows as it needs to. The error is not nil when the
// record cannot be read as it was appended.
func (l *Log) Read(at int64, buffer *[]byte) ([]byte, error) {
	text := slices.Grow((*buffer)[:0], first)
	text = text[:first]
	n, err := l.readAt(text, at)
	record, size := parse(at, text[:n])
	if record == nil && size > n && err == nil {
		text = slices.Grow(text, size-n)[:size]
		n, err = l.readAt(text, at)
		record, _ = parse(at, text[:n])
	}
	*buffer = text
	if err != nil {
		return nil, err
	}
	if record == nil {
		return nil, errDamaged
	}
	return record, nil
}

// parse returns the record that bytes begin with, and how many of them it takes; nil when it
// is not there, or not all of it, and then how many it seems to take.
func parse(at int64, text []byte) (record []byte, size int) {
	length, head := binary.Uvarint(text)
	if head <= 0 || length > maxRecord {
		return nil, 0
	}
	head += sum
	if size = head + int(length); size > len(text) {
		return nil, size
	}
	record = text[head:size:size]
	if binary.LittleEndian.Uint32(text[head-sum:]) != checksum(at, record) {
		return nil, 0
	}
	return record, size
}

// readAt reads what is at a position, as far as it was written together. The position is one
// that a record has.
func (l *Log) readAt(p []byte, at int64) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at >= l.begin {
		return copy(p, l.open[at-l.begin:]), nil
	}
	if len(l.memory) > 0 && at >= l.memory[0].begin {
		i, exact := slices.BinarySearchFunc(l.memory, at, func(p piece, at int64) int { return cmp.Compare(p.begin, at) })
		if !exact {
			i--
		}
		return copy(p, l.memory[i].text[at-l.memory[i].begin:]), nil
	}
	end := l.begin
	if len(l.memory) > 0 {
		end = l.memory[0].begin
	}
	p = p[:min(int64(len(p)), end-at)]
	n, err = io.ReadFull(l.spool.Open(Blob{offset: at, length: int64(len(p))}), p)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil // too little is damage
	}
	return n, err
}

// All yields the records that were appended before, in their order. An error is the last that
// it yields.
func (l *Log) All() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		l.mu.Lock()
		end := l.begin + int64(len(l.open))
		l.mu.Unlock()
		buffer := make([]byte, atOnce)
		var window []byte // of the buffer, what is not yielded yet
		for at := int64(0); at < end; {
			record, size := parse(at, window)
			if record == nil { // the rest of the window is too little
				n, err := l.readAt(buffer, at)
				window = buffer[:n]
				if record, size = parse(at, window); record == nil && size > n && err == nil {
					record, err = l.Read(at, new([]byte))
				}
				if record == nil {
					yield(Record{}, cmp.Or(err, errDamaged))
					return
				}
			}
			if !yield(Record{at, record}, nil) {
				return
			}
			window, at = window[min(size, len(window)):], at+int64(size)
		}
	}
}

// Close removes the file. It may be called again.
func (l *Log) Close() error { return l.spool.Close() }

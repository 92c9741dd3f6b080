package source

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/glob"
)

// commitValue is what the store has of a commit. Its encoding begins with its format; the
// numbers are varints, and texts have their length before them.
type commitValue struct {
	place    digest // of what the answers of REST hold besides the commit
	listings []keptListing
	shallow  map[string]int    // depths, by folder: see tree
	records  map[string]record // by path, of files that REST read
}

// commitFormat changes with the encoding of a commitValue, or of what it refers to. Another
// format is absent.
const commitFormat = 1

// digest is the beginning of a SHA-256.
type digest [8]byte

// placeOf is that of a repository: when it is renamed, the links of its entries are others.
func placeOf(r bitbucket.Repository) digest {
	var links struct {
		Links struct{ Self, HTML struct{ Href string } }
	}
	_ = json.Unmarshal(r.JSON, &links) // it was read before; without links it has none
	sum := sha256.Sum256([]byte(r.Slug + "\x00" + links.Links.Self.Href + "\x00" + links.Links.HTML.Href))
	return digest(sum[:])
}

// keptListing is a listing of which all bytes are in the store.
type keptListing struct {
	glob.Need
	git    bool
	digest digest // of its bytes, so that pieces of two listings are none
	inline []byte // all of it, where that is little
	pieces int    // in values of their own otherwise
}

// record is what is known for ever of a file that REST read.
type record struct {
	kind  recordKind
	text  gitwire.Hash // the blob hash of its text, or of its beginning when it is too large
	limit int64        // of one that is too large: it is larger than so many bytes
}

type recordKind byte

const (
	recordAbsent recordKind = iota + 1
	recordText
	recordElsewhere
	recordTooLarge
)

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// encode returns the bytes of a value, the same for the same value.
func (v commitValue) encode() []byte {
	b := append([]byte{commitFormat}, v.place[:]...)
	b = binary.AppendUvarint(b, uint64(len(v.listings)))
	for _, l := range v.listings {
		git := byte(0)
		if l.git {
			git = 1
		}
		b = append(appendText(append(b, git), l.Folder), l.digest[:]...)
		b = binary.AppendUvarint(b, uint64(l.Depth))
		b = binary.AppendUvarint(b, uint64(l.pieces))
		b = appendText(b, string(l.inline))
	}
	b = binary.AppendUvarint(b, uint64(len(v.shallow)))
	for _, folder := range slices.Sorted(maps.Keys(v.shallow)) {
		b = binary.AppendUvarint(appendText(b, folder), uint64(v.shallow[folder]))
	}
	b = binary.AppendUvarint(b, uint64(len(v.records)))
	for _, path := range slices.Sorted(maps.Keys(v.records)) {
		r := v.records[path]
		b = append(appendText(b, path), byte(r.kind))
		if r.kind == recordText || r.kind == recordTooLarge {
			b = append(b, r.text[:]...)
		}
		if r.kind == recordTooLarge {
			b = binary.AppendUvarint(b, uint64(r.limit))
		}
	}
	return b
}

// decodeCommit reads what encode wrote; ok is false for anything else.
func decodeCommit(b []byte) (v commitValue, ok bool) {
	r := &valueReader{rest: b}
	if r.byte() != commitFormat {
		return commitValue{}, false
	}
	v = commitValue{shallow: map[string]int{}, records: map[string]record{}}
	copy(v.place[:], r.bytes(len(v.place)))
	for range r.count() {
		var l keptListing
		l.git = r.byte() == 1
		l.Folder = string(r.text())
		copy(l.digest[:], r.bytes(len(l.digest)))
		l.Depth, l.pieces = int(r.number(everything)), int(r.number(maxPieces))
		l.inline = r.text()
		v.listings = append(v.listings, l)
	}
	for range r.count() {
		folder := string(r.text())
		v.shallow[folder] = int(r.number(everything))
	}
	for range r.count() {
		path := string(r.text())
		of := record{kind: recordKind(r.byte())}
		r.bad = r.bad || of.kind < recordAbsent || of.kind > recordTooLarge
		if of.kind == recordText || of.kind == recordTooLarge {
			copy(of.text[:], r.bytes(len(of.text)))
		}
		if of.kind == recordTooLarge {
			of.limit = int64(r.number(1 << 62))
		}
		v.records[path] = of
	}
	if r.bad || len(r.rest) > 0 {
		return commitValue{}, false
	}
	return v, true
}

// maxPieces is more than a listing has.
const maxPieces = 1 << 20

// valueReader reads an encoding. After the first thing that is not as it must be, all else is
// empty.
type valueReader struct {
	rest []byte
	bad  bool
}

func (r *valueReader) bytes(n int) []byte {
	if r.bad = r.bad || n > len(r.rest); r.bad {
		r.rest = nil
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *valueReader) byte() byte {
	if one := r.bytes(1); one != nil {
		return one[0]
	}
	return 0
}

func (r *valueReader) number(most uint64) uint64 {
	n, size := binary.Uvarint(r.rest)
	if r.bad = r.bad || size <= 0 || n > most; r.bad {
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// count is of things that take a byte each at least.
func (r *valueReader) count() int { return int(r.number(uint64(len(r.rest)))) }

func (r *valueReader) text() []byte { return r.bytes(r.count()) }

package inventory

import (
	"encoding/binary"
	"iter"
	"sync"

	"port-bitbucket-exporter/internal/catalog"
)

// Entities are what a run did with each entity that it produced, and what Port stored of it
// when the run began. Of each, memory has a slot of a table; the rest is in records, and
// functions that read those may fail. They are safe for concurrent use.
type Entities struct {
	store *store

	mu     sync.Mutex               // guards what follows
	tables map[string]*table[entry] // by blueprint
	buffer []byte                   // of records
}

// entry is what is in memory of an entity besides its key.
type entry struct {
	at    position // of the record of what the run did with it; else of what Port stored
	flags byte     // packed Flags, and produced
}

const (
	listed   = 1 << 4 // of packed Flags
	stored   = 1 << 5
	produced = 1 << 6
)

// position is that of a record: 40 bits reach a terabyte.
type position [5]byte

func positionOf(at int64) (p position) {
	var all [8]byte
	binary.LittleEndian.PutUint64(all[:], uint64(at))
	copy(p[:], all[:])
	return p
}

func (p position) at() int64 {
	var all [8]byte
	copy(all[:], p[:])
	return int64(binary.LittleEndian.Uint64(all[:]))
}

func newEntities(s *store) *Entities { return &Entities{store: s, tables: map[string]*table[entry]{}} }

// find returns the entry of an entity; nil when there is none.
func (e *Entities) find(ref catalog.Ref) *entry {
	if t := e.tables[ref.Blueprint]; t != nil {
		return t.find(keyOf(ref.Identifier))
	}
	return nil
}

// put returns the entry of an entity, new and zero where there is none.
func (e *Entities) put(ref catalog.Ref) *entry {
	t := e.tables[ref.Blueprint]
	if t == nil {
		t = &table[entry]{}
		e.tables[ref.Blueprint] = t
	}
	return t.put(keyOf(ref.Identifier))
}

// Keep keeps what the run did with an entity, in place of what was kept before; what Port
// stored of it stays. Also with an error the entity counts as produced.
func (e *Entities) Keep(ref catalog.Ref, entity Entity) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.put(ref)
	digest, err := e.digest(known)
	e.write(known, Kept{ref, entity}, digest)
	known.flags = entity.pack()&^stored | known.flags&stored | produced
	return err
}

// write appends the record of an entity.
func (e *Entities) write(to *entry, k Kept, digest int64) {
	e.buffer = appendEntity(e.buffer[:0], k, digest)
	to.at = positionOf(e.store.log.Append(e.buffer))
}

// digest returns the position of what Port stored of an entity, or noDigest.
func (e *Entities) digest(of *entry) (at int64, err error) {
	switch {
	case of.flags&stored == 0:
		return noDigest, nil
	case of.flags&produced == 0:
		return of.at.at(), nil
	}
	_, at, err = e.read(of)
	return at, err
}

// read reads the record of an entity that was produced.
func (e *Entities) read(of *entry) (k Kept, digest int64, err error) {
	d, err := e.store.read(of.at.at(), recordEntity, &e.buffer)
	if err != nil {
		return Kept{}, noDigest, err
	}
	k, digest, err = d.entity()
	k.Flags = unpack(of.flags)
	return k, digest, err
}

// KeepStored keeps the digest of what Port stored of an entity when the run began.
func (e *Entities) KeepStored(ref catalog.Ref, digest catalog.Digest) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.put(ref)
	e.buffer = append(append(e.buffer[:0], recordDigest), digest...)
	at := e.store.log.Append(e.buffer)
	known.flags |= stored
	if known.flags&produced == 0 {
		known.at = positionOf(at)
		return nil
	}
	k, _, err := e.read(known)
	if err == nil {
		e.write(known, k, at)
	}
	return err
}

// Stored returns the digest of what Port stored of an entity, and whether it stored it.
func (e *Entities) Stored(ref catalog.Ref) (catalog.Digest, bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.find(ref)
	if known == nil || known.flags&stored == 0 {
		return "", false, nil
	}
	at, err := e.digest(known)
	if err != nil {
		return "", true, err
	}
	d, err := e.store.read(at, recordDigest, &e.buffer)
	if err != nil {
		return "", true, err
	}
	return catalog.Digest(d.rest), true, nil
}

// Produced reports whether the run produced an entity. It reads nothing.
func (e *Entities) Produced(ref catalog.Ref) bool {
	_, is := e.Flags(ref)
	return is
}

// producedKey reports whether the run produced an entity of a blueprint.
func (e *Entities) producedKey(blueprint string, k key) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.tables[blueprint]
	if t == nil {
		return false
	}
	known := t.find(k)
	return known != nil && known.flags&produced != 0
}

// Flags returns those of an entity, and whether the run produced it. It reads nothing.
func (e *Entities) Flags(ref catalog.Ref) (f Flags, is bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.find(ref)
	if known == nil {
		return Flags{}, false
	}
	return unpack(known.flags), known.flags&produced != 0
}

// MarkListed notes that Port lists an entity that the run produced as ours, and reports
// whether that was noted before. It reads nothing.
func (e *Entities) MarkListed(ref catalog.Ref) (before bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.find(ref)
	if known == nil || known.flags&produced == 0 {
		return false
	}
	before = known.flags&listed != 0
	known.flags |= listed
	return before
}

// Of returns what the run did with an entity, and whether the run produced it: that is right
// also with an error.
func (e *Entities) Of(ref catalog.Ref) (Entity, bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.find(ref)
	if known == nil || known.flags&produced == 0 {
		return Entity{}, false, nil
	}
	k, _, err := e.read(known)
	return k.Entity, true, err
}

// All yields every entity that the run produced once, in no certain order. An error is the
// last that it yields.
func (e *Entities) All() iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		if err := e.store.all(recordEntity, func(at int64, d *decoder) (more bool, err error) {
			k, _, err := d.entity()
			if err != nil {
				return false, err
			}
			flags, last := e.flagsAt(k.Ref, at)
			k.Flags = flags
			return !last || yield(k, nil), nil
		}); err != nil {
			yield(Kept{}, err)
		}
	}
}

// flagsAt returns the flags of an entity, and whether its last record is at a position.
func (e *Entities) flagsAt(ref catalog.Ref, at int64) (Flags, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.find(ref)
	if known == nil || known.at.at() != at {
		return Flags{}, false
	}
	return unpack(known.flags), true
}

// Count returns how many entities that the run produced fulfil a condition. It reads nothing.
func (e *Entities) Count(is func(blueprint string, f Flags) bool) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for blueprint, t := range e.tables {
		t.all(func(_ key, of *entry) bool {
			if of.flags&produced != 0 && is(blueprint, unpack(of.flags)) {
				n++
			}
			return true
		})
	}
	return n
}

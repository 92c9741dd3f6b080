package inventory

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
)

// key stands for an identifier: 128 bits of a hash that cannot be computed outside of the
// process, so that two identifiers of one key cannot be made on purpose. Two of a billion have
// one by chance once in 10^20 runs, and then the run takes them for one: it deletes neither.
type key [16]byte

// secret is in front of all that is hashed.
var secret = func() (s [16]byte) {
	rand.Read(s[:])
	return s
}()

func keyOf(identifier string) (k key) {
	var room [128]byte
	sum := sha256.Sum256(append(append(room[:0], secret[:]...), identifier...))
	copy(k[:], sum[:])
	if k == (key{}) { // an empty slot has that
		k[0] = 1
	}
	return k
}

// table is a hash table by keys, with a value for each: without pointers, so that the garbage
// collector does not look into it. It takes the size of a slot times 1.15 to 1.3 for each
// key, and grows by an eighth of a shard at a time.
type table[V any] struct {
	shards [shards]shard[V]
	len    int
}

// shards is of how many parts a table is made: one for each first byte of a key. Those of a table
// with some hundred thousand keys are so small that the allocator gives little more than they need.
const shards = 1 << 8

type shard[V any] struct {
	slots []slot[V]
	used  int
}

type slot[V any] struct {
	value V
	key   key // zero when the slot is free
}

// find returns the value of a key, which may be written to until the next call of put; nil
// when the table does not have it.
func (t *table[V]) find(k key) *V {
	s := &t.shards[k[0]]
	if len(s.slots) == 0 {
		return nil
	}
	if at := s.place(k); at.key == k {
		return &at.value
	}
	return nil
}

// put returns the value of a key, as find does, and adds the key with the zero value where
// it is not there.
func (t *table[V]) put(k key) *V {
	s := &t.shards[k[0]]
	if len(s.slots) > 0 {
		if at := s.place(k); at.key == k {
			return &at.value
		}
	}
	if 8*(s.used+1) > 7*len(s.slots) {
		s.grow()
	}
	s.used++
	t.len++
	at := s.place(k)
	at.key = k
	return &at.value
}

// all visits the keys and values until visit returns false, and reports whether it did not.
func (t *table[V]) all(visit func(k key, v *V) bool) bool {
	for i := range t.shards {
		slots := t.shards[i].slots
		for j := range slots {
			if s := &slots[j]; s.key != (key{}) && !visit(s.key, &s.value) {
				return false
			}
		}
	}
	return true
}

// place returns the slot of a key, or the free one where it belongs.
func (s *shard[V]) place(k key) *slot[V] {
	i, _ := bits.Mul64(binary.LittleEndian.Uint64(k[8:]), uint64(len(s.slots)))
	for {
		at := &s.slots[i]
		if at.key == k || at.key == (key{}) {
			return at
		}
		if i++; i == uint64(len(s.slots)) {
			i = 0
		}
	}
}

func (s *shard[V]) grow() {
	old := s.slots
	s.slots = slices.Grow([]slot[V](nil), len(old)+max(4, len(old)/8))
	s.slots = s.slots[:cap(s.slots)] // all that the allocator gives
	for i := range old {
		if old[i].key != (key{}) {
			*s.place(old[i].key) = old[i]
		}
	}
}

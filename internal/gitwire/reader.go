package gitwire

import (
	"context"
	"crypto/sha1"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"sync/atomic"
)

// reader passes packs by, and keeps what is wanted of them: trees, and the files whose hashes
// it was given. It keeps no object that it has not hashed.
type reader struct {
	limits Limits
	store  *store
	// commit and tree take each commit and tree. Where tree is nil, they are passed over.
	commit func(h Hash, text []byte) error
	tree   func(h Hash, at int32) error
	// blob takes a wanted file.
	blob func(h Hash, size int64, text []byte) error
	// done reports whether the rest of a pack is of no use.
	done func() bool

	wanted map[Hash]bool // false once blob has it
	open   int           // of wanted
	whole  int64         // bytes of a wanted file that is kept whole, as others may be deltas of it

	pack    pack
	count   *atomic.Int64   // objects
	offsets map[int64]int32 // of the objects of this pack that are in the store
	parked  map[Hash][]parked
	waiting int // bytes of parked
	ready   []ready

	sum    hash.Hash
	header []byte
	base   []byte
	baseAt int32 // place of what base holds
	delta  []byte
	result []byte // the text of an object
}

// parked is a delta that came before its base.
type parked struct {
	place int32
	at    int64
}

// ready is a parked delta whose base has come.
type ready struct {
	parked
	base int32
}

func (r *Remote) newReader() *reader {
	limits := r.Limits.withDefaults()
	return &reader{
		limits: limits,
		store:  newStore(r.TempDir, limits.MaxStored),
		wanted: map[Hash]bool{},
		whole:  limits.MaxFile,
		pack:   pack{limit: limits.MaxInflated},
		count:  &r.objects,
		sum:    sha1.New(),
	}
}

// want adds a file to the wanted ones.
func (r *reader) want(h Hash) {
	if _, ok := r.wanted[h]; !ok {
		r.wanted[h] = true
		r.open++
	}
}

// read reads a pack, to its end or until done.
func (r *reader) read(s *stream) error {
	if err := r.pack.begin(s, r.limits.MaxObjects); err != nil {
		return err
	}
	r.offsets, r.parked, r.waiting = map[int64]int32{}, map[Hash][]parked{}, 0
	for r.pack.left > 0 {
		r.count.Add(1)
		o, err := r.pack.next()
		if err != nil {
			return err
		}
		if err := r.object(o); err != nil {
			return err
		}
		for len(r.ready) > 0 {
			if err := r.unpark(); err != nil {
				return err
			}
		}
		if r.done() && r.pack.left > 0 {
			return nil
		}
	}
	s.drain()
	return nil
}

// object reads the text of an object.
func (r *reader) object(o object) error {
	switch {
	case o.kind == ofsDelta:
		return r.ofDelta(o, r.offsets[o.base])
	case o.kind == refDelta:
		return r.ofDelta(o, r.store.byHash[o.baseHash])
	case o.kind == blob && r.open > 0:
		return r.ofBlob(o)
	case o.kind == tree && r.tree != nil, o.kind == commit && r.commit != nil:
		if o.size > int64(r.limits.MaxTree) {
			return &LimitError{"bytes in a folder", int64(r.limits.MaxTree)}
		}
		r.result = sized(r.result, int(o.size))
		if err := r.pack.text(r.result); err != nil {
			return err
		}
		if o.kind == commit {
			return r.commit(r.hash(commit, o.size, r.result), r.result)
		}
		return r.ofTree(o.at, 0)
	}
	return r.pass(o.size, func([]byte) {})
}

// pass reads a text in parts.
func (r *reader) pass(size int64, each func([]byte)) error {
	r.delta = sized(r.delta, windowBuf)
	return r.pack.parts(size, r.delta, each)
}

// hash is the name of an object whose text begins with text.
func (r *reader) hash(k kind, size int64, text []byte) (h Hash) {
	r.begin(k, size)
	r.sum.Write(text)
	return r.end()
}

func (r *reader) begin(k kind, size int64) {
	name := "blob "
	switch k {
	case commit:
		name = "commit "
	case tree:
		name = "tree "
	}
	r.header = append(strconv.AppendInt(append(r.header[:0], name...), size, 10), 0)
	r.sum.Reset()
	r.sum.Write(r.header)
}

func (r *reader) end() (h Hash) {
	r.header = r.sum.Sum(r.header[:0])
	copy(h[:], r.header)
	return h
}

// ofTree takes the tree in result.
func (r *reader) ofTree(at int64, chain int) error {
	h := r.hash(tree, int64(len(r.result)), r.result)
	if place, ok := r.store.byHash[h]; ok {
		r.offsets[at] = place
		return nil
	}
	place, err := r.store.put(tree, chain, r.result)
	if err != nil {
		return err
	}
	r.came(h, place, at)
	return r.tree(h, place)
}

// came makes an object of the store the base of deltas.
func (r *reader) came(h Hash, place int32, at int64) {
	r.store.byHash[h] = place
	r.offsets[at] = place
	for _, p := range r.parked[h] {
		r.ready = append(r.ready, ready{p, place})
	}
	delete(r.parked, h)
}

// ofBlob reads a file while some are wanted.
func (r *reader) ofBlob(o object) error {
	if o.size <= r.whole {
		r.result = sized(r.result, int(o.size))
		if err := r.pack.text(r.result); err != nil {
			return err
		}
		return r.take(r.hash(blob, o.size, r.result), r.result, o.at, 0)
	}
	r.result = sized(r.result, int(r.limits.MaxFile))
	r.begin(blob, o.size)
	kept := 0
	err := r.pass(o.size, func(part []byte) {
		kept += copy(r.result[kept:], part)
		r.sum.Write(part)
	})
	if err != nil {
		return err
	}
	return r.hand(r.end(), o.size, r.result)
}

// take keeps a file as a base if it is wanted, and hands it to blob.
func (r *reader) take(h Hash, text []byte, at int64, chain int) error {
	if r.wanted[h] && int64(len(text)) <= r.whole && r.store.fits(len(text)) {
		place, err := r.store.put(blob, chain, text)
		if err != nil {
			return err
		}
		r.came(h, place, at)
	}
	return r.hand(h, int64(len(text)), text[:min(int64(len(text)), r.limits.MaxFile)])
}

// hand hands a file to blob if it is wanted. Text is all of it, or its first MaxFile bytes.
func (r *reader) hand(h Hash, size int64, text []byte) error {
	if !r.wanted[h] {
		return nil
	}
	r.wanted[h] = false
	r.open--
	return r.blob(h, size, text)
}

// ofDelta reads a delta of the object at a place of the store; 0 means none.
func (r *reader) ofDelta(o object, base int32) error {
	kept := base == 0 && o.kind == refDelta && r.waiting+int(o.size)+perParked <= r.limits.MaxParked && r.store.fits(int(o.size))
	useful := base != 0 && (r.store.places[base].kind == tree || r.open > 0)
	if o.size > maxDelta || !kept && !useful {
		return r.pass(o.size, func([]byte) {})
	}
	r.delta = sized(r.delta, int(o.size))
	if err := r.pack.text(r.delta); err != nil {
		return err
	}
	if useful {
		return r.apply(base, o.at)
	}
	place, err := r.store.put(o.kind, 0, r.delta)
	if err != nil {
		return err
	}
	r.waiting += len(r.delta) + perParked
	r.parked[o.baseHash] = append(r.parked[o.baseHash], parked{place, o.at})
	return nil
}

// unpark applies a delta whose base has come.
func (r *reader) unpark() (err error) {
	last := r.ready[len(r.ready)-1]
	r.ready = r.ready[:len(r.ready)-1]
	if r.delta, err = r.store.text(last.place, r.delta); err != nil {
		return err
	}
	r.waiting -= len(r.delta) + perParked
	return r.apply(last.base, last.at)
}

// apply makes an object of the delta in delta. It passes over files beyond what it holds in
// memory.
func (r *reader) apply(base int32, at int64) (err error) {
	p := r.store.places[base]
	chain := int(p.chain) + 1
	if chain > r.limits.MaxChain {
		return &LimitError{"deltas in a chain", int64(r.limits.MaxChain)}
	}
	baseSize, size, instructions, err := deltaSizes(r.delta)
	if err != nil {
		return err
	}
	if baseSize != int64(p.size) {
		return fmt.Errorf("%w: a delta of another base", ErrBroken)
	}
	if size > int64(r.limits.MaxTree) {
		if p.kind == tree {
			return &LimitError{"bytes in a folder", int64(r.limits.MaxTree)}
		}
		return nil
	}
	if err := r.pack.spend(size); err != nil {
		return err
	}
	if r.baseAt != base {
		r.baseAt = 0
		if r.base, err = r.store.text(base, r.base); err != nil {
			return err
		}
		r.baseAt = base
	}
	r.result = sized(r.result, int(size))
	if err := applyDelta(r.result, r.base, instructions); err != nil {
		return err
	}
	if p.kind == tree {
		return r.ofTree(at, chain)
	}
	return r.take(r.hash(blob, size, r.result), r.result, at, chain)
}

// Blobs reads files by their hashes, in any order, as Want.Blob takes them, and lists those
// that the server did not send. It asks once in the usual case.
func (r *Remote) Blobs(ctx context.Context, hashes []Hash, blob func(h Hash, size int64, text []byte) error) (missing []Hash, err error) {
	reader := r.newReader()
	defer reader.store.close()
	reader.blob, reader.whole = blob, max(reader.whole, min(maxBase, int64(reader.limits.MaxTree)))
	reader.done = func() bool { return reader.open == 0 }
	for _, h := range hashes {
		reader.want(h)
	}
	asked, few := 0, false
	for round, before := 0, -1; reader.open > 0 && reader.open != before && round < maxAlone; round++ {
		few = few || round > 0 && 2*(before-reader.open) < asked
		before = reader.open
		missing = missing[:0]
		for h, open := range reader.wanted {
			if open {
				missing = append(missing, h)
			}
		}
		slices.SortFunc(missing, compareHashes)
		wants := missing[:min(len(missing), maxWants)]
		if few { // the others came as deltas of what cannot be kept: a file that comes alone is none
			wants = missing[:1]
		}
		asked = len(wants)
		err = r.fetch(ctx, fetching{wants: wants}, reader.read)
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(missing, func(h Hash) bool { return !reader.wanted[h] }), nil
}

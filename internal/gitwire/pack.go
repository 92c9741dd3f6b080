package gitwire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// kind is what an object is, as a pack says it.
//
// Source: https://git-scm.com/docs/gitformat-pack#_object_types, read 2026-11.
type kind uint8

const (
	commit   kind = 1
	tree     kind = 2
	blob     kind = 3
	tag      kind = 4
	ofsDelta kind = 6 // of an object at an offset before it
	refDelta kind = 7 // of an object with a hash
)

// object is what a pack says of an object before its text.
type object struct {
	kind     kind
	size     int64 // of the text, or of the delta
	at       int64 // its offset in the pack
	base     int64 // of an ofsDelta: the offset of the base
	baseHash Hash  // of a refDelta
}

// pack reads a pack from its first byte to its last object. Each object is read to its end
// by text or parts before the next.
type pack struct {
	*stream
	inflater
	left     int   // objects
	inflated int64 // bytes, of all packs that were read
	limit    int64 // of inflated
}

// begin reads the head of a pack.
func (p *pack) begin(s *stream, maxObjects int) error {
	p.stream, p.inflater.in = s, s
	var head [12]byte
	if _, err := io.ReadFull(p, head[:]); err != nil {
		return cut(err)
	}
	version, count := binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[8:])
	if string(head[:4]) != "PACK" || version != 2 && version != 3 {
		return fmt.Errorf("%w: a pack begins with %q", ErrBroken, head[:8])
	}
	if int64(count) > int64(maxObjects) {
		return &LimitError{"objects in a pack", int64(maxObjects)}
	}
	p.left = int(count)
	return nil
}

// next reads what stands before the text of the next object.
func (p *pack) next() (object, error) {
	p.left--
	o := object{at: p.offset()}
	b, err := p.ReadByte()
	if err != nil {
		return o, err
	}
	o.kind, o.size = kind(b>>4&7), int64(b&15)
	for shift := 4; b&0x80 != 0; shift += 7 {
		if b, err = p.ReadByte(); err != nil {
			return o, err
		}
		if shift > 53 { // beyond 2^60
			return o, fmt.Errorf("%w: the size of an object is too long", ErrBroken)
		}
		o.size |= int64(b&0x7f) << shift
	}
	switch o.kind {
	case commit, tree, blob, tag:
	case ofsDelta:
		back, err := p.back()
		if err != nil {
			return o, err
		}
		o.base = o.at - back // of nothing that is known, if it is none
	case refDelta:
		if _, err := io.ReadFull(p, o.baseHash[:]); err != nil {
			return o, cut(err)
		}
	default:
		return o, fmt.Errorf("%w: an object of type %d", ErrBroken, o.kind)
	}
	return o, p.spend(o.size)
}

// back reads the distance between a delta and its base.
func (p *pack) back() (int64, error) {
	b, err := p.ReadByte()
	back := int64(b & 0x7f)
	for err == nil && b&0x80 != 0 {
		if back > 1<<48 {
			return 0, fmt.Errorf("%w: the base of a delta lies outside the pack", ErrBroken)
		}
		b, err = p.ReadByte()
		back = (back+1)<<7 | int64(b&0x7f)
	}
	return back, err
}

// spend counts bytes before they are made.
func (p *pack) spend(n int64) error {
	if n > p.limit-p.inflated {
		return &LimitError{"bytes in the objects of packs", p.limit}
	}
	p.inflated += n
	return nil
}

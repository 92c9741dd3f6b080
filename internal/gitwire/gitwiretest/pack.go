package gitwiretest

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"path"
	"slices"
	"sync"
)

// The kinds of entries of a pack that are no kinds of objects.
const (
	ofsDelta Kind = 6
	refDelta Kind = 7
)

// maxChain bounds how many deltas stand on each other, as git's own default does.
const maxChain = 50

// zips are compressors: a new one takes more than a small pack does.
var zips = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

// packer writes one pack.
type packer struct {
	bytes.Buffer
	deltas Deltas
	zip    *zlib.Writer
	places map[Hash]int // of entries that are written
	plan   map[Hash]based
	bases  []found // of a thin pack: what the client has
}

// based is how an object is told from another.
type based struct {
	base  Hash
	delta string
	chain int
}

// pack writes the objects in that order, which the options may change.
func (o Options) pack(objects, bases []found) []byte {
	p := &packer{deltas: o.Deltas, places: map[Hash]int{}, bases: bases}
	p.zip = zips.Get().(*zlib.Writer)
	defer zips.Put(p.zip)
	objects = o.Order.sort(objects)
	if o.Deltas != NoDeltas {
		p.planDeltas(objects)
	}
	if o.Deltas == RefDeltasFirst {
		objects = slices.Clone(objects)
		slices.Reverse(objects)
	}
	p.WriteString("PACK\x00\x00\x00\x02")
	p.Write(binary.BigEndian.AppendUint32(nil, uint32(len(objects))))
	for _, f := range objects {
		p.entry(f)
	}
	sum := sha1.Sum(p.Bytes())
	p.Write(sum[:])
	return p.Bytes()
}

func (p *packer) entry(f found) {
	place := p.Len()
	p.places[f.hash] = place
	by, ok := p.plan[f.hash]
	if !ok {
		p.header(f.kind, len(f.data))
		p.deflate(f.data)
		return
	}
	if at, written := p.places[by.base]; written && p.deltas == OfsDeltas {
		p.header(ofsDelta, len(by.delta))
		p.Write(offset(place - at))
	} else {
		p.header(refDelta, len(by.delta))
		p.Write(by.base[:])
	}
	p.deflate(by.delta)
}

// header is the kind and the length, four bits and then seven a byte.
func (p *packer) header(kind Kind, length int) {
	b := byte(kind)<<4 | byte(length&15)
	for length >>= 4; length > 0; length >>= 7 {
		p.WriteByte(b | 0x80)
		b = byte(length & 0x7f)
	}
	p.WriteByte(b)
}

// offset is how far back a base lies: seven bits a byte, the highest first, each higher one less by one.
func offset(n int) []byte {
	b := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		b = append(b, byte(n&0x7f)|0x80)
	}
	slices.Reverse(b)
	return b
}

func (p *packer) deflate(data string) {
	p.zip.Reset(&p.Buffer)
	_, _ = p.zip.Write([]byte(data))
	_ = p.zip.Close()
}

// planDeltas finds for each object one before it, of the same kind, that it is like: the last of the same
// name, or one of the last few.
func (p *packer) planDeltas(objects []found) {
	p.plan = map[Hash]based{}
	named := map[string]found{}
	last := map[Kind][]found{}
	remember := func(f found) {
		named[f.kind.String()+path.Base(f.path)] = f
		recent := append(last[f.kind], f)
		last[f.kind] = recent[max(0, len(recent)-4):]
	}
	for _, f := range p.bases {
		remember(f)
	}
	for _, f := range objects {
		candidates := last[f.kind]
		if same, ok := named[f.kind.String()+path.Base(f.path)]; ok {
			candidates = append(slices.Clone(candidates), same)
		}
		var best based
		for _, base := range candidates {
			chain := p.plan[base.hash].chain + 1
			if base.hash == f.hash || chain > maxChain {
				continue
			}
			if d := delta(base.data, f.data); len(d) < len(f.data)/2 && (best.delta == "" || len(d) < len(best.delta)) {
				best = based{base.hash, d, chain}
			}
		}
		if best.delta != "" {
			p.plan[f.hash] = best
		}
		remember(f)
	}
}

// block is how many bytes a delta looks for at a time.
const block = 16

// delta tells how a text is made from another: its length, its own length, then copies and insertions.
func delta(base, target string) string {
	places := make(map[string]int, len(base)/block)
	for i := 0; i+block <= len(base); i += block {
		places[base[i:i+block]] = i
	}
	out := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(base))), uint64(len(target)))
	from := 0 // of what is not told yet
	for i := 0; i+block <= len(target); {
		at, ok := places[target[i:i+block]]
		if !ok {
			i++
			continue
		}
		for i > from && at > 0 && base[at-1] == target[i-1] {
			i, at = i-1, at-1
		}
		n := 0
		for at+n < len(base) && i+n < len(target) && base[at+n] == target[i+n] {
			n++
		}
		out = appendCopy(appendInsert(out, target[from:i]), at, n)
		i += n
		from = i
	}
	return string(appendInsert(out, target[from:]))
}

func appendInsert(out []byte, text string) []byte {
	for len(text) > 0 {
		n := min(len(text), 127)
		out = append(append(out, byte(n)), text[:n]...)
		text = text[n:]
	}
	return out
}

// appendCopy leaves out bytes of place and length that are zero; no length at all is 64 KiB.
func appendCopy(out []byte, at, n int) []byte {
	for n > 0 {
		part := min(n, 1<<16)
		op := len(out)
		out = append(out, 0x80)
		for i, v := 0, at; i < 4; i, v = i+1, v>>8 {
			if b := byte(v); b != 0 {
				out[op] |= 1 << i
				out = append(out, b)
			}
		}
		for i, v := 0, part&0xffff; i < 2; i, v = i+1, v>>8 {
			if b := byte(v); b != 0 {
				out[op] |= 1 << (4 + i)
				out = append(out, b)
			}
		}
		at, n = at+part, n-part
	}
	return out
}

// sort keeps the order of what is alike.
func (o Order) sort(objects []found) []found {
	rank := func(f found) int {
		switch {
		case o == TreesFirst && f.kind == KindBlob, o == TreesLast && f.kind == KindTree:
			return 1
		}
		return 0
	}
	objects = slices.Clone(objects)
	slices.SortStableFunc(objects, func(a, b found) int { return cmp.Compare(rank(a), rank(b)) })
	if o == Reversed {
		slices.Reverse(objects)
	}
	return objects
}

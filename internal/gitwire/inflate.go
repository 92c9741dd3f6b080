package gitwire

import (
	"encoding/binary"
	"fmt"
)

// inflater decompresses the texts of objects. It is not that of the standard library because
// it must stop at the last byte of a text, with the next object after it: there, that means
// a call for each byte and a table for each object, and more than half of the time.
//
// Source: https://www.rfc-editor.org/rfc/rfc1950 and https://www.rfc-editor.org/rfc/rfc1951,
// read 2026-11.
type inflater struct {
	in *stream
	// held are bits that were taken from in, the next one lowest, and n is their number. None
	// is from before the current chunk of in once a byte of it was taken.
	held uint64
	n    uint

	out  []byte // the text; or its last bytes, at least a window of them, where each is there
	at   int    // in out
	each func([]byte)
	from int   // in out, after what each was given
	left int64 // bytes that each may still be given

	literals, distances           *code // of the block
	ownLiterals, ownDistances     code
	fixedLiterals, fixedDistances *code // once they were needed
}

const (
	window    = 32 << 10         // bytes that a copy reaches back
	windowBuf = 3 * window       // of out with each
	maxCopy   = 258              // bytes
	fastRoom  = maxCopy + 64 + 8 // that fast may write before it looks again: a literal a bit, a copy, its excess
	endBlock  = 256              // the symbol
	numDists  = 30               // symbols of distances
)

var (
	lengthBase = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase   = [...]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distBits   = [...]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	// codeOrder is the order in which the lengths of the code words for lengths stand.
	codeOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// errDeflate is for what no compressor writes.
var errDeflate = fmt.Errorf("%w: the text of an object does not decompress", ErrBroken)

// text decompresses a text that fills out.
func (z *inflater) text(out []byte) error {
	z.out, z.at, z.each = out, 0, nil
	if err := z.blocks(); err != nil {
		return err
	}
	if z.at != len(out) {
		return fmt.Errorf("%w: an object is shorter than its size", ErrBroken)
	}
	return nil
}

// parts decompresses a text of a size and hands on its parts, through a buffer of windowBuf
// bytes.
func (z *inflater) parts(size int64, buf []byte, each func([]byte)) error {
	z.out, z.at, z.each, z.from, z.left = buf, 0, each, 0, size
	if err := z.blocks(); err != nil {
		return err
	}
	if err := z.slide(); err != nil {
		return err
	}
	if z.left != 0 {
		return fmt.Errorf("%w: an object is shorter than its size", ErrBroken)
	}
	return nil
}

// slide makes room in out.
func (z *inflater) slide() error {
	if z.each == nil || int64(z.at-z.from) > z.left {
		return fmt.Errorf("%w: an object is longer than its size", ErrBroken)
	}
	z.left -= int64(z.at - z.from)
	z.each(z.out[z.from:z.at])
	if z.at > window {
		copy(z.out, z.out[z.at-window:z.at])
		z.at = window
	}
	z.from = z.at
	return nil
}

// blocks decompresses from the head of a text to the end of its checksum, which it passes
// over: the hash of the object proves more.
func (z *inflater) blocks() error {
	z.held, z.n = 0, 0
	head, err := z.take(16)
	if err != nil {
		return err
	}
	const deflate, dictionary = 8, 0x20
	if method, flags := head&0xff, head>>8; method&0x0f != deflate || method>>4 > 7 || (method<<8|flags)%31 != 0 || flags&dictionary != 0 {
		return fmt.Errorf("%w: the text of an object is not compressed", ErrBroken)
	}
	for last := uint64(0); last == 0; {
		begin, err := z.take(3)
		if err != nil {
			return err
		}
		last = begin & 1
		switch begin >> 1 {
		case 0:
			err = z.stored()
		case 1:
			z.fixed()
			err = z.block()
		case 2:
			if err = z.dynamic(); err == nil {
				err = z.block()
			}
		default:
			err = errDeflate
		}
		if err != nil {
			return err
		}
	}
	z.align()
	for range 4 {
		if _, err := z.in.ReadByte(); err != nil {
			return err
		}
	}
	return nil
}

// align gives up the bits to the next byte, and gives back the bytes that are held.
func (z *inflater) align() {
	z.in.pos -= int(z.n / 8)
	z.held, z.n = 0, 0
}

// pull holds one byte more.
func (z *inflater) pull() error {
	b, err := z.in.ReadByte()
	z.held |= uint64(b) << z.n
	z.n += 8
	return err
}

// take takes up to 16 bits.
func (z *inflater) take(count uint) (uint64, error) {
	for z.n < count {
		if err := z.pull(); err != nil {
			return 0, err
		}
	}
	value := z.held & (1<<count - 1)
	z.held >>= count
	z.n -= count
	return value, nil
}

// stored copies a block that is not compressed.
func (z *inflater) stored() error {
	z.align()
	var head [4]byte
	for i := range head {
		b, err := z.in.ReadByte()
		if err != nil {
			return err
		}
		head[i] = b
	}
	size := int(binary.LittleEndian.Uint16(head[:]))
	if uint16(size) != ^binary.LittleEndian.Uint16(head[2:]) {
		return errDeflate
	}
	for size > 0 {
		if z.at == len(z.out) {
			if err := z.slide(); err != nil {
				return err
			}
		}
		n, err := z.in.Read(z.out[z.at:min(len(z.out), z.at+size)])
		if err != nil {
			return err
		}
		z.at += n
		size -= n
	}
	return nil
}

// refill holds as many bits as there can be, of those that are at hand. What it puts above n
// bits is what stands there once they are taken.
func (z *inflater) refill() {
	if z.n < 48 && len(z.in.chunk)-z.in.pos >= 8 {
		z.held |= binary.LittleEndian.Uint64(z.in.chunk[z.in.pos:]) << z.n
		z.in.pos += int((63 - z.n) >> 3)
		z.n |= 56
	}
}

// symbol reads a code word.
func (z *inflater) symbol(c *code) (uint16, error) {
	for {
		e := c.fast[z.held&c.mask&(1<<fastBits-1)]
		symbol, length := e>>4, uint(e&15)
		if e == 0 {
			var ok bool
			if symbol, length, ok = c.long(z.held, z.n); !ok && z.n >= maxBits {
				return 0, errDeflate
			} else if !ok {
				length = z.n + 1
			}
		}
		if length <= z.n {
			z.held >>= length
			z.n -= length
			return symbol, nil
		}
		if err := z.pull(); err != nil {
			return 0, err
		}
	}
}

// block decompresses a block by its codes.
func (z *inflater) block() error {
	for {
		if err := z.fast(); err != nil {
			return err
		}
		if z.at+maxCopy > len(z.out) && z.each != nil {
			if err := z.slide(); err != nil {
				return err
			}
		}
		symbol, err := z.symbol(z.literals)
		switch {
		case err != nil:
			return err
		case symbol < endBlock:
			if z.at == len(z.out) {
				return z.slide()
			}
			z.out[z.at] = byte(symbol)
			z.at++
		case symbol == endBlock:
			return nil
		default:
			if err := z.copy(int(symbol) - endBlock - 1); err != nil {
				return err
			}
		}
	}
}

// fast decompresses what it can without a look at the ends of chunk and out. It stops before a
// word that it does not find at once, and before the end of the block.
func (z *inflater) fast() error {
	chunk, pos, held, n := z.in.chunk, z.in.pos, z.held, z.n
	out, at, literals, distances := z.out, z.at, z.literals, z.distances
	for len(chunk)-pos >= 8 && len(out)-at >= fastRoom {
		held |= binary.LittleEndian.Uint64(chunk[pos:]) << (n & 63)
		pos += int((63 - n) >> 3)
		n |= 56
		e := literals.fast[held&literals.mask&(1<<fastBits-1)]
		for e != 0 && e < endBlock<<4 && n >= 2*fastBits && at < len(out) {
			out[at] = byte(e >> 4)
			at++
			held >>= e & 15
			n -= uint(e & 15)
			e = literals.fast[held&literals.mask&(1<<fastBits-1)]
		}
		if e == 0 || e>>4 == endBlock {
			break
		}
		if e < endBlock<<4 || n < 48 {
			continue // a word of length and one of distance are up to 48 bits
		}
		symbol := int(e>>4) - endBlock - 1
		d := distances.fast[held>>(e&15)>>(lengthBits[symbol%len(lengthBits)]&7)&distances.mask&(1<<fastBits-1)]
		if d == 0 || symbol >= len(lengthBase) || int(d>>4) >= len(distBase) {
			break
		}
		held >>= e & 15
		length := int(lengthBase[symbol]) + int(held&(1<<lengthBits[symbol]-1))
		held >>= lengthBits[symbol]
		held >>= d & 15
		distance := int(distBase[d>>4]) + int(held&(1<<distBits[d>>4]-1))
		held >>= distBits[d>>4]
		n -= uint(e&15) + uint(lengthBits[symbol]) + uint(d&15) + uint(distBits[d>>4])
		if distance > at {
			return errDeflate
		}
		repeat(out, at, length, distance)
		at += length
	}
	z.in.pos, z.held, z.n, z.at = pos, held, n, at
	return nil
}

// repeat copies bytes of before at to at, and may write 7 more.
func repeat(out []byte, at, length, distance int) {
	end := at + length
	for distance < 8 && at < end { // what was repeated once can be repeated from twice as far
		copy(out[at:at+distance], out[at-distance:at])
		at += distance
		distance *= 2
	}
	for ; at < end; at += 8 {
		binary.LittleEndian.PutUint64(out[at:], binary.LittleEndian.Uint64(out[at-distance:]))
	}
}

// copy repeats bytes of before.
func (z *inflater) copy(symbol int) error {
	if symbol >= len(lengthBase) {
		return errDeflate
	}
	more, err := z.take(uint(lengthBits[symbol]))
	if err != nil {
		return err
	}
	length := int(lengthBase[symbol]) + int(more)
	dist, err := z.symbol(z.distances)
	if err != nil {
		return err
	}
	if int(dist) >= len(distBase) {
		return errDeflate
	}
	if more, err = z.take(uint(distBits[dist])); err != nil {
		return err
	}
	distance := int(distBase[dist]) + int(more)
	if distance > z.at {
		return errDeflate
	}
	if length > len(z.out)-z.at {
		return z.slide()
	}
	to := z.out[z.at : z.at+length]
	z.at += length
	for from := z.at - length - distance; len(to) > 0; {
		n := copy(to, z.out[from:z.at-len(to)])
		to = to[n:]
	}
	return nil
}

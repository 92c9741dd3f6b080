package gitwire

import "math/bits"

const (
	maxBits  = 15      // of a code word
	fastBits = 9       // of code words that are found at once
	numCodes = 286 + 2 // symbols of literals and lengths; the last two are not used
)

// code finds symbols by their code words.
type code struct {
	fast   [1 << fastBits]uint16 // by the next bits: symbol<<4 | length; 0 where it is longer
	mask   uint64                // of the bits that fast takes
	count  [maxBits + 1]uint16   // of code words, by length
	symbol [numCodes]uint16      // in order of the code words
}

// build makes the code of which each symbol has a word of the given length; 0 means none. It
// reports whether that is a code: complete, or a single word of one bit, or none at all.
func (c *code) build(lengths []uint8) bool {
	c.count = [maxBits + 1]uint16{}
	for _, l := range lengths {
		c.count[l]++
	}
	free, used := 1, len(lengths)-int(c.count[0])
	c.count[0] = 0
	var offset [maxBits + 2]uint16
	for l := 1; l <= maxBits; l++ {
		if free = free<<1 - int(c.count[l]); free < 0 {
			return false
		}
		offset[l+1] = offset[l] + c.count[l]
	}
	if free > 0 && used > 0 && (used > 1 || c.count[1] != 1) {
		return false
	}
	for s, l := range lengths {
		if l != 0 {
			c.symbol[offset[l]] = uint16(s)
			offset[l]++
		}
	}
	c.table(used)
	return true
}

// table fills fast. The entries of words of one bit more are those that were there, twice, and
// the new ones.
func (c *code) table(used int) {
	c.fast[0] = 0
	size, word, at := 1, uint16(0), 0
	for l := 1; l <= fastBits; l++ {
		copy(c.fast[size:2*size], c.fast[:size])
		size, word = 2*size, word<<1
		for _, s := range c.symbol[at : at+int(c.count[l])] {
			c.fast[bits.Reverse16(word)>>(16-l)] = s<<4 | uint16(l)
			word++
		}
		at += int(c.count[l])
		if at == used {
			break
		}
	}
	c.mask = uint64(size - 1)
}

// long finds the symbol of a word of more bits than fast has, among n bits.
func (c *code) long(held uint64, n uint) (symbol uint16, length uint, ok bool) {
	word, first, index := 0, 0, 0
	for l := uint(1); l <= min(n, maxBits); l++ {
		word |= int(held & 1)
		held >>= 1
		count := int(c.count[l])
		if word < first+count {
			return c.symbol[index+word-first], l, true
		}
		index += count
		first = (first + count) << 1
		word <<= 1
	}
	return 0, 0, false
}

// fixed takes the codes of a block that brings none.
func (z *inflater) fixed() {
	if z.fixedLiterals == nil {
		var lengths [numCodes]uint8
		for i := range lengths {
			switch {
			case i < 144:
				lengths[i] = 8
			case i < 256:
				lengths[i] = 9
			case i < 280:
				lengths[i] = 7
			default:
				lengths[i] = 8
			}
		}
		z.fixedLiterals, z.fixedDistances = new(code), new(code)
		z.fixedLiterals.build(lengths[:])
		for i := range 32 {
			lengths[i] = 5
		}
		z.fixedDistances.build(lengths[:32])
	}
	z.literals, z.distances = z.fixedLiterals, z.fixedDistances
}

// dynamic reads the codes of a block.
func (z *inflater) dynamic() error {
	z.literals, z.distances = &z.ownLiterals, &z.ownDistances
	z.refill()
	counts, err := z.take(14)
	if err != nil {
		return err
	}
	literals, distances, words := int(counts&31)+257, int(counts>>5&31)+1, int(counts>>10)+4
	if literals > 286 || distances > numDists {
		return errDeflate
	}
	var lengths [286 + numDists]uint8
	for _, at := range codeOrder[:words] {
		length, err := z.take(3)
		if err != nil {
			return err
		}
		lengths[at] = uint8(length)
	}
	if !z.literals.build(lengths[:19]) {
		return errDeflate
	}
	clear(lengths[:19])
	if err := z.lengths(lengths[:literals+distances]); err != nil {
		return err
	}
	if lengths[endBlock] == 0 || !z.literals.build(lengths[:literals]) || !z.distances.build(lengths[literals:literals+distances]) {
		return errDeflate
	}
	return nil
}

// lengths reads the lengths of code words, which are compressed by the code in literals.
func (z *inflater) lengths(lengths []uint8) error {
	for i := 0; i < len(lengths); {
		z.refill()
		symbol, err := z.symbol(z.literals)
		if err != nil {
			return err
		}
		if symbol < 16 {
			lengths[i] = uint8(symbol)
			i++
			continue
		}
		value, base, count := uint8(0), 3, uint(2)
		switch symbol {
		case 16:
			if i == 0 {
				return errDeflate
			}
			value = lengths[i-1]
		case 17:
			count = 3
		default:
			base, count = 11, 7
		}
		more, err := z.take(count)
		if err != nil {
			return err
		}
		repeat := base + int(more)
		if repeat > len(lengths)-i {
			return errDeflate
		}
		for range repeat {
			lengths[i] = value
			i++
		}
	}
	return nil
}

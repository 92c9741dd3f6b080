package onig

import (
	"slices"
	"unicode"
)

// set is a set of characters.
//
// A search can begin within a character, which jq does after an empty match. Each of
// the bytes that are left of the character stands for itself then, and is in a set when
// its bit is.
type set struct {
	ranges []rune    // pairs of first and last, sorted, apart from each other
	ascii  [2]uint64 // those below 0x80, as bits
	bytes  [2]uint64 // bytes from 0x80, as bits
	not    bool      // the set is of all others
}

func (s *set) add(from, to rune) { s.ranges = append(s.ranges, from, to) }

// addAll adds a sorted set, or all that is not in it.
func (s *set) addAll(ranges []rune, not bool) {
	if not {
		ranges = complement(ranges)
	}
	s.ranges = append(s.ranges, ranges...)
}

// addBytes adds bytes from 0x80.
func (s *set) addBytes(from, to rune) {
	for b := max(from, 0x80); b <= min(to, 0xFF); b++ {
		s.bytes[(b-0x80)/64] |= 1 << (b % 64)
	}
}

// close makes the set ready for use, after the last addition.
func (s *set) close() {
	s.ranges = united(s.ranges)
	s.index()
}

// index makes the bits of ranges that are united.
func (s *set) index() {
	s.ascii = [2]uint64{}
	for i := 0; i < len(s.ranges) && s.ranges[i] < 0x80; i += 2 {
		for c := s.ranges[i]; c <= min(s.ranges[i+1], 0x7F); c++ {
			s.ascii[c/64] |= 1 << (c % 64)
		}
	}
}

// holds reports whether c is in the set, or in what it is of all others.
func (s *set) holds(c rune) bool {
	if c < 0x80 {
		return s.ascii[c/64]&(1<<(c%64)) != 0
	}
	return inRanges(s.ranges, c)
}

func (s *set) holdsByte(b byte) bool { return s.bytes[(b-0x80)/64]&(1<<(b%64)) != 0 }

// inRanges finds c in sorted ranges.
func inRanges(ranges []rune, c rune) bool {
	low, high := 0, len(ranges)/2
	for low < high {
		middle := (low + high) / 2
		switch {
		case c < ranges[2*middle]:
			high = middle
		case c > ranges[2*middle+1]:
			low = middle + 1
		default:
			return true
		}
	}
	return false
}

// united sorts ranges, and joins those that touch.
func united(ranges []rune) []rune {
	pairs := make([][2]rune, 0, len(ranges)/2)
	for i := 0; i < len(ranges); i += 2 {
		pairs = append(pairs, [2]rune{ranges[i], ranges[i+1]})
	}
	slices.SortFunc(pairs, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	out := make([]rune, 0, len(ranges))
	for _, p := range pairs {
		if n := len(out); n > 0 && p[0] <= out[n-1]+1 {
			out[n-1] = max(out[n-1], p[1])
			continue
		}
		out = append(out, p[0], p[1])
	}
	return out
}

// complement is what sorted ranges leave out.
func complement(ranges []rune) []rune {
	out := make([]rune, 0, len(ranges)+2)
	next := rune(0)
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i] > next {
			out = append(out, next, ranges[i]-1)
		}
		next = ranges[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return out
}

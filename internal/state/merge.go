package state

import (
	"iter"
	"slices"
)

// maxSegment is about the longest segment, in bytes: bbolt holds a transaction in memory.
const maxSegment = 4 << 20

// entries are all of a group, in the order of their indexes.
func (g group) entries() iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for _, s := range g {
			for e := range s.entries() {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// merged are the entries of all sources, which are in the order of their indexes, as the
// result is. Of those with the same index it is that of the last source.
func merged(sources []iter.Seq[entry]) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		type head struct {
			entry
			next func() (entry, bool)
		}
		var heads []*head // of the sources that are not at their end, the last one first
		for _, source := range sources {
			next, stop := iter.Pull(source)
			defer stop()
			if e, ok := next(); ok {
				heads = append([]*head{{e, next}}, heads...)
			}
		}
		for len(heads) > 0 {
			least := heads[0].entry
			for _, h := range heads[1:] {
				if h.index.compare(least.index) < 0 {
					least = h.entry
				}
			}
			if !yield(least) {
				return
			}
			rest := heads[:0]
			for _, h := range heads {
				ok := true
				if h.index == least.index {
					h.entry, ok = h.next()
				}
				if ok {
					rest = append(rest, h)
				}
			}
			heads = rest
		}
	}
}

// press writes entries, in the order of their indexes, as a group.
func (p *press) group(entries iter.Seq[entry]) (g group, err error) {
	defer func() {
		if err != nil {
			p.folder.remove(manifest{[]group{g}}.without(manifest{}))
		}
	}()
	var next []entry
	var room int64
	write := func() error {
		s, err := p.segment(next)
		if err == nil {
			g, next = append(g, s), next[:0]
		}
		return err
	}
	for e := range entries {
		if room += e.room(); room > maxSegment && len(next) > 0 {
			if err := write(); err != nil {
				return g, err
			}
			room = e.room()
		}
		next = append(next, e)
	}
	if len(next) > 0 {
		err = write()
	}
	return g, err
}

// youngest keeps, of entries with the sizes of live by age, those used last that fit into
// so many bytes. It leaves out entries that are as old as the oldest that it keeps, where
// not all of them fit.
func youngest(entries iter.Seq[entry], live [256]int64, bytes int64) iter.Seq[entry] {
	oldest := 0
	for oldest < 255 && live[oldest] <= bytes {
		bytes -= live[oldest]
		oldest++
	}
	return func(yield func(entry) bool) {
		left := bytes
		for e := range entries {
			if int(e.age) > oldest {
				continue
			}
			if int(e.age) == oldest {
				if left < e.room() {
					continue
				}
				left -= e.room()
			}
			if !yield(e) {
				return
			}
		}
	}
}

// suffix counts the last groups that are to become one. While a run writes, groups of about
// the same size are merged when they are many, so that a value is written again few times.
// At its end few and unequal ones are left.
func suffix(sizes []int64, closing bool) (n int) {
	const (
		many     = 8         // groups of about the same size
		smallest = 512 << 10 // bytes, below which all sizes are about the same
		unequal  = 4         // times as large as all that follow
	)
	if closing {
		var sum int64
		n = 1
		for i, size := range slices.Backward(sizes) {
			if i < len(sizes)-1 && size < unequal*sum {
				n = len(sizes) - i
			}
			sum += size
		}
		return n
	}
	for least, bound := int64(0), int64(smallest); n < len(sizes); least, bound = bound, bound*many {
		alike := 0
		for n < len(sizes) && sizes[len(sizes)-1-n] < bound {
			n++
		}
		for _, size := range sizes[len(sizes)-n:] {
			if size >= least {
				alike++
			}
		}
		if alike >= many {
			return n
		}
	}
	return 1
}

package prune

import (
	"iter"

	"port-bitbucket-exporter/internal/check"
)

// index finds sources by the frames of their identifiers, so that a look at an identifier
// costs as many steps as the frames have lengths, however many sources there are.
type index struct {
	sources map[ends][]string // their keys
	lengths map[lengths]bool  // those that occur
	unknown []string          // keys of sources whose frame is not known
}

// ends are what a frame looks for in an identifier.
type ends struct{ prefix, suffix string }

type lengths struct{ prefix, suffix int }

func newIndex() *index { return &index{sources: map[ends][]string{}, lengths: map[lengths]bool{}} }

// add adds a source; a nil frame is one that is not known.
func (x *index) add(key string, f *check.Frame) {
	if f == nil {
		x.unknown = append(x.unknown, key)
		return
	}
	at := ends{f.Prefix, f.Suffix}
	x.sources[at] = append(x.sources[at], key)
	x.lengths[lengths{len(f.Prefix), len(f.Suffix)}] = true
}

// near yields the sources whose identifiers begin and end as one does: what a frame covers
// is among them.
func (x *index) near(identifier string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := range x.lengths {
			if n.prefix+n.suffix > len(identifier) {
				continue
			}
			for _, key := range x.sources[ends{identifier[:n.prefix], identifier[len(identifier)-n.suffix:]}] {
				if !yield(key) {
					return
				}
			}
		}
	}
}

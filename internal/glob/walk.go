package glob

import (
	"cmp"
	"slices"
	"strings"
)

// Need is a folder to list, and how many levels of it: 1 is the folder's own entries. The
// root is "".
type Need struct {
	Folder string
	Depth  int
}

// Covers reports whether a listing of n holds what another need asks for. A listing of
// MaxDepth answers also what goes deeper than itself: its reader goes on below its deepest
// folders.
func (n Need) Covers(other Need) bool {
	if !Within(n.Folder, other.Folder) {
		return false
	}
	below := Level(other.Folder) - Level(n.Folder)
	return below+other.Depth <= n.Depth || n.Depth == MaxDepth && below < MaxDepth
}

// Within reports whether a path is a folder, or lies below it.
func Within(folder, path string) bool {
	return folder == "" || path == folder || strings.HasPrefix(path, folder) && path[len(folder)] == '/'
}

// Level returns how many segments a path has.
func Level(path string) int {
	if path == "" {
		return 0
	}
	return strings.Count(path, "/") + 1
}

// needs returns the listings that patterns begin with, none of which covers another.
func needs(patterns []Pattern) []Need {
	var all []Need
	for _, p := range patterns {
		for _, s := range p.alternatives {
			base := s.base()
			all = append(all, Need{base, s.reach(base)})
		}
	}
	slices.SortFunc(all, func(a, b Need) int {
		return cmp.Or(cmp.Compare(Level(a.Folder), Level(b.Folder)), strings.Compare(a.Folder, b.Folder), cmp.Compare(b.Depth, a.Depth))
	})
	var least []Need
	for _, n := range all {
		if !slices.ContainsFunc(least, func(o Need) bool { return o.Covers(n) }) {
			least = append(least, n)
		}
	}
	return least
}

// Walk decides, listing by listing, what must be listed to see all that some patterns
// match: as few folders as their literal beginnings and depths allow. It is for one
// goroutine.
type Walk struct {
	patterns []Pattern
	open     []Need
	queued   map[Need]bool
	deeper   []Need // below the listing under way
}

// NewWalk begins with the literal beginnings of the patterns.
func NewWalk(patterns []Pattern) *Walk {
	w := &Walk{patterns: patterns, queued: map[Need]bool{}}
	w.queue(needs(patterns))
	return w
}

// Next returns the next folder to list; false when all is listed. The folders that Below
// was given since the last call are queued.
func (w *Walk) Next() (Need, bool) {
	w.queue(w.deeper)
	w.deeper = nil
	if len(w.open) == 0 {
		return Need{}, false
	}
	n := w.open[0]
	w.open = w.open[1:]
	return n, true
}

// Several reports whether more folders are to be listed for certain.
func (w *Walk) Several() bool { return len(w.open) > 0 }

// Below is given each folder that lies at the deepest level of a listing. It notes the
// folder when a pattern can match something below it.
func (w *Walk) Below(folder string) {
	if depth := w.reach(folder); depth > 0 {
		w.deeper = append(w.deeper, Need{folder, depth})
	}
}

// Restart drops what Below noted since the last Next: the listing begins again.
func (w *Walk) Restart() { w.deeper = nil }

// Unfinished reports whether Below noted folders since the last Next.
func (w *Walk) Unfinished() bool { return len(w.deeper) > 0 }

func (w *Walk) queue(all []Need) {
	for _, n := range all {
		if !w.queued[n] {
			w.queued[n] = true
			w.open = append(w.open, n)
		}
	}
}

// reach is that of all patterns but those that have a listing of their own below the
// folder.
func (w *Walk) reach(folder string) int {
	depth := 0
	for _, p := range w.patterns {
		for _, s := range p.alternatives {
			base := s.base()
			if base != folder && Within(folder, base) && w.queued[Need{base, s.reach(base)}] {
				continue
			}
			depth = max(depth, s.reach(folder))
		}
	}
	return depth
}

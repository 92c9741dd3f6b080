package glob

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Matches reports whether the pattern matches a whole path.
func (p Pattern) Matches(path string) bool {
	for _, s := range p.alternatives {
		if s.after(path)[len(s)] {
			return true
		}
	}
	return false
}

// Reaches reports whether the pattern can match something below a folder.
func (p Pattern) Reaches(folder string) bool { return p.reach(folder) > 0 }

// reach returns how many levels below a folder the pattern can match something, at most
// MaxDepth; 0 means none. The root is "".
func (p Pattern) reach(folder string) int {
	depth := 0
	for _, s := range p.alternatives {
		depth = max(depth, s.reach(folder))
	}
	return depth
}

func (s segments) reach(folder string) int {
	for i, live := range s.after(folder) {
		if !live || i == len(s) {
			continue
		}
		for _, rest := range s[i:] {
			if rest.any {
				return MaxDepth
			}
		}
		return min(len(s)-i, MaxDepth) // the first that is alive has the most before it
	}
	return 0
}

// after returns, for each number of segments of the pattern, whether so many can stand for
// the whole path.
func (s segments) after(path string) []bool {
	now, next := make([]bool, len(s)+1), make([]bool, len(s)+1)
	now[0] = true
	s.skip(now)
	if path == "" {
		return now
	}
	for name := range strings.SplitSeq(path, "/") {
		clear(next)
		for i, of := range s {
			switch {
			case !now[i]:
			case of.any:
				next[i] = true
			case of.match(name):
				next[i+1] = true
			}
		}
		s.skip(next)
		now, next = next, now
		if !slices.Contains(now, true) {
			break
		}
	}
	return now
}

// skip goes on after each "**", which may stand for nothing.
func (s segments) skip(alive []bool) {
	for i, of := range s {
		if alive[i] && of.any {
			alive[i+1] = true
		}
	}
}

func (s segment) match(name string) bool {
	if s.literal {
		return s.text == name
	}
	return slices.ContainsFunc(s.choices, func(c string) bool { return doublestar.MatchUnvalidated(c, name) })
}

// base is the folder that the pattern's literal beginning names.
func (s segments) base() string {
	var names []string
	for _, of := range s[:len(s)-1] {
		if !of.literal {
			break
		}
		names = append(names, of.text)
	}
	return strings.Join(names, "/")
}

package gitwiretest

import (
	"slices"
	"strings"
)

// found is an object that a fetch sends.
type found struct {
	hash Hash
	object
	path string
}

// walk finds what a fetch sends. It is used with Repository.mu held for reading.
type walk struct {
	*Repository
	filter  string
	shallow map[Hash]bool // commits whose parents are not followed
	has     map[Hash]bool // what the client has; the parents of such a commit may be new to it
	seen    map[Hash]bool
	out     []found
}

func newWalk(r *Repository, filter string, shallow []Hash, has map[Hash]bool) *walk {
	w := &walk{Repository: r, filter: filter, shallow: map[Hash]bool{}, has: has, seen: map[Hash]bool{}}
	for _, h := range shallow {
		w.shallow[h] = true
	}
	return w
}

// history walks commits, the wanted ones first, and ends at shallow ones. Then come the trees and blobs of each.
func (w *walk) history(of []Hash) {
	var trees []Hash
	for queue := slices.Clone(of); len(queue) > 0; queue = queue[1:] {
		h := queue[0]
		o, ok := w.objects[h]
		if !ok || w.seen[h] {
			continue
		}
		switch o.kind {
		case KindTag:
			w.take(h, o, "")
			queue = append(queue, links(o.data, "object")...)
		case KindCommit:
			w.take(h, o, "")
			trees = append(trees, links(o.data, "tree")...)
			if !w.shallow[h] {
				queue = append(queue, links(o.data, "parent")...)
			}
		case KindTree:
			trees = append(trees, h)
		default:
			w.take(h, o, "")
		}
	}
	for _, t := range trees {
		w.folder(t, "", 0, slices.Contains(of, t))
	}
}

func (w *walk) take(h Hash, o object, path string) {
	w.seen[h] = true
	if !w.has[h] {
		w.out = append(w.out, found{h, o, path})
	}
}

// folder takes a tree and what is below it, depth first. An object that the client names is sent whatever the
// filter says.
func (w *walk) folder(h Hash, path string, depth int, named bool) {
	o, ok := w.objects[h]
	if w.seen[h] || w.has[h] || !ok || w.filter == "tree:0" && !named {
		return
	}
	w.take(h, o, path)
	for _, e := range decodeTree(o.data) {
		below := strings.TrimPrefix(path+"/"+e.Name, "/")
		switch e.Mode {
		case Folder:
			w.folder(e.Hash, below, depth+1, false)
		case Submodule:
		default:
			blob, ok := w.objects[e.Hash]
			if ok && !w.seen[e.Hash] && w.filter == "" {
				w.take(e.Hash, blob, below)
			}
		}
	}
}

// boundary is where a history of so many commits ends: the commits that have parents beyond it, and all commits
// within it.
func (r *Repository) boundary(of []Hash, depth int) (ends []Hash, within map[Hash]bool) {
	within = map[Hash]bool{}
	level := r.peelAll(of)
	for ; depth > 0 && len(level) > 0; depth-- {
		var next []Hash
		for _, h := range level {
			if within[h] {
				continue
			}
			within[h] = true
			parents := links(r.objects[h].data, "parent")
			if depth == 1 && len(parents) > 0 {
				ends = append(ends, h)
			}
			next = append(next, parents...)
		}
		level = next
	}
	return ends, within
}

// peelAll are the commits that objects are or lead to.
func (r *Repository) peelAll(of []Hash) []Hash {
	var commits []Hash
	for _, h := range of {
		if p := r.peel(h); r.objects[p].kind == KindCommit {
			commits = append(commits, p)
		}
	}
	return commits
}

// peel follows tags.
func (r *Repository) peel(h Hash) Hash {
	for r.objects[h].kind == KindTag {
		to := links(r.objects[h].data, "object")
		if len(to) == 0 {
			return h
		}
		h = to[0]
	}
	return h
}

package source

import "slices"

// maxRecent bounds the texts of the files that a commit keeps by itself, in bytes: two of
// the largest by default, which is enough for a file that the objects of one folder share.
const maxRecent = 2 << 20

// bodyOverhead is about what a body costs besides its text, in bytes.
const bodyOverhead = 200

// recent are the bodies that were asked for last, oldest first. One is always kept.
type recent struct {
	names  []string
	bodies map[string]body
	size   int
}

func (r *recent) find(name string) (body, bool) {
	b, ok := r.bodies[name]
	if ok {
		i := slices.Index(r.names, name)
		r.names = append(slices.Delete(r.names, i, i+1), name)
	}
	return b, ok
}

func (r *recent) add(name string, b body) {
	if _, ok := r.find(name); ok {
		return
	}
	if r.bodies == nil {
		r.bodies = map[string]body{}
	}
	r.names, r.bodies[name] = append(r.names, name), b
	r.size += len(b.text) + bodyOverhead
	for r.size > maxRecent && len(r.names) > 1 {
		r.size -= len(r.bodies[r.names[0]].text) + bodyOverhead
		delete(r.bodies, r.names[0])
		r.names = r.names[1:]
	}
}

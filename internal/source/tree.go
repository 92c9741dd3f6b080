package source

import (
	"context"
	"slices"
	"sync"

	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/spool"
)

// tree is what a run has read of one commit, and what it is reading. There may be very many:
// maps are made when something comes into them.
type tree struct {
	at    Revision
	users int       // commits that are not closed; guarded by the mutex of the memory
	load  sync.Once // of what earlier runs have read

	mu       sync.Mutex // guards what follows; it is held over no request
	kept     commitValue
	known    bool       // an earlier run has read something of it
	changed  bool       // there is more to keep for later runs
	listings []*listing // appended to only
	listed   []*flight  // listings under way
	shallow  map[string]int
	shown    map[string]int // depths of flat listings, by folder
	bodies   map[string]body
	read     map[string]*flight // files under way
	special  map[string]string  // by path, of files that REST read: Link, Submodule, or neither
}

// listing is all that is in a folder, down to a depth. A folder that does not exist
// has nothing in it.
type listing struct {
	glob.Need
	kept []spool.Blob // the entries as compressed JSON, one after the other, or a compact when git listed it
	git  bool
	odd  []error // of entries that cannot be used: any path may be among them
	flat bool    // it is less deep than it was asked for, as folders show that have nothing in them

	sure   bool // it may be kept for later runs
	saved  bool // it is, or cannot be; guarded by the mutex of its tree
	stored bool // an earlier run read it
}

// flight is a request under way: who wants the same waits for its end.
type flight struct {
	done    chan struct{} // closed at the end; what follows is not written afterwards
	want    glob.Need     // of a listing
	body    body          // of a file
	stopped bool          // its context ended: who waited asks for itself
}

// newTree returns a tree of which nothing is read. It outlives its readers, and does not hold
// the JSON of the repository.
func newTree(at Revision, place digest) *tree {
	at.Repository.JSON = nil
	return &tree{at: at, kept: commitValue{place: place}}
}

// blank reports whether nothing is known of the commit, and nothing is being read.
func (t *tree) blank() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.known && !t.changed && len(t.listings)+len(t.listed)+len(t.shallow)+len(t.shown)+len(t.bodies)+len(t.read)+len(t.special)+len(t.kept.records)+len(t.kept.listings) == 0
}

// put sets a value of a map, which is made when it is nil.
func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[k] = v
}

// wait returns at the end of the flight, or when ctx ends before it, with the reason.
func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// atHand returns the listings at hand; those of git alone for its reader.
func (t *tree) atHand(git bool) []*listing {
	t.mu.Lock()
	defer t.mu.Unlock()
	if git && slices.ContainsFunc(t.listings, func(l *listing) bool { return !l.git }) {
		return slices.DeleteFunc(slices.Clone(t.listings), func(l *listing) bool { return !l.git })
	}
	return t.listings
}

// needed is as much of a need as one listing gives. The mutex is held.
func (t *tree) needed(n glob.Need) glob.Need {
	for _, of := range []map[string]int{t.shallow, t.shown} {
		if depth, ok := of[n.Folder]; ok {
			n.Depth = min(n.Depth, depth)
		}
	}
	return n
}

// covering returns a listing at hand that holds what is needed. Git's reader takes those of
// git alone: no other names files by their hashes. The mutex is held.
func (t *tree) covering(n glob.Need, git bool) *listing {
	for _, l := range t.listings {
		if l.Covers(n) && (l.git || !git) {
			return l
		}
	}
	return nil
}

// holding returns a listing at hand that holds what is needed.
func (t *tree) holding(n glob.Need, git bool) *listing {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.covering(t.needed(n), git)
}

// listing returns a listing that holds what is needed; else a flight to wait for, or, when
// begun is true, a flight of the caller's own, and what it is to ask for: all that is wide,
// or as deep as d allows.
func (t *tree) listing(n, wide glob.Need, d *depths) (known *listing, f *flight, ask glob.Need, begun bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ask = t.needed(n)
	if l := t.covering(ask, d == nil); l != nil {
		return l, nil, ask, false
	}
	for _, f := range t.listed {
		if f.want.Covers(ask) {
			return nil, f, ask, false
		}
	}
	if wide != n {
		ask = wide
	}
	f = &flight{done: make(chan struct{}), want: ask}
	t.listed = append(t.listed, f)
	if d != nil {
		ask.Depth = d.limit(ask.Depth)
	}
	return nil, f, ask, true
}

// endListing ends a flight of listing. A depth that is less than the wanted one is what the
// folder is listed to from now on, in later runs as well unless the listing is flat. l is nil when
// the listing did not come to its end.
func (t *tree) endListing(f *flight, l *listing, depth int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case depth < f.want.Depth && l != nil && l.flat:
		put(&t.shown, f.want.Folder, depth)
	case depth < f.want.Depth:
		put(&t.shallow, f.want.Folder, depth)
		t.changed = true
	}
	if l != nil {
		t.listings = append(t.listings, l)
	}
	t.listed = slices.DeleteFunc(t.listed, func(other *flight) bool { return other == f })
	close(f.done)
}

// file returns the body of a file that known or the run has; else a flight to wait for,
// or, when begun is true, a flight of the caller's own.
func (t *tree) file(name string, known func(string) (body, bool)) (b body, f *flight, begun bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b, ok := t.bodies[name]; ok {
		return b, nil, false
	}
	if b, ok := known(name); ok {
		return b, nil, false
	}
	if f := t.read[name]; f != nil {
		return body{}, f, false
	}
	f = &flight{done: make(chan struct{}), stopped: true}
	put(&t.read, name, f)
	return body{}, f, true
}

// endFile ends a flight of a file. The run has the body from now on, when it is not nil.
func (t *tree) endFile(name string, f *flight, kept *body) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if kept != nil {
		put(&t.bodies, name, *kept)
	}
	if delete(t.read, name); len(t.read) == 0 {
		t.read = nil // one that was written to keeps its room
	}
	close(f.done)
}

// keep gives the run a body.
func (t *tree) keep(name string, b body) {
	t.mu.Lock()
	defer t.mu.Unlock()
	put(&t.bodies, name, b)
}

// attribute returns what sets a file apart that REST read; ok is false when that is not known.
func (t *tree) attribute(name string) (attribute string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	attribute, ok = t.special[name]
	return attribute, ok
}

func (t *tree) setAttribute(name, attribute string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	put(&t.special, name, attribute)
}

// has reports whether the run has the body of a file.
func (t *tree) has(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.bodies[name]
	return ok
}

// forgetStored drops, for this run, the listings of git that earlier runs read, and reports
// whether there were any: texts come by with new ones.
func (t *tree) forgetStored() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.listings)
	t.listings = slices.DeleteFunc(slices.Clone(t.listings), func(l *listing) bool { return l.git && l.stored })
	return len(t.listings) < before
}

// record returns what is known for ever of a file that REST read.
func (t *tree) record(name string) (r record, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok = t.kept.records[name]
	return r, ok
}

// dropRecord takes back what is known for ever of a file.
func (t *tree) dropRecord(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.kept.records, name)
	t.changed = true
}

// setRecord keeps what is known for ever of a file.
func (t *tree) setRecord(name string, r record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	put(&t.kept.records, name, r)
	t.changed = true
}

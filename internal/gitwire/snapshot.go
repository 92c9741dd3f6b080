package gitwire

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	// maxRounds is how often a Snapshot asks: servers may leave out what a delta passed over
	// needs, which is rare, so that a few rounds are many.
	maxRounds = 8
	// maxAlone is how often Blobs asks, where it must ask for file after file.
	maxAlone = 256
	maxWants = 50_000 // of one request, some 2.5 MB; git takes 10 MiB
)

// Want says what a Snapshot reads.
type Want struct {
	Head   Hash // a commit
	Filter bool // ask the server to leave out files; needs Capabilities.Filter
	// Enter reports whether to list a folder, "a/b". The root is always listed, and a folder
	// only where its parent is. Nil means the root alone. Enter is asked again by Entries, and
	// answers the same.
	Enter func(folder string) bool
	// Keep reports whether to hand the file, link or executable at a path to Blob if it comes
	// by. Nil means none.
	Keep func(path string, mode Mode) bool
	// Blob takes a kept file: its size, and its text, of which it must keep no part. Of a
	// file larger than Limits.MaxFile the text is the first MaxFile bytes. It is called once
	// for a hash, whatever the number of its paths. Its error ends the Snapshot.
	Blob func(h Hash, size int64, text []byte) error
}

// Snapshot is the listed folders of a commit.
type Snapshot struct {
	store   *store
	root    int32
	enter   func(folder string) bool
	missing []Hash
	leftOut int
	example string
}

// Entry is an item of a folder.
type Entry struct {
	Path string // from the root, "a/b/c"
	Mode Mode
	Hash Hash
}

// Snapshot reads folders of a commit. It is complete or an error: every folder that Enter
// names has been listed. It asks once in the usual case, and stops reading when every folder
// was listed and every kept file handed on. The caller closes the Snapshot.
func (r *Remote) Snapshot(ctx context.Context, w Want) (*Snapshot, error) {
	if w.Enter == nil {
		w.Enter = func(string) bool { return false }
	}
	walk := &walk{Want: w, reader: r.newReader(), waiting: map[Hash][]string{}}
	walk.snapshot = &Snapshot{store: walk.store, enter: w.Enter}
	walk.attach()
	err := walk.rounds(ctx, r)
	if err != nil {
		walk.store.close() // only a file of temporary use is lost
		return nil, err
	}
	for h, open := range walk.wanted {
		if open {
			walk.snapshot.missing = append(walk.snapshot.missing, h)
		}
	}
	slices.SortFunc(walk.snapshot.missing, compareHashes)
	return walk.snapshot, nil
}

func compareHashes(a, b Hash) int { return bytes.Compare(a[:], b[:]) }

// walk enters folders as their trees come by.
type walk struct {
	Want
	*reader
	snapshot *Snapshot
	waiting  map[Hash][]string // paths whose tree has not come
	bytes    int               // of the paths in waiting and queue
	queue    []folder
	folders  int
	entries  int
}

// folder is one whose tree has come.
type folder struct {
	path string
	at   int32
}

// attach makes the walk take what its reader reads.
func (w *walk) attach() {
	w.reader.commit = w.head
	w.reader.tree = func(h Hash, at int32) error {
		paths := w.waiting[h]
		delete(w.waiting, h)
		for _, path := range paths {
			w.spare(path)
			if err := w.list(folder{path, at}, w.result); err != nil {
				return err
			}
		}
		return w.drain()
	}
	w.reader.blob = w.Blob
	w.reader.done = func() bool { return w.listed() && (w.open == 0 || w.Filter) }
}

// listed reports whether every folder is.
func (w *walk) listed() bool { return w.snapshot.root != 0 && len(w.waiting) == 0 }

// rounds asks until every folder is listed.
func (w *walk) rounds(ctx context.Context, r *Remote) error {
	for round := 0; !w.listed(); round++ {
		before := w.folders
		f := fetching{wants: []Hash{w.Head}, shallow: true, filter: w.Filter}
		if round > 0 && len(w.waiting) > 0 {
			hashes := slices.SortedFunc(maps.Keys(w.waiting), compareHashes)
			f = fetching{wants: hashes[:min(len(hashes), maxWants)], filter: w.Filter}
		}
		if err := r.fetch(ctx, f, w.read); err != nil {
			return err
		}
		if w.listed() {
			return nil
		}
		if round == maxRounds || round > 0 && w.folders == before {
			return fmt.Errorf("%w: a folder of the commit is not in the pack", ErrBroken)
		}
	}
	return nil
}

// head reads the commit that is wanted, and lets others pass.
func (w *walk) head(h Hash, text []byte) error {
	if h != w.Head || w.snapshot.root != 0 || len(w.waiting) > 0 {
		return nil
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	digits, ok := strings.CutPrefix(string(line), "tree ")
	root, err := ParseHash(digits)
	if !ok || err != nil {
		return fmt.Errorf("%w: the commit begins with %q", ErrBroken, clip(line))
	}
	if err := w.meet("", root); err != nil {
		return err
	}
	return w.drain()
}

func clip(line []byte) []byte { return line[:min(len(line), 80)] }

// meet enters a folder once its tree is there.
func (w *walk) meet(path string, h Hash) error {
	if w.bytes += len(path) + perPath; w.bytes > w.limits.MaxWaiting {
		return &LimitError{"bytes of folders that wait", int64(w.limits.MaxWaiting)}
	}
	if at := w.store.byHash[h]; at != 0 {
		w.queue = append(w.queue, folder{path, at})
		return nil
	}
	w.waiting[h] = append(w.waiting[h], path)
	return nil
}

// spare counts a path that waits no more.
func (w *walk) spare(path string) { w.bytes -= len(path) + perPath }

// drain enters the folders of the queue.
func (w *walk) drain() (err error) {
	for len(w.queue) > 0 {
		last := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		w.spare(last.path)
		if w.result, err = w.store.text(last.at, w.result); err != nil {
			return err
		}
		if err := w.list(last, w.result); err != nil {
			return err
		}
	}
	return nil
}

// list meets what is in a folder.
func (w *walk) list(f folder, text []byte) error {
	if w.folders++; w.folders > w.limits.MaxFolders {
		return &LimitError{"folders", int64(w.limits.MaxFolders)}
	}
	if w.store.places[f.at].kind != tree {
		return fmt.Errorf("%w: a folder is none", ErrBroken)
	}
	if f.path == "" {
		w.snapshot.root = f.at
	}
	text, leftOut, first, err := listing(text)
	if err != nil {
		return err
	}
	if leftOut > 0 {
		w.leftOut(leftOut, join(f.path, first))
		if w.store.places[f.at].listing == 0 {
			clean, err := w.store.put(tree, 0, text)
			if err != nil {
				return err
			}
			w.store.places[f.at].listing = clean
		}
	}
	for len(text) > 0 {
		var i item
		if i, text, err = nextItem(text); err != nil {
			return err
		}
		if w.entries++; w.entries > w.limits.MaxEntries {
			return &LimitError{"files and folders", int64(w.limits.MaxEntries)}
		}
		if err := w.item(f.path, i); err != nil {
			return err
		}
	}
	return nil
}

// item meets an item of a folder.
func (w *walk) item(parent string, i item) error {
	if len(parent)+1+len(i.name) > maxPath {
		w.leftOut(1, join(parent, i.name))
		return nil
	}
	switch {
	case i.mode == Folder:
		if path := join(parent, i.name); w.Enter(path) {
			return w.meet(path, Hash(i.hash))
		}
	case i.mode != Submodule && w.Keep != nil:
		if w.Keep(join(parent, i.name), i.mode) {
			w.want(Hash(i.hash))
		}
	}
	return nil
}

func (w *walk) leftOut(n int, example string) {
	if w.snapshot.leftOut == 0 {
		w.snapshot.example = example
	}
	w.snapshot.leftOut += n
}

func join(parent string, name []byte) string {
	if parent == "" {
		return string(name)
	}
	return parent + "/" + string(name)
}

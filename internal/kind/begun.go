package kind

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"iter"
	"maps"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/state"
)

// begun are lists for which Port may be newer than memory: a run began to ask for them, sent
// what it read to Port, and did not come to their end. Memory has what an earlier run read of such
// a list: used again, it would set entities back. After a run that was killed, these are all lists
// that it was to ask for and has not kept.
type begun struct {
	All   time.Time            `json:"all,omitzero"` // all lists, at that time
	Lists map[string]time.Time `json:"lists"`        // single ones, by the digests of their ids
}

// begunKey is the key of the note.
const begunKey = "begun"

// begunFor is how long a list is noted. No list is used that is so old.
const begunFor = 30 * 24 * time.Hour

// copied returns a copy that may be written to.
func (b begun) copied() begun {
	lists := map[string]time.Time{}
	maps.Copy(lists, b.Lists)
	return begun{b.All, lists}
}

func begunID(id string) string {
	digest := sha256.Sum256([]byte(id))
	return base64.RawStdEncoding.EncodeToString(digest[:9])
}

// readings are the lists that this run reads, by their ids, and what earlier runs have begun.
// It is safe for concurrent use.
type readings struct {
	state  *state.Store
	before begun

	mu    sync.Mutex // guards what follows
	kept  map[string]time.Time
	begun map[string]time.Time // those of which something was read, and not all
}

// newReadings reads what earlier runs have begun. A note that is not there says nothing.
func newReadings(s *state.Store) *readings {
	r := &readings{state: s, kept: map[string]time.Time{}, begun: map[string]time.Time{}}
	text, _ := s.Get(state.List, begunKey)
	if json.Unmarshal(text, &r.before) != nil {
		r.before = begun{}
	}
	maps.DeleteFunc(r.before.Lists, func(_ string, at time.Time) bool { return time.Since(at) > begunFor })
	return r
}

// overtaken reports whether a list that an earlier run read at a time was begun again since,
// or may have been, by a run that noted all lists.
func (r *readings) overtaken(id string, readAt time.Time) (was, may bool) {
	return readAt.Before(r.before.Lists[begunID(id)]), readAt.Before(r.before.All)
}

// expectAll notes that any list may be asked for, before any of it goes to Port.
func (r *readings) expectAll() {
	r.save(begun{All: time.Now().UTC(), Lists: r.before.Lists})
	r.state.Flush()
}

// expect notes the only lists that may be asked for, before any of them goes to Port.
func (r *readings) expect(ids iter.Seq[string]) {
	next := r.before.copied()
	for id := range ids {
		next.Lists[begunID(id)] = time.Now().UTC()
	}
	r.save(next)
	r.state.Flush()
}

func (r *readings) save(b begun) {
	if text, err := json.Marshal(b); err == nil {
		r.state.Put(text, state.List, begunKey)
	}
}

// begin is for the first object of a list. Where nothing is kept for later runs, it does nothing.
func (r *readings) begin(id string) {
	if r.state == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun[id] = time.Now().UTC()
}

// keep is for a list that came to its end, and is remembered as of the time.
func (r *readings) keep(id string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[id] = at
	delete(r.begun, id)
}

// of returns when this run read a list; false when it did not.
func (r *readings) of(id string) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.kept[id]
	return at, ok
}

// end notes what is left: the lists that did not come to their end.
func (r *readings) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.before.copied()
	for id := range r.kept {
		delete(next.Lists, begunID(id))
	}
	for id, at := range r.begun {
		next.Lists[begunID(id)] = at
	}
	r.save(next)
}

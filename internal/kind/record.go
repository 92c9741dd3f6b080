package kind

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"iter"
	"net/url"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/state"
)

// record is what is kept of a list that was read to its end, besides its pages. A page is made
// of objects as they came, each after its length, and is kept under the digest of all of it:
// a list that has hardly changed is hardly written again.
type record struct {
	// ReadAt is when the list began to be read.
	ReadAt   time.Time `json:"read_at"`
	Pages    [][]byte  `json:"pages"` // their digests
	Count    int       `json:"count"` // of objects
	Requests int       `json:"requests"`
	// Changed is when the object that changed last did so; zero where none says.
	Changed time.Time `json:"changed,omitzero"`
	// Reads are the parts of the objects that were asked for; nil for whole ones.
	Reads *reach.Paths `json:"reads,omitempty"`
	// Whole is how many objects, from the first on, are whole all the same.
	Whole int `json:"whole,omitempty"`
	// None is true where the answer was that the repository has no such list.
	None bool `json:"none,omitempty"`
	// The repository at that time. Its names are in the objects, too.
	Slug      string `json:"slug"`
	Name      string `json:"name"`
	Hash      string `json:"hash"`
	UpdatedOn string `json:"updated_on"`

	begun    bool // the list was begun again since
	mayBegun bool // a run that was killed may have begun it again, unless it resumed it
}

// errForgotten is a list that memory does not have, or not whole.
var errForgotten = errors.New("what was remembered of the list is not whole")

// maxAhead is how far the clock of an earlier run may have been ahead of this one's.
const maxAhead = time.Minute

// recordOf returns what is remembered of a list. It returns false where the record is dated in the
// future, its objects call the repository by another name, or they lack some of the fields that
// matter, which are all of them where reads is nil.
func recordOf(s *state.Store, key []string, r bitbucket.Repository, reads *reach.Paths) (record, bool) {
	var known record
	text, ok := s.Get(state.List, key...)
	if !ok || json.Unmarshal(text, &known) != nil || known.ReadAt.IsZero() || time.Until(known.ReadAt) > maxAhead {
		return record{}, false
	}
	if known.Slug != r.Slug || known.Name != r.Name || known.Reads != nil && (reads == nil || !known.Reads.Covers(reads)) {
		return record{}, false
	}
	for _, digest := range known.Pages {
		if !s.Has(state.Page, string(digest)) {
			return record{}, false
		}
	}
	return known, true
}

// moved reports whether the repository is known to be another than the record's.
func (k record) moved(r bitbucket.Repository) bool {
	return k.Hash != r.Hash || k.UpdatedOn != r.UpdatedOn
}

// unchanged reports whether the repository is known not to have changed since the list began to be
// read.
func (k record) unchanged(r bitbucket.Repository) bool {
	_, err := time.Parse(time.RFC3339, r.UpdatedOn)
	return err == nil && !k.moved(r)
}

// age is how long ago a list was read; 0 where the clock of that run was ahead of this one's.
func (k record) age() time.Duration { return max(0, time.Since(k.ReadAt)) }

// keptPages is how much of the pages of a list is held between the look at them and their use,
// in bytes: few lists have more, and are read twice.
const keptPages = 1 << 20

// objects yields the objects of a remembered list. The error is errForgotten, before the first
// object, when not all of it is there.
func (k record) objects(ctx context.Context, s *state.Store) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		held, size, count := map[int][]byte{}, 0, 0
		for i := range k.Pages {
			page, ok := k.page(s, i)
			n, whole := objectsIn(page)
			if !ok || !whole {
				yield(nil, errForgotten)
				return
			}
			count += n
			if size += len(page); size <= keptPages {
				held[i] = page
			}
		}
		if count != k.Count {
			yield(nil, errForgotten)
			return
		}
		for i := range k.Pages {
			page := held[i]
			if page == nil {
				page, _ = k.page(s, i)
			}
			if err := context.Cause(ctx); err != nil {
				yield(nil, err)
				return
			}
			for raw := range texts(page) {
				object, err := bitbucket.Decode(raw)
				count--
				if !yield(object, err) || err != nil {
					return
				}
			}
		}
		if count != 0 { // a page went since it was looked at
			yield(nil, errForgotten)
		}
	}
}

// page returns a page, if it is there and is what its digest says.
func (k record) page(s *state.Store, i int) ([]byte, bool) {
	page, ok := s.Get(state.Page, string(k.Pages[i]))
	digest := sha256.Sum256(page)
	return page, ok && bytes.Equal(digest[:], k.Pages[i])
}

// texts yields the objects of a page, each as it came. A page that is not whole ends early.
func texts(page []byte) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		for len(page) > 0 {
			size, n := binary.Uvarint(page)
			if n <= 0 || size > uint64(len(page)-n) {
				return
			}
			end := n + int(size)
			if !yield(json.RawMessage(page[n:end:end])) {
				return
			}
			page = page[end:]
		}
	}
}

// objectsIn counts the objects of a page, and reports whether the page ends with one.
func objectsIn(page []byte) (n int, whole bool) {
	rest := len(page)
	for raw := range texts(page) {
		n++
		rest -= len(raw) + len(binary.AppendUvarint(nil, uint64(len(raw))))
	}
	return n, rest == 0
}

const (
	// perPage is how many objects a page has on average: which ones end a page is seen in
	// them, so that one that comes or goes leaves the other pages as they are.
	perPage = 32
	// maxPage bounds a page, in bytes, unless one object is larger.
	maxPage = 128 << 10
)

// keeper keeps a list while it is read. A nil keeper keeps nothing.
type keeper struct {
	state  *state.Store
	record record
	page   []byte
}

// newKeeper returns the keeper of a list that begins to be read now.
func newKeeper(s *state.Store, r bitbucket.Repository, reads *reach.Paths) *keeper {
	if s == nil {
		return nil
	}
	return &keeper{state: s, record: record{
		ReadAt: time.Now().UTC(), Pages: [][]byte{}, Reads: reads, Slug: r.Slug, Name: r.Name, Hash: r.Hash, UpdatedOn: r.UpdatedOn,
	}}
}

// add keeps one object.
func (k *keeper) add(l bitbucket.Listed) {
	if k == nil {
		return
	}
	if len(k.page)+len(l.JSON) > maxPage {
		k.flush()
	}
	k.page = append(binary.AppendUvarint(k.page, uint64(len(l.JSON))), l.JSON...)
	if k.record.Reads != nil && l.Whole && k.record.Whole == k.record.Count {
		k.record.Whole++
	}
	k.record.Count++
	updated, _ := l.Object["updated_on"].(string)
	if at, err := time.Parse(time.RFC3339, updated); err == nil && at.After(k.record.Changed) {
		k.record.Changed = at.UTC()
	}
	if crc32.ChecksumIEEE(l.JSON)%perPage == 0 {
		k.flush()
	}
}

// isNone is for a list that the repository does not have.
func (k *keeper) isNone() {
	if k != nil {
		k.record.None = true
	}
}

// flush ends a page.
func (k *keeper) flush() {
	if len(k.page) == 0 {
		return
	}
	digest := sha256.Sum256(k.page)
	k.record.Pages = append(k.record.Pages, digest[:])
	if !k.state.Has(state.Page, string(digest[:])) {
		k.state.Put(k.page, state.Page, string(digest[:]))
	}
	k.page = nil
}

// end keeps the list, which was read to its end.
func (k *keeper) end(key []string) {
	if k == nil {
		return
	}
	k.flush()
	text, err := json.Marshal(k.record)
	if err == nil { // a time beyond the year 9999 has no JSON
		k.state.Put(text, state.List, key...)
	}
}

// listKey is the key of a list in memory: it is of a repository, whatever that is called, and
// of all that is asked.
func listKey(r bitbucket.Repository, kind string, q url.Values) []string {
	return []string{r.Key(), kind, q.Encode()}
}

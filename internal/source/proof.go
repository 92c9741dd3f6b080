package source

import (
	"errors"
	"hash/maphash"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/glob"
)

// proof distinguishes a listing of REST that holds for ever from one that may have been cut, or made
// by something on the way: each entry is one of the commit, in the folder that was asked for,
// its folder comes before it, and each folder has something in it, since git keeps no empty
// one. Where nothing is listed, the answer must say that there is no such folder.
type proof struct {
	at      Revision
	need    glob.Need
	seed    maphash.Seed
	entries int
	wrong   bool
	none    bool           // there is no such folder, for ever
	empty   map[uint64]int // by the hash of the path, the level of folders of which nothing came yet; 0 of others
}

func newProof(at Revision, n glob.Need, seed maphash.Seed) *proof {
	return &proof{at: at, need: n, seed: seed, empty: map[uint64]int{}}
}

func (p *proof) absent(proven bool) { p.none = proven }

func (p *proof) entry(e Entry) {
	p.entries++
	p.wrong = p.wrong || !provenEntry(e.Entry, p.at.Hash)
	if folder := e.Path[:max(strings.LastIndex(e.Path, "/"), 0)]; folder != p.need.Folder {
		hash := maphash.String(p.seed, folder)
		if _, ok := p.empty[hash]; !ok {
			p.wrong = true
		}
		p.empty[hash] = 0
	}
	if level := glob.Level(e.Path) - glob.Level(p.need.Folder); e.Type == Folder && level < p.need.Depth {
		p.empty[maphash.String(p.seed, e.Path)] = level
	}
}

// depth is how deep the listing goes: less deep than was asked for where a folder has nothing in it,
// since then the server did not keep to the depth.
func (p *proof) depth() int {
	depth := p.need.Depth
	for _, level := range p.empty {
		if level > 0 {
			depth = min(depth, level)
		}
	}
	return depth
}

// fullPage is the longest page of a listing.
const fullPage = 100

// holds reports whether the listing, which came to its end, holds for ever. One that ends
// with a full page may have lost the link to the next one.
func (p *proof) holds() bool {
	p.wrong = p.wrong || p.entries > 0 && p.entries%fullPage == 0
	p.wrong = p.wrong || p.depth() < p.need.Depth
	return !p.wrong && (p.entries > 0) != p.none
}

// record keeps what REST answered for a file, of which nothing is in doubt: the text, at most
// a byte more than the limit, or why there is none.
func (c past) record(name string, text []byte, limit int64, err error) {
	switch {
	case c.memory.options.State == nil:
	case errors.Is(err, bitbucket.ErrNoFile):
		c.tree.setRecord(name, record{kind: recordAbsent})
	case errors.Is(err, bitbucket.ErrElsewhere):
		c.tree.setRecord(name, record{kind: recordElsewhere})
	case err == nil:
		r := record{kind: recordText, text: blobHash(text)}
		if int64(len(text)) > limit {
			r.kind, r.limit = recordTooLarge, limit
		}
		c.memory.saveText(r.text, int64(len(text)), text)
		c.tree.setRecord(name, r)
	}
}

// recorded returns the body of a file that REST read in this run or an earlier one, as it
// would be read now; ok is false when that is not known.
func (c past) recorded(name string) (b body, ok bool) {
	r, ok := c.tree.record(name)
	switch {
	case !ok:
		return b, false
	case r.kind == recordAbsent:
		return body{}, true
	case r.kind == recordElsewhere:
		return c.bodyRead(name, nil, bitbucket.ErrElsewhere), true
	}
	limit := c.maxFile
	text, ok := c.recordedText(r)
	if !ok || r.kind == recordTooLarge && limit > r.limit {
		return b, false
	}
	b = c.bodyRead(name, text[:min(int64(len(text)), limit+1)], nil)
	b.stored, b.id = b.err == nil, r.text
	return b, true
}

// recordedBeginning returns at most limit bytes of a file that REST read.
func (c past) recordedBeginning(name string, limit int64) (beginning []byte, ok bool) {
	r, ok := c.tree.record(name)
	if !ok || r.kind != recordText && r.kind != recordTooLarge {
		return nil, false
	}
	text, ok := c.recordedText(r)
	if !ok || r.kind == recordTooLarge && int64(len(text)) < limit {
		return nil, false
	}
	return text[:min(int64(len(text)), limit)], true
}

func (c past) recordedText(r record) (text []byte, ok bool) {
	s, ok := c.memory.storedText(r.text)
	return s.text, ok && s.text != nil
}

// hasRecord reports whether a file that REST read is known without its text being read.
func (c past) hasRecord(name string) bool {
	r, ok := c.tree.record(name)
	return ok && (r.text == gitwire.Hash{} || c.memory.hasText(r.text))
}

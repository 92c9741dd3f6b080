package source

import (
	"bytes"
	"crypto/sha1" // the hash of git's objects, and no proof of anything here
	"encoding/binary"
	"encoding/json"
	"fmt"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/state"
)

// The values of texts begin with what they are. Another beginning is that of another format.
const (
	valueWhole = 1 // the text follows
	valueCut   = 2 // the size, how much was seen of it, and where in that its first NUL is
	valueEntry = 3 // the JSON of an entry follows
)

// storedText is what the store has of the text of a file.
type storedText struct {
	text []byte // all of it; nil when only this is known:
	size int64
	seen int64 // so many bytes of its beginning were looked at
	nul  int64 // the place of the first NUL among them; seen when there is none
}

// blobHash is that of a text in git.
func blobHash(text []byte) gitwire.Hash {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(text))
	h.Write(text)
	return gitwire.Hash(h.Sum(nil))
}

// saveText gives the store the text of a file, or its beginning.
func (m *Memory) saveText(id gitwire.Hash, size int64, text []byte) {
	if m.options.State == nil {
		return
	}
	old, known := m.storedText(id)
	switch {
	case known && (old.text != nil || old.seen >= int64(len(text))):
		return
	case int64(len(text)) == size:
		m.options.State.Put(append([]byte{valueWhole}, text...), state.Text, id.String())
		return
	}
	nul := bytes.IndexByte(text, 0)
	if nul < 0 {
		nul = len(text)
	}
	value := binary.AppendUvarint([]byte{valueCut}, uint64(size))
	value = binary.AppendUvarint(value, uint64(len(text)))
	m.options.State.Put(binary.AppendUvarint(value, uint64(nul)), state.Text, id.String())
}

// storedText returns the text of a file, or what is known of one that was too large.
func (m *Memory) storedText(id gitwire.Hash) (s storedText, ok bool) {
	value, ok := m.options.State.Get(state.Text, id.String())
	if !ok || len(value) == 0 {
		return s, false
	}
	switch value[0] {
	case valueWhole:
		return storedText{text: value[1:], size: int64(len(value) - 1)}, true
	case valueCut:
		r := &valueReader{rest: value[1:]}
		s = storedText{size: int64(r.number(1 << 62)), seen: int64(r.number(1 << 62)), nul: int64(r.number(1 << 62))}
		return s, !r.bad && len(r.rest) == 0
	}
	return s, false
}

// hasText reports whether the store has a text, or something of it.
func (m *Memory) hasText(id gitwire.Hash) bool { return m.options.State.Has(state.Text, id.String()) }

// past is what is known of a commit from before, for its files.
type past struct {
	bodies
	memory *Memory
	tree   *tree // nil without a hash
}

// storedOverGit returns the body of a file as git would give it now; ok is false when the store
// has too little of it.
func (c past) storedOverGit(git *Git, e Entry) (b body, ok bool) {
	s, ok := c.memory.storedText(e.ID)
	if !ok {
		return b, false
	}
	// What is read of a file that is too large says what it is.
	handed := min(s.size, git.maxFile)
	if s.text != nil {
		b = c.bodyOf(e, s.size, s.text[:handed])
		b.stored, b.id = b.err == nil && handed == s.size, e.ID
		return b, true
	}
	if s.size <= c.maxFile || s.seen < handed && s.nul == s.seen || e.mode == gitwire.Link {
		return b, false
	}
	b = body{there: true, size: s.size, overGit: true, err: c.tooLarge(e.Path, nil)}
	if s.nul < min(s.seen, handed) {
		b.attributes = []string{Binary}
	}
	return b, true
}

// storedBeginning returns the beginning of a file, as git would give it now.
func (c past) storedBeginning(git *Git, id gitwire.Hash, limit int64) (beginning []byte, ok bool) {
	limit = min(limit, git.maxFile)
	text := c.memory.beginning(id.String())
	if s, ok := c.memory.storedText(id); ok && s.text != nil {
		text, limit = s.text, min(limit, s.size)
	}
	if text == nil || int64(len(text)) < limit {
		return nil, false
	}
	return text[:limit], true
}

// beginning returns what the store has of the beginning of a file; nil for nothing.
func (m *Memory) beginning(of string) []byte {
	value, ok := m.options.State.Get(state.Text, of, "beginning")
	if !ok || len(value) == 0 || value[0] != valueWhole {
		return nil
	}
	return value[1:]
}

func (m *Memory) saveBeginning(of string, text []byte) {
	m.options.State.Put(append([]byte{valueWhole}, text...), state.Text, of, "beginning")
}

// handOnStored hands on the bodies of files of one text, where the store has it.
func (c past) handOnStored(git *Git, all []Entry, got func(Entry, body)) bool {
	bodies := make([]body, len(all))
	for i, e := range all {
		var ok bool
		if bodies[i], ok = c.storedOverGit(git, e); !ok {
			return false
		}
	}
	c.memory.knew(c.tree)
	for i, e := range all {
		got(e, bodies[i])
	}
	return true
}

// entryKey is the key of an entry that only Bitbucket's API has.
func (c past) entryKey(path string) []string {
	place := placeOf(c.at.Repository)
	return []string{c.at.Repository.Key(), c.at.Hash, "entry", string(place[:]), path}
}

// storedEntry returns an entry that Bitbucket's API gave.
func (c past) storedEntry(path string) (e Entry, ok bool) {
	value, ok := c.memory.options.State.Get(state.Listing, c.entryKey(path)...)
	if !ok || len(value) == 0 || value[0] != valueEntry {
		return e, false
	}
	if e.UnmarshalJSON(value[1:]) != nil {
		return Entry{}, false
	}
	c.memory.knew(c.tree)
	return e, true
}

func (c past) saveEntry(path string, e Entry) {
	if e.Path == path && provenEntry(e.Entry, c.at.Hash) {
		c.memory.options.State.Put(append([]byte{valueEntry}, e.JSON...), state.Listing, c.entryKey(path)...)
	}
}

// provenEntry reports whether an entry is one of a commit: a proxy may answer with that of
// another.
func provenEntry(e bitbucket.Entry, hash string) bool {
	var of struct{ Commit struct{ Hash string } }
	_ = json.Unmarshal(e.JSON, &of) // without a commit it has none
	return (e.Type == Folder || e.Type == File) && (of.Commit.Hash == "" || of.Commit.Hash == hash)
}

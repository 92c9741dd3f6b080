// Package gitwiretest serves git repositories that are made in memory, over smart HTTP with protocol
// version 2, and refuses what git refuses, and more.
//
// A Repository holds objects and refs; a Server is an http.Handler for one of them. What a correct client
// never sends is refused and noted, see Server.Violations. Options change what a server can do and break
// what it sends. Nothing is random: the same calls make the same objects and the same packs.
//
// It has code of its own for pkt-lines and packs, so that a reader's mistake has no twin here.
// Source: https://git-scm.com/docs/protocol-v2, https://git-scm.com/docs/http-protocol and
// https://git-scm.com/docs/gitformat-pack, read 2026-11, and git 2.39.
package gitwiretest

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Hash is the SHA-1 id of an object.
type Hash [sha1.Size]byte

// String is the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads 40 lower-case hex digits.
func ParseHash(text string) (Hash, bool) {
	var h Hash
	if len(text) != 2*len(h) || strings.ToLower(text) != text {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(text))
	return h, err == nil
}

// Mode is what an entry of a tree is.
type Mode uint32

// The modes that git writes.
const (
	Folder     Mode = 0o040000
	Plain      Mode = 0o100644
	Executable Mode = 0o100755
	Link       Mode = 0o120000
	Submodule  Mode = 0o160000
)

// Kind is what an object is, with its number in a pack.
type Kind byte

// The kinds of objects.
const (
	KindCommit Kind = 1
	KindTree   Kind = 2
	KindBlob   Kind = 3
	KindTag    Kind = 4
)

func (k Kind) String() string { return [...]string{"", "commit", "tree", "blob", "tag"}[k] }

// File is a file of a commit. The zero Mode is Plain. The content of a Link is the path that it leads to,
// that of a Submodule a hash in hex.
type File struct {
	Mode    Mode
	Content string
}

// Commit is a commit before it has a hash.
type Commit struct {
	Files   map[string]File // by path
	Tree    Hash            // in place of Files, when it is not zero
	Parents []Hash
	Message string
	Time    time.Time // zero: the beginning of 2024
}

// Entry is an entry of a tree.
type Entry struct {
	Mode Mode
	Name string
	Hash Hash
}

type object struct {
	kind Kind
	data string
}

// Repository is a git repository. All methods are safe for concurrent use.
type Repository struct {
	mu      sync.RWMutex
	objects map[Hash]object
	blobs   map[string]Hash // by content
	refs    map[string]Hash
	head    string // the ref that HEAD stands for; "" when it is detached
	at      Hash   // of a detached HEAD
}

// NewRepository returns an empty repository, whose HEAD is to be the branch main.
func NewRepository() *Repository {
	return &Repository{objects: map[Hash]object{}, blobs: map[string]Hash{}, refs: map[string]Hash{}, head: "refs/heads/main"}
}

// Add adds an object, whatever its data are.
func (r *Repository) Add(kind Kind, data string) Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(kind, data)
}

func (r *Repository) add(kind Kind, data string) Hash {
	if kind == KindBlob {
		if h, ok := r.blobs[data]; ok {
			return h
		}
	}
	h := HashOf(kind, data)
	r.objects[h] = object{kind, data}
	if kind == KindBlob {
		r.blobs[data] = h
	}
	return h
}

// HashOf is the hash of an object.
func HashOf(kind Kind, data string) Hash {
	text := make([]byte, 0, len(data)+24)
	text = append(text, kind.String()...)
	text = append(text, ' ')
	text = strconv.AppendInt(text, int64(len(data)), 10)
	text = append(text, 0)
	return sha1.Sum(append(text, data...))
}

// Object returns an object; ok is false when the repository does not have it.
func (r *Repository) Object(h Hash) (kind Kind, data string, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	o, ok := r.objects[h]
	return o.kind, o.data, ok
}

// Remove removes an object, as when a repository is damaged.
func (r *Repository) Remove(h Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.blobs, r.objects[h].data)
	delete(r.objects, h)
}

// Commit adds a commit with its trees and blobs. No ref leads to it yet.
func (r *Repository) Commit(c Commit) Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	tree := c.Tree
	if tree == (Hash{}) {
		tree = r.tree(sorted(c.Files), 0)
	}
	at := c.Time
	if at.IsZero() {
		at = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range c.Parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	who := "Build Bot <bot@example.com> " + strconv.FormatInt(at.Unix(), 10) + " +0000\n"
	b.WriteString("author " + who + "committer " + who + "\n" + c.Message + "\n")
	return r.add(KindCommit, b.String())
}

// Tag adds an annotated tag and the ref refs/tags/name that leads to it.
func (r *Repository) Tag(name string, target Hash) Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.add(KindTag, fmt.Sprintf("object %s\ntype %s\ntag %s\ntagger Build Bot <bot@example.com> 1704067200 +0000\n\n%s\n",
		target, r.objects[target].kind, name, name))
	r.refs["refs/tags/"+name] = h
	return h
}

// SetRef makes a full name such as refs/heads/main lead to an object; the zero hash removes it.
func (r *Repository) SetRef(name string, h Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h == (Hash{}) {
		delete(r.refs, name)
	} else {
		r.refs[name] = h
	}
}

// SetRefs replaces all refs.
func (r *Repository) SetRefs(refs map[string]Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refs = maps.Clone(refs)
}

// SetHead makes HEAD stand for a ref, which need not be there.
func (r *Repository) SetHead(ref string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.head, r.at = ref, Hash{}
}

// DetachHead makes HEAD lead to a commit.
func (r *Repository) DetachHead(h Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.head, r.at = "", h
}

// headHash is that of HEAD; zero when it is unborn.
func (r *Repository) headHash() Hash {
	if r.head == "" {
		return r.at
	}
	return r.refs[r.head]
}

// located is a file with its path.
type located struct {
	path string
	File
}

// sorted is the order of paths, which is the one of git in each tree: a folder counts as if its name ended with a
// slash.
func sorted(files map[string]File) []located {
	all := make([]located, 0, len(files))
	for path, f := range files {
		all = append(all, located{path, f})
	}
	slices.SortFunc(all, func(a, b located) int { return strings.Compare(a.path, b.path) })
	return all
}

// tree adds the tree of the files, whose paths have the same beginning of so many bytes: its own.
func (r *Repository) tree(files []located, below int) Hash {
	var entries []Entry
	for len(files) > 0 {
		rest := files[0].path[below:]
		name, _, isFolder := strings.Cut(rest, "/")
		if name == "" || strings.Contains(name, "\x00") {
			panic(fmt.Sprintf("gitwiretest: %q is no path", files[0].path))
		}
		if !isFolder {
			entries = append(entries, r.entry(name, files[0].File))
			files = files[1:]
			continue
		}
		for i := len(entries) - 1; i >= 0 && strings.HasPrefix(entries[i].Name, name); i-- {
			if entries[i].Name == name {
				panic(fmt.Sprintf("gitwiretest: %q is below a file", files[0].path))
			}
		}
		inside := rest[:len(name)+1]
		n := 1
		for n < len(files) && strings.HasPrefix(files[n].path[below:], inside) {
			n++
		}
		entries = append(entries, Entry{Folder, name, r.tree(files[:n], below+len(inside))})
		files = files[n:]
	}
	return r.add(KindTree, EncodeTree(entries))
}

func (r *Repository) entry(name string, f File) Entry {
	e := Entry{Mode: cmp.Or(f.Mode, Plain), Name: name}
	if e.Mode != Submodule {
		e.Hash = r.add(KindBlob, f.Content)
		return e
	}
	var ok bool
	if e.Hash, ok = ParseHash(f.Content); !ok {
		panic(fmt.Sprintf("gitwiretest: the content of submodule %q is no hash", name))
	}
	return e
}

// EncodeTree is the data of a tree, with the entries as they are: in any order, with any name.
func EncodeTree(entries []Entry) string {
	var b []byte
	for _, e := range entries {
		b = append(strconv.AppendUint(b, uint64(e.Mode), 8), ' ')
		b = append(append(b, e.Name...), 0)
		b = append(b, e.Hash[:]...)
	}
	return string(b)
}

// decodeTree ends where the data are no tree.
func decodeTree(data string) []Entry {
	var entries []Entry
	for {
		mode, rest, ok := strings.Cut(data, " ")
		name, tail, found := strings.Cut(rest, "\x00")
		number, err := strconv.ParseUint(mode, 8, 32)
		if !ok || !found || err != nil || len(tail) < sha1.Size {
			return entries
		}
		entries = append(entries, Entry{Mode(number), name, Hash([]byte(tail[:sha1.Size]))})
		data = tail[sha1.Size:]
	}
}

// links are the hashes that a commit or a tag names in its header under a word, such as parent.
func links(data, word string) []Hash {
	var all []Hash
	header, _, _ := strings.Cut(data, "\n\n")
	for line := range strings.SplitSeq(header, "\n") {
		if text, ok := strings.CutPrefix(line, word+" "); ok {
			if h, ok := ParseHash(text); ok {
				all = append(all, h)
			}
		}
	}
	return all
}

// Package gitwire reads git repositories over smart HTTP, protocol version 2: which objects
// branches name, the folders and files of one commit, and the text of files. It has neither
// a git program nor a working tree nor the history, holds a few MiB whatever the size of the
// repository, and believes nothing but hashes: what it hands on follows from the hash of the
// commit that the caller names.
//
// Source: https://git-scm.com/docs/protocol-v2 and https://git-scm.com/docs/gitformat-pack,
// read 2026-11.
package gitwire

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"sync/atomic"
)

// Remote is one repository of a server. Its methods may be called side by side.
type Remote struct {
	// URL is the address of the repository, without a trailing slash:
	// "https://git.test/acme/r.git".
	URL string
	// Do authorizes and sends a request. It follows no redirect to another host.
	Do func(*http.Request) (*http.Response, error)
	// TempDir is where large listings lie while they are read; empty is the system's folder.
	TempDir string
	Limits  Limits

	requests, received, objects atomic.Int64
}

// Limits bound what one Remote takes. The zero value of a field is its default.
type Limits struct {
	MaxBytes    int64 // received, by all requests of the Remote; default 64 MiB
	MaxFile     int64 // bytes of a file that are handed on; default 1 MiB
	MaxObjects  int   // in one pack; default 2,000,000
	MaxTree     int   // bytes of one tree; default 8 MiB
	MaxInflated int64 // bytes that one pack inflates to, results of deltas included; default 2 GiB
	MaxStored   int64 // bytes of trees and kept files of one Snapshot or Blobs, on disk; default 256 MiB
	MaxChain    int   // deltas between an object and its text; default 4,095, the most that git writes
	MaxFolders  int   // entered by one Snapshot; default 250,000
	MaxEntries  int   // of the entered folders of one Snapshot; default 4,000,000
	MaxWaiting  int   // bytes of the paths that wait for their tree; default 8 MiB
	MaxParked   int   // bytes of deltas that wait for their base; default 4 MiB
}

// Capabilities is what a server says it can do.
type Capabilities struct {
	Filter  bool // fetch leaves out what a filter names
	Shallow bool // fetch leaves out the history
	SHA1    bool // the names of the objects are SHA-1; SHA-256 cannot be read
	Agent   string
}

// Stats is what a Remote has done so far.
type Stats struct {
	Requests int64
	Bytes    int64 // of the bodies of answers
	Objects  int64 // of packs
}

var errNotYet = errors.New("not yet")

// Capabilities asks for the server's capabilities. The error is ErrNoV2 when the server does
// not speak version 2 of the protocol.
func (r *Remote) Capabilities(ctx context.Context) (Capabilities, error) {
	return Capabilities{}, errNotYet
}

// Refs returns the hashes, in hexadecimal digits, of the refs with the given full names
// ("HEAD", "refs/heads/a/b"), by name. A ref that does not exist is not in the map. The hash
// of an annotated tag is the one of the object that it names.
func (r *Remote) Refs(ctx context.Context, names []string) (map[string]string, error) {
	return nil, errNotYet
}

// Want says what a Snapshot reads.
type Want struct {
	Head   Hash // a commit
	Filter bool // ask the server to leave out files; needs Capabilities.Filter
	// Enter reports whether to list a folder, "a/b". The root is always listed, and a folder
	// only where its parent is. Nil is the root alone.
	Enter func(folder string) bool
	// Keep reports whether to hand the file, link or executable at a path to Blob if it comes
	// by. Nil is none.
	Keep func(path string, mode Mode) bool
	// Blob takes a kept file: its size, and its text, of which it must keep no part. Of a
	// file larger than Limits.MaxFile the text is the first MaxFile bytes. It is called once
	// for a hash, whatever the number of its paths. Its error ends the Snapshot.
	Blob func(h Hash, size int64, text []byte) error
}

// Snapshot reads folders of a commit. It is complete or an error: every folder that Enter
// names has been listed. It asks once in the usual case, and stops reading when every folder
// was listed and every kept file handed on. The caller closes the Snapshot.
func (r *Remote) Snapshot(ctx context.Context, w Want) (*Snapshot, error) {
	return nil, errNotYet
}

// Snapshot is the listed folders of a commit.
type Snapshot struct{}

// Entry is an item of a folder.
type Entry struct {
	Path string // from the root, "a/b/c"
	Mode Mode
	Hash Hash
}

// Entries returns the items of all listed folders in the order of git's trees, each folder
// before its items. It may be called again.
func (s *Snapshot) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {}
}

// Missing lists the kept files that did not come by, for Blobs, without duplicates.
func (s *Snapshot) Missing() []Hash { return nil }

// LeftOut returns the number of items that the listing leaves out for their names, and the
// path of the first: names that no work tree could hold (".", "..", ".git"), control
// characters, invalid UTF-8, the second of two equal names, paths above 4,096 bytes.
func (s *Snapshot) LeftOut() (n int, example string) { return 0, "" }

// Close removes what the Snapshot keeps on disk.
func (s *Snapshot) Close() error { return nil }

// Blobs reads files by their hashes, in any order, as Want.Blob takes them, and lists those
// that the server did not send. It asks once in the usual case.
func (r *Remote) Blobs(ctx context.Context, hashes []Hash, blob func(h Hash, size int64, text []byte) error) (missing []Hash, err error) {
	return nil, errNotYet
}

// Stats returns what the Remote has done so far.
func (r *Remote) Stats() Stats {
	return Stats{r.requests.Load(), r.received.Load(), r.objects.Load()}
}

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

// Stats is what a Remote has done so far.
type Stats struct {
	Requests int64
	Bytes    int64 // of the bodies of answers
	Objects  int64 // of packs
}

// Stats returns what the Remote has done so far.
func (r *Remote) Stats() Stats {
	return Stats{r.requests.Load(), r.received.Load(), r.objects.Load()}
}

// Capabilities is what a server says it can do.
type Capabilities struct {
	Filter  bool // fetch leaves out what a filter names
	Shallow bool // fetch leaves out the history
	SHA1    bool // the names of the objects are SHA-1; SHA-256 cannot be read
	Agent   string
}

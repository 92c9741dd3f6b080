package gitwiretest

import (
	"context"
	"time"
)

// Options are what a server can do, and what it breaks. The zero value is stock git with filters allowed.
type Options struct {
	// NoV2 answers the advertisement of version 0, and no command of version 2.
	NoV2 bool
	// NoFilter neither advertises nor takes filters.
	NoFilter bool
	// NoShallow neither advertises nor takes depths.
	NoShallow bool
	// NoBlobWants takes only wants of commits and tags.
	NoBlobWants bool
	// TipsOnly takes only wants of what a ref leads to.
	TipsOnly bool
	// SHA256 is a repository of the other object format.
	SHA256 bool
	// ServiceLine begins the advertisement as version 0 does, as some servers do.
	ServiceLine bool

	Order  Order
	Deltas Deltas

	// PacketSize is how many bytes of a pack go into a packet; 0 is as many as fit.
	PacketSize int
	// KeepAlive sends an empty packet before each packet of the pack.
	KeepAlive bool
	// Progress sends a packet of progress before each packet of the pack, and "no-progress" is not heard.
	Progress bool

	// Err answers a fetch with an ERR packet of this text.
	Err string
	// Band3 ends a pack in its middle with an error of this text.
	Band3 string
	// Band4 puts a packet of a band that does not exist into the middle of a pack.
	Band4 bool
	// Empty answers each command with 200 and no byte.
	Empty bool
	// WebPage answers each request with 200 and HTML.
	WebPage bool
	// NoFlush leaves out the flush packet at the end of a pack.
	NoFlush bool
	// Pack changes a pack before it goes into packets, see FlipBit and CutAt.
	Pack func(pack []byte) []byte
	// Body changes the answer to a fetch.
	Body func(body []byte) []byte
	// Abort breaks the connection after so many bytes of the answer to a fetch; 0 means never.
	Abort int
	// Pause is called before each packet of the answer to a command, with its number from 0 on. The server stops
	// where it returns false.
	Pause func(ctx context.Context, packet int) bool
}

// Order is that of the objects in a pack.
type Order int

const (
	// DepthFirst is as git does: commits, then each tree, what is in it, then the next.
	DepthFirst Order = iota
	// TreesFirst has the blobs at the end, as git does when the commit has a tag.
	TreesFirst
	// TreesLast has the trees at the end.
	TreesLast
	// Reversed is the order of git from its end: what is named comes before what names it.
	Reversed
)

// Deltas is how objects are told from others that are like them.
type Deltas int

const (
	// NoDeltas has whole objects only.
	NoDeltas Deltas = iota
	// OfsDeltas tells where the base lies in the pack, as git does for a client that takes it.
	OfsDeltas
	// RefDeltas tells the hash of the base, which comes before.
	RefDeltas
	// RefDeltasFirst has the base after the delta, and turns the order round.
	RefDeltasFirst
)

// FlipBit returns a change of one bit, counted from 0. What is shorter stays as it is.
func FlipBit(n int) func([]byte) []byte {
	return func(b []byte) []byte {
		if n/8 < len(b) {
			b[n/8] ^= 1 << (n % 8)
		}
		return b
	}
}

// CutAt returns a change that leaves so many bytes.
func CutAt(n int) func([]byte) []byte {
	return func(b []byte) []byte { return b[:min(n, len(b))] }
}

// Wait returns a Pause that takes so long before each packet, or until the request ends.
func Wait(d time.Duration) func(ctx context.Context, packet int) bool {
	return func(ctx context.Context, _ int) bool {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

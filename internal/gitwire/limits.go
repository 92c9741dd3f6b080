package gitwire

// Limits bound what one Remote takes. The zero value of a field is its default.
type Limits struct {
	MaxBytes    int64 // received, by all requests of the Remote; default 64 MiB
	MaxFile     int64 // bytes of a file that are handed on; default 1 MiB
	MaxObjects  int   // in one pack; default 2,000,000
	MaxTree     int   // bytes of one tree; default 8 MiB
	MaxInflated int64 // bytes that one request inflates to, results of deltas included; default 2 GiB
	MaxStored   int64 // bytes of trees and kept files of one Snapshot or Blobs, on disk; default 256 MiB
	MaxChain    int   // deltas between an object and its text; default 4,095, the most that git writes
	MaxFolders  int   // entered by one Snapshot; default 250,000
	MaxEntries  int   // of the entered folders of one Snapshot; default 4,000,000
	MaxWaiting  int   // bytes of the paths that wait for their tree; default 8 MiB
	MaxParked   int   // bytes of deltas that wait for their base; default 4 MiB
}

const (
	mib = 1 << 20

	// maxPath is the length of a path, in bytes: the most that Linux and git take.
	maxPath = 4096
	// maxName is the length of a name, in bytes. File systems take a quarter of it.
	maxName = 1024
	// maxDelta is the length of a delta, in bytes: one that is longer is passed over, as is
	// one without its base.
	maxDelta = 2 * mib
	// maxBase is the length of a wanted file that Blobs keeps whole, as others may be deltas of
	// it, in bytes: lock files of large projects are about as long, and alike.
	maxBase = 4 * mib
	// perPath and perParked are what a path that waits and a delta that waits cost besides
	// their bytes, about.
	perPath   = 128
	perParked = 160
)

// withDefaults fills the zero fields.
func (l Limits) withDefaults() Limits {
	or(&l.MaxBytes, 64*mib)
	or(&l.MaxFile, mib)
	or(&l.MaxObjects, 2_000_000)
	or(&l.MaxTree, 8*mib)
	or(&l.MaxInflated, 2048*mib)
	or(&l.MaxStored, 256*mib)
	or(&l.MaxChain, 4095)
	or(&l.MaxFolders, 250_000)
	or(&l.MaxEntries, 4_000_000)
	or(&l.MaxWaiting, 8*mib)
	or(&l.MaxParked, 4*mib)
	return l
}

func or[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

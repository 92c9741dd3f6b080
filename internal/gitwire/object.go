package gitwire

import (
	"encoding/hex"
	"fmt"
)

// Hash is the name of an object: the SHA-1 of its kind, size and text.
type Hash [20]byte

// ParseHash reads 40 hexadecimal digits. The error is ErrObjectFormat for the 64 digits of
// SHA-256.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) == 64 {
		if _, err := hex.DecodeString(s); err == nil {
			return h, ErrObjectFormat
		}
	}
	if len(s) != 2*len(h) {
		return h, fmt.Errorf("%q is not the hash of an object", s)
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return h, fmt.Errorf("%q is not the hash of an object", s)
	}
	return h, nil
}

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Mode is what an item of a folder is.
type Mode uint32

// The modes of git. Those of files that old programs wrote (100664) are read as the nearest.
const (
	Folder     Mode = 0o040000
	File       Mode = 0o100644
	Executable Mode = 0o100755
	Link       Mode = 0o120000 // a file whose text is the path that it points to
	Submodule  Mode = 0o160000 // the hash is a commit of another repository
)

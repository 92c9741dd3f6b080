// Package source reads the trees and files of repositories: each folder is listed once a
// run, and each file read once, whoever asks.
package source

import (
	"context"
	"fmt"
	"iter"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/glob"
)

// Revision is one commit of a repository.
type Revision struct {
	Repository bitbucket.Repository
	Hash       string
}

// Entry is a folder or a file of a commit. Commit.Object returns what the API has of it.
type Entry struct{ bitbucket.Entry }

// Types of an Entry, and attributes of a file that set it apart.
const (
	Folder = "commit_directory"
	File   = "commit_file"

	Submodule = "subrepository"
	Elsewhere = "lfs"
	Binary    = "binary"
	Link      = "link"
)

// Source reads what is at a commit of a repository. Its methods may be called side by side. An error is a *Gone when the repository is not there any more, and
// Denied when further questions are in vain.
type Source interface {
	// Head returns the hash of a branch's last commit; empty when the branch is the main
	// one of a repository without commits. The error is bitbucket.ErrNotFound when there is
	// no such branch.
	Head(ctx context.Context, r bitbucket.Repository, branch string) (hash string, err error)
	// List yields what is in a folder, as deep as is needed. A folder that is not there has
	// nothing in it. The error is bitbucket.TooDeep when less must be asked for at once;
	// after a *bitbucket.Odd others may follow.
	List(ctx context.Context, at Revision, n glob.Need) iter.Seq2[Entry, error]
	// Read returns a file, or at most limit bytes of it. The error is bitbucket.ErrNoFile
	// when there is no file of that path, and bitbucket.ErrElsewhere when another host
	// keeps it.
	Read(ctx context.Context, at Revision, path string, limit int64) ([]byte, error)
}

// Gone is a repository that answers as if it were not there. When the list does not name
// it any more either, it disappeared while the run read it.
type Gone struct {
	Slug string
	// Objects is how many objects are known to be lost with it.
	Objects int
}

func (g *Gone) Error() string { return fmt.Sprintf("repository %q disappeared during the run", g.Slug) }

// Omitted is one object that a limit leaves out. Port may hold an entity of it.
type Omitted struct {
	Object string // its name, for messages
	Why    string
	Fix    string
	Err    error // may be nil
}

func (o *Omitted) Error() string { return o.Object + ": " + o.Why }

func (o *Omitted) Unwrap() error { return o.Err }

// TooLarge is a file over Options.MaxFile.
type TooLarge struct {
	Beginning []byte // what was read of it; nil when nothing was
}

func (t *TooLarge) Error() string { return "a file is larger than max_file_size" }

// Denied reports whether the rest of a list need not be asked for after an error.
func Denied(err error) bool { return bitbucket.Denied(err) }

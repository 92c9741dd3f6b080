// Package source reads the trees and files of repositories: each folder is listed once a
// run, and each file read once, whoever asks; and neither where an earlier run has read it of
// the same commit.
package source

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/glob"
)

// Revision is one commit of a repository.
type Revision struct {
	Repository bitbucket.Repository
	Hash       string
}

// named names what lies at a path in messages.
func (r Revision) named(path string) string { return r.Repository.Slug + "/" + strings.Trim(path, "/") }

// Entry is a folder or a file of a commit. Commit.Object returns what the API has of it.
type Entry struct {
	bitbucket.Entry              // without JSON, and without what Commit.Text completes, when git listed it
	ID              gitwire.Hash // zero when REST listed it
	mode            gitwire.Mode // as git has it
}

// overGit reports whether git listed the entry.
func (e Entry) overGit() bool { return e.mode != 0 }

// Types of an Entry, and attributes of a file that set it apart.
const (
	Folder = "commit_directory"
	File   = "commit_file"

	Submodule  = "subrepository"
	Elsewhere  = "lfs"
	Binary     = "binary"
	Link       = "link"
	Executable = "executable"
)

// Source reads what is at a commit of a repository. Its methods may be called side by side.
// An error is a *Gone when the repository is not there any more, a *Fallback when another
// Source may fare better, and bitbucket.Denied when further questions are in vain.
type Source interface {
	// Heads resolves the first of some branches, and maybe others.
	Heads(ctx context.Context, r bitbucket.Repository, branches []string) (map[string]Head, error)
	// Wider returns what to list when so much is wanted: at least that.
	Wider(ctx context.Context, r bitbucket.Repository, w Want) (glob.Need, error)
	// List yields what is in a folder, as deep as is wanted. A folder that is not there has
	// nothing in it. The error is bitbucket.TooDeep when less must be asked for at once;
	// after a *bitbucket.Odd others may follow.
	List(ctx context.Context, at Revision, w Want) iter.Seq2[Entry, error]
}

// Want is what to list.
type Want struct {
	glob.Need
	// Several is true when other folders are to be listed afterwards.
	Several bool
	// Keep reports whether a file is to be read afterwards; nil means none.
	Keep func(path string) bool
	// Text takes the texts of such files that come by, as Git.Texts hands them on.
	Text func(id gitwire.Hash, size int64, text []byte) error
	// Missing is called for a folder that is not there; proven is true where that holds for
	// ever. It may be nil.
	Missing func(proven bool)
}

// Head is what a branch is resolved to. The hash is empty when the branch is the main one of
// a repository without commits. The error is bitbucket.ErrNotFound when there is no such
// branch.
type Head struct {
	Hash string
	Err  error
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

package kind

import (
	"context"

	"port-bitbucket-exporter/internal/bitbucket"
)

// checkout is one commit of a repository: what folders and files are read from.
// Its methods may be called side by side. In one run each folder is listed once,
// and each file read once, whoever asks.
type checkout struct {
	ws         *Workspace
	repository bitbucket.Repository
	branch     string // as Bitbucket spells it
	hash       string // empty in a repository without commits: then nothing matches and no file is there
}

// checkout resolves a branch of a repository; "" is the main branch. The main
// branch of a repository without commits is no error. The error is
// bitbucket.ErrNotFound when there is no such branch, and a *Gone when the
// repository is not there any more.
func (w *Workspace) checkout(ctx context.Context, r bitbucket.Repository, branch string) (*checkout, error) {
	panic("not written yet")
}

// glob is a pattern of paths, from the root of a repository.
type glob struct{}

// parseGlob reads a pattern. A leading "/" means the root, as does none; a
// trailing "/" says nothing. The error says what is wrong with it.
func parseGlob(pattern string) (glob, error) { panic("not written yet") }

// match is an entry of the repository that a pattern matches.
type match struct {
	entry   bitbucket.Entry
	pattern int // index in the patterns that were asked for
}

// match finds the folders, or the files, that the patterns match: sorted by path,
// and for one path by pattern. It lists as few folders as the patterns' literal
// beginnings and depths allow.
func (c *checkout) match(ctx context.Context, what entryType, patterns []glob) ([]match, error) {
	panic("not written yet")
}

// entryType is what match looks for.
type entryType string

const (
	folders entryType = "commit_directory"
	files   entryType = "commit_file"
)

// file gives the bytes of a file, or nil when the commit has no such file or it is
// a folder; no request is made for a file that a listing at hand does not have.
// More than the workspace's maximum is an error, a *Left, before it is read where
// the size is known. A file on another host (Git LFS) is a *Left too.
func (c *checkout) file(ctx context.Context, name string) ([]byte, error) { panic("not written yet") }

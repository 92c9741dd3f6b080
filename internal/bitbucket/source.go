package bitbucket

import "encoding/json"

// Entry is a folder or a file of a commit.
type Entry struct {
	Type       string // commit_directory or commit_file
	Path       string
	Size       int64
	Attributes []string // of a file: link, executable, subrepository, binary, lfs
	JSON       json.RawMessage
}

package source

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/content"
	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/spool"
)

// body is a file that was asked for: without there is none.
type body struct {
	there bool
	text  []byte
	kept  spool.Blob // instead of the text, when that is nil
	err   error
	// What only the text shows: the size of the file, unless it is unsized, and its attributes.
	size       int64
	unsized    bool
	attributes []string
	overGit    bool // git read it
	link       bool // it is a symbolic link, as git has it

	stored bool         // the text is in the store, by the next
	id     gitwire.Hash // its blob hash
}

// lasts reports whether the same question would be answered alike.
func (b body) lasts() bool {
	var omitted *Omitted
	return b.err == nil || errors.As(b.err, &omitted)
}

// bodies makes the bodies of a commit's files.
type bodies struct {
	at      Revision // without a hash in a repository without commits: then nothing is there
	maxFile int64    // Options.MaxFile
}

// bodyRead is what REST read of a file: at most a byte more than Options.MaxFile.
func (c bodies) bodyRead(name string, text []byte, err error) body {
	read := body{there: text != nil, text: text, err: err, size: int64(len(text)), attributes: attributesOf(text, err)}
	switch {
	case errors.Is(err, bitbucket.ErrNoFile):
		return body{}
	case errors.Is(err, bitbucket.ErrElsewhere):
		read.err, read.unsized = c.elsewhere(name), true
	case err == nil && read.size > c.maxFile:
		read.text, read.err, read.unsized = nil, c.tooLarge(name, text), true
	}
	return read
}

// bodyOf is the body of a file of which git has the text, or, of one that is too large, its
// beginning.
func (c bodies) bodyOf(e Entry, size int64, text []byte) body {
	b := body{there: true, text: text, size: size, overGit: true, link: e.mode == gitwire.Link}
	if text == nil {
		b.text = []byte{}
	}
	if b.link {
		return b
	}
	if of, ok := pointer(text); ok {
		return body{there: true, err: c.elsewhere(e.Path), size: of, attributes: []string{Elsewhere}}
	}
	if content.Binary(text) {
		b.attributes = []string{Binary}
	}
	if size > c.maxFile {
		b.text, b.err = nil, c.tooLarge(e.Path, nil)
	}
	return b
}

func (c bodies) elsewhere(name string) error {
	return &Omitted{Object: c.at.named(name), Why: "a file is kept on another host (Git LFS), and is not read", Err: bitbucket.ErrElsewhere}
}

// tooLarge is for a file of which the beginning was read, or nothing.
func (c bodies) tooLarge(name string, beginning []byte) error {
	return &Omitted{Object: c.at.named(name), Why: fmt.Sprintf("a file is larger than max_file_size (%d bytes), and is not read", c.maxFile),
		Fix: "raise the input max_file_size, or leave the file out", Err: &TooLarge{beginning}}
}

// maxPointer is more than a pointer of Git LFS has, in bytes.
//
// Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, read 2026-11.
const maxPointer = 1024

// pointer reads the text of a file that Git LFS keeps elsewhere: how large the file is.
//
// Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, read 2026-11.
func pointer(text []byte) (size int64, ok bool) {
	if len(text) >= maxPointer || !bytes.HasPrefix(text, []byte("version https://git-lfs.github.com/spec/v1\n")) {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if digits, found := strings.CutPrefix(line, "size "); found {
			size, err := strconv.ParseInt(strings.TrimRight(digits, "\n"), 10, 64)
			return size, err == nil && size >= 0
		}
	}
	return 0, false
}

// attributesOf are those that the text of a file shows.
func attributesOf(text []byte, err error) []string {
	switch {
	case errors.Is(err, bitbucket.ErrElsewhere):
		return []string{Elsewhere}
	case content.Binary(text):
		return []string{Binary}
	}
	return nil
}

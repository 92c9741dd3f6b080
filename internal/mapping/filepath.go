package mapping

import (
	"errors"
	"path"
	"strings"
)

// FileScheme begins a text that names a file: in place of an expression, and as a value
// of a file that is parsed.
//
// Source: https://docs.port.io/build-your-software-catalog/sync-data-to-catalog/git/bitbucket/, read 2026-11.
const FileScheme = "file://"

// FileName returns what stands behind file:// in a text that names a file; ok is false for
// any other text. Blanks around it do not count: a block of YAML ends in a newline.
func FileName(text string) (name string, ok bool) {
	return strings.CutPrefix(strings.TrimSpace(text), FileScheme)
}

// Why a text after file:// names no file.
var (
	ErrNoFile = errors.New("file:// names no file")
	ErrFolder = errors.New("the path after file:// names a folder")
	ErrNoPath = errors.New("the text after file:// is not a path")
)

// maxPath is longer than any path that Git takes, in bytes.
const maxPath = 4096

// FilePath is a path after file://.
type FilePath struct {
	// Rooted is true when it begins at the root of the repository, and not at a folder.
	Rooted bool
	// Up is true when it has the segment "..".
	Up bool

	name string
}

// ParseFilePath reads what FileName returns. The error is one of those above.
func ParseFilePath(name string) (FilePath, error) {
	switch {
	case len(name) > maxPath || strings.ContainsRune(name, 0):
		return FilePath{}, ErrNoPath
	case path.Clean(name) == "." || path.Clean(name) == "/":
		return FilePath{}, ErrNoFile
	case strings.HasSuffix(name, "/"):
		return FilePath{}, ErrFolder
	}
	p := FilePath{Rooted: strings.HasPrefix(name, "/"), name: name}
	for segment := range strings.SplitSeq(name, "/") {
		p.Up = p.Up || segment == ".."
	}
	return p, nil
}

// From returns the path from the root of the repository that p leads to, when it begins at
// a folder; the root is "". Inside is false when it leads out of the repository, also where
// it comes in again.
func (p FilePath) From(folder string) (name string, inside bool) {
	name = p.name
	if !p.Rooted {
		name = folder + "/" + name
	}
	depth := 0
	for segment := range strings.SplitSeq(name, "/") {
		switch segment {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return "", false
			}
		default:
			depth++
		}
	}
	return strings.TrimPrefix(path.Clean("/"+name), "/"), true
}

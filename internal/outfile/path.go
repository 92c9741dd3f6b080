package outfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Stream is a stream of the process that a path names.
type Stream int

// The streams. None is every other path.
const (
	None Stream = iota
	Stdout
	Stderr
)

// Dash is the path of the standard output.
const Dash = "-"

// streams are the names that Unix gives to them.
var streams = map[Stream][]string{
	Stdout: {Dash, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"},
	Stderr: {"/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"},
}

// StreamOf returns the stream that the path names, also by a link to one of its names.
func StreamOf(path string) Stream {
	path = follow(path)
	for stream, names := range streams {
		if slices.Contains(names, path) {
			return stream
		}
	}
	return None
}

// Same reports whether two paths lead to one place, also where there is no file yet. What
// keeps nothing, as /dev/null does, is as many places as there are paths.
func Same(a, b string) bool {
	a, b = follow(a), follow(b)
	if a == os.DevNull {
		return false
	}
	if stream := StreamOf(a); stream != None || StreamOf(b) != None {
		return stream == StreamOf(b)
	}
	if a == b {
		return true
	}
	ofA, errA := os.Stat(a)
	ofB, errB := os.Stat(b)
	if errA != nil || errB != nil {
		return canonical(a) == canonical(b)
	}
	return os.SameFile(ofA, ofB)
}

// canonical returns the path without links in its folders.
func canonical(path string) string {
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path
	}
	return filepath.Join(folder, filepath.Base(path))
}

// maxLinks is how many links are followed, one after the other, as Linux does.
const maxLinks = 40

// follow returns where the links that path names lead, which need not be there. It stops
// at a name of a stream, and at an open file of a process: that is not to be replaced, since
// the process would go on with the old one.
func follow(path string) string {
	for range maxLinks {
		if held(path) {
			return path
		}
		to, err := os.Readlink(path)
		if err != nil {
			return path
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(canonical(path)), to)
		}
		path = to
	}
	return path
}

// held reports whether the path is that of a stream or of an open file of a process.
func held(path string) bool {
	return path == Dash || strings.HasPrefix(path, "/dev/std") || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/")
}

// special reports whether a place is to be written through.
func special(place string, info fs.FileInfo) bool {
	return held(place) || !info.Mode().IsRegular()
}

package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"port-bitbucket-exporter/internal/outfile"
	"port-bitbucket-exporter/internal/platform"
)

// testReports is where Bitbucket Pipelines looks for test reports; empty elsewhere.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/test-reporting-in-pipelines/, read 2026-11.
func testReports(getenv func(string) string) string {
	root := platform.Root(getenv)
	if root == "" || !platform.Pipelines(getenv) {
		return ""
	}
	return filepath.Join(root, "test-reports")
}

// checkFile returns why a file that an input names cannot be written, and what to do about
// it; both are empty when it can.
func (w world) checkFile(name string) (why, fix string) {
	if outfile.StreamOf(w.outPath(name)) != outfile.None {
		return "", ""
	}
	if folder := testReports(w.getenv); folder != "" && filepath.Dir(name) == folder {
		_ = os.MkdirAll(folder, 0o755) // nothing else makes it; the check reports what is wrong
	}
	var problem *outfile.Error
	switch err := outfile.Check(w.outPath(name)); {
	case err == nil:
		return "", ""
	case errors.As(err, &problem):
		return fmt.Sprintf("%q %s", name, problem.Why), problem.Fix
	default:
		return err.Error(), "name another file"
	}
}

// sameFile reports whether two inputs name one file to write.
func (w world) sameFile(a, b string) bool { return outfile.Same(w.outPath(a), w.outPath(b)) }

// writeFile writes a file that an input names, or to the stream that it names. CI systems
// look for commands in the streams: there escape writes what would be one.
func (w world) writeFile(name string, text []byte, escape func(rune) string) error {
	path, stream := w.outPath(name), w.Stdout
	switch outfile.StreamOf(path) {
	case outfile.None:
		return outfile.Write(path, text)
	case outfile.Stderr:
		stream = w.Stderr
	}
	_, err := io.WriteString(stream, platform.Inert(string(text), escape))
	return err
}

// outPath returns the path of a file to write. A separator at its end stays, since it says
// that a folder is meant.
func (w world) outPath(name string) string {
	if name == outfile.Dash {
		return name
	}
	path := w.path(name)
	if last := name[len(name)-1]; os.IsPathSeparator(last) && path != name {
		path += string(last)
	}
	return path
}

// printed reports whether a form of the report goes to the standard output.
func (s *session) printed() bool {
	for _, name := range s.config.Files {
		if outfile.StreamOf(s.outPath(name)) == outfile.Stdout {
			return true
		}
	}
	return false
}

// diversion is a writer that can be turned to another stream. It may be used from several
// goroutines, as far as the streams may.
type diversion struct{ stream atomic.Pointer[io.Writer] }

func (d *diversion) Write(p []byte) (int, error) { return (*d.stream.Load()).Write(p) }

// to sends what is printed from now on to another stream.
func (d *diversion) to(w io.Writer) { d.stream.Store(&w) }

package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Process is the world that the program runs in.
type Process struct {
	Args           []string  // without the program's name
	Environ        []string  // "NAME=value"
	Stdin          io.Reader // nil holds nothing
	Stdout, Stderr io.Writer
	// StdoutTerminal and StderrTerminal say that somebody sits there.
	StdoutTerminal, StderrTerminal bool
	Dir                            string            // relative paths start here; empty is the working directory
	Transport                      http.RoundTripper // for both services; nil means the network
	Cgroup                         fs.FS             // of the process's control group, or nil to leave its memory limit alone
}

// world is a Process whose environment can be looked up, and whose files can be read.
type world struct {
	Process
	environment map[string]string
}

func newWorld(p Process) world {
	w := world{p, map[string]string{}}
	for _, pair := range p.Environ {
		name, value, _ := strings.Cut(pair, "=")
		w.environment[name] = value
	}
	return w
}

func (w world) getenv(name string) string { return w.environment[name] }

func (w world) lookup(name string) (string, bool) {
	value, ok := w.environment[name]
	return value, ok
}

func (w world) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(w.Dir, name)
}

// maxInput bounds what is read of a file that an input names, in bytes: far more than any
// mapping or certificate has, and little enough to hold.
const maxInput = 1 << 20

// readFile returns the text of a file, of a longer one the first maxInput bytes and one
// more. It need not be a regular file.
func (w world) readFile(name string) (text []byte, err error) {
	f, err := os.Open(w.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: w.path(name), Err: errors.New("is a directory: name a file in it")}
	}
	return io.ReadAll(io.LimitReader(f, maxInput+1))
}

// readStdin is readFile for the standard input.
func (w world) readStdin() ([]byte, error) {
	if w.Stdin == nil {
		return nil, nil
	}
	return io.ReadAll(io.LimitReader(w.Stdin, maxInput+1))
}

// readInput is readFile for a value of which a part is useless.
func (w world) readInput(name string) ([]byte, error) {
	text, err := w.readFile(name)
	if len(text) > maxInput {
		err = &fs.PathError{Op: "read", Path: w.path(name), Err: fmt.Errorf("holds more than %d bytes, which no input does", maxInput)}
	}
	return text, err
}

package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxInput bounds what is read of a file that an input names, in bytes.
const maxInput = 1 << 20

// readFile gives the text of a file, of a longer one the first maxInput bytes and one
// more. It need not be a regular file.
func (a *app) readFile(name string) (text []byte, err error) {
	f, err := os.Open(a.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: a.path(name), Err: errors.New("is a directory: name a file in it")}
	}
	return io.ReadAll(io.LimitReader(f, maxInput+1))
}

// readInput is readFile for a value of which no part will do.
func (a *app) readInput(name string) ([]byte, error) {
	text, err := a.readFile(name)
	if len(text) > maxInput {
		err = &fs.PathError{Op: "read", Path: a.path(name), Err: fmt.Errorf("holds more than %d bytes, which no input does", maxInput)}
	}
	return text, err
}

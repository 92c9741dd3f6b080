// Package outfile writes the files that the inputs name. A path may also lead to what is
// no file of its own: a link, a named pipe, a device, a stream of the process. These are
// written through, and never replaced.
package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// mode is that of new files: a container runs as root, and the files that it leaves
	// are read by another user.
	mode fs.FileMode = 0o644
	// pipePatience is for how long a named pipe may have no reader, or one that does not read.
	pipePatience = 10 * time.Second
	pipePause    = 20 * time.Millisecond
)

// Error says why a file cannot be written, and what to do about it.
type Error struct {
	Path string
	Why  string
	Fix  string
	err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%q %s", e.Path, e.Why) }

func (e *Error) Unwrap() error { return e.err }

// Check finds out whether the file can be written, without changing it. It makes an empty
// file in its folder and removes it again, since nothing else shows on every file system
// whether that is possible. The error is an *Error.
func Check(path string) error {
	place := follow(path)
	info, err := os.Stat(place)
	switch {
	case err == nil && info.IsDir() || os.IsPathSeparator(path[len(path)-1]):
		return &Error{path, "is a folder", fmt.Sprintf("name a file in it, such as %q", filepath.Join(path, "report")), syscall.EISDIR}
	case err == nil && special(place, info):
		return nil // a reader of a named pipe may still come
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return failure(path, err)
	}
	temp, err := beside(place)
	if err == nil {
		return failure(path, errors.Join(temp.Close(), os.Remove(temp.Name())))
	}
	if info == nil {
		return failure(path, err)
	}
	file, err := os.OpenFile(place, os.O_WRONLY, 0)
	if err != nil {
		return failure(path, err)
	}
	return failure(path, file.Close())
}

// Write makes text the content of the file. A regular file is replaced at once, so that
// no reader and no kill ever meets half of it, and keeps its mode; where the folder does
// not allow that, as when the file is mounted alone, it is written in place. The error is
// an *Error.
func Write(path string, text []byte) error {
	place := follow(path)
	info, err := os.Stat(place)
	switch {
	case err == nil && special(place, info):
		return failure(path, writeThrough(place, info, text))
	case err == nil && os.Geteuid() == 0 && info.Mode().Perm()&0o004 == 0:
		return failure(path, writeInPlace(place, text)) // a new one would be root's alone
	}
	replaced := replace(place, info, text)
	if replaced != nil && info != nil && writeInPlace(place, text) == nil {
		return nil
	}
	return failure(path, replaced)
}

// replace writes a file beside the one that is to be, and gives it its name. Info is nil
// when there is none yet.
func replace(place string, info fs.FileInfo, text []byte) error {
	temp, err := beside(place)
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // gone already when all went well
	perm := mode
	if info != nil {
		perm = info.Mode().Perm()
	}
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Chmod(perm), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), place)
}

func writeInPlace(place string, text []byte) error {
	file, err := os.OpenFile(place, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

// writeThrough hands text to what is not a regular file, or belongs to a process that has it
// open. A named pipe without a reader cannot be opened: its reader may be late.
func writeThrough(place string, info fs.FileInfo, text []byte) error {
	flags := os.O_WRONLY | os.O_APPEND
	if info.Mode()&fs.ModeNamedPipe != 0 {
		flags |= syscall.O_NONBLOCK
	}
	file, err := os.OpenFile(place, flags, 0)
	for waited := time.Duration(0); errors.Is(err, syscall.ENXIO) && waited < pipePatience; waited += pipePause {
		time.Sleep(pipePause)
		file, err = os.OpenFile(place, flags, 0)
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeNamedPipe != 0 {
		_ = file.SetWriteDeadline(time.Now().Add(pipePatience)) // where the system has none, it waits
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

func beside(place string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(place), ".report-*")
}

// failure returns the error as an *Error, or nil.
func failure(path string, err error) error {
	if err == nil {
		return nil
	}
	folder := filepath.Dir(follow(path))
	cause := err
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		cause = pathErr.Err
	}
	e := &Error{Path: path, Why: "cannot be written: " + cause.Error(), Fix: "name a file that this program may write", err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Why = fmt.Sprintf("cannot be written: there is no folder %q", folder)
		e.Fix = "make the folder first, or name a file in a folder that is there; a container sees only folders that are mounted into it"
	case errors.Is(err, fs.ErrPermission):
		e.Fix = fmt.Sprintf("name a file that the user of this program (uid %d) may write", os.Geteuid())
	case errors.Is(err, syscall.ENOTDIR):
		e.Why = fmt.Sprintf("cannot be written: %q is not a folder", folder)
	case errors.Is(err, syscall.ENXIO), errors.Is(err, os.ErrDeadlineExceeded):
		e.Why = "is a named pipe that no program reads"
		e.Fix = "start what reads it first, as with: cat PIPE &"
	}
	return e
}

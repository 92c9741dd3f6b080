package state

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gofrs/flock"
)

// The files of a folder. Others in it are left alone.
const (
	manifestName = "manifest"
	lockName     = "lock"
	segmentEnd   = ".segment" // a file that manifests name
	draftEnd     = ".draft"   // a file that is not complete yet
)

// ours are the names of files that a run may remove when no manifest names them.
var ours = regexp.MustCompile(`^[a-z2-7]{26}\.(segment|draft)$`)

// folder is where the files are. It calls step before each operation on a file, which fails
// with the error of step. Links in it lead nowhere outside.
type folder struct {
	root *os.Root
	path string
	step func(does string) error
	lock *flock.Flock
}

// makeFolder makes the folder, and its parents, where they are not there. Everybody may remove
// them, and what will be in them: a container that runs as root leaves them to a step that
// does not.
func makeFolder(path string) error {
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%q is a file, not a folder", path)
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if parent := filepath.Dir(path); parent != path {
		if err := makeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	_ = os.Chmod(path, 0o777) // past the umask; not every file system has modes
	return nil
}

func openFolder(path string, step func(string) error) (*folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &folder{root: root, path: path, step: step}, nil
}

func (f *folder) close() error {
	if f.lock != nil {
		return errors.Join(f.lock.Close(), f.root.Close())
	}
	return f.root.Close()
}

// take locks the folder for this run, until close or the end of the process. It reports
// false when another run has it.
func (f *folder) take() (bool, error) {
	if err := f.step("lock"); err != nil {
		return false, err
	}
	if file, err := f.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666); err == nil {
		_ = file.Chmod(0o666)
		file.Close()
	}
	info, err := f.root.Lstat(lockName)
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s in it is not a file: remove it", lockName)
	}
	f.lock = flock.New(filepath.Join(f.path, lockName), flock.SetPermissions(0o666))
	return f.lock.TryLock()
}

// create makes a file that is renamed when it is complete.
func (f *folder) create() (*os.File, string, error) {
	draft := strings.ToLower(rand.Text()) + draftEnd
	if err := f.step("create " + draft); err != nil {
		return nil, "", err
	}
	file, err := f.root.OpenFile(draft, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, "", err
	}
	_ = file.Chmod(0o666)
	return file, draft, nil
}

// cut makes a draft as short as what is in use of it.
func (f *folder) cut(draft string, used int64) error {
	info, err := f.root.Stat(draft)
	if err != nil || info.Size() <= used {
		return err
	}
	file, err := f.root.OpenFile(draft, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Truncate(used), file.Close())
}

// publish gives a complete draft its name, whatever had it before.
func (f *folder) publish(draft, name string) error {
	if err := f.step("rename " + name); err != nil {
		return err
	}
	return f.root.Rename(draft, name)
}

// open opens a file for reading. It waits for nothing: only a regular file is opened. The
// error is fs.ErrNotExist where there is none.
func (f *folder) open(name string) (*os.File, int64, error) {
	if err := f.step("read " + name); err != nil {
		return nil, 0, err
	}
	info, err := f.root.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a file", name)
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// write replaces a small file.
func (f *folder) write(name string, text []byte) error {
	file, draft, err := f.create()
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err == nil {
		err = f.publish(draft, name)
	}
	if err != nil {
		f.remove([]string{draft})
	}
	return err
}

// remove removes files. What it cannot remove, a sweep tries again.
func (f *folder) remove(names []string) {
	for _, name := range names {
		if f.step("remove "+name) == nil {
			_ = f.root.Remove(name)
		}
	}
}

// sweep removes what runs have left, and keeps files that a manifest names.
func (f *folder) sweep(keep map[string]bool) {
	all, _ := fs.ReadDir(f.root.FS(), ".")
	for _, entry := range all {
		if name := entry.Name(); ours.MatchString(name) && !keep[name] {
			f.remove([]string{name})
		}
	}
}

package outfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

func put(t *testing.T, path, text string, perm fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), perm), os.Chmod(path, perm)); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// holds compares a file with what is to be in it.
func holds(t *testing.T, path, want string, perm fs.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != perm {
		t.Errorf("%s: got %v, %v, want the mode %v", path, info.Mode(), err, perm)
	}
}

// alone wants no file in a folder beside the named ones.
func alone(t *testing.T, folder string, names ...string) {
	t.Helper()
	var got []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("%s: got the files %q, want %q", folder, got, names)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	put(t, at("script"), "old and longer", 0o755)
	put(t, at("closed"), "old and longer", 0o600)
	for _, name := range []string{"new", "script", "closed"} {
		if err := errors.Join(Check(at(name)), Write(at(name), []byte("text"))); err != nil {
			t.Error(err)
		}
	}
	holds(t, at("new"), "text", 0o644)
	holds(t, at("script"), "text", 0o755)
	holds(t, at("closed"), "text", 0o600)
	alone(t, folder, "closed", "new", "script")
}

// Whoever has the file open reads all of the old one.
func TestWriteReplaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "report")
	put(t, path, "old", 0o644)
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := Write(path, []byte("new text")); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(reader); err != nil || string(got) != "old" {
		t.Errorf("got %q, %v, want what was there when the file was opened", got, err)
	}
	holds(t, path, "new text", 0o644)
}

// Links stay what they are, and what they lead to is written.
func TestWriteFollowsLinks(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	if err := os.MkdirAll(at("a/b"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, at("target"), "old", 0o640)
	link(t, "target", at("relative"))
	link(t, at("relative"), at("twice"))
	link(t, "nowhere", at("dangling"))
	link(t, "a/b", at("folder"))
	link(t, "../sibling", at("a/b/up")) // a/sibling, also by the name folder/up
	for name, target := range map[string]string{"twice": "target", "dangling": "nowhere", "folder/up": "a/sibling"} {
		if err := errors.Join(Check(at(name)), Write(at(name), []byte("by "+name))); err != nil {
			t.Error(err)
		}
		if info, err := os.Lstat(at(name)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s: got %v, %v, want the link", name, info, err)
		}
		perm := fs.FileMode(0o644)
		if target == "target" {
			perm = 0o640
		}
		holds(t, at(target), "by "+name, perm)
	}
	alone(t, folder, "a", "dangling", "folder", "nowhere", "relative", "target", "twice")
	link(t, "round", at("round"))
	if err := Check(at("round")); err == nil {
		t.Error("a link to itself can be written")
	}
}

func TestDevices(t *testing.T) {
	t.Parallel()
	if err := errors.Join(Check(os.DevNull), Write(os.DevNull, []byte("text"))); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode()&fs.ModeDevice == 0 {
		t.Fatalf("%s: got %v, %v, want the device", os.DevNull, info, err)
	}
	if err := Write("/dev/full", []byte("text")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want that there is no space", err)
	}
}

func TestNamedPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", 1<<20) // more than a pipe holds
	written := make(chan error)
	go func() { written <- errors.Join(Check(path), Write(path, []byte(text))) }()
	got, err := os.ReadFile(path)
	if err := errors.Join(err, <-written); err != nil || string(got) != text {
		t.Errorf("got %d bytes, %v, want %d", len(got), err, len(text))
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Errorf("got %v, %v, want the pipe", info, err)
	}
}

// Nobody reads: the run ends all the same.
func TestNamedPipeWithoutReader(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		if err := Write(path, []byte("text")); !errors.Is(err, syscall.ENXIO) || !strings.Contains(err.Error(), "no program reads") {
			t.Errorf("got %v, want that no program reads the pipe", err)
		}
	})
}

// An open file of a process is written where it is, also by the name that the process has
// for it: the process goes on with it.
func TestOpenFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	name := "/proc/self/fd/" + strconv.Itoa(int(file.Fd()))
	if err := errors.Join(Check(name), Write(name, []byte("text"))); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(file); err != nil || string(got) != "text" {
		t.Errorf("got %q, %v, want the text in the file that is open", got, err)
	}
}

// What is wrong is known before anything is written, and nothing is left behind.
func TestCheck(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	put(t, at("file"), "", 0o644)
	tests := []struct{ path, why, fix string }{
		{at("none/report"), `there is no folder "` + at("none") + `"`, "make the folder first"},
		{at("file/report"), `"` + at("file") + `" is not a folder`, "name a file"},
		{folder, "is a folder", `such as "` + at("report") + `"`},
		{at("new") + "/", "is a folder", `such as "` + at("new/report") + `"`},
		{at("file\x00"), "invalid argument", "name a file"},
	}
	for _, tt := range tests {
		err := Check(tt.path)
		e, ok := errors.AsType[*Error](err)
		if !ok || !strings.Contains(err.Error(), tt.why) || !strings.Contains(e.Fix, tt.fix) {
			t.Errorf("%s: got %v, %+v, want %q and %q", tt.path, err, e, tt.why, tt.fix)
		}
	}
	alone(t, folder, "file")
}

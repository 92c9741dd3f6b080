package outfile

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// asAnother does something with the rights of a user who owns nothing.
func asAnother(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with its rights
		if err := syscall.Setfsuid(65534); err != nil {
			t.Error(err)
		}
		do()
	}()
	<-done
}

func TestRights(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can give up rights")
	}
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	put(t, at("open"), "old and longer", 0o666)
	put(t, at("closed"), "old", 0o644)
	if err := errors.Join(os.Chmod(folder, 0o755), os.Chmod(filepath.Dir(folder), 0o755)); err != nil {
		t.Fatal(err)
	}
	asAnother(t, func() {
		for _, name := range []string{"new", "closed"} {
			for _, err := range []error{Check(at(name)), Write(at(name), []byte("text"))} {
				if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(e.Fix, "uid 0") {
					t.Errorf("%s: got %v, want that there is no right to write", name, err)
				}
			}
		}
		// The folder allows no new file, and the file itself can be written.
		if err := errors.Join(Check(at("open")), Write(at("open"), []byte("text"))); err != nil {
			t.Error(err)
		}
	})
	holds(t, at("open"), "text", 0o666)
	holds(t, at("closed"), "old", 0o644)
	alone(t, folder, "closed", "open")
}

// A container runs as root: a file that only its owner may read stays the owner's.
func TestOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can give files away")
	}
	path := filepath.Join(t.TempDir(), "report")
	put(t, path, "old", 0o600)
	if err := errors.Join(os.Chown(path, 65534, 65534), Write(path, []byte("text"))); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != 65534 {
		t.Errorf("got %+v, want the owner that it had", info.Sys())
	}
	holds(t, path, "text", 0o600)
}

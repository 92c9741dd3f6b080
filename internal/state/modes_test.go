//go:build unix

package state_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"port-bitbucket-exporter/internal/state"
)

// Everybody may read and remove what a run leaves, whatever its umask is: often it is root in
// a container, and the next step is not. This test is not parallel: it sets the umask.
func TestModes(t *testing.T) {
	above := t.TempDir()
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	c := config(filepath.Join(above, "made", "also made"))
	run(t, c, func(s *state.Store) { put(s, state.Text, 0, 100) })
	seen := 0
	err := filepath.WalkDir(filepath.Join(above, "made"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen++
		want := fs.FileMode(0o666)
		if d.IsDir() {
			want = 0o777
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s: got mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || seen < 2+3 {
		t.Errorf("%d files and folders: %v", seen, err)
	}
}

// What is planted in place of a file is not followed, waited for or written to.
func TestPlanted(t *testing.T) {
	skipShort(t)
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("untouched"), 0o666); err != nil {
		t.Fatal(err)
	}
	plants := map[string]func(string) error{
		"link":    func(name string) error { return os.Symlink(outside, name) },
		"nowhere": func(name string) error { return os.Symlink(outside+"2", name) },
		"pipe":    func(name string) error { return syscall.Mkfifo(name, 0o666) },
		"folder":  func(name string) error { return os.MkdirAll(filepath.Join(name, "x"), 0o777) },
	}
	for what, plant := range plants {
		for _, place := range []string{"manifest", "lock", "*.segment"} {
			c := config(t.TempDir())
			run(t, c, func(s *state.Store) { put(s, state.Text, 0, 10) })
			names, err := filepath.Glob(filepath.Join(c.Folder, place))
			if err != nil || len(names) != 1 {
				t.Fatal(names, err)
			}
			if err := os.Remove(names[0]); err != nil {
				t.Fatal(err)
			}
			if err := plant(names[0]); err != nil {
				t.Fatal(err)
			}
			s, why := state.Open(c)
			if known := has(s, state.Text, 0, 10); (known == 10) != (why == "") || (known == 10) != (place == "lock") {
				t.Errorf("a %s as %s: got %d values, %q", what, place, known, why)
			}
			put(s, state.Page, 0, 100)
			if err := s.Close(); (err != nil) != (place == "lock" || what == "folder" && place == "manifest") {
				t.Errorf("a %s as %s: Close returns %v", what, place, err)
			}
			if text, err := os.ReadFile(outside); err != nil || string(text) != "untouched" {
				t.Fatalf("a %s as %s: what is outside is %q, %v", what, place, text, err)
			}
			if _, err := os.Stat(outside + "2"); err == nil {
				t.Fatalf("a %s as %s: a file is made outside", what, place)
			}
		}
	}
}

package outfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStreamOf(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	link(t, "/dev/stdout", at("out"))
	link(t, "out", at("again"))
	link(t, "/proc/self/fd/2", at("err"))
	for path, want := range map[string]Stream{
		"-": Stdout, "/dev/stdout": Stdout, "/dev/fd/1": Stdout, "/proc/self/fd/1": Stdout, at("again"): Stdout,
		"/dev/stderr": Stderr, at("err"): Stderr, "/dev/fd/3": None, at("none"): None, os.DevNull: None, at("-"): None,
	} {
		if got := StreamOf(path); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	if err := os.Mkdir(at("sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, at("file"), "", 0o644)
	if err := os.Link(at("file"), at("hard")); err != nil {
		t.Fatal(err)
	}
	link(t, "sub", at("folder"))
	link(t, "sub/new", at("dangling"))
	link(t, "/dev/stdout", at("out"))
	tests := []struct {
		a, b string
		want bool
	}{
		{at("new"), at("new"), true},
		{at("new"), at("other"), false},
		{at("new"), at("sub/../new"), true},
		{at("sub/new"), at("folder/new"), true},
		{at("sub/new"), at("dangling"), true},
		{at("file"), at("hard"), true},
		{at("file"), at("new"), false},
		{"-", "/dev/stdout", true},
		{at("out"), "-", true},
		{"/dev/stderr", "-", false},
		{"-", at("-"), false},
		{os.DevNull, os.DevNull, false},
	}
	for _, tt := range tests {
		if got := Same(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s: got %t, want %t", tt.a, tt.b, got, tt.want)
		}
		if got := Same(tt.b, tt.a); got != tt.want {
			t.Errorf("%s and %s: got %t, want %t", tt.b, tt.a, got, tt.want)
		}
	}
}

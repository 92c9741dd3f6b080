package app_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/app"
)

// validateFiles is what validate prints about files in a folder of their own.
func validateFiles(t *testing.T, files map[string]string, args ...string) (status int, stdout string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	status = app.Main(context.Background(), app.Process{Args: append([]string{"validate"}, args...), Dir: dir, Stdout: &out, Stderr: &errs})
	return status, out.String()
}

// What a pattern takes is what a person would name by hand: hidden files too, but not what git
// keeps for itself, and no folder.
func TestValidatePatterns(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for _, name := range []string{"a.yml", "b.yaml", ".github/c.yml", "x/d.yml", "x/y/z/e.yml", ".git/f.yml", "x/.git/g.yml", "x/folder.yml/h.txt", "é ü/i.yml"} {
		files[name] = repositories
	}
	for pattern, want := range map[string]int{
		"*.yml": 1, "**/*.yml": 5, "*.{yml,yaml}": 2, "x/**/*.yml": 2, "./x/*.yml": 1, "[ab].y*ml": 2, "../**/d.yml": 1, "x/y/z/*": 1, "é*/*.yml": 1,
		"x/../*.yml": 1, "X/*.yml": 0,
	} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			status, stdout := validateFiles(t, files, "a.yml", "b.yaml", pattern)
			checked := 2 // beside what the pattern finds
			switch pattern {
			case "*.yml", "[ab].y*ml", "*.{yml,yaml}", "x/../*.yml":
				checked -= want // the same files
			case "**/*.yml":
				checked--
			}
			wanted := fmt.Sprintf("success: no problem in %d files\n", checked+want)
			if want == 0 {
				wanted = "failed: 1 error in 2 files\n"
			}
			if !strings.HasSuffix(stdout, wanted) || (status == 0) != (want > 0) {
				t.Errorf("status %d, want %q:\n%s", status, wanted, stdout)
			}
		})
	}
}

// So many files are a mistake, such as a pattern from the root, and told as one.
func TestValidateTooMany(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 1001 {
		files[fmt.Sprintf("%d.yml", i)] = "resources: []"
	}
	status, stdout := validateFiles(t, files, "*.yml")
	if status != 2 || !strings.Contains(stdout, "1001 files are named, of which the first 1000 are checked") || !strings.HasSuffix(stdout, "failed: 1001 errors in 1000 files\n") {
		t.Errorf("status %d: …%s", status, stdout[max(0, len(stdout)-300):])
	}
}

// A folder that cannot be looked into is told, since a mapping in it is not checked.
func TestValidateClosedFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o000); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadDir(closed); err == nil {
		t.Skip("SKIPPED: whoever runs this may look into every folder")
	}
	var out, errs bytes.Buffer
	status := app.Main(context.Background(), app.Process{Args: []string{"validate", "**/*.yml"}, Dir: dir, Stdout: &out, Stderr: &errs})
	if status != 2 || !strings.Contains(out.String(), "permission denied") {
		t.Errorf("status %d:\n%s", status, out.String())
	}
}

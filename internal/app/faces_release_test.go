package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newest returns the version of the newest entry of the changelog, without v.
func newest(t *testing.T) string {
	t.Helper()
	entry := regexp.MustCompile(`(?m)^## (\S+)`).FindStringSubmatch(readRoot(t, "CHANGELOG.md"))
	if entry == nil || !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(entry[1]) {
		t.Fatalf("CHANGELOG.md: the newest entry has no version as its heading: %q", entry)
	}
	return entry[1]
}

// What people paste names the version that the changelog ends with: a tag makes it true.
func TestOneVersion(t *testing.T) {
	t.Parallel()
	want := newest(t)
	named := regexp.MustCompile(`port-bitbucket-exporter(?:@v|:|/v|/tree/v|/blob/v)(\d+\.\d+\.\d+)|--branch v(\d+\.\d+\.\d+)`)
	count := 0
	look := func(name string) {
		for _, found := range named.FindAllStringSubmatch(readRoot(t, name), -1) {
			count++
			if got := found[1] + found[2]; got != want {
				t.Errorf("%s: got %q, want version %s, that of the newest entry of CHANGELOG.md", name, found[0], want)
			}
		}
	}
	for _, name := range []string{"README.md", "action.yml", "pipe.yml", "Dockerfile"} {
		look(name)
	}
	err := fs.WalkDir(os.DirFS(root), "examples", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			look(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 10 {
		t.Errorf("got %d places that name a version, want at least 10: is the pattern wrong?", count)
	}
}

// Workflows of this repository run no action that can change behind its name, take no right that
// no step needs, and build with the Go of the image.
func TestWorkflowsArePinned(t *testing.T) {
	t.Parallel()
	_, goVersion, _ := strings.Cut(readRoot(t, "Dockerfile"), "FROM golang:")
	goVersion, _, _ = strings.Cut(goVersion, " ")
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("got %d workflows, %v", len(files), err)
	}
	uses, pinned := regexp.MustCompile(`uses: .*`), regexp.MustCompile(`^uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	builds := regexp.MustCompile(`go-version: (\S+)`)
	for _, file := range files {
		name := ".github/workflows/" + filepath.Base(file)
		text := readRoot(t, name)
		for _, line := range uses.FindAllString(text, -1) {
			if !pinned.MatchString(line) {
				t.Errorf("%s: %q is not pinned by its hash, with the version behind it", name, line)
			}
		}
		for _, found := range builds.FindAllStringSubmatch(text, -1) {
			if found[1] != goVersion {
				t.Errorf("%s: builds with Go %s, the Dockerfile with %s", name, found[1], goVersion)
			}
		}
		if !strings.Contains(text, "\npermissions: {}\n") && !strings.Contains(text, "\npermissions:\n  contents: read\n\n") {
			t.Errorf("%s: has more rights than to read, for all its jobs", name)
		}
	}
}

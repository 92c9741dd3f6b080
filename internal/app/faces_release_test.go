package app_test

import (
	"io/fs"
	"os"
	"regexp"
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

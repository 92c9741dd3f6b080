package internal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// torn is where a sentence lacks what it was about to name: "for ;", "is read: ;".
var torn = regexp.MustCompile(`\b(?:for|of|from|named|write|before|behind) (?:[;,:)]|$)|[:,] [;,)]|\S  \S|[(] *[)]$|\(once: *\)|first: *\)|(?:repository|file|folder|branch|project|resource|field|key) ""`)

// Every message in a golden file is whole.
func TestMessagesAreWhole(t *testing.T) {
	t.Parallel()
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(filepath.ToSlash(path), "/testdata/") || !slices.Contains([]string{".txt", ".lines"}, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for number, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(line, " ") { // a line of a mapping, or a table
				continue
			}
			if at := torn.FindString(line); at != "" {
				t.Errorf("%s:%d: a message lacks something at %q: %s", path, number+1, at, line)
			}
		}
		return nil
	})
	if err != nil || files < 150 {
		t.Errorf("%d golden files, want at least 150: %v", files, err)
	}
}

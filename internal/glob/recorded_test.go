package glob

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The matcher of Port's integration gave these answers. A pattern matches the same here, or
// is refused, or holds what examples/differences.md tells: braces, or a slash at an end.
func TestRecordedMatches(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "wcmatch.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Paths   []string
		Matches map[string][]string
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	same := 0
	for pattern, want := range recorded.Matches {
		p, err := Parse(pattern)
		if err != nil {
			continue
		}
		var got []string
		for _, path := range recorded.Paths {
			if p.Matches(path) {
				got = append(got, path)
			}
		}
		told := strings.ContainsAny(pattern, "{}") || strings.HasPrefix(pattern, "/") || strings.HasSuffix(pattern, "/")
		switch {
		case slices.Equal(got, want):
			same++
		case !told:
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
	if same < 100 {
		t.Errorf("got %d patterns that match the same, want 100 at least", same)
	}
}

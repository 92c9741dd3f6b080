package bitbuckettest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRecordedShapes compares the answers with recorded ones of the real service, when CONTRACT_RECORDED
// names the folder that holds them: the same keys, at every level.
func TestRecordedShapes(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("CONTRACT_RECORDED")
	if folder == "" {
		t.Skip("CONTRACT_RECORDED is not set")
	}
	s := small(t)
	s.AddBranch("checkout-api", "feature/BB-1")
	s.SetFile("checkout-api", "script.py", []byte("print()"))
	tests := []struct{ file, target string }{
		{"repository.json", "/repositories/acme/checkout-api"},
		{"pullrequests-page.json", "/repositories/acme/checkout-api/pullrequests?pagelen=50&sort=id&state=OPEN&state=MERGED"},
		{"branches-page.json", "/repositories/acme/checkout-api/refs/branches?pagelen=100&sort=-name"},
		{"branch-with-slash.json", "/repositories/acme/checkout-api/refs/branches/feature%2FBB-1"},
		{"src-file-meta.json", "/repositories/acme/checkout-api/src/main/script.py?format=meta"},
	}
	for _, tt := range tests {
		b, err := os.ReadFile(filepath.Join(folder, tt.file))
		if err != nil {
			t.Fatal(err)
		}
		var recorded any
		if err := json.Unmarshal(b, &recorded); err != nil {
			t.Fatal(err)
		}
		ours, real := keyPaths(call(t, s, tt.target).json), keyPaths(recorded)
		for _, p := range real {
			if !slices.Contains(ours, p) && !differs(p) {
				t.Errorf("%s: %s is not in our answer", tt.file, p)
			}
		}
		for _, p := range ours {
			if !slices.Contains(real, p) && !differs(p) {
				t.Errorf("%s: %s is not in the recorded answer", tt.file, p)
			}
		}
	}
}

// differs tells the paths that depend on the object: the recorded repository belongs to a person, the
// recorded commits have known authors and parents.
func differs(path string) bool {
	for _, p := range []string{"owner.", ".author.", ".parents.", ".closed_by.", ".merge_commit."} {
		if strings.Contains("."+path, p) {
			return true
		}
	}
	return false
}

// keyPaths is sorted and holds each path once; the elements of a list share theirs.
func keyPaths(v any) []string {
	var paths []string
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				paths = append(paths, prefix+k)
				walk(prefix+k+".", e)
			}
		case []any:
			for _, e := range v {
				walk(prefix, e)
			}
		}
	}
	walk("", v)
	slices.Sort(paths)
	return slices.Compact(paths)
}

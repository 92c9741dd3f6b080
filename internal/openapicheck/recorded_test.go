package openapicheck_test

import (
	"os"
	"path/filepath"
	"testing"
)

// recordedVariable names the folder of recorded answers of Bitbucket Cloud.
const recordedVariable = "CONTRACT_RECORDED"

func TestRecorded(t *testing.T) {
	t.Parallel()
	c := load(t)
	dir := os.Getenv(recordedVariable)
	if dir == "" {
		t.Skipf("%s is not set: it names the folder of recorded answers", recordedVariable)
	}
	const repository = "GET /repositories/acme/test-repos"
	tests := []struct{ file, request string }{
		{"repository.json", repository},
		{"pullrequests-page.json", repository + "/pullrequests?pagelen=50"},
		{"branches-page.json", repository + "/refs/branches?pagelen=100"},
		{"branch-with-slash.json", repository + "/refs/branches/feature%2FBB-1"},
		{"src-file-meta.json", repository + "/src/fb522a6f08c7c7df337312e4e65ec1b57710672e/script.bat?format=meta"},
		{"commit.json", repository + "/commit/174561d625c9"},
	}
	for _, tt := range tests {
		body, err := os.ReadFile(filepath.Join(dir, tt.file))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Bitbucket(exchange(t, tt.request, "", 200, string(body))); err != nil {
			t.Errorf("%s: %v", tt.file, err)
		}
	}
	if got := c.Checked(); got != len(tests) {
		t.Errorf("got %d exchanges checked, want %d", got, len(tests))
	}
}

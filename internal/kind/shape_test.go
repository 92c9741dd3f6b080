package kind_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/shape"
)

// The fields of real objects are known.
func TestFieldsOfObjects(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"project", "repository", "pull-request"} {
		text, err := os.ReadFile(filepath.Join("..", "transform", "testdata", name, "object.json"))
		if err != nil {
			t.Fatal(err)
		}
		var o any
		if err := json.Unmarshal(text, &o); err != nil {
			t.Fatal(err)
		}
		var check func(path shape.Path, v any)
		check = func(path shape.Path, v any) {
			if at, _ := kind.Objects(name).Object.DeadEnd(path); at >= 0 {
				t.Errorf("%s: %s is not known", name, path)
				return
			}
			switch v := v.(type) {
			case map[string]any:
				for key, inner := range v {
					check(append(slices.Clone(path), shape.Step{Key: key}), inner)
				}
			case []any:
				for _, inner := range v {
					check(append(slices.Clone(path), shape.Step{Member: true}), inner)
				}
			}
		}
		check(nil, o)
	}
}

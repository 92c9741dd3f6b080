package app_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

func TestMaxFileSize(t *testing.T) {
	t.Parallel()
	const mapping = `resources:
  - kind: repository
    selector:
      query: "true"
      includedFiles: [README.md]
    port:
      entity:
        mappings:
          identifier: .slug
          blueprint: '"bitbucketRepository"'
          properties:
            readme: .__includedFiles["README.md"] | if . == null then null else length | tostring end
`
	for size, want := range map[string]any{"999": nil, "1KB": "1000"} {
		t.Run(size, func(t *testing.T) {
			t.Parallel()
			b := bitbuckettest.New("acme")
			b.AddRepository(bitbuckettest.Repository{Name: "checkout", Files: map[string]string{"README.md": strings.Repeat("x", 1000)}})
			w := newWorld(t, b)
			w.addBlueprints()
			r := w.run(map[string]string{"MAX_FILE_SIZE": size, "MAPPING": mapping})
			if got := w.port.Catalog()["bitbucketRepository"]["checkout"].Properties["readme"]; got != want {
				t.Errorf("readme: got %v, want %v", got, want)
			}
			if told := strings.Contains(r.stdout, "max_file_size"); told != (want == nil) {
				t.Errorf("max_file_size is named: got %v, want %v:\n%s%s", told, want == nil, r.stdout, r.stderr)
			}
		})
	}
}

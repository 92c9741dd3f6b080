package resync_test

import (
	"fmt"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/report"
)

// Each kind of the registry reads the sample workspace by its example, and its identifier
// tells all its objects apart.
func TestEveryKind(t *testing.T) {
	for _, k := range kind.All() {
		t.Run(k.Name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				selector := `query: "true"`
				if k.Example != "" {
					selector += ", " + k.Example
				}
				b := bitbuckettest.Sample()
				b.SetFile("checkout-api", "services/cart/package.json", []byte("{}"))
				b.SetFile("checkout-api", ".claude/skills/release/SKILL.md", []byte("# Steps\n"))
				w := newWorld(t, b)
				r := w.sync(mapped(fmt.Sprintf(`
- kind: %s
  selector: {%s}
  port: {entity: {mappings: {identifier: '%s', title: '"x"', blueprint: '"service"'}}}`, k.Name, selector, k.Objects.Identifier))).ended(report.Success)
				if n := r.counts.Extracted; n == 0 || r.counts.Created != n || len(r.after["service"]) != n {
					t.Errorf("got %d objects, %d created and %d entities, want as many of each, and some", n, r.counts.Created, len(r.after["service"]))
				}
			})
		})
	}
}

package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// An identifier that changes makes new entities. The old ones go when confirm_renames
// says so, in a plan as in a sync.
func TestConfirmRenames(t *testing.T) {
	t.Parallel()
	b := smallBitbucket()
	for i := range 12 {
		b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("more-%d", i), ProjectKey: "PAY"})
	}
	w := newWorld(t, b)
	w.addBlueprints()
	first := `
entityDeletionThreshold: 1
resources:
  - kind: repository
    selector: {query: 'true'}
    port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"bitbucketRepository"'}}}`
	second := strings.Replace(first, "identifier: .slug", `identifier: '"x-" + .slug'`, 1)
	w.run(map[string]string{"MAPPING": first}).check(t, 0, "success")
	w.port.Age(time.Minute)
	const held = "15 entities would be replaced by others of the same title or address"
	r := w.run(map[string]string{"MAPPING": second, "MODE": "plan"})
	r.check(t, 0, "success")
	r.contains(t, held)
	r.contains(t, "15 to create, 0 to update, 0 unchanged, 0 to delete, 15 stale kept")
	r = w.run(map[string]string{"MAPPING": second, "MODE": "plan", "CONFIRM_RENAMES": "true"})
	r.contains(t, "15 to create, 0 to update, 0 unchanged, 15 to delete")
	r = w.run(map[string]string{"MAPPING": second})
	r.check(t, 0, "success")
	r.contains(t, held)
	r.contains(t, "set the input confirm_renames to true")
	if !w.holds("bitbucketRepository", "ledger") || !w.holds("bitbucketRepository", "x-ledger") {
		t.Error("the entity, or its twin, is not there")
	}
}

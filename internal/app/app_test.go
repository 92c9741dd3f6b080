package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// The sample workspace has 6 projects, 120 repositories and 300 open pull requests.
// 14 repositories have names that are no identifiers; 29 pull requests are theirs.
// Files are read of every repository but the empty one; 64 pull requests of one
// repository are the only second page of 50.
func TestDefaultMapping(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bitbuckettest.Sample())
	const requests = 1 + 2 + (120 + 1) + 119
	first := w.run(nil)
	first.check(t, 0, "partial") // rejected entities alone
	counts := map[string]int{
		"objects_extracted": 426, "objects_filtered": 0, "objects_skipped": 0, "objects_failed": 0,
		"entities_created": 383, "entities_updated": 0, "entities_unchanged": 0, "entities_deleted": 0,
		"entities_rejected": 43, "entities_stale_kept": 0, "bitbucket_requests": requests,
	}
	compareCounts(t, first, counts)
	if got := w.bitbucket.Requests(); got != requests {
		t.Errorf("got %d requests to Bitbucket, want %d", got, requests)
	}
	if got := first.number(t, "port_requests"); got != w.port.Requests() {
		t.Errorf("got %d requests to Port in the report, want the %d that arrived", got, w.port.Requests())
	}

	var least int
	_, line, _ := strings.Cut(first.stderr, "forecast for ")
	if _, err := fmt.Sscanf(line, "120 repositories: about %d requests; 1 credential may make 1000 in 1h: no waiting", &least); err != nil || least != requests {
		t.Errorf("got forecast %q (%v), want %d requests: one more page, one empty repository", line, err, requests)
	}

	w.port.Age(time.Hour)
	w.port.ResetJournal()
	second := w.run(nil)
	counts["entities_created"], counts["entities_unchanged"] = 0, 383
	compareCounts(t, second, counts)
	if got := w.port.CatalogWrites(); len(got) > 0 {
		t.Errorf("a second run over an unchanged workspace wrote: %s %s", got[0].Method, got[0].Path)
	}
	w.checkClean()
}

func compareCounts(t *testing.T, r ran, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for name := range want {
		got[name] = r.number(t, name)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("counts (-got +want):\n%s", diff)
	}
}

// With CONTRACT_SPECS every exchange of these tests is checked against the vendors'
// documents, as it happens; here it is made sure that there are any.
func TestContract(t *testing.T) {
	t.Parallel()
	checker, err := specs()
	if err != nil {
		t.Fatal(err)
	}
	if checker == nil {
		t.Skip("CONTRACT_SPECS is not set")
	}
	w := newWorld(t, bitbuckettest.Sample())
	before := checker.Checked()
	w.run(nil)
	w.port.Age(time.Hour)
	w.bitbucket.RemoveRepository("sandbox")
	w.bitbucket.UpdateProject("PAY", func(p *bitbuckettest.Project) { p.Description = "changed" })
	w.run(nil)
	switch got := checker.Checked() - before; {
	case got == 0:
		t.Error("no exchange was checked")
	default:
		t.Logf("contract: %d exchanges of this test checked, %d in all so far", got, checker.Checked())
	}
}

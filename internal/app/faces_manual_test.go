package app_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// TestReadmeGitOps gives each port.yml of the manual a repository of its own, and runs
// the mapping that the manual shows beside them.
func TestReadmeGitOps(t *testing.T) {
	t.Parallel()
	b := bitbuckettest.New("acme")
	var mapping string
	repositories := 0
	for _, block := range blocks(readRoot(t, "examples/docs/mapping.md")) {
		if strings.Contains(block.text, "**/port.yml") {
			mapping = "resources:\n" + block.text
		}
		if block.language != "yaml" || !strings.Contains(block.text, "blueprint: service\n") {
			continue
		}
		repositories++
		b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%d", repositories), Files: map[string]string{
			"port.yml": block.text, "README.md": "# Checkout", "apps/web/README.md": "# Web"}})
	}
	w := newWorld(t, b)
	w.addBlueprints()
	var blueprints []json.RawMessage
	if err := json.Unmarshal([]byte(readRoot(t, "examples/demo/blueprints.json")), &blueprints); err != nil {
		t.Fatal(err)
	}
	for _, text := range blueprints {
		w.port.AddBlueprint(string(text))
	}
	r := w.run(map[string]string{"MAPPING": mapping})
	r.check(t, 0, "success")
	w.checkClean()

	got := map[string]string{}
	for id, e := range w.port.Catalog()["service"] {
		got[id] = fmt.Sprintf("%s, tier %v, readme %v, in %v, on %v", e.Title, e.Properties["tier"], e.Properties["readme"], e.Relations["repository"], e.Relations["dependsOn"])
	}
	want := map[string]string{
		"checkout":         "Checkout, tier 1, readme # Checkout, in r1, on []",
		"storefront-web":   "Web shop, tier 1, readme # Web, in r2, on [checkout]",
		"storefront-admin": "Shop administration, tier <nil>, readme <nil>, in r2, on []",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("services (-got +want):\n%s", diff)
	}
}

// TestAfterScript looks at what the nightly pipeline prints of the report: the outputs.
func TestAfterScript(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(readRoot(t, "examples/bitbucket-schedule.yml"), "- head -n ")
	var lines int
	var file string
	if _, err := fmt.Sscan(rest, &lines, &file); err != nil {
		t.Fatalf("the after-script: %v", err)
	}
	for _, mode := range []string{"sync", "plan"} {
		w := smallWorld(t)
		w.run(map[string]string{"MAPPING": repositories, "MODE": mode, "REPORT_FILE": file})
		head := strings.Split(w.read(file), "\n")[:lines]
		if !strings.Contains(head[1], `"status": "success"`) || !strings.Contains(head[lines-1], `"kinds"`) {
			t.Errorf("%s: the outputs are not the first %d lines:\n%s", mode, lines, strings.Join(head, "\n"))
		}
	}
}

// TestReadmeFirstRun is what the manual says of an organization without blueprints: the
// nightly mapping fails there, and goes on when its blueprints are there.
func TestReadmeFirstRun(t *testing.T) {
	skipShort(t)
	t.Parallel()
	w := newWorld(t, bitbuckettest.Sample())
	slugs := map[string]string{"MAPPING": readRoot(t, "examples/mappings/slugs.yml"), "PUBLISH_MAPPING": "always"}
	r := w.planned(slugs)
	r.check(t, 2, "failed")
	r.contains(t, `Port has no blueprint "bitbucketRepository"`, "its JSON is in examples/blueprints.json")

	var blueprints []json.RawMessage
	if err := json.Unmarshal([]byte(readRoot(t, "examples/blueprints.json")), &blueprints); err != nil {
		t.Fatal(err)
	}
	for _, text := range blueprints {
		w.port.AddBlueprint(string(text))
	}
	w.planned(slugs).check(t, 0, "success")
	slugs["DELETION"] = "report"
	w.run(slugs).check(t, 0, "success")
	w.port.Age(time.Hour)
	delete(slugs, "DELETION")
	r = w.run(slugs)
	r.check(t, 0, "success")
	if n := r.number(t, "entities_unchanged"); n != 426 || r.number(t, "entities_deleted") > 0 {
		t.Errorf("got %d unchanged, want 426, and none deleted:\n%s", n, r.stdout)
	}
	w.checkClean()
}

// TestManualHasASectionPerKind asks the program itself for its kinds.
func TestManualHasASectionPerKind(t *testing.T) {
	t.Parallel()
	kindsPage, further := readRoot(t, "examples/docs/kinds.md"), readRoot(t, "examples/kinds.md")
	w := smallWorld(t)
	r := w.run(map[string]string{"MAPPING": strings.Replace(repositories, "kind: repository", "kind: nothing", 1)})
	_, kinds, ok := strings.Cut(r.stdout+r.stderr, "use one of ")
	if !ok {
		t.Fatalf("no kinds told:\n%s%s", r.stdout, r.stderr)
	}
	kinds, _, _ = strings.Cut(kinds, "\n")
	for name := range strings.SplitSeq(kinds, ", ") {
		if !strings.Contains(kindsPage, "\n## Kind "+name+"\n") && !strings.Contains(further, "\n## Kind "+name+"\n") {
			t.Errorf("examples/docs/kinds.md and examples/kinds.md have no section %q", "Kind "+name)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N}\- ]`)
)

// anchors are the fragments of a page's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		all[strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return all
}

func TestManualLinks(t *testing.T) {
	t.Parallel()
	for _, page := range manuals(t) {
		for _, m := range link.FindAllStringSubmatch(readRoot(t, page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			name, fragment, _ := strings.Cut(m[1], "#")
			target := page
			if name != "" {
				target = path.Join(path.Dir(page), name)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
				continue
			}
			if fragment != "" && !anchors(readRoot(t, target))[fragment] {
				t.Errorf("%s: %s has no heading for %s", page, target, m[1])
			}
		}
	}
}

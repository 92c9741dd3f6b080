package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// What YAML 1.1, by which Port's own integration reads files, has otherwise is told once for
// each expression that reads it, by sync and plan; and what no expression reads is not.
func TestOlderYAML(t *testing.T) {
	t.Parallel()
	const mapping = `resources:
  - kind: file
    selector:
      query: .content.active != false
      files: [{path: "*.yml"}]
    port:
      entity:
        mappings:
          identifier: .content.id
          title: .content.id
          blueprint: '"thing"'
          properties:
            enabled: .content.enabled | tostring
            port: .content.port
            twice: .content.port | tostring
            read: .content.ref.at
            plain: .content.plain | tostring
            branch: .content["on"] // null | tojson
            now: now | tostring
`
	b := bitbuckettest.New("acme")
	b.AddRepository(bitbuckettest.Repository{Name: "r", Files: map[string]string{
		"a.yml":        "id: a\nenabled: yes\nport: 014\nref: file://more/ref.yml\nplain: 'yes'\nunread: on\n",
		"b.yml":        "id: b\nenabled: \"no\"\nport: 5\nplain: 1.50\n",
		"c.yml":        "id: c\nactive: no\nid: c\n",
		"d.yml":        "id: d\nenabled: true\nport: 0x1F\nunread: 12:30:45\n",
		"e.yml":        "id: e\non: push\n",
		"more/ref.yml": "at: 2026-11-22T10:00:00Z\n",
	}})
	w := newWorld(t, b)
	w.port.AddBlueprint(`{"identifier": "thing", "title": "Thing", "schema": {"properties": {
		"enabled": {"type": "string"}, "port": {"type": "number"}, "twice": {"type": "string"}, "read": {"type": "string"}, "plain": {"type": "string"}, "branch": {"type": "string"}, "now": {"type": "string"}}}}`)
	w.write("mapping.yml", mapping)
	for _, mode := range []string{"plan", "sync"} {
		r := w.run(map[string]string{"MAPPING_FILE": "mapping.yml", "MODE": mode})
		r.check(t, 0, "success")
		const told = " reads what is another value in Port's own integration, which reads files by YAML 1.1"
		for _, want := range []string{
			`mapping.yml:4:14: resource 1 (file): selector.query` + told,
			`mapping.yml:13:22: resource 1 (file): property "enabled"` + told,
			`mapping.yml:14:19: resource 1 (file): property "port"` + told,
			`mapping.yml:15:20: resource 1 (file): property "twice"` + told,
			`mapping.yml:16:19: resource 1 (file): property "read"` + told,
			`mapping.yml:17:20: resource 1 (file): property "plain"` + told,
			`mapping.yml:18:21: resource 1 (file): property "branch"` + told,
			`the text "yes" here, and the text "true" there, for`,
			`the number 14 here, and the number 12 there, for`,
			`the text "1.50" here, and the text "1.5" there, for`,
			`the text "2026-11-22T10:00:00Z" here, and the text "2026-11-22T10:00:00+00:00" there, for`,
		} {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s: %q is not told:\n%s", mode, want, r.stdout)
			}
		}
		twice := slices.IndexFunc(r.report["problems"].([]any), func(p any) bool {
			problem := p.(map[string]any)
			return problem["severity"] == "notice" && strings.Contains(problem["message"].(string), "a mapping in a file has a key twice: the last value is taken") &&
				problem["example"] == `r/c.yml: line 3: the key "id" is there already`
		})
		if twice < 0 {
			t.Errorf("%s: the key that comes twice is not told: %v", mode, r.report["problems"])
		}
		if n := strings.Count(r.stdout, told); n != 7 {
			t.Errorf("%s: told %d times, want 7:\n%s", mode, n, r.stdout)
		}
	}
	if got := w.port.Catalog()["thing"]["a"].Properties["port"]; fmt.Sprint(got) != "14" {
		t.Errorf("the port: got %v", got)
	}
}

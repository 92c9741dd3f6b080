package app_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// planned runs the mode plan, and checks that nothing is written: not the record of the
// integration, not a state, not an example.
func (w *world) planned(env map[string]string) ran {
	w.t.Helper()
	w.port.ResetJournal()
	before, record := w.port.Catalog(), w.port.DataSource(identifier)
	all := map[string]string{"INPUT_MODE": "plan"}
	maps.Copy(all, env)
	r := w.run(all)
	for _, x := range w.port.Writes() {
		w.t.Errorf("a plan wrote: %s %s", x.Method, x.Path)
	}
	if diff := cmp.Diff(w.port.Catalog(), before); diff != "" {
		w.t.Errorf("a plan changed the catalog:\n%s", diff)
	}
	if diff := cmp.Diff(w.port.DataSource(identifier), record); diff != "" {
		w.t.Errorf("a plan changed the page:\n%s", diff)
	}
	w.checkClean()
	return r
}

// counted are the numbers that a plan and its sync share.
var counted = []string{
	"entities_created", "entities_updated", "entities_unchanged", "entities_deleted", "entities_rejected", "entities_stale_kept",
	"objects_extracted", "objects_filtered", "objects_skipped", "objects_failed", "bitbucket_requests", "bitbucket_git_requests", "bitbucket_git_bytes",
}

// A plan tells what a sync then does, from an empty organization on: the blueprints and
// the integration that it would make are no writes of a plan.
func TestPlanThenSync(t *testing.T) {
	skipShort(t)
	t.Parallel()
	w := newWorld(t, bitbuckettest.Sample())
	check := func(env map[string]string) (plan ran) {
		t.Helper()
		plan = w.planned(env)
		sync := w.run(env)
		for _, name := range counted {
			if plan.number(t, name) != sync.number(t, name) {
				t.Errorf("%s: planned %d, done %d", name, plan.number(t, name), sync.number(t, name))
			}
		}
		if plan.status != sync.status || plan.report["status"] != sync.report["status"] {
			t.Errorf("planned %v (%d), done %v (%d)", plan.report["status"], plan.status, sync.report["status"], sync.status)
		}
		if diff := cmp.Diff(plan.report["blueprints"], sync.report["blueprints"]); diff != "" {
			t.Errorf("blueprints: planned (-), done (+):\n%s", diff)
		}
		if _, ok := sync.report["changes"]; ok {
			t.Error("a sync reports changes")
		}
		w.port.Age(time.Hour)
		return plan
	}
	first := check(nil)
	first.contains(t, "a sync would create the blueprints bitbucketProject, bitbucketRepository, bitbucketPullRequest",
		"a sync would create integration", "plan: partial: 383 to create, 0 to update, 0 unchanged, 0 to delete, 43 rejected")
	if n := len(first.report["changes"].([]any)); n != 383 {
		t.Errorf("got %d changes, want 383", n)
	}
	if n := len(check(nil).report["changes"].([]any)); n != 0 {
		t.Errorf("of an unchanged workspace: got %d changes, want none", n)
	}
	w.bitbucket.UpdateRepository("checkout-api", func(r *bitbuckettest.Repository) { r.Description = "changed" })
	check(map[string]string{"MAPPING": repositories})
}

// What a plan tells of changes: in the log, in the summary, and in the report file.
func TestPlanTells(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.run(map[string]string{"MAPPING": repositories}).check(t, 0, "success")
	w.addStale()
	w.port.Age(time.Hour)
	w.github()
	changed := strings.Replace(repositories, "title: .name", "title: '.name + \" & <b>\"'", 1)
	changed = strings.Replace(changed, "blueprint:", "properties: {defaultBranch: 'if .slug == \"ledger\" then 5 else .slug end'}\n          blueprint:", 1)
	r := w.planned(map[string]string{"MAPPING": changed, "DETAILED_EXIT": "true", "PUBLISH_MAPPING": "always", "SUMMARY_FILE": "plan.md"})
	if r.status != 10 {
		t.Errorf("got exit status %d, want 10\n%s%s", r.status, r.stdout, r.stderr)
	}
	r.contains(t,
		"\n- bitbucketRepository/stale\n~ bitbucketRepository/checkout\n"+`    property "defaultBranch": none → "checkout"`+"\n"+`    title: "checkout" → "checkout & <b>"`+"\n",
		`! bitbucketRepository/ledger: property "defaultBranch" must be string, and is number`,
		"a sync would publish the mapping", "Bitbucket credential workspace token: 2 requests, no rate limit header",
		"a sync asks Bitbucket: 2 requests; 1 credential may make 1000 in 1h: no waiting; and writes to Port: 2 requests; Port takes 35000 of a kind in 5m: no waiting")
	summary := w.read("summary.md")
	if file := w.read("plan.md"); strings.TrimSpace(file) != strings.TrimSpace(summary) {
		t.Errorf("summary_file differs from the summary:\n%s", file)
	}
	for _, part := range []string{"## Port plan partial: ", "\n### To delete: 1\n\n```diff\n- bitbucketRepository/stale\n```\n\n### To update: 2\n",
		"\n@@ bitbucketRepository/checkout @@\n+ property \"defaultBranch\": \"checkout\"\n- title: \"checkout\"\n+ title: \"checkout & <b>\"\n", "\n! bitbucketRepository/ledger: "} {
		if !strings.Contains(summary, part) {
			t.Errorf("the summary does not hold %q:\n%s", part, summary)
		}
	}
	if file := w.read("report.json"); !strings.Contains(file, `"checkout & <b>"`) {
		t.Errorf("the report file does not show the value as it is:\n%s", file)
	}
	changes, _ := r.report["changes"].([]any)
	var got []string
	for _, c := range changes {
		m, _ := c.(map[string]any)
		got = append(got, fmt.Sprint(m["action"], " ", m["identifier"], " ", m["fields"]))
	}
	want := []string{
		`update checkout [map[from:<nil> name:property "defaultBranch" to:checkout] map[from:checkout name:title to:checkout & <b>]]`,
		`refuse ledger []`,
		`update refunds [map[from:<nil> name:property "defaultBranch" to:refunds] map[from:refunds name:title to:refunds & <b>]]`,
		`delete stale []`,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("changes of the report file: got (-), want (+):\n%s", diff)
	}
}

// detailed_exit tells changes apart from none, and nothing else.
func TestDetailedExit(t *testing.T) {
	t.Parallel()
	refused := strings.Replace(repositories, "title: .name", "properties: {nope: .name}", 1)
	tests := []struct {
		name    string
		mapping string
		synced  bool
		detail  string
		failOn  string
		want    int
	}{
		{"changes", repositories, false, "true", "", 10},
		{"changes, not asked for", repositories, false, "", "", 0},
		{"none", repositories, true, "true", "", 0},
		{"refusals alone", refused, true, "true", "", 0},
		{"refusals that fail", refused, false, "true", "rejected", 3},
		{"wrong mapping", "resources: 5", false, "true", "", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			if tt.synced {
				w.run(map[string]string{"MAPPING": tt.mapping})
				w.port.Age(time.Hour)
			}
			r := w.planned(map[string]string{"MAPPING": tt.mapping, "DETAILED_EXIT": tt.detail, "FAIL_ON": tt.failOn})
			if r.status != tt.want {
				t.Errorf("got exit status %d, want %d\n%s%s", r.status, tt.want, r.stdout, r.stderr)
			}
		})
	}
}

// A plan tells by which guard deletions would be held back.
func TestPlanHoldsBack(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.run(map[string]string{"MAPPING": repositories}).check(t, 0, "success")
	w.port.Age(time.Hour)
	w.bitbucket.RemoveRepository("refunds")
	r := w.planned(map[string]string{"MAPPING": "entityDeletionThreshold: 0.1\n" + repositories})
	r.check(t, 0, "success")
	r.contains(t, "1 of 3 entities are stale, more than the entityDeletionThreshold of 0.1 allows", "0 to delete, 1 stale kept")
}

// Every role that a sync can run with can plan.
func TestPlanWithoutARole(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.port.AllowClient(clientID, clientSecret, porttest.Member)
	w.port.PutIntegration(identifier, map[string]any{})
	r := w.planned(map[string]string{"MAPPING": repositories})
	r.check(t, 0, "success")
	r.contains(t, "give Port's credential the role admin or moderator", "3 to create")
	if slices.ContainsFunc(w.port.Journal(), func(x porttest.Exchange) bool { return x.Status == 403 && x.Write }) {
		t.Error("a plan tried to write")
	}
}

// What a plan does not check is named, where an entity has a value of it, and nowhere else.
func TestPlanNamesWhatItDoesNotCheck(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.port.AddBlueprint(`{"identifier":"service","title":"Service","relations":{},"schema":{"required":[],"properties":{
		"tier":{"type":"string","contentEncoding":"base64","dependentRequired":{"a":["b"]}},"unmapped":{"type":"object","unevaluatedProperties":false}}}}`)
	mapping := strings.Replace(repositories, `'"bitbucketRepository"'`, "'\"service\"'\n          properties: {tier: .slug}", 1)
	r := w.planned(map[string]string{"MAPPING": mapping})
	r.check(t, 0, "success")
	const name = `blueprint "service": keyword "dependentRequired" of property "tier" is not checked by a plan`
	r.contains(t, "Port may refuse what this plan shows as fine: it did not check 1 of the rules, such as: "+name)
	problems := r.report["problems"].([]any)
	if first := problems[0].(map[string]any); len(problems) != 1 || first["message"] != name || first["severity"] != "notice" {
		t.Errorf("got problems %v, want one notice: %s", problems, name)
	}
	if r := w.run(map[string]string{"MAPPING": mapping}); strings.Contains(r.stderr+r.stdout, "is not checked by a plan") {
		t.Error("a sync names what a plan does not check")
	}
}

// TestPlanThatFails tells no cost: what it has spent is no measure of a sync.
func TestPlanThatFails(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	check := func(env map[string]string, status int, credentials bool) {
		t.Helper()
		r := w.planned(env)
		r.check(t, status, "failed")
		text := r.stdout + r.stderr
		if strings.Contains(text, "a sync asks Bitbucket") {
			t.Errorf("it tells what a sync costs:\n%s", text)
		}
		if strings.Contains(text, "Bitbucket credential ") != credentials {
			t.Errorf("it tells of credentials only where Bitbucket was asked: %t:\n%s", credentials, text)
		}
	}
	check(map[string]string{"MAPPING": strings.ReplaceAll(repositories, "bitbucketRepository", "nothing")}, 2, false)
	check(map[string]string{"MAPPING": repositories, "PORT_CLIENT_SECRET": "another"}, 1, false)
	w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Status: 403})
	check(map[string]string{"MAPPING": repositories}, 1, true)
}

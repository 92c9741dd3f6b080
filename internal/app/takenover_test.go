package app_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

var recordWith = flag.String("record", "", "the path of jq 1.8.2: record what it makes of the mapping of testdata/takenover")

// takenOver is a workspace whose names and files meet what jq and its relatives read
// differently.
func takenOver() *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	b.AddProject(bitbuckettest.Project{Key: "PAY", Name: "Payments"})
	created := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	for i, name := range []string{"Grüße Dienst", "Straße7", "kaffee-api", "日本 service", "a.b_c", "sandbox"} {
		files := map[string]string{
			"VERSION": []string{"1.2.3\n", "v4\n", "none\n"}[i%3],
			"service.yml": "%YAML 1.2\n---\nname: " + name + "\nport: 8080\nratio: 0.5\ntier: yes please\nowners: [team-a, b]\n" +
				"since: \"2026-01-02\"\nlabels: {b: 1, a: true}\ntext: |\n  line\ttwo\n",
		}
		b.AddRepository(bitbuckettest.Repository{Name: name, ProjectKey: "PAY", Size: 100 * (i + 1), CreatedOn: created, UpdatedOn: created, Files: files})
	}
	return b
}

// written is an entity as Port's own integration wrote it.
type written struct {
	Identifier string         `json:"identifier"`
	Title      string         `json:"title,omitempty"`
	Properties map[string]any `json:"properties"`
}

// TestTakenOver plans a run on a catalog as Port's own integration left it, with a mapping
// whose values depend on what jq 1.8.2 makes of it: nothing changes.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, takenOver())
	w.port.AddBlueprint(`{"identifier": "service", "title": "Service", "schema": {"properties": {}}, "relations": {}}`)
	w.port.AddBlueprint(`{"identifier": "component", "title": "Component", "schema": {"properties": {}}, "relations": {}}`)
	mapping, err := os.ReadFile(filepath.Join("testdata", "takenover", "mapping.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if *recordWith != "" {
		record(t, w, mapping)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "takenover", "catalog.json"))
	if err != nil {
		t.Fatal(err)
	}
	var catalog map[string][]written
	if err := json.Unmarshal(text, &catalog); err != nil {
		t.Fatal(err)
	}
	const there = "port-ocean/bitbucket-cloud/0.5.110/" + identifier + "/exporter"
	count := 0
	for blueprint, entities := range catalog {
		for _, e := range entities {
			w.port.PutEntity(blueprint, porttest.Entity{Identifier: e.Identifier, Title: e.Title, Properties: e.Properties, Datasource: there})
			count++
		}
	}
	if count != 11 {
		t.Errorf("the catalog has %d entities", count)
	}
	w.port.Age(time.Hour)
	plan := w.planned(map[string]string{"MAPPING": string(mapping)})
	for name, want := range map[string]int{
		"entities_created": 0, "entities_updated": 0, "entities_deleted": 0, "entities_unchanged": count, "entities_rejected": 0, "objects_filtered": 1,
	} {
		if got := plan.number(t, name); got != want {
			t.Errorf("%s = %d, want %d", name, got, want)
		}
	}
	if changes, _ := plan.report["changes"].([]any); len(changes) > 0 {
		t.Errorf("changes: %v", changes)
	}
}

// record writes what jq makes of the raw objects of the workspace.
func record(t *testing.T, w *world, mapping []byte) {
	t.Helper()
	var m struct {
		Resources []struct {
			Kind     string
			Selector map[string]any
			Port     struct {
				Entity struct {
					Mappings struct {
						Identifier, Blueprint, Title string
						Properties                   map[string]string
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(mapping, &m); err != nil {
		t.Fatal(err)
	}
	catalog := map[string][]written{}
	for _, r := range m.Resources {
		made := r.Port.Entity.Mappings
		blueprint := strings.Trim(made.Blueprint, `"`)
		for _, raw := range w.rawObjects(r.Kind, r.Selector) {
			query, _ := r.Selector["query"].(string)
			if ask(t, query, raw) != true {
				continue
			}
			e := written{Properties: map[string]any{}}
			e.Identifier, _ = ask(t, made.Identifier, raw).(string)
			if made.Title != "" {
				e.Title, _ = ask(t, made.Title, raw).(string)
			}
			for name, expr := range made.Properties {
				e.Properties[name] = ask(t, expr, raw)
			}
			catalog[blueprint] = append(catalog[blueprint], e)
		}
	}
	text, err := json.MarshalIndent(catalog, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", "takenover", "catalog.json"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// rawObjects are the objects of a kind, as a mapping of the whole object writes them.
func (w *world) rawObjects(kind string, selector map[string]any) []any {
	w.t.Helper()
	w.port.AddBlueprint(`{"identifier": "raw", "title": "Raw", "schema": {"properties": {"raw": {"type": "object"}}}, "relations": {}}`)
	all := map[string]any{"query": "true"}
	for key, v := range selector {
		if key != "query" {
			all[key] = v
		}
	}
	text, err := json.Marshal(map[string]any{"resources": []any{map[string]any{"kind": kind, "selector": all, "port": map[string]any{"entity": map[string]any{
		"mappings": map[string]any{"identifier": `if .uuid then .uuid else .repo.uuid end | gsub("[{}]"; "")`, "blueprint": `"raw"`, "properties": map[string]any{"raw": "."}}}}}}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.run(map[string]string{"MAPPING": string(text)})
	var objects []any
	for _, e := range w.port.Entities("raw") {
		objects = append(objects, e.Properties["raw"])
		w.port.RemoveEntity("raw", e.Identifier)
	}
	return objects
}

// ask returns the first result of jq on an object; null without one, or with an error.
func ask(t *testing.T, expr string, object any) any {
	t.Helper()
	input, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(*recordWith, "-c", "[limit(1; ("+expr+"))?][0]")
	cmd.Env, cmd.Stdin = []string{"TZ=UTC"}, bytes.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	var v any
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

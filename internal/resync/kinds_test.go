package resync_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

const exampleKinds = "../../examples/kinds/"

// ofMappings are the kinds whose examples are in other files: those of the first release.
var ofMappings = map[string]bool{"project": true, "repository": true, "pull-request": true, "folder": true, "file": true}

// newWorldOfKind has the default blueprints, and those of the example of a kind.
func newWorldOfKind(t *testing.T, name string) *world {
	t.Helper()
	w := newWorld(t, bitbuckettest.New("acme"))
	var own []json.RawMessage
	if err := json.Unmarshal([]byte(readFile(exampleKinds+name+".json")), &own); err != nil {
		t.Fatal(err)
	}
	for _, text := range porttest.DefaultBlueprints() {
		w.port.AddBlueprint(text)
	}
	for _, text := range own {
		if strings.Contains(string(text), `"_user"`) { // which each organization has
			w.port.AddBlueprint(`{"identifier":"_user","title":"User","schema":{"properties":{},"required":[]},"relations":{}}`)
			w.port.PutEntity("_user", porttest.Entity{Identifier: "dana@acme.example", Title: "Dana"})
		}
		w.port.AddBlueprint(string(text))
	}
	return w
}

// The example of each kind makes what its golden file says, as a plan foretold, and writes nothing
// the second time.
func TestExamplesOfKinds(t *testing.T) {
	t.Parallel()
	for _, k := range kind.All() {
		if ofMappings[k.Name] {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorldOfKind(t, k.Name)
				company(w.bitbucket)
				w.bitbucket.SetFile("web", ".claude/skills/release/SKILL.md", []byte("---\nname: release-notes\ndescription: Writes them\n---\n# Steps\n"))
				w.bitbucket.Furnish()
				text := readFile(exampleKinds + k.Name + ".yml")
				checkParts(t, "warnings of the mapping", textsOf(w.job(text).Bound.Warnings), nil)
				planned, changes, err := w.rehearse(text)
				r := w.sync(text).ended(report.Success)
				w.foreseen(planned, changes, err, r)
				checkParts(t, "what the run tells", loud(r), nil)
				name := filepath.Join("testdata", "examples", "kind-"+k.Name+".golden.json")
				checkGolden(t, name, golden(r.after))
				r = w.sync(text).ended(report.Success).is(want{"deleted": 0, "kept": 0})
				if !strings.Contains(text, "combinator") { // what a search query finds may be another entity by now
					r.is(want{"writes": 0})
				}
				checkGolden(t, name, golden(r.after))
				if r.counts.Extracted == 0 {
					t.Error("got no object, want some of the kind")
				}
			})
		})
	}
}

// Without the scope of a kind, what Port holds of it is kept, and the scope is named once, however many
// repositories there are.
func TestKindsWithoutTheirScope(t *testing.T) {
	t.Parallel()
	for _, k := range kind.All() {
		if ofMappings[k.Name] {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorldOfKind(t, k.Name)
				company(w.bitbucket)
				for _, slug := range []string{"first", "second", "third"} {
					w.bitbucket.AddRepository(bitbuckettest.Repository{Name: slug, Files: map[string]string{"a": "b"}})
				}
				w.bitbucket.Furnish()
				text := readFile(exampleKinds + k.Name + ".yml")
				before := golden(w.sync(text).ended(report.Success).after)
				scopes := []string{"repository"}
				if k.Manual.Scope == "repository" {
					scopes[0] = "account"
				}
				w.bitbucket.AllowToken("workspace-token", bitbuckettest.Access{Limit: -1, Scopes: scopes})
				w.violated = true // a missing scope
				r := w.sync(text).is(want{"deleted": 0, "writes": 0})
				r.problem("error", "missing scopes: "+k.Manual.Scope)
				if told := strings.Count(strings.Join(loud(r), "\n"), "missing scopes: "); told != 1 {
					t.Errorf("the scope is named %d times, want once: %q", told, loud(r))
				}
				if after := golden(r.after); !bytes.Equal(after, before) {
					t.Errorf("got %s, want what Port held", after)
				}
			})
		})
	}
}

// A credential that sees no address of a member does not know who is of the domains of a selector:
// what Port holds of them stays, and nobody is added.
func TestUsersWhoseAddressesAreNotShown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorldOfKind(t, "user")
		company(w.bitbucket)
		w.bitbucket.Furnish()
		text := strings.Replace(readFile(exampleKinds+"user.yml"), "selector:\n", "selector:\n      emailDomains: [acme.example]\n", 1)
		before := golden(w.sync(text).ended(report.Success).is(want{"created": 10}).after)
		w.bitbucket.AllowToken("workspace-token", bitbuckettest.Access{Limit: -1, NotAdmin: true})
		r := w.sync(text).is(want{"writes": 0, "deleted": 0})
		r.problem("shows this credential no address", "emailDomains")
		if after := golden(r.after); !bytes.Equal(after, before) {
			t.Errorf("got %s, want what Port held", after)
		}
		w.bitbucket.AllowToken("workspace-token", bitbuckettest.Access{Limit: -1})
		w.bitbucket.RemoveMember("Dana Ruiz")
		w.sync(text).ended(report.Success).is(want{"deleted": 1})
	})
}

package resync_test

import (
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// portFiles maps the file port.yml of each repository.
const portFiles = `
- kind: file
  selector: {query: 'true', files: [{path: "port.yml"}]}
  port: {entity: {mappings: {identifier: .repo.slug, title: .repo.slug, blueprint: '"service"', properties: {owner: .content.owner}}}}`

func withPortFiles(names ...string) *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	for _, n := range names {
		b.AddRepository(bitbuckettest.Repository{Name: n, Files: map[string]string{"port.yml": "owner: " + n + "\nkind: Service\nitems: [" + n + "]\n", "README.md": "# " + n}})
	}
	return b
}

// An outage may answer 404 for repositories that are there.
func TestMostRepositoriesVanish(t *testing.T) {
	for name, m := range map[string]string{"file": portFiles, "repository": `
- kind: repository
  selector: {query: 'true', includedFiles: [README.md]}
  port: {entity: {mappings: {identifier: .slug, title: .slug, blueprint: '"repo"', properties: {readme: '.__includedFiles["README.md"]'}}}}`} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, withPortFiles("a", "b", "c", "d", "e", "f", "g", "h"))
				w.sync(mapped(m)).is(want{"created": 8})
				w.bitbucket.Fault(bitbuckettest.Fault{Match: func(r *http.Request) bool {
					p := r.URL.Path
					if strings.HasSuffix(p, "/repositories/acme") || strings.Contains(p, "acme/a/") || strings.Contains(p, "acme/b/") {
						return false
					}
					return true
				}, Times: -1, Status: 404, Body: `{"type":"error","error":{"message":"Repository not found"}}`})
				r := w.sync(mapped(m))
				if r.deleted != 0 || r.kept == 0 {
					t.Errorf("got %d deleted and %d kept, want none deleted\n%s", r.deleted, r.kept, r.story())
				}
			})
		})
	}
}

// A file that does not parse any more may be filtered, give no elements, or give
// another identifier.
func TestContentThatDoesNotParseHoldsDeletion(t *testing.T) {
	for name, m := range map[string]string{
		"filtered": `
- kind: file
  selector: {query: '.content.kind? == "Service"', files: [{path: "port.yml"}]}
  port: {entity: {mappings: {identifier: .repo.slug, title: .repo.slug, blueprint: '"service"', properties: {owner: .content.owner}}}}`,
		"type": `
- kind: file
  selector: {query: '(.content|type) == "object"', files: [{path: "port.yml"}]}
  port: {entity: {mappings: {identifier: .repo.slug, title: .repo.slug, blueprint: '"service"', properties: {owner: .content.owner}}}}`,
		"noelements": `
- kind: file
  selector: {query: 'true', files: [{path: "port.yml"}]}
  port: {itemsToParse: '.content | if type == "object" then .items else [] end', itemsToParseTopLevelTransform: false, entity: {mappings: {identifier: .item, title: .repo.slug, blueprint: '"service"'}}}`,
		"identifier": `
- kind: file
  selector: {query: 'true', files: [{path: "port.yml"}]}
  port: {entity: {mappings: {identifier: '(.content.owner? // "none")', title: .repo.slug, blueprint: '"service"'}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, withPortFiles("a", "b"))
				w.sync(mapped("entityDeletionThreshold: 1", m)).is(want{"created": 2})
				w.bitbucket.SetFile("b", "port.yml", []byte("owner: [\n"))
				r := w.sync(mapped("entityDeletionThreshold: 1", m))
				if r.deleted != 0 || r.kept == 0 {
					t.Errorf("got %d deleted and %d kept, want none deleted\n%s", r.deleted, r.kept, r.story())
				}
			})
		})
	}
}

// A branch mistyped or a repository renamed is no removal.
func TestNamesThatAreNotThereHoldDeletion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := func(b string) string {
			return mapped("entityDeletionThreshold: 1", `
- kind: file
  selector: {query: 'true', files: [{path: "port.yml", repos: [{name: a}, {name: b, branch: `+b+`}]}]}
  port: {entity: {mappings: {identifier: .repo.uuid, title: .repo.slug, blueprint: '"service"', properties: {owner: .content.owner}}}}`)
		}
		w := newWorld(t, withPortFiles("a", "b"))
		w.bitbucket.AddBranch("b", "release")
		w.unequal = true
		m1 := strings.ReplaceAll(m("release"), ".repo.uuid", "'.repo.full_name[5:6]'")
		m2 := strings.ReplaceAll(m("relaese"), ".repo.uuid", "'.repo.full_name[5:6]'")
		w.sync(m1).is(want{"created": 2})
		r := w.sync(m2)
		if r.deleted != 0 || r.kept == 0 {
			t.Errorf("branch typo: got %d deleted and %d kept, want none deleted\n%s", r.deleted, r.kept, r.story())
		}
		w.sync(m1)
		w.bitbucket.UpdateRepository("b", func(r *bitbuckettest.Repository) { r.Slug, r.Name = "b-renamed", "b-renamed" })
		r = w.sync(m1)
		if r.deleted != 0 || r.kept == 0 {
			t.Errorf("renamed: got %d deleted and %d kept, want none deleted\n%s", r.deleted, r.kept, r.story())
		}
	})
}

// A main branch that is named, and does not answer, is none of a repository
// without commits while the repository has others, or while it is not known. It is
// there where the list of all branches has it.
func TestMainBranchThatIsNotThere(t *testing.T) {
	for name, f := range map[string]bitbuckettest.Fault{
		"listed":     {Status: 0},
		"others":     {Status: 200, Body: `{"values": [{"name": "other", "target": {"hash": "0123"}}]}`},
		"no hash":    {Status: 200, Body: `{"values": [{"name": "main"}]}`},
		"ok":         {Status: 200, Body: `{"ok": true}`},
		"object":     {Status: 200, Body: `{}`},
		"null":       {Status: 200, Body: `null`},
		"no values":  {Status: 200, Body: `{"values": null}`},
		"unreadable": {Status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m := mapped("entityDeletionThreshold: 1", `
- kind: repository
  selector: {query: 'true', includedFiles: [README.md]}
  port: {entity: {mappings: {identifier: .slug, title: .slug, blueprint: '"repo"', properties: {readme: '.__includedFiles["README.md"]'}}}}`, portFiles)
				w := newWorld(t, withPortFiles("a", "b"))
				w.sync(m)
				w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Mutate: func(o map[string]any) {
					for _, v := range o["values"].([]any) {
						if v := v.(map[string]any); v["slug"] == "b" {
							v["mainbranch"] = map[string]any{"name": "main", "type": "branch"}
						}
					}
				}})
				w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/b/refs/branches/main", Times: -1, Status: 404})
				if f.Status != 0 {
					f.Path, f.Times = "/repositories/acme/b/refs/branches", -1
					w.bitbucket.Fault(f)
				}
				r := w.sync(m)
				if got := r.after["repo"]["b"].Properties["readme"]; got != "# b" || r.deleted != 0 || (r.kept == 0) != (name == "listed") {
					t.Errorf("got readme %v, %d deleted and %d kept, want what it was and none deleted\n%s", got, r.deleted, r.kept, r.story())
				}
			})
		})
	}
}

package resync_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

// unclear is a change after which it is not known what something gives: nothing of it is deleted.
type unclear struct {
	name   string
	text   string // the mapping
	fill   func(b *bitbuckettest.Server)
	change func(b *bitbuckettest.Server)
}

// stays runs before the change and after it, and checks that all is there that was.
func (u unclear) stays(t *testing.T) {
	t.Run(u.name, func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, acme("a", "b"))
			w.unequal = true
			for _, blueprint := range []string{"one", "other"} {
				w.port.AddBlueprint(blueprintOf(blueprint))
			}
			u.fill(w.bitbucket)
			text := "entityDeletionThreshold: 1\nresources:" + u.text
			first := w.sync(text).ended(report.Success)
			u.change(w.bitbucket)
			r := w.sync(text)
			n := 0
			for blueprint, all := range first.after {
				for id := range all {
					n++
					if _, there := r.after[blueprint][id]; !there {
						t.Errorf("%s %s is deleted\n%s", blueprint, id, r.story())
					}
				}
			}
			if n < 2 {
				t.Errorf("there were %d entities at first, want some of each repository", n)
			}
		})
	})
}

// in writes a file into both repositories.
func in(path, text string) func(b *bitbuckettest.Server) {
	return func(b *bitbuckettest.Server) {
		for _, slug := range []string{"a", "b"} {
			b.SetFile(slug, path, []byte(text))
		}
	}
}

// of is a resource with keys of the selector, what stands before its entity, and the entity's.
func of(kind, selector, before, entity string) string {
	return "\n- kind: " + kind + "\n  selector: {" + selector + "}\n  port: {" + before + "entity: {mappings: {title: '\"x\"', blueprint: '\"one\"', " + entity + "}}}"
}

// A skill whose front matter is lost may be called what it was, and so may what a file gave whose
// content is not given any more.
func TestContentThatIsNotGiven(t *testing.T) {
	t.Parallel()
	const skillPath, skillText = ".claude/skills/release/SKILL.md", "---\nname: release-notes\nteam: x\ntools: [one, two]\n---\nSteps\n"
	const good = "kind: Component\nname: svc\nitems: [one, two]\n"
	utf16 := "\xff\xfe" + strings.Join(strings.Split(good, ""), "\x00") + "\x00"
	lfs := func(path string) func(b *bitbuckettest.Server) {
		return func(b *bitbuckettest.Server) { b.SetAttributes("b", path, "lfs"); b.SetFile("b", "z", []byte("z")) }
	}
	written := func(path, text string) func(b *bitbuckettest.Server) {
		return func(b *bitbuckettest.Server) { b.SetFile("b", path, []byte(text)) }
	}
	var all []unclear
	for by, text := range map[string]string{
		"identifier": of("skill", "query: 'true'", "", `identifier: '.__repository.slug + "/" + .skill.name'`),
		"query":      of("skill", `query: '.skill.frontmatter.team == "x"'`, "", `identifier: '.__repository.slug + "/" + .skill.path'`),
		"items":      of("skill", "query: 'true'", "itemsToParse: '(.skill.frontmatter.tools // [])', ", `identifier: '.__repository.slug + "/" + .item'`),
	} {
		all = append(all,
			unclear{"skill, broken, " + by, text, in(skillPath, skillText), written(skillPath, strings.Replace(skillText, "x\n", "x: y\n", 1))},
			unclear{"skill, lfs, " + by, text, in(skillPath, skillText), lfs(skillPath)},
			unclear{"skill, binary, " + by, text, in(skillPath, skillText), written(skillPath, strings.Replace(skillText, "Steps", "\x00", 1))},
		)
	}
	for by, text := range map[string]string{
		"query": of("file", `query: '.content.kind == "Component"', files: [{path: '*.yml'}]`, "", `identifier: '.repo.slug + "/" + .file.path'`),
		"items": of("file", "query: 'true', files: [{path: '*.yml'}]", "itemsToParse: '(.content.items // [])', ", `identifier: '.repo.slug + "/" + .item'`),
		"name":  of("file", "query: 'true', files: [{path: '*.yml'}]", "", `identifier: '.repo.slug + "/" + (.content.name // .file.path)'`),
	} {
		all = append(all,
			unclear{"file, lfs, " + by, text, in("c.yml", good), lfs("c.yml")},
			unclear{"file, binary, " + by, text, in("c.yml", good), written("c.yml", utf16)},
			unclear{"file, broken, " + by, text, in("c.yml", good), written("c.yml", "kind: [\n")},
		)
	}
	named := func(b *bitbuckettest.Server) {
		in("c.yml", "items: file://i.json\n")(b)
		in("i.json", `["one", "two"]`)(b)
	}
	items := of("file", "query: 'true', files: [{path: c.yml}]", "itemsToParse: '(.content.items // [])', ", `identifier: '.repo.slug + "/" + .item'`)
	all = append(all,
		unclear{"file://, lfs", items, named, lfs("i.json")},
		unclear{"file://, binary", items, named, written("i.json", `["one", "two"]`+"\x00")},
		unclear{"file://, broken", items, named, written("i.json", `["one", "two"`)},
	)
	both := func(b *bitbuckettest.Server) { in("c.yml", good)(b); in("x/c.yml", good)(b) }
	const included = `query: '(.__includedFiles["c.yml"] // "") | contains("svc")', includedFiles: [c.yml]`
	for kind, text := range map[string]string{
		"repository":    of("repository", included, "", "identifier: .slug"),
		"folder":        of("folder", included+", folders: [{path: x}]", "", `identifier: '.repo.slug + "/" + .folder.path'`),
		"own of folder": of("folder", strings.Replace(included, ".__included", ".folder.__included", 1)+", folders: [{path: x}]", "", `identifier: '.repo.slug + "/" + .folder.path'`),
		"file":          of("file", included+", files: [{path: x/c.yml}]", "", `identifier: '.repo.slug + "/" + .file.path'`),
	} {
		path := "c.yml"
		if kind == "own of folder" {
			path = "x/c.yml"
		}
		all = append(all,
			unclear{"included, lfs, " + kind, text, both, lfs(path)},
			unclear{"included, binary, " + kind, text, both, written(path, good+"\x00")},
		)
	}
	link := func(b *bitbuckettest.Server, path, to string) {
		b.SetFile("b", path, []byte(to))
		b.SetAttributes("b", path, "link")
	}
	for by, text := range map[string]string{
		"included": of("repository", included, "", "identifier: .slug"),
	} {
		for how, to := range map[string]string{"inside": "d/c.txt", "outside": "../x/c.yml", "through a link": "l/c.txt"} {
			all = append(all, unclear{"link, " + how + ", " + by, text, func(b *bitbuckettest.Server) { in("c.yml", good)(b); in("d/c.txt", good)(b) },
				func(b *bitbuckettest.Server) { link(b, "l", "d"); link(b, "c.yml", to) }})
		}
	}
	for _, u := range all {
		u.stays(t)
	}
}

// Where the list does not say which commit is the head, that is asked for: a head without statuses is
// another thing.
func TestHeadThatIsNotListed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b")
		w := newWorld(t, b)
		w.unequal = true
		w.port.AddBlueprint(blueprintOf("one"))
		for _, slug := range b.Slugs() {
			b.SetHeadStatuses(slug, bitbuckettest.Status{Key: "build", State: "FAILED"})
		}
		text := "resources:" + of("repository", "query: 'true'", "", `identifier: .slug, properties: {name: '[.__headStatuses[].state] | join(",")'}`)
		w.sync(text).ended(report.Success)
		b.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Mutate: func(o map[string]any) {
			for _, v := range o["values"].([]any) {
				delete(v.(map[string]any)["mainbranch"].(map[string]any), "target")
			}
		}})
		for id, e := range w.sync(text).ended(report.Success).after["one"] {
			if got := e.Properties["name"]; got != "FAILED" {
				t.Errorf("%s: got %v, want what it was", id, got)
			}
		}
	})
}

// What is refused without a name may have been called anything.
func TestRefusedWithoutAName(t *testing.T) {
	t.Parallel()
	for by, entity := range map[string]string{"identifier": "identifier: .content.name", "blueprint": "identifier: .repo.slug, blueprint: .content.type"} {
		for _, text := range []string{"name: [svc]\ntype: [one]\n", "name: 12\ntype: 12\n", "name: {a: b}\ntype: {a: b}\n"} {
			resource := strings.Replace(of("file", "query: 'true', files: [{path: c.yml}]", "", entity), `blueprint: '"one"', identifier: .repo`, "identifier: .repo", 1)
			unclear{by + " " + text, resource, func(b *bitbuckettest.Server) {
				b.SetFile("a", "c.yml", []byte("name: svc-a\ntype: one\n"))
				b.SetFile("b", "c.yml", []byte("name: svc-b\ntype: one\n"))
			}, func(b *bitbuckettest.Server) { b.SetFile("b", "c.yml", []byte(text)) }}.stays(t)
		}
	}
}

// A project of which the list gives no name is one that cannot be used, and not none.
func TestProjectWithoutAName(t *testing.T) {
	t.Parallel()
	unclear{"project", of("project", "query: 'true'", "", "identifier: .key"), func(b *bitbuckettest.Server) {
		for _, key := range []string{"P", "Q", "R"} {
			b.AddProject(bitbuckettest.Project{Key: key})
		}
	}, func(b *bitbuckettest.Server) {
		b.Fault(bitbuckettest.Fault{Path: "/workspaces/acme/projects", Times: -1, Mutate: func(o map[string]any) {
			v := o["values"].([]any)[1].(map[string]any)
			delete(v, "key")
			delete(v, "uuid")
		}})
	}}.stays(t)
}

// The ids of reports are texts: one that is a number says nothing of the others.
func TestIdentifierOfATextThatMayBeANumber(t *testing.T) {
	t.Parallel()
	unclear{"report", of("code-report", "query: 'true'", "", `identifier: '.__repository.slug + "/reports/" + (.id | tostring)'`), func(b *bitbuckettest.Server) {
		b.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/commit/*/reports", Times: -1, Mutate: func(o map[string]any) {
			values, _ := o["values"].([]any)
			for _, v := range values {
				v := v.(map[string]any)
				v["id"] = v["external_id"]
			}
		}})
		for _, id := range []string{"12", "abc"} {
			b.AddReport("b", bitbuckettest.Report{ID: id, Title: "r"})
		}
	}, func(b *bitbuckettest.Server) {
		b.Fault(bitbuckettest.Fault{Path: "/repositories/acme/b/commit/*/reports", Times: -1, Status: http.StatusForbidden})
	}}.stays(t)
}

// A page that is not there, behind one that is, is no list that is not there.
func TestPageThatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"environment", "deployment"} {
		for _, selector := range []string{"query: 'true'", "query: 'true', enrichWithFirstCommit: true"} {
			if kind == "environment" && strings.Contains(selector, "enrich") {
				continue
			}
			t.Run(kind+selector, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t, twoWithPipelines())
					w.unequal = true
					w.port.AddBlueprint(blueprintOf("one"))
					for i := range 150 {
						w.bitbucket.AddEnvironment("web", bitbuckettest.Environment{Name: fmt.Sprint("e", i)})
						w.bitbucket.AddDeployment("web", bitbuckettest.Deployment{Environment: "Production", StartedOn: time.Now().Add(-time.Hour)})
					}
					w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/web/" + kind + "s/", Query: "page=2", Times: -1, Status: http.StatusNotFound})
					text := "resources:" + of(kind, selector, "", `identifier: '.__repository.slug + "/" + (.uuid | gsub("[{}]"; ""))', properties: {name: '(.__commitCount // 0) | tostring'}`)
					w.sync(text).ended(report.Partial).problem("error", "list "+kind+"s of repository", "404")
				})
			})
		}
	}
}

// An answer that something is not there, and does not say what, is looked up, and one listing with
// nothing in it is asked for again.
func TestAbsenceThatOneAnswerSays(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"folder":     of("folder", "query: 'true', folders: [{path: services/*}]", "", `identifier: '.repo.slug + "/" + .folder.path'`),
		"file":       of("file", "query: 'true', files: [{path: services/*/port.yml}]", "", `identifier: '.repo.slug + "/" + .file.path'`),
		"one file":   of("file", "query: 'true', files: [{path: services/x/port.yml}]", "", `identifier: '.repo.slug + "/" + .file.path'`),
		"repository": of("repository", `query: '.__includedFiles["README.md"] != null', includedFiles: [README.md]`, "", "identifier: .slug"),
	}
	for how, fault := range map[string]bitbuckettest.Fault{
		"unnamed": {Status: 404, Body: `{"type": "error", "error": {"message": "No such file or directory"}}`},
		"another": {Status: 404, Body: `{"type": "error", "error": {"message": "No such file or directory: other"}, "data": {"path": "other"}}`},
		"plain":   {Status: 404, Body: "Not Found"},
		"empty": {Mutate: func(o map[string]any) {
			if _, ok := o["values"]; ok {
				o["values"] = []any{}
				delete(o, "size")
			}
		}},
	} {
		fault.Path = "/repositories/acme/b/src/*/**"
		for kind, text := range texts {
			unclear{kind + ", " + how, text, in("services/x/port.yml", "a: b\n"), func(b *bitbuckettest.Server) {
				b.SetFile("b", "z", []byte("z"))
				b.Fault(fault)
			}}.stays(t)
		}
	}
}

// A repository that the list gives no main branch may have one: it is asked for its branches before
// anything of it is deleted.
func TestMainBranchThatIsNotListed(t *testing.T) {
	t.Parallel()
	for how, change := range map[string]func(v map[string]any){
		"missing":    func(v map[string]any) { delete(v, "mainbranch") },
		"null, once": func(v map[string]any) { v["mainbranch"] = nil },
		"no name":    func(v map[string]any) { v["mainbranch"] = map[string]any{"type": "branch"} },
	} {
		for kind, text := range map[string]string{
			"file":       of("file", "query: 'true', files: [{path: x/y}]", "", `identifier: '.repo.slug + "/" + .file.path'`),
			"folder":     of("folder", "query: 'true', folders: [{path: x}]", "", `identifier: '.repo.slug + "/" + .folder.path'`),
			"skill":      of("skill", "query: 'true'", "", `identifier: '.__repository.slug + "/" + .skill.path'`),
			"branch":     of("branch", "query: 'true', defaultBranchOnly: true", "", `identifier: '.__repository.slug + "/" + .name'`),
			"report":     of("code-report", "query: 'true'", "", `identifier: '.__repository.slug + "/" + (.uuid | gsub("[{}]"; ""))'`),
			"repository": of("repository", `query: '.__includedFiles["README.md"] != null', includedFiles: [README.md]`, "", "identifier: .slug"),
		} {
			unclear{kind + ", " + how, text, func(b *bitbuckettest.Server) {
				in("x/y", "z")(b)
				in(".claude/skills/release/SKILL.md", "---\nname: release\n---\n")(b)
				for _, slug := range b.Slugs() {
					b.AddReport(slug, bitbuckettest.Report{Title: "r"})
				}
			}, func(b *bitbuckettest.Server) {
				times := -1
				if how == "null, once" {
					times = 1
				}
				b.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: times, Mutate: func(o map[string]any) {
					for _, v := range o["values"].([]any) {
						if v := v.(map[string]any); v["slug"] == "b" {
							change(v)
						}
					}
				}})
			}}.stays(t)
		}
	}
}

// What both readings of the list show without a main branch is not asked for its branches.
func TestEmptyRepositoriesCostNothingBeforeADeletion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a")
		for i := range 20 {
			b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprint("empty", i)})
		}
		b.SetFile("a", "x.yml", []byte("x: 1"))
		b.SetFile("a", "y.yml", []byte("y: 1"))
		w := newWorld(t, b)
		w.unequal = true
		w.port.AddBlueprint(blueprintOf("one"))
		text := "entityDeletionThreshold: 1\nresources:" + of("file", "query: 'true', files: [{path: '*.yml'}]", "", `identifier: '.repo.slug + "/" + .file.path'`)
		w.sync(text).ended(report.Success)
		b.RemoveFile("a", "x.yml")
		b.ResetJournal()
		r := w.sync(text)
		r.ended(report.Success)
		if r.deleted != 1 {
			t.Errorf("got %d deleted, want 1", r.deleted)
		}
		for _, x := range b.Journal() {
			if strings.Contains(x.Path, "/empty") {
				t.Errorf("asked %s of an empty repository", x.Path)
			}
		}
	})
}

// A main branch that is listed and not there has no commit, and no statuses.
func TestHeadStatusesOfAMainBranchThatIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b")
		w := newWorld(t, b)
		w.unequal = true
		w.port.AddBlueprint(blueprintOf("one"))
		b.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Mutate: func(o map[string]any) {
			for _, v := range o["values"].([]any) {
				if v := v.(map[string]any); v["slug"] == "b" {
					v["mainbranch"] = map[string]any{"type": "branch", "name": "gone"}
				}
			}
		}})
		r := w.sync("resources:" + of("repository", "query: 'true'", "", `identifier: .slug, properties: {name: '.__headStatuses | length | tostring'}`)).ended(report.Success)
		if got := r.after["one"]["b"].Properties["name"]; got != "0" {
			t.Errorf("got %v statuses, want 0", got)
		}
	})
}

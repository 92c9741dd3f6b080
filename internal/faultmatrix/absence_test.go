package faultmatrix_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// What the workspace does not show is gone only where that is known. Each of these
// fills an organization by a first run, over pages as long as the program asks for.

const everything = `
entityDeletionThreshold: 1
resources:
  - kind: project
    selector: {query: "true"}
    port: {entity: {mappings: {identifier: .key, title: .name, blueprint: '"project"'}}}
  - kind: repository
    selector: {query: "true", includedFiles: [README.md]}
    port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"repository"',
      properties: {readme: '.__includedFiles["README.md"]'}, relations: {project: .project.key}}}}
  - kind: pull-request
    selector: {query: "true"}
    port: {entity: {mappings: {identifier: '(.destination.repository.full_name | sub(".*/"; "")) + "-" + (.id | tostring)',
      title: .title, blueprint: '"pullRequest"'}}}
  - kind: file
    selector: {query: "true", files: [{path: catalog.yml}]}
    port: {entity: {mappings: {identifier: .repo.slug, title: .content.name, blueprint: '"service"'}}}
`

// readers of folders and files.
var readers = []string{"rest", "auto", "git"}

// filled runs f in a world in which a first run has been.
func filled(t *testing.T, b *bitbuckettest.Server, f func(w *world, before catalog)) {
	t.Helper()
	filledBy(t, "rest", b, f)
}

// filledBy is filled with a reader of folders and files.
func filledBy(t *testing.T, reader string, b *bitbuckettest.Server, f func(w *world, before catalog)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := porttest.New()
		for _, text := range blueprints(t, nil) {
			p.AddBlueprint(text)
		}
		w := newWorld(t, b, p, map[string]string{"MAPPING": everything, "SEND_RAW_DATA_EXAMPLES": "false", "SOURCE_READER": reader})
		b.MaxPage(0)
		if r := w.run(); r.exit != 0 {
			t.Fatalf("the first run: exit status %d\n%s%s", r.exit, r.stdout, r.stderr)
		}
		between()
		f(w, catalogOf(p))
	})
}

// lost are the entities of before that are not there any more.
func (w *world) lost(before catalog) (refs []string) {
	after := catalogOf(w.port)
	for ref := range before {
		if !after.has(ref) {
			refs = append(refs, ref)
		}
	}
	slices.Sort(refs)
	return refs
}

// runAgain runs the program once more, and wants so much to be deleted by now, and no more.
func (w *world) runAgain(what string, before catalog, want ...string) ran {
	w.t.Helper()
	r := w.runSome(what, before, want...)
	if got := w.lost(before); len(got) < len(want) {
		w.t.Errorf("%s: got %q deleted, want %q\n%s", what, got, want, r.stdout)
	}
	return r
}

// runSome runs the program once more, and wants nothing to be deleted but these.
func (w *world) runSome(what string, before catalog, may ...string) ran {
	w.t.Helper()
	r := w.run()
	for _, ref := range w.lost(before) {
		if !slices.Contains(may, ref) {
			w.t.Errorf("%s: %s is deleted, and the run cannot know that it is gone\n%s", what, ref, r.stdout)
		}
	}
	between()
	return r
}

// at makes a change right before the nth request of a path.
func (w *world) at(m moment, f func()) {
	n := 0
	w.network.before = func(r *http.Request) {
		if m.is(r) {
			if n++; n == m.nth {
				f()
			}
		}
	}
}

// many is a workspace of one long list.
func many(list listing) *bitbuckettest.Server {
	const n = 120 // more than a page of any route
	b := bitbuckettest.New("acme")
	b.AddProject(bitbuckettest.Project{Key: "P001"})
	b.AddRepository(bitbuckettest.Repository{Name: "r001", ProjectKey: "P001"})
	for i := range n {
		switch {
		case list == pullRequests:
			b.AddPullRequest("r001", bitbuckettest.PullRequest{Title: "t"})
		case list == projects && i > 0:
			b.AddProject(bitbuckettest.Project{Key: fmt.Sprintf("P%03d", i+1)})
		case list == repositories && i > 0:
			b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%03d", i+1)})
		}
	}
	return b
}

// Before the second page of a list the third value goes, so that one of the second page
// moves up to the first, which has been read; where another comes at the end, the list is as long as before.
func TestAListMovesBetweenTwoPages(t *testing.T) {
	skipWithRaceDetector(t)
	for _, tt := range []struct {
		list     listing
		path     string
		gone     string
		go3, add func(*bitbuckettest.Server)
	}{
		{pullRequests, "/repositories/acme/r001/pullrequests", "pullRequest/r001-3",
			func(b *bitbuckettest.Server) {
				b.UpdatePullRequest("r001", 3, func(p *bitbuckettest.PullRequest) { p.State = "MERGED" })
			},
			func(b *bitbuckettest.Server) { b.AddPullRequest("r001", bitbuckettest.PullRequest{Title: "t"}) }},
		{repositories, repositoriesPath, "repository/r003",
			func(b *bitbuckettest.Server) { b.RemoveRepository("r003") },
			func(b *bitbuckettest.Server) { b.AddRepository(bitbuckettest.Repository{Name: "r121"}) }},
		{projects, projectsPath, "project/P003",
			func(b *bitbuckettest.Server) { b.RemoveProject("P003") },
			func(b *bitbuckettest.Server) { b.AddProject(bitbuckettest.Project{Key: "P121"}) }},
	} {
		for _, size := range []bool{true, false} {
			for _, another := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/size named %t/another comes %t", tt.list, size, another), func(t *testing.T) {
					t.Parallel()
					b := many(tt.list)
					b.OmitSize(!size)
					filled(t, b, func(w *world, before catalog) {
						w.at(moment{host: bitbucketHost, path: tt.path, nth: 2}, func() {
							tt.go3(b)
							if another {
								tt.add(b)
							}
						})
						w.runSome("the run", before, tt.gone)
						w.runAgain("the run after", before, tt.gone)
					})
				})
			}
		}
	}
}

// office is a workspace of n repositories, each with a project, a pull request and a file.
func office(n int) *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	b.AddProject(bitbuckettest.Project{Key: "PAY"})
	for i := range n {
		slug := fmt.Sprintf("unit-%02d", i+1)
		b.AddRepository(bitbuckettest.Repository{Name: slug, ProjectKey: "PAY", Files: map[string]string{
			"README.md": "# " + slug + "\n", "catalog.yml": "name: " + slug + "\n",
		}})
		b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "Change " + slug})
	}
	return b
}

func merge(b *bitbuckettest.Server, slug string) {
	b.UpdatePullRequest(slug, 1, func(p *bitbuckettest.PullRequest) { p.State = "MERGED" })
}

// Four of twenty repositories are listed, and cannot be read.
func TestListedAndNotReadable(t *testing.T) {
	skipWithRaceDetector(t)
	for name, v := range map[string]bitbuckettest.Visibility{"404": bitbuckettest.ListedMissing, "403": bitbuckettest.ListedForbidden} {
		for _, reader := range readers {
			t.Run(name+"/reader "+reader, func(t *testing.T) {
				t.Parallel()
				b := office(20)
				filledBy(t, reader, b, func(w *world, before catalog) {
					shut := []string{"unit-03", "unit-08", "unit-13", "unit-18"}
					for _, slug := range shut {
						b.SetVisibility(slug, v)
					}
					merge(b, "unit-05")
					b.RemoveFile("unit-06", "catalog.yml")
					b.RemoveRepository("unit-07")
					gone := []string{"pullRequest/unit-05-1", "pullRequest/unit-07-1", "repository/unit-07", "service/unit-06", "service/unit-07"}
					for i := range 3 { // as long as it stays so
						var r ran
						if i == 0 { // the first may wait for a second look
							r = w.runSome("when four cannot be read", before, gone...)
						} else {
							r = w.runAgain("while four cannot be read", before, gone...)
						}
						var text strings.Builder
						for _, p := range r.report.Problems {
							text.WriteString(p.Message + " " + p.Example + "\n")
						}
						for _, slug := range shut {
							if !strings.Contains(text.String(), slug) {
								t.Errorf("no problem names %s:\n%s", slug, r.stdout)
							}
						}
					}
					for _, slug := range shut {
						b.SetVisibility(slug, bitbuckettest.Visible)
					}
					w.runAgain("when all can be read", before, gone...)
				})
			})
		}
	}
}

// A repository is away while the list is read, and back before anything is deleted.
func TestAwayWhileTheListIsRead(t *testing.T) {
	skipWithRaceDetector(t)
	for _, size := range []bool{true, false} {
		t.Run(fmt.Sprintf("size named %t", size), func(t *testing.T) {
			t.Parallel()
			b := office(5)
			b.OmitSize(!size)
			filled(t, b, func(w *world, before catalog) {
				b.SetVisibility("unit-02", bitbuckettest.NoPermission)
				merge(b, "unit-04")
				w.at(allRead, func() { b.SetVisibility("unit-02", bitbuckettest.Visible) })
				w.runSome("the run", before, "pullRequest/unit-04-1")
				w.runAgain("the run after", before, "pullRequest/unit-04-1")
			})
		})
	}
}

// The last object of a kind goes, and what it made with it: the list was read to its
// end, and is known to be empty.
func TestTheLastOneGoes(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*bitbuckettest.Server)
		gone string
	}{
		{"the only open pull request is merged", func(b *bitbuckettest.Server) { merge(b, "unit-01") }, "pullRequest/unit-01-1"},
		{"the only file is removed", func(b *bitbuckettest.Server) { b.RemoveFile("unit-01", "catalog.yml") }, "service/unit-01"},
	} {
		for _, reader := range readers {
			t.Run(tt.name+"/reader "+reader, func(t *testing.T) {
				t.Parallel()
				b := office(1)
				b.AddRepository(bitbuckettest.Repository{Name: "other", ProjectKey: "PAY", Files: map[string]string{"README.md": "# Other\n"}})
				filledBy(t, reader, b, func(w *world, before catalog) {
					tt.edit(b)
					w.runAgain("the run", before, tt.gone)
				})
			})
		}
	}
}

// One repository never shows its pull requests: those of the others go all the same.
func TestOneRepositoryIsForbidden(t *testing.T) {
	t.Parallel()
	b := office(4)
	filled(t, b, func(w *world, before catalog) {
		b.Fault(bitbuckettest.Fault{Path: "/repositories/acme/unit-02/pullrequests", Status: http.StatusForbidden, Times: -1})
		w.runAgain("nothing is gone", before)
		merge(b, "unit-03")
		w.runAgain("one is merged", before, "pullRequest/unit-03-1")
		merge(b, "unit-04")
		merge(b, "unit-02") // which no run can know
		w.runAgain("another is merged", before, "pullRequest/unit-03-1", "pullRequest/unit-04-1")
	})
}

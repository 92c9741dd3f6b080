package resync_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

// reading is a workspace of two repositories with files, and one without commits.
func reading() *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	b.AddProject(bitbuckettest.Project{Key: "ENG"})
	b.AddRepository(bitbuckettest.Repository{Name: "mono", ProjectKey: "ENG", Files: map[string]string{
		"README.md": "# Mono", "CODEOWNERS": "* @acme", "package.json": "{}", "docs/a.md": "# A",
		"apps/api/port.yml": "title: API", "apps/web/port.yml": "title: Web", "apps/web/README.md": "# Web",
	}})
	b.AddRepository(bitbuckettest.Repository{Name: "tool", Files: map[string]string{"README.md": "# Tool", "port.yml": "title: Tool"}})
	b.AddRepository(bitbuckettest.Repository{Name: "empty"})
	b.AddBranch("mono", "release/1.x")
	b.SetFile("mono", "docs/b.md", []byte("# B"))
	b.AddBranch("mono", "same")
	return b
}

// Resources that read files, each with its selector in flow style. That of repositories
// reads all of its included files.
func ofRepositories(selector string) string {
	return ofRepositoriesThat(".__includedFiles != 0", selector)
}

func ofRepositoriesThat(query, selector string) string {
	return "\n- kind: repository\n  selector: {query: '" + query + "'" + selector + "}\n  port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '\"repo\"'}}}"
}

func ofFolders(selector, query, properties string) string {
	return "\n- kind: folder\n  selector: {query: '" + query + "', " + selector + `}
  port: {entity: {mappings: {identifier: '.repo.slug + "/" + .branch + "/" + .folder.path', title: .folder.path, blueprint: '"service"', properties: {` + properties + `}}}}`
}

func ofFiles(selector string) string {
	return "\n- kind: file\n  selector: {query: 'true', " + selector + `}
  port: {entity: {mappings: {identifier: '.repo.slug + "/" + .file.path', title: .file.path, blueprint: '"project"'}}}`
}

// everyText is a query that reads the included files of the root and of the folder.
const everyText = "[.__includedFiles, .folder.__includedFiles] != null"

// asked are the requests of a run, sorted: "slug:folder@depth" is a listing,
// "slug:path" a file, and anything else the path itself.
func (r result) asked() []string {
	r.t.Helper()
	var all []string
	for _, x := range r.requests {
		path := strings.TrimPrefix(strings.TrimPrefix(x.Path, "/2.0/repositories/acme"), "/")
		slug, rest, _ := strings.Cut(path, "/")
		source, isSource := strings.CutPrefix(rest, "src/")
		if !isSource {
			all = append(all, strings.TrimPrefix(x.Path, "/2.0/"))
			continue
		}
		_, name, _ := strings.Cut(source, "/")
		name, err := url.PathUnescape(name)
		if err != nil {
			r.t.Fatal(err)
		}
		if depth := x.Query.Get("max_depth"); depth != "" {
			name = strings.TrimSuffix(name, "/") + "@" + depth
		}
		all = append(all, slug+":"+name)
	}
	slices.Sort(all)
	return all
}

// TestRequests: what is asked of Bitbucket beside the list of repositories, which every
// one of these reads once.
func TestRequests(t *testing.T) {
	t.Parallel()
	const list = "repositories/acme"
	for _, c := range []struct {
		name      string
		resources []string
		want      string
	}{
		// Who has no folder apps is not known before it is asked, and one listing of the
		// literal beginning tells. A repository without commits has nothing to ask for.
		{"folders of one level", []string{ofFolders("folders: [{path: apps/*}]", "true", "")}, "mono:apps@1 tool:apps@1"},
		// One listing of all depths for each repository; then the files that match, and no other.
		{"files at any depth", []string{ofFiles("files: [{path: '**/port.yml'}]")},
			"mono:@20 mono:apps/api/port.yml mono:apps/web/port.yml tool:@20 tool:port.yml"},
		// An item has the size and the type of the file, which its listing tells and its text
		// does not; where it is not listed, it is not read.
		{"a file by its path", []string{ofFiles("files: {path: /, filenames: [package.json]}")}, "mono:@1 mono:package.json tool:@1"},
		// One or two files: to ask for them costs no more than to list the root before.
		{"repositories with an included file", []string{ofRepositories(", includedFiles: [README.md]")}, "mono:README.md tool:README.md"},
		// Three: a listing of the root stands for the ones that are not there.
		{"repositories with three included files", []string{ofRepositories(", includedFiles: [README.md, CODEOWNERS, go.mod]")},
			"mono:@1 mono:CODEOWNERS mono:README.md tool:@1 tool:README.md"},
		// What one resource has read, the other takes.
		{"two resources with the same included file", []string{ofRepositories(", includedFiles: [README.md]"), ofRepositories(", includedFiles: [README.md]")},
			"mono:README.md tool:README.md"},
		// One listing answers both kinds.
		{"folders and files", []string{ofFolders("folders: [{path: '**'}]", "true", ""), ofFiles("files: [{path: '**/port.yml'}]")},
			"mono:@20 mono:apps/api/port.yml mono:apps/web/port.yml tool:@20 tool:port.yml"},
		// The listing tells that tool has no CODEOWNERS.
		{"files, then an included file", []string{ofFiles("files: [{path: '**/port.yml', repos: [tool]}]"), ofRepositories(", includedFiles: [CODEOWNERS]")},
			"mono:CODEOWNERS tool:@20 tool:port.yml"},
		// A file is read once, whichever patterns want it, parsed or not.
		{"two resources with the same files", []string{ofFiles("files: [{path: 'apps/*/port.yml'}]"), ofFiles("files: [{path: 'apps/web/*', skipParsing: true}]")},
			"mono:apps/api/port.yml mono:apps/web/README.md mono:apps/web/port.yml mono:apps@2 tool:apps@2"},
		// One read for the root's file, and one for each folder's: none of the listings goes
		// into the folders. Nothing is read in a repository without such folders.
		{"folders with an included file", []string{ofFolders("includedFiles: [README.md], folders: [{path: apps/*}]", everyText, "")},
			"mono:README.md mono:apps/api/README.md mono:apps/web/README.md mono:apps@1 tool:apps@1"},
		// What no expression can reach is not read: of the folders, of the root, of both.
		{"folders with an included file of the root", []string{ofFolders("includedFiles: [README.md], folders: [{path: apps/*}]", "true", `owner: '.__includedFiles["README.md"]'`)},
			"mono:README.md mono:apps@1 tool:apps@1"},
		{"folders with an included file of their own", []string{ofFolders("includedFiles: [README.md], folders: [{path: apps/*}]", "true", `owner: '.folder.__includedFiles["README.md"]'`)},
			"mono:apps/api/README.md mono:apps/web/README.md mono:apps@1 tool:apps@1"},
		{"folders with one of three included files", []string{ofFolders("includedFiles: [README.md, CODEOWNERS, go.mod], folders: [{path: apps/*}]", `.folder.__includedFiles["go.mod"] == null`, "")},
			"mono:apps/api/go.mod mono:apps/web/go.mod mono:apps@1 tool:apps@1"},
		{"folders with an included file that nothing reads", []string{ofFolders("includedFiles: [README.md], folders: [{path: apps/*}]", "true", "owner: .folder.path")},
			"mono:apps@1 tool:apps@1"},
		{"files with an included file that nothing reads", []string{ofFiles("includedFiles: [README.md], files: [{path: port.yml}]")}, "mono:@1 tool:@1 tool:port.yml"},
		{"repositories with included files that nothing reads", []string{ofRepositoriesThat(".slug != null", ", includedFiles: [README.md]")}, ""},
		{"repositories of which one reads the included file", []string{ofRepositoriesThat(`.slug == "tool" or .__includedFiles["README.md"] != null`, ", includedFiles: [README.md, CODEOWNERS, go.mod]")},
			"mono:README.md tool:README.md"},
		// The hash of another branch costs one request; the main branch's came with the list.
		{"a branch and the main branch", []string{ofFolders("folders: [{path: apps/*, repos: [{name: mono}, {name: mono, branch: release/1.x}]}]", "true", "")},
			"mono:apps@1 mono:apps@1 repositories/acme/mono/refs/branches/release%2F1.x"},
		// What is read belongs to a commit, not to a branch.
		{"a branch of the same commit", []string{ofFolders("folders: [{path: apps/*, repos: [{name: mono}, {name: mono, branch: same}]}]", "true", "")},
			"mono:apps@1 repositories/acme/mono/refs/branches/same"},
		// A mapping's file:// is read for what passes the selector, and for nothing else.
		{"folders with file://", []string{ofFolders("folders: [{path: apps/*}]", `.folder.path == "apps/web"`, "owner: file://README.md")},
			"mono:apps/web/README.md mono:apps@1 tool:apps@1"},
		// The patterns of a selector share one listing when it covers them, and have one each when
		// their beginnings differ: the rest of the tree is not listed.
		{"files of two folders", []string{ofFiles("files: [{path: 'apps/**/port.yml', repos: [mono]}, {path: docs/*.md, repos: [mono]}, {path: apps/web/README.md, repos: [mono]}]")},
			"mono:apps/api/port.yml mono:apps/web/README.md mono:apps/web/port.yml mono:apps@20 mono:docs/a.md mono:docs/b.md mono:docs@1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, reading())
				r := w.sync(mapped(c.resources...)).ended(report.Success)
				want := append(strings.Fields(c.want), list)
				slices.Sort(want)
				if got := r.asked(); !slices.Equal(got, want) {
					t.Errorf("requests: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				if r.counts.Extracted == 0 {
					t.Error("nothing was extracted")
				}
			})
		})
	}
}

// Of four included files in each of twenty folders one is read: 20 requests beside the
// two listings, and not 81, for the listing of each folder and three files in it.
func TestIncludedFilesThatNothingReads(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 20 {
		for _, name := range []string{"README.md", "CODEOWNERS", "port.yml"} {
			files[fmt.Sprintf("apps/%02d/%s", i, name)] = "of " + name // no path, as a symbolic link has
		}
	}
	for _, c := range []struct {
		name, query string
		want        int
	}{
		{"one is read", "true", 1 + 1 + 20},
		{"all are read", ".folder.__includedFiles != 0", 1 + 1 + 80},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := bitbuckettest.New("acme")
				b.AddRepository(bitbuckettest.Repository{Name: "mono", Files: files})
				w := newWorld(t, b)
				r := w.sync(mapped(ofFolders("includedFiles: [README.md, CODEOWNERS, port.yml, go.mod], folders: [{path: apps/*}]", c.query, `owner: '.folder.__includedFiles["README.md"]'`)))
				r.ended(report.Success).is(want{"extracted": 20})
				if got := len(r.requests); got != c.want {
					t.Errorf("requests: got %d, want %d:\n%s", got, c.want, strings.Join(r.asked(), "\n"))
				}
				for id, e := range r.after["service"] {
					if e.Properties["owner"] != "of README.md" {
						t.Errorf("%s: owner is %v", id, e.Properties["owner"])
					}
				}
			})
		})
	}
}

// Two resources of projects read the list once, and so do two that walk repositories.
func TestListsAreReadOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, reading())
		again := entity("project", `{identifier: '.key + "-2"', title: .name, blueprint: '"project"'}`)
		r := w.sync(mapped(projects, repos, again, ofRepositories(""))).ended(report.Success).is(want{"extracted": 8})
		r.has("project", "ENG", "ENG-2")
		if got, want := strings.Join(r.asked(), " "), "repositories/acme workspaces/acme/projects"; got != want {
			t.Errorf("requests: got %s, want %s", got, want)
		}
	})
}

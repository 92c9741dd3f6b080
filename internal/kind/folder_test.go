package kind_test

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
)

// monorepo has folders in two repositories, an empty repository, and a branch with
// a slash whose commit is older than that of the main branch.
func monorepo() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "Mono Repo", Files: map[string]string{
		"README.md": "# Mono", "CODEOWNERS": "* @a", "apps/web/README.md": "# Web", "apps/web/src/main.go": "package main", "apps/web/src/deep/x.go": "x",
		"apps/api/port.yml": "a: 1", "libs/log/log.go": "l", ".github/workflows/ci.yml": "c", "docs/index.md": "# Index",
	}})
	s.AddBranch("mono-repo", "feature/old")
	s.SetFile("mono-repo", "apps/new/x", []byte("n"))
	s.AddRepository(bitbuckettest.Repository{Name: "empty"})
	s.AddRepository(bitbuckettest.Repository{Name: "svc", MainBranch: "trunk", Files: map[string]string{"apps/svc/a": "1", "README.md": "# Svc"}})
	return s
}

// wire are the requests since the last call: "slug:folder@depth" is a listing, "slug:path" a file.
func (w world) wire() string {
	var lines []string
	for _, x := range w.s.Journal() {
		p := strings.TrimPrefix(strings.TrimPrefix(x.Path, "/2.0/repositories/acme"), "/")
		slug, rest, _ := strings.Cut(p, "/")
		name, isSource := strings.CutPrefix(rest, "src/")
		if !isSource {
			lines = append(lines, strings.Trim(slug+":"+rest, ":"))
			continue
		}
		_, name, _ = strings.Cut(name, "/")
		name, err := url.PathUnescape(name)
		if err != nil {
			w.Fatal(err)
		}
		if depth := x.Query.Get("max_depth"); depth != "" {
			if !strings.HasSuffix(name, "/") && name != "" {
				w.Errorf("got a listing of %q with %s", x.Path, x.RawQuery)
			}
			name = strings.TrimSuffix(name, "/") + "@" + depth
			if n := x.Query.Get("pagelen"); n != "100" {
				name += "/" + n
			}
		}
		if x.Query.Get("format") == "meta" {
			name += "?meta"
		}
		if x.Query.Has("page") {
			name += "+"
		}
		lines = append(lines, slug+":"+name)
	}
	w.s.ResetJournal()
	if got := w.s.Violations(); len(got) > 0 {
		w.Errorf("violations: got %q, want none", got)
	}
	return strings.Join(lines, " ")
}

// folderPaths are "slug:path=pattern@branch" of folder items.
func folderPaths(objects []kind.Object) string {
	var lines []string
	for _, o := range objects {
		lines = append(lines, fmt.Sprintf("%s:%s=%s@%s", o["repo"].(kind.Object)["slug"], o["folder"].(kind.Object)["path"], o["pattern"], o["branch"]))
	}
	return strings.Join(lines, " ")
}

func TestFolders(t *testing.T) {
	for _, tt := range []struct{ name, selector, want, wire string }{
		{"one level", "folders: [{path: apps/*}]",
			"mono-repo:apps/api=apps/*@main mono-repo:apps/new=apps/*@main mono-repo:apps/web=apps/*@main svc:apps/svc=apps/*@trunk",
			"mono-repo:apps@1 svc:apps@1"},
		{"without wildcards", "folders: [{path: /apps/web/}]", "mono-repo:apps/web=/apps/web/@main", "mono-repo:apps@1 svc:apps@1"},
		{"in the root", "folders: [{path: apps}, {path: .github}]", "mono-repo:.github=.github@main mono-repo:apps=apps@main svc:apps=apps@trunk", "mono-repo:@1 svc:@1"},
		{"any depth", "folders: [{path: apps/web/**}]", "mono-repo:apps/web/src=apps/web/**@main mono-repo:apps/web/src/deep=apps/web/**@main",
			"mono-repo:apps/web@20 svc:apps/web@20"},
		{"two patterns match one folder", "folders: [{path: 'apps/w*'}, {path: '*/web'}]",
			"mono-repo:apps/web=apps/w*@main mono-repo:apps/web=*/web@main", "mono-repo:@2 svc:@2"},
		{"by name", "folders: [{path: 'apps/*', repos: [{name: svc}]}]", "svc:apps/svc=apps/*@trunk", "svc:apps@1"},
		{"by display name", "folders: [{path: 'docs', repos: [{name: Mono Repo}]}]", "mono-repo:docs=docs@main", "mono-repo:@1"},
		{"one names a repository, the other none", "folders: [{path: docs, repos: [{name: mono-repo}]}, {path: apps}]",
			"mono-repo:apps=apps@main mono-repo:docs=docs@main svc:apps=apps@trunk", "mono-repo:@1 svc:@1"},
		{"main branch by name and by default", "folders: [{path: apps, repos: [{name: svc, branch: default}, {name: svc, branch: trunk}]}]",
			"svc:apps=apps@trunk", "svc:@1"},
		{"branch with a slash", "folders: [{path: 'apps/*', repos: [{name: mono-repo, branch: feature/old}]}]",
			"mono-repo:apps/api=apps/*@feature/old mono-repo:apps/web=apps/*@feature/old", "mono-repo:refs/branches/feature%2Fold mono-repo:apps@1"},
		{"two branches", "folders: [{path: apps/new, repos: [{name: mono-repo, branch: feature/old}, {name: mono-repo}]}]",
			"mono-repo:apps/new=apps/new@main", "mono-repo:refs/branches/feature%2Fold mono-repo:apps@1 mono-repo:apps@1"},
		{"no such folder", "folders: [{path: 'nowhere/*/x'}]", "", "mono-repo:nowhere@2 svc:nowhere@2"},
		{"below a file", "folders: [{path: 'README.md/*'}]", "", "mono-repo:README.md@1 svc:README.md@1"},
		{"the root", "folders: [{path: ''}]", "mono-repo:=@main svc:=@trunk", ""},
		{"the root, and more", "folders: [{path: docs}, {path: /}, {path: ''}]", "mono-repo:=/@main mono-repo:=@main mono-repo:docs=docs@main svc:=/@trunk svc:=@trunk", "mono-repo:@1 svc:@1"},
		{"the root of a branch", "folders: [{path: '', repos: [{name: mono-repo, branch: feature/old}]}]", "mono-repo:=@feature/old", "mono-repo:refs/branches/feature%2Fold"},
		{"narrowed", "repoQuery: 'name ~ \"svc\"', folders: [{path: apps}]", "svc:apps=apps@trunk", "svc:@1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, monorepo(), func(w world) {
				objects := w.good("folder", tt.selector)
				w.equal("folders", folderPaths(objects), tt.want)
				w.equal("requests", strings.TrimPrefix(w.wire(), " "), tt.wire)
			})
		})
	}
}

func TestFolderItem(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		objects := w.good("folder", "folders: [{path: 'apps/w*'}, {path: apps/web}]")
		o := objects[0]
		w.equal("keys", len(o), 5)
		w.equal("repository", o["__repository"], o["repo"])
		folder, repo := o["folder"].(kind.Object), o["repo"].(kind.Object)
		w.equal("type", folder["type"], any("commit_directory"))
		w.equal("name of the folder", folder["name"], any("web"))
		w.equal("links", strings.HasSuffix(folder["links"].(kind.Object)["self"].(kind.Object)["href"].(string), "/apps/web/"), true)
		w.equal("name", repo["name"], any("Mono Repo"))
		w.equal("main branch", repo["mainbranch"].(kind.Object)["name"], any("main"))
		repo["name"], folder["path"] = "written into", "written into"
		w.equal("not shared", folderPaths(objects[1:]), "mono-repo:apps/web=apps/web@main")
		w.equal("name of the other", objects[1]["repo"].(kind.Object)["name"], any("Mono Repo"))
	})
}

func TestFolderIncludedFiles(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		objects := w.good("folder", "includedFiles: [README.md, port.yml], folders: [{path: 'apps/*', repos: [{name: mono-repo}]}]")
		root := any(kind.Object{"README.md": "# Mono", "port.yml": nil})
		for _, o := range objects {
			w.equal("root's", files(o), root)
		}
		w.equal("api's", files(objects[0]["folder"].(kind.Object)), any(kind.Object{"README.md": nil, "port.yml": "a: 1"}))
		w.equal("web's", files(objects[2]["folder"].(kind.Object)), any(kind.Object{"README.md": "# Web", "port.yml": nil}))
		w.equal("requests", w.wire(), " mono-repo:apps@1 mono-repo:README.md mono-repo:port.yml mono-repo:apps/api/README.md mono-repo:apps/api/port.yml "+
			"mono-repo:apps/new/README.md mono-repo:apps/new/port.yml mono-repo:apps/web/README.md mono-repo:apps/web/port.yml")
	})
}

// The root is an item as other folders are, with the files that lie in it.
func TestRootFolder(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		objects := w.good("folder", "includedFiles: [README.md], folders: [{path: ''}, {path: apps}]")
		folder := func(i int) kind.Object { return objects[i]["folder"].(kind.Object) }
		w.equal("keys", slices.Sorted(maps.Keys(folder(0))), slices.Sorted(maps.Keys(folder(1))))
		w.equal("commit", folder(0)["commit"], folder(1)["commit"])
		w.equal("name", folder(0)["name"], any(""))
		w.equal("type", folder(0)["type"], folder(1)["type"])
		w.equal("files", files(folder(0)), any(kind.Object{"README.md": "# Mono"}))
		self, of := folder(0)["links"].(kind.Object)["self"].(kind.Object)["href"], folder(1)["links"].(kind.Object)["self"].(kind.Object)["href"]
		w.equal("link", self, any(strings.TrimSuffix(of.(string), "apps/")))
	})
}

// Where a listing has the folders' files, those that are not there are not asked for.
func TestFolderIncludedFilesThatAreKnown(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		w.good("folder", "includedFiles: [README.md, port.yml], folders: [{path: '**/web', repos: [{name: mono-repo}]}]")
		w.equal("requests", w.wire(), " mono-repo:@20 mono-repo:README.md mono-repo:apps/web/README.md")
	})
}

func TestFolderProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, selector string
		want           []string
	}{
		{"none", "", []string{"selector.folders", "names no folders", `[{path: "services/*"}]`}},
		{"empty list", "folders: []", []string{"mapping.yml:3:", "names no folders"}},
		{"no path", "folders: [{repos: [{name: a}]}]", []string{"folders[0].path", "is missing", `path: "" for the root itself`}},
		{"null path", "folders: [{path: null}]", []string{"folders[0].path", "is missing"}},
		{"two slashes", "folders: [{path: a}, {path: //}]", []string{"folders[1].path", `"//" is not a valid pattern: it is empty`}},
		{"bad glob", "folders: [{path: 'a/[b'}]", []string{`"a/[b" is not a valid pattern: it has a "["`}},
		{"above", "folders: [{path: '../a'}]", []string{`".."`}},
		{"no name", "folders: [{path: a, repos: [{branch: b}]}]", []string{"folders[0].repos[0]", "has no name"}},
		{"unknown key", "folders: [{pth: a}]", []string{`unknown key "pth"`, `"path"`}},
		{"included", "includedFiles: [../a], folders: [{path: a}]", []string{"includedFiles[0]", "not the path"}},
		{"role", "userRole: x, folders: [{path: a}]", []string{"unknown role"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := kind.Bind(resource(t, "folder", tt.selector))
			var problems diag.Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("got %v, want diag.Problems", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %q, want it to have %q", err, part)
				}
			}
		})
	}
}

func TestFolderOfWhatIsNotThere(t *testing.T) {
	for _, tt := range []struct {
		name, selector string
		message, fix   string
		items          int
	}{
		{"repository", "folders: [{path: apps, repos: [{name: mono-rep}, {name: svc}]}]", `no repository "mono-rep"`, `did you mean "mono-repo"?`, 1},
		{"nothing like it", "folders: [{path: apps, repos: [{name: zzzzzz}]}]", `no repository "zzzzzz"`, "name or slug", 0},
		{"left out by the query", "repoQuery: 'name ~ \"svc\"', folders: [{path: apps, repos: [{name: mono-repo}]}]", `"mono-repo" is not among those that userRole and repoQuery leave`, "", 0},
		{"branch", "folders: [{path: apps, repos: [{name: mono-repo, branch: feature/odl}, {name: svc}]}]", `has no branch "feature/odl"`, `did you mean "feature/old"?`, 1},
		{"branch of an empty repository", "folders: [{path: apps, repos: [{name: empty, branch: main}]}]", `"empty" has no branch "main"`, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, monorepo(), func(w world) {
				got := w.extract("folder", tt.selector)
				w.equal("items", len(got.objects), tt.items)
				var warning *kind.Warning
				if got.err != nil || len(got.failed) != 1 || !errors.As(got.failed[0], &warning) {
					w.Fatalf("got %v and %v, want one *Warning", got.err, got.failed)
				}
				if !strings.Contains(warning.Message, tt.message) || !strings.Contains(warning.Fix, tt.fix) {
					w.Errorf("got %q, %q, want %q, %q", warning.Message, warning.Fix, tt.message, tt.fix)
				}
			})
		})
	}
}

// One repository that cannot be listed is an error of its task; the others go on.
func TestFolderOfOneRepositoryFails(t *testing.T) {
	for name, fault := range map[string]bitbuckettest.Fault{
		"500":                {Status: 500},
		"404 without a path": {Status: 404},
		"broken":             {DropConnection: true},
		"second page":        {Status: 502, Query: "page="},
	} {
		t.Run(name, func(t *testing.T) {
			s := monorepo()
			for i := range 150 {
				s.SetFile("mono-repo", fmt.Sprintf("apps/x/%d/y", i), nil)
			}
			fault.Path, fault.Times = "/repositories/acme/mono-repo/src/**", -1
			s.Fault(fault)
			inBubble(t, s, func(w world) {
				got := w.extract("folder", "folders: [{path: 'apps/**'}]")
				w.equal("error of the list", got.err, nil)
				w.equal("the others", folderPaths(got.objects), "svc:apps/svc=apps/**@trunk")
				if len(got.failed) != 1 || isUnreadable(got.failed[0]) || isGone(got.failed[0]) ||
					!strings.Contains(got.failed[0].Error(), `list folder "/apps" of repository "mono-repo"`) {
					w.Errorf("got %v, want one error of the task", got.failed)
				}
			})
		})
	}
}

func TestFolderOfARepositoryThatVanishes(t *testing.T) {
	s := monorepo()
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/svc/**", Status: 404, Times: -1})
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/svc", Status: 404, Times: -1})
	inBubble(t, s, func(w world) {
		got := w.extract("folder", "folders: [{path: apps}, {path: apps, repos: [{name: svc, branch: x}]}]")
		w.equal("the others", folderPaths(got.objects), "mono-repo:apps=apps@main")
		w.equal("gone", len(got.failed) == 2 && isGone(got.failed[0]) && isGone(got.failed[1]), true)
	})
}

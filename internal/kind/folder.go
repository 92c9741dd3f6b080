package kind

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
	"port-bitbucket-exporter/internal/source"
)

// folder is put together here: the folder of a listing, and its repository. Included files
// are in both.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/, read 2026-11.
var folder = define(Kind{
	Name: "folder", Aliases: []string{"directory", "dir"}, Files: true,
	Example: folderExample,
	Manual:  Manual{What: "folders of repositories, with files of theirs", Requests: "over git none of the API's; over REST 1 for each repository and 100 entries", Scope: "repository", APIScope: "read:repository:bitbucket"},
	Objects: shape.Kind{
		Object:     withRepository(folderShape),
		Missing:    map[string]string{".folder.commit.repository": "write .repo"},
		Identifier: `.repo.slug + "/" + .folder.path`,
	},
	place: place{put: putRepo, paths: [][]string{{"repo"}, {withinKey}}},
}, extractFolders)

const folderExample = `folders: [{path: "services/*"}]`

type folderSelector struct {
	walked
	IncludedFiles []string        `yaml:"includedFiles" help:"Files to read with each folder: those of the repository's root as .__includedFiles[\"README.md\"], those of the folder as .folder.__includedFiles[\"README.md\"]."`
	Folders       []folderPattern `yaml:"folders" required:"true" help:"Which folders of which repositories are taken."`
	reads         Reads
	named         []string // files that expressions name by file://
}

var _ reader = &folderSelector{}

func (s *folderSelector) read(reads Reads, named []string) {
	s.reads, s.named = reads, named
}

// folderPattern selects folders of which repositories.
type folderPattern struct {
	Path  *string   `yaml:"path" required:"true" help:"A pattern of the folder's path from the root: * is a part of one name, ** any number of folders, and an empty one the root itself."`
	Repos []repoRef `yaml:"repos" help:"The repositories: all when it is absent."`
}

func (p folderPattern) pattern() string {
	if p.Path == nil {
		return ""
	}
	return *p.Path
}

func (s folderSelector) selective() bool { return true }

func (s folderSelector) readsFiles() bool { return true }

func (s folderSelector) cost() Cost {
	all := make([][]repoRef, len(s.Folders))
	for i, p := range s.Folders {
		all[i] = p.Repos
	}
	return Cost{Sources: 1, Named: named(all)}
}

func (s folderSelector) problems(raw mapping.Selector) diag.Problems {
	problems := s.walked.problems(raw)
	problems = append(problems, checkIncluded(raw, s.IncludedFiles)...)
	if len(s.Folders) == 0 {
		problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, "folders", "the selector names no folders",
			"write which ones, such as "+folderExample))
	}
	for i, p := range s.Folders {
		at := fmt.Sprintf("folders[%d]", i)
		switch _, err := glob.Parse(p.pattern()); {
		case p.Path == nil:
			problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, at+".path", "is missing: which folders are taken is not known",
				`write path: "*" for the folders in the root, path: "**" for all folders, or path: "" for the root itself`))
		case err != nil:
			problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, at+".path", fmt.Sprintf("%q is not a valid pattern: it %v", p.pattern(), err),
				patternFix(err, `* is for a part of one name, ** for folders of any depth; write "\" before a character that is meant as it is`)))
		}
		problems = append(problems, checkRefs(raw, at+".repos", p.Repos)...)
	}
	return problems
}

func putRepo(object, repository Object) Object {
	object["repo"], object[withinKey] = repository, repository
	return object
}

func extractFolders(ctx context.Context, ws *Workspace, s folderSelector) iter.Seq2[Task, error] {
	refs := make([][]repoRef, len(s.Folders))
	globs := make([]glob.Pattern, len(s.Folders))
	for i, p := range s.Folders {
		var err error
		if globs[i], err = glob.Parse(p.pattern()); err != nil {
			return func(yield func(Task, error) bool) { yield(Task{}, err) }
		}
		refs[i] = p.Repos
	}
	return choose(ctx, ws, s.walked, refs, func(c chosen) Run {
		patterns := make([]glob.Pattern, len(c.patterns))
		for i, p := range c.patterns {
			patterns[i] = globs[p]
		}
		return folderTask(ws, c, patterns, s)
	})
}

func folderTask(ws *Workspace, of chosen, patterns []glob.Pattern, s folderSelector) Run {
	return func(ctx context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) {
			c, err := ws.checkout(ctx, of.repository, of.branch)
			if err != nil {
				yield(Found{}, err)
				return
			}
			defer c.Close() // an error would cost room, and nothing else
			t := &folderReader{checkout: c, root: c.rootFiles(s.IncludedFiles, s.reads), own: s.reads.of(s.IncludedFiles, "folder", includedFiles), named: s.named,
				links: s.reads.any("folder", "links"), within: s.reads.any(withinKey)}
			matches, err := c.match(ctx, source.Folder, patterns, t.wants(patterns))
			if err != nil {
				yield(Found{}, err)
				return
			}
			if !c.report(yield) {
				return
			}
			matches = append(c.rootMatches(patterns), matches...)
			if err := t.fetch(ctx, matches); err != nil {
				yield(Found{}, err)
				return
			}
			if len(matches) > 0 {
				t.root.load(ctx)
			}
			read := func(ctx context.Context, m match) folderRead { return t.ahead(ctx, m.entry) }
			for m, read := range concurrent.Ahead(ctx, ws.ahead, matches, read) {
				found, err := t.found(ctx, read, patterns[m.pattern])
				var gone *Gone
				if errors.As(err, &gone) || err != nil && ctx.Err() != nil {
					yield(Found{}, err)
					return
				}
				if err != nil {
					err = &Unreadable{Object: c.At(m.entry.Path), Err: err}
				}
				if !yield(found, err) || !c.report(yield) {
					return
				}
			}
		}
	}
}

// rootMatches are those of the root folder, which is in no listing.
func (c *checkout) rootMatches(patterns []glob.Pattern) (found []match) {
	for i, p := range patterns {
		if p.Root() && c.Hash() != "" {
			found = append(found, match{c.Root(), i})
		}
	}
	return found
}

// folderReader makes items of the folders of one checkout.
type folderReader struct {
	checkout *checkout
	root     *rootFiles // nil when the selector names none
	own      []string   // the files to read from each folder
	named    []string   // those that expressions name by file://
	links    bool       // expressions read the links of folders
	within   bool       // and the repository at __repository
}

// folderRead is a folder with what was asked for besides its listing.
type folderRead struct {
	entry source.Entry
	own   included
	err   error
}

// ahead reads the files of a folder, and its entry where git does not know all of it.
func (t *folderReader) ahead(ctx context.Context, e source.Entry) folderRead {
	read := folderRead{entry: e}
	if t.links && e.AsksForLinks() {
		read.entry, read.err = t.checkout.Meta(ctx, e.Path)
	}
	if read.err == nil {
		read.own = t.checkout.included(ctx, e.Path, t.own)
	}
	return read
}

// wants reports which files are read; nil for none.
func (t *folderReader) wants(patterns []glob.Pattern) func(path string) bool {
	root := t.root.paths()
	if len(root)+len(t.own) == 0 {
		return nil
	}
	return func(path string) bool {
		return slices.Contains(root, path) || slices.ContainsFunc(t.own, func(name string) bool {
			folder, ok := strings.CutSuffix("/"+path, "/"+strings.TrimPrefix(name, "/"))
			return ok && slices.ContainsFunc(patterns, func(p glob.Pattern) bool {
				return folder == "" && p.Root() || p.Matches(strings.TrimPrefix(folder, "/"))
			})
		})
	}
}

// fetch reads the files of all folders, and of the root, together where that can be.
func (t *folderReader) fetch(ctx context.Context, matches []match) error {
	if len(matches) == 0 {
		return nil
	}
	paths := t.root.paths()
	for _, m := range matches {
		paths = append(paths, allBelow(m.entry.Path, t.own)...)
		paths = append(paths, namedFrom(m.entry.Path, t.named)...)
	}
	return t.checkout.Fetch(ctx, paths)
}

// found is the item of a folder. Included files are those of the repository's
// root, and besides the fields of the folder those of the folder.
func (t *folderReader) found(ctx context.Context, read folderRead, pattern glob.Pattern) (Found, error) {
	if read.err != nil {
		return Found{}, read.err
	}
	c, e, own := t.checkout, read.entry, read.own
	entry, err := c.Object(e)
	if err != nil {
		return Found{}, err
	}
	repo, err := bitbucket.Decode(c.repository.JSON)
	if err != nil {
		return Found{}, err
	}
	entry["name"] = path.Base("/" + e.Path) // documented mappings take it for a title
	if e.Path == "" {
		entry["name"] = ""
	}
	object := Object{"folder": entry, "repo": repo, "pattern": pattern.String(), "branch": c.Branch()}
	if t.within {
		object[withinKey] = clone(repo)
	}
	found := Found{Object: object, Address: c.address(e.Path), Read: c.reader(e.Path)}
	if t.root == nil {
		return found, nil
	}
	root, err := t.root.included(ctx)
	if err != nil {
		return Found{}, err
	}
	c.warn(own.warnings...)
	object[includedFiles], entry[includedFiles] = root.texts, own.texts
	found.Unparsed = root.unclear || own.unclear
	return found, own.err
}

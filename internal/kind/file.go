package kind

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
	"port-bitbucket-exporter/internal/source"
)

// file is put together here: the file with its content, what a listing has of it, and its
// repository.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/, read 2026-11.
var file = define(Kind{
	Name: "file", Files: true,
	Manual:  Manual{What: "files, parsed where they are JSON or YAML", Requests: "over git none of the API's; over REST listings, and 1 for each file", Scope: "repository", APIScope: "read:repository:bitbucket"},
	Example: fileExample,
	Objects: shape.Kind{
		Object:     withRepository(fileShape),
		Identifier: `.repo.slug + "/" + .file.path`,
		Missing:    missingInFiles(),
	},
	place: place{put: putInFile, paths: [][]string{{"repo"}, {withinKey}, {"metadata", "commit", "repository"}}},
}, extractFiles)

// missingInFiles are fields of whole repositories, which the one of a commit does not have.
func missingInFiles() map[string]string {
	missing := map[string]string{}
	for _, name := range shape.Of(repositoryShape).Names {
		missing[".metadata.commit.repository."+name] = "write .repo." + name
	}
	return missing
}

const fileExample = `files: {filenames: [package.json]}`

type fileSelector struct {
	walked
	IncludedFiles []string      `yaml:"includedFiles" help:"Files of the repository's root to read with each file, found as .__includedFiles[\"README.md\"]."`
	Files         []filePattern `yaml:"files" required:"true" help:"Which files of which repositories are taken."`
	reads         Reads
	named         []string // files that expressions name by file://
}

var _ reader = &fileSelector{}

func (s *fileSelector) read(reads Reads, named []string) {
	s.reads, s.named = reads, named
}

// filePattern selects files of which repositories.
type filePattern struct {
	// Path is the folder when there are Filenames, else the pattern of the file itself.
	Path  string    `yaml:"path" help:"The folder when there are filenames, else a pattern of the file's own path: * is a part of one name, ** any number of folders."`
	Repos []repoRef `yaml:"repos" help:"The repositories: all when it is absent."`
	// Repo is taken for Repos: a documented example has it.
	Repo        []repoRef `yaml:"repo" deprecated:"true" help:"Write repos."`
	Filenames   []string  `yaml:"filenames" help:"The names of the files, or patterns of them."`
	SkipParsing bool      `yaml:"skipParsing" help:"Whether the content of JSON and YAML files stays text."`
}

func (p filePattern) repos() []repoRef { return slices.Concat(p.Repos, p.Repo) }

// patterns are those of the paths of files, one for each of Filenames.
func (p filePattern) patterns() []string {
	if len(p.Filenames) == 0 {
		return []string{p.Path}
	}
	folder := ""
	switch p.Path {
	case "", "*", "*/", "**", "**/", "**/*":
		folder = "**/"
	case "/", "/*":
	default:
		folder = strings.Trim(p.Path, "/") + "/"
	}
	all := make([]string, len(p.Filenames))
	for i, name := range p.Filenames {
		all[i] = folder + name
	}
	return all
}

func (p filePattern) problems(raw mapping.Selector, at string) (problems diag.Problems) {
	add := func(rule diag.Rule, s diag.Severity, field, message, fix string) {
		problems = append(problems, raw.Problem(rule, s, at+field, message, fix))
	}
	if len(p.Filenames) == 0 && (p.Path == "" || strings.HasSuffix(p.Path, "/")) {
		add(mapping.RuleSelectorValue, diag.Error, ".path", fmt.Sprintf("%q names no file", p.Path),
			`add filenames, such as [package.json], or write the whole path, such as "**/package.json"`)
		return problems
	}
	for i, name := range p.Filenames {
		if name == "" || strings.Contains(name, "/") {
			add(mapping.RuleSelectorValue, diag.Error, fmt.Sprintf(".filenames[%d]", i), fmt.Sprintf("%q is not the name of a file", name),
				"write a name or a glob, such as *.yml, and the folder in path")
			return problems
		}
	}
	for i, pattern := range p.patterns() {
		_, err := glob.Parse(pattern)
		if err == nil {
			continue
		}
		field, text := ".path", p.Path
		if i < len(p.Filenames) {
			if _, bad := glob.Parse(p.Filenames[i]); bad != nil {
				field, text = fmt.Sprintf(".filenames[%d]", i), p.Filenames[i]
			}
		}
		add(mapping.RuleSelectorValue, diag.Error, field, fmt.Sprintf("the pattern %q %v", text, err),
			patternFix(err, "use * for a part of one name, and ** for any number of folders"))
		break
	}
	problems = append(problems, checkRefs(raw, at+".repos", p.Repos)...)
	problems = append(problems, checkRefs(raw, at+".repo", p.Repo)...)
	if len(p.Repo) > 0 {
		add(mapping.RuleDeprecated, diag.Warning, ".repo", `"repo" is taken for "repos"`, "write repos")
	}
	return problems
}

func (fileSelector) selective() bool { return true }

func (fileSelector) readsFiles() bool { return true }

func (s fileSelector) cost() Cost {
	all := make([][]repoRef, len(s.Files))
	for i, p := range s.Files {
		all[i] = p.repos()
	}
	return Cost{Sources: 1, Named: named(all)}
}

func (s fileSelector) problems(raw mapping.Selector) diag.Problems {
	problems := s.walked.problems(raw)
	problems = append(problems, checkIncluded(raw, s.IncludedFiles)...)
	if len(s.Files) == 0 {
		problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, "files", "the selector names no files",
			"write which ones, such as "+fileExample+`, or files: [{path: "**/port.yml"}]`))
	}
	for i, p := range s.Files {
		problems = append(problems, p.problems(raw, fmt.Sprintf("files[%d]", i))...)
	}
	return problems
}

// wanted is one glob of a selector's files.
type wanted struct {
	glob        glob.Pattern
	skipParsing bool
}

func putInFile(object, of Object) Object {
	metadata := Object{}
	addRepository(metadata, of)
	object["metadata"] = metadata
	return putRepo(object, of)
}

func extractFiles(ctx context.Context, ws *Workspace, s fileSelector) iter.Seq2[Task, error] {
	refs := make([][]repoRef, len(s.Files))
	globs := make([][]wanted, len(s.Files))
	for i, p := range s.Files {
		refs[i] = p.repos()
		for _, pattern := range p.patterns() {
			g, err := glob.Parse(pattern)
			if err != nil {
				return func(yield func(Task, error) bool) { yield(Task{}, err) }
			}
			globs[i] = append(globs[i], wanted{g, p.SkipParsing})
		}
	}
	return choose(ctx, ws, s.walked, refs, func(c chosen) Run {
		var want []wanted
		for _, i := range c.patterns {
			want = append(want, globs[i]...)
		}
		return fileTask(ws, c, want, s)
	})
}

func fileTask(ws *Workspace, of chosen, want []wanted, s fileSelector) Run {
	return func(ctx context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) {
			c, err := ws.checkout(ctx, of.repository, of.branch)
			if err != nil {
				yield(Found{}, err)
				return
			}
			defer c.Close() // an error would cost room, and nothing else
			globs := make([]glob.Pattern, len(want))
			for i, w := range want {
				globs[i] = w.glob
			}
			t := &fileReader{checkout: c, root: c.rootFiles(s.IncludedFiles, s.reads), named: namedFrom("", s.named),
				whole: s.reads.any("metadata", "mimetype"), links: s.reads.any("metadata", "links") || s.reads.any("metadata", "escaped_path"), within: s.reads.any(withinKey)}
			matches, err := c.match(ctx, source.File, globs, t.wants(globs))
			if err != nil {
				yield(Found{}, err)
				return
			}
			if !c.report(yield) {
				return
			}
			matches = firstOfPath(matches)
			if err := t.fetch(ctx, matches); err != nil {
				yield(Found{}, err)
				return
			}
			read := func(ctx context.Context, m match) fileText { return t.ahead(ctx, m.entry) }
			for m, text := range concurrent.Ahead(ctx, ws.ahead, matches, read) {
				if !t.item(ctx, text, want[m.pattern].skipParsing, yield) {
					return
				}
			}
		}
	}
}

// firstOfPath leaves one match for each file: that of the first pattern.
func firstOfPath(matches []match) []match {
	return slices.CompactFunc(matches, func(a, b match) bool { return a.entry.Path == b.entry.Path })
}

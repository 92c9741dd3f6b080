package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/outfile"
	"port-bitbucket-exporter/internal/report"
)

// maxMappings bounds how many files are checked in one go.
const maxMappings = 1000

// checkGiven checks the mappings that the arguments name, or the one of the inputs. The error
// is a *usageError.
func checkGiven(ctx context.Context, s *session) error {
	files, problems := findMappings(ctx, s)
	problems = append(problems, overwritten(s, files)...)
	if len(files) > 1 || len(problems) > 0 {
		return checkMappings(s, files, problems)
	}
	if len(files) == 1 {
		s.config.MappingFile = files[0]
	}
	_, err := given(s)
	return err
}

// findMappings returns the files that are named, each once and in their order, and what is
// wrong with names of none. A name with wildcards, of which there is no file, is a pattern.
func findMappings(ctx context.Context, s *session) (files []string, problems diag.Problems) {
	names := s.files
	if len(names) == 0 && s.config.MappingFile != "" {
		names = []string{s.config.MappingFile}
	}
	for _, name := range names {
		found := []string{name}
		if isPattern(s.world, name) {
			var err error
			if found, err = match(ctx, s.world, name); err != nil {
				problems = append(problems, diag.Problem{Rule: mapping.RuleText, At: diag.Position{File: name}, Message: err.Error(), Fix: "name files, or a pattern such as port/**/*.yml, relative to the working directory"})
			}
		}
		for _, file := range found {
			if !slices.ContainsFunc(files, func(known string) bool { return filepath.Clean(known) == filepath.Clean(file) }) {
				files = append(files, file)
			}
		}
	}
	if len(files) > maxMappings {
		problems = append(problems, diag.Problem{Rule: mapping.RuleText, Message: fmt.Sprintf("%d files are named, of which the first %d are checked", len(files), maxMappings), Fix: "name fewer files"})
		files = files[:maxMappings]
	}
	return files, problems
}

// wildcards are the characters that make a name a pattern.
const wildcards = `*?[{`

func isPattern(w world, name string) bool {
	if !strings.ContainsAny(name, wildcards) {
		return false
	}
	_, err := os.Lstat(w.path(name))
	return err != nil
}

// match returns the files that a pattern matches, in the order of their names. It does not
// look into folders named .git.
func match(ctx context.Context, w world, text string) ([]string, error) {
	folder, rest := "", filepath.ToSlash(text)
	for {
		segment, behind, more := strings.Cut(rest, "/")
		if !more || strings.ContainsAny(segment, wildcards+`\`) {
			break
		}
		folder, rest = folder+segment+"/", behind
	}
	pattern, err := glob.Parse(rest)
	if err != nil {
		return nil, fmt.Errorf("the pattern %w", err)
	}
	var files []string
	err = fs.WalkDir(os.DirFS(cmp.Or(w.path(folder), ".")), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case path == "." && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || ctx.Err() != nil:
			return errors.Join(err, ctx.Err())
		case entry.IsDir() && path != "." && (entry.Name() == ".git" || !pattern.Reaches(path)):
			return fs.SkipDir
		case !entry.IsDir() && pattern.Matches(path):
			files = append(files, folder+path)
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = errors.New("no file matches the pattern")
	}
	return files, err
}

// checkMappings checks several mappings, each with the blueprints beside it, and reports them
// as one. The problems are those of the names.
func checkMappings(s *session, files []string, problems diag.Problems) error {
	blueprintsErr := s.offered.read(s)
	noteMapping(s, problems)
	whole := report.Mapping{Rules: mapping.Rules, Problems: problems}
	for i, name := range files {
		s.config.MappingFile = name
		m, err := bindFile(s, name)
		if err == nil && blueprintsErr == nil {
			_ = s.offered.against(s, m, func(string) bool { return true }) // it reports what it finds
		}
		one := s.report.Mapping
		if !one.Checked {
			noteMapping(s, one.Problems)
		}
		if i == 0 {
			whole.File = one.File
		} else {
			whole.Others = append(whole.Others, one.File)
		}
		whole.Checked = whole.Checked || one.Checked
		whole.Problems = append(whole.Problems, one.Problems.Without(s.offered.problems)...)
	}
	s.offered.into(s, &whole)
	whole.Problems.Sort()
	s.report.Mapping = whole
	if errs := whole.Problems.Errors(); len(errs) > 0 {
		return wrongMapping(errs)
	}
	return nil
}

// overwritten takes away the forms of the report that would be written into one of the files,
// and reports them.
func overwritten(s *session, files []string) (problems diag.Problems) {
	for _, id := range slices.Sorted(maps.Keys(s.config.Files)) {
		path := s.config.Files[id]
		for _, file := range files {
			if path != outfile.Dash && file != outfile.Dash && s.sameFile(path, file) {
				delete(s.config.Files, id)
				problems = append(problems, diag.Problem{Rule: mapping.RuleText, At: diag.Position{File: file}, Message: "the input " + id + " names this file, which would be lost", Fix: "name another file"})
			}
		}
	}
	return problems
}

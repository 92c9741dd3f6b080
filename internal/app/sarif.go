package app

import (
	"path/filepath"
	"slices"

	"port-bitbucket-exporter/internal/platform"
	"port-bitbucket-exporter/internal/sarif"
)

// sarifText holds the problems of the mapping for code scanning, also when there are
// none, so that a scanner closes what was found before.
func sarifText(s *session) ([]byte, error) {
	problems := slices.Clone(s.mapping.problems)
	for i, p := range problems {
		problems[i] = p.Redacted(s.scrubber.Redact)
	}
	return sarif.Marshal(sarif.Tool{Name: program, Version: Version}, problems, func(file string) string { return sourcePath(s, file) })
}

// sourcePath returns the path of the mapping file from the root of the checkout, by which
// scanners know it; what is not in there keeps its name.
func sourcePath(s *session, file string) string {
	if file != s.config.MappingFile {
		return file
	}
	root := platform.Root(s.getenv)
	if root == "" {
		root = s.path("")
	}
	absolute, err := filepath.Abs(s.path(file))
	if err != nil {
		return filepath.ToSlash(file)
	}
	if root, err = filepath.Abs(root); err != nil {
		return filepath.ToSlash(file)
	}
	relative, err := filepath.Rel(root, absolute)
	if err != nil || !filepath.IsLocal(relative) {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(relative)
}

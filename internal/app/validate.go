package app

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/platform"
	"port-bitbucket-exporter/internal/sarif"
)

// errMapping is the failure of the mode validate. What is wrong has been printed.
var errMapping = errors.New("the mapping is wrong")

// validating says whether the mapping is checked and nothing else is done.
func (a *app) validating() bool { return a.config.Mode == input.Validate }

// validate checks the mapping of the inputs and prints all that there is to say of it.
func (a *app) validate() error {
	_, err := a.givenMapping()
	if !a.checked {
		return err // the file was not read
	}
	if text := a.problems.Sections(); text != "" {
		fmt.Fprintln(a.stdout, text+"\n")
	}
	if len(a.problems.Errors()) > 0 {
		return &usageError{err: errMapping, told: true}
	}
	return err
}

// verdict is the last line of the mode validate.
func (a *app) verdict() string {
	status := a.report.Status() + ": "
	if !a.checked {
		return status + "no mapping was checked"
	}
	if a.wrong != "" {
		status += a.wrong + "; "
	}
	var counts []string
	for _, s := range []diag.Severity{diag.Error, diag.Warning, diag.Notice} {
		n := 0
		for _, p := range a.problems {
			if p.Severity == s {
				n++
			}
		}
		word := s.String()
		if s == diag.Notice {
			word = "note"
		}
		switch {
		case n == 1:
			counts = append(counts, "1 "+word)
		case n > 1:
			counts = append(counts, fmt.Sprintf("%d %ss", n, word))
		}
	}
	if len(counts) == 0 {
		counts = []string{"no problem"}
	}
	return fmt.Sprintf("%s%s in %s", status, strings.Join(counts, ", "), a.mappingName())
}

func (a *app) mappingName() string {
	if a.config.Mapping == "" && a.config.MappingFile != "" {
		return a.config.MappingFile
	}
	return inlineMapping
}

// verdictMarkdown is the summary of the mode validate: the messages as they are printed,
// cut between two of them.
func (a *app) verdictMarkdown(limitBytes int) string {
	head := "## Mapping: " + a.report.Status() + "\n\n`" + strings.ReplaceAll(a.scrubber.Line(a.verdict()), "`", "'") + "`\n"
	text := a.scrubber.Redact(a.problems.Sections())
	if text == "" {
		return cutTo(head, limitBytes)
	}
	fence := strings.Repeat("`", 3)
	for strings.Contains(text, fence) {
		fence += "`"
	}
	parts := strings.Split(text, "\n\n")
	for left := len(parts); left > 0; left-- {
		more := ""
		if left < len(parts) {
			more = fmt.Sprintf("\n%d more in the log.\n", len(parts)-left)
		}
		whole := head + "\n" + fence + "text\n" + strings.Join(parts[:left], "\n\n") + "\n" + fence + "\n" + more
		if len(whole) <= limitBytes {
			return whole
		}
	}
	return cutTo(head, limitBytes)
}

// cutTo is empty when the text does not fit.
func cutTo(text string, limitBytes int) string {
	if len(text) > limitBytes {
		return ""
	}
	return text
}

// sarif gives the problems of the mapping for code scanning, also when there are
// none, so that what was found before is closed.
func (a *app) sarif() ([]byte, error) {
	problems := slices.Clone(a.problems)
	for i, p := range problems {
		problems[i] = p.Redacted(a.scrubber.Redact)
	}
	return sarif.Marshal(sarif.Tool{Name: program, Version: Version}, problems, a.sourcePath)
}

// sourcePath is the path of the mapping file from the root of the checkout, by which
// scanners know it; what is not in there keeps its name.
func (a *app) sourcePath(file string) string {
	if file != a.config.MappingFile {
		return file
	}
	root := platform.Root(a.getenv)
	if root == "" {
		root = a.path("")
	}
	absolute, err := filepath.Abs(a.path(file))
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

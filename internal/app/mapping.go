package app

import (
	"bytes"
	_ "embed" // the default mapping
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/outfile"
	"port-bitbucket-exporter/internal/platform"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/transform"
)

// defaultMapping is the documented one.
//
// Source: https://docs.port.io/build-your-software-catalog/sync-data-to-catalog/git/bitbucket/, read 2026-11.
//
//go:embed defaults/mapping.yml
var defaultMapping []byte

// Names that positions give to mappings that are not files.
const (
	inlineMapping  = "mapping (input)"
	storedMapping  = "mapping (integration in Port)"
	builtInMapping = "mapping (built-in default)"
	stdinMapping   = "<stdin>"
)

// pathFix is what to do about a file of the inputs that cannot be read.
func pathFix(s *session) string {
	switch {
	case platform.Actions(s.getenv):
		return "give a path from the root of the repository, which a step above this one has to check out, with actions/checkout"
	case platform.Pipelines(s.getenv):
		return "give a path from the root of the repository, of a file that is committed to the branch of this pipeline"
	}
	return "give a path from the working directory"
}

// origin is where a mapping comes from.
type origin int

const (
	fromInputs origin = iota
	fromPort          // the integration's own
	builtIn           // the default, since there is no other
)

// boundMapping is the mapping that runs.
type boundMapping struct {
	*check.Bound
	origin origin
}

// givenMapping binds the mapping of the inputs; nil when they hold none.
func givenMapping(s *session) (*boundMapping, error) {
	switch {
	case s.config.Mapping != "":
		return bind(s, fromInputs, inlineMapping, []byte(s.config.Mapping))
	case s.config.MappingFile != "":
		return bindFile(s, s.config.MappingFile)
	}
	return nil, nil
}

// bindFile binds the mapping of a file, or of the standard input where the name is "-".
func bindFile(s *session, name string) (*boundMapping, error) {
	read, fix := s.readFile, pathFix(s)
	if name == outfile.Dash {
		read, name = func(string) ([]byte, error) { return s.readStdin() }, stdinMapping
		fix = "give the mapping to the standard input, or name a file"
	}
	text, err := read(name)
	if err != nil {
		s.report.Mapping = ofMapping(s, name)
		s.report.Mapping.Problems = append(s.report.Mapping.Problems, diag.Problem{Rule: mapping.RuleText, At: diag.Position{File: name}, Message: "the mapping cannot be read: " + err.Error(), Fix: fix})
		return nil, &usageError{err: fmt.Errorf("input mapping_file: %w; fix: %s", err, fix)}
	}
	return bind(s, fromInputs, name, text)
}

// bindStored binds the mapping of an integration in Port, or the default where
// there never was one. It is an object there; a text is read as YAML.
func bindStored(s *session, config any) (*boundMapping, error) {
	var text []byte
	var err error
	switch config := config.(type) {
	case nil:
	case string:
		text = []byte(strings.TrimSpace(config))
	case map[string]any:
		if len(config) > 0 {
			text, err = indented(config)
		}
	case []any:
		if len(config) > 0 {
			text, err = catalog.JSON(config)
		}
	default:
		text, err = catalog.JSON(config)
	}
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		s.log.Info("mapping: the built-in default, since none is given and Port stores none")
		return bind(s, builtIn, builtInMapping, defaultMapping)
	}
	s.log.Info("mapping: that of the integration in Port")
	return bind(s, fromPort, storedMapping, text)
}

// indented returns JSON whose lines a message can quote.
func indented(v any) ([]byte, error) {
	text, err := catalog.JSON(v)
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	err = json.Indent(&lines, text, "", "  ")
	return lines.Bytes(), err
}

// bind binds a mapping. It reports the problems of the mapping; the error, a *usageError,
// holds those that are errors.
func bind(s *session, from origin, file string, text []byte) (*boundMapping, error) {
	env := transform.Environment{}
	for _, name := range s.config.JQEnvAllow {
		if value, ok := s.environment[name]; ok {
			env[name] = value
		}
	}
	bound, problems := check.Check(file, text, env)
	s.report.Mapping = ofMapping(s, file)
	s.report.Mapping.Checked = true
	addProblems(s, problems)
	if errs := problems.Errors(); len(errs) > 0 {
		return nil, wrongMapping(errs)
	}
	only, err := onlyKinds(s, bound)
	if err != nil {
		return nil, err
	}
	return &boundMapping{only, from}, nil
}

// onlyKinds leaves of a mapping the resources that the input kinds names, where it names some.
// The error is a *usageError.
func onlyKinds(s *session, bound *check.Bound) (*check.Bound, error) {
	if len(s.config.Kinds) == 0 || s.config.Mode == input.Validate {
		return bound, nil
	}
	only, err := bound.Only(s.config.Kinds)
	if err != nil {
		var problems diag.Problems
		errors.As(err, &problems)
		noteInputs(s, problems)
		return nil, &usageError{fmt.Errorf("the inputs are wrong:\n%w", err), true}
	}
	if s.report.Idle = len(only.Idle); s.report.Idle > 0 {
		s.report.Kinds = s.config.Kinds
	}
	warnReplaced(s, only)
	return only, nil
}

// warnReplaced warns of blueprints of which an entity may lose what resources gave it that do not
// run, since entities are replaced.
func warnReplaced(s *session, bound *check.Bound) {
	if bound.Mapping.EnableMergeEntity {
		return
	}
	for blueprint, at := range bound.Blueprints() {
		if !bound.Alone(blueprint) {
			s.warn(diag.Problem{
				At: at.Pos, Message: fmt.Sprintf("resources that do not run give entities of blueprint %q too: with enableMergeEntity: false an entity of both holds what this run gives alone, until a run of all kinds", blueprint),
				Fix: "give each entity in one resource, or set enableMergeEntity: true",
			})
		}
	}
}

// wrongMapping is the error for problems that are in the report.
func wrongMapping(problems diag.Problems) error {
	return &usageError{fmt.Errorf("the mapping is wrong:\n%w", problems), true}
}

// addProblems puts problems of the mapping, or of the blueprints beside it, into the report.
func addProblems(s *session, problems diag.Problems) {
	m := &s.report.Mapping
	m.Problems = append(m.Problems, problems...)
	m.Problems.Sort()
	noteMapping(s, problems)
}

// noteMapping puts those of the problems into the report that matter to a run.
func noteMapping(s *session, problems diag.Problems) {
	alone := s.config.Mode == input.Validate // which prints them with their lines
	for _, p := range problems {
		switch {
		case p.Severity == diag.Warning && !alone:
			s.warn(p)
		case p.Severity != diag.Notice || alone:
			s.report.Note(p)
		}
	}
}

// ofMapping returns what is known of a mapping before it is read, and of the blueprints
// that were read before it.
func ofMapping(s *session, file string) report.Mapping {
	m := report.Mapping{File: report.File{Name: file, Path: sourcePath(s, file)}, Rules: mapping.Rules}
	s.offered.into(s, &m)
	return m
}

// sourcePath returns the path of a file that an input names from the root of the checkout, by
// which scanners know it: it begins with ".." where the file is elsewhere. What is not a file has
// none.
func sourcePath(s *session, file string) string {
	if file == "" || file != s.config.MappingFile && file != s.config.BlueprintsFile {
		return ""
	}
	root := platform.Root(s.getenv)
	if root == "" {
		root = s.path("")
	}
	folder, name := filepath.Split(s.path(file))
	relative, err := filepath.Rel(followed(root), filepath.Join(followed(folder), name))
	if err != nil {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(relative)
}

// followed returns the absolute path of a folder without symbolic links: the same folder may be
// reached by two names.
func followed(folder string) string {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return folder
	}
	if real, err := filepath.EvalSymlinks(absolute); err == nil {
		return real
	}
	return absolute
}

package app

import (
	"errors"
	"fmt"

	"port-bitbucket-exporter/internal/blueprint"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/report"
)

// offered are the blueprints of the input blueprints_file.
type offered struct {
	file     *blueprint.File // nil without the input, and where something is wrong with it
	problems diag.Problems
}

// given reads what the inputs give: the blueprints, and the mapping, which is nil when there is
// none. All that is wrong with both is reported. The error is a *usageError.
func given(s *session) (*boundMapping, error) {
	offeredErr := s.offered.read(s)
	m, err := givenMapping(s)
	switch {
	case err == nil && offeredErr == nil && s.config.Mode == input.Validate && m != nil:
		err = s.offered.against(s, m, func(string) bool { return true })
	case err == nil:
		err = offeredErr
	case offeredErr != nil:
		var usage *usageError
		err = &usageError{fmt.Errorf("%w\n%w", err, offeredErr), errors.As(err, &usage) && usage.reported}
	}
	return m, err
}

// read reads the blueprints of the input.
func (o *offered) read(s *session) error {
	name := s.config.BlueprintsFile
	if name == "" {
		return nil
	}
	text, err := s.readInput(name)
	if err != nil {
		o.problems = diag.Problems{{Rule: blueprint.RuleSyntax, At: diag.Position{File: name}, Message: "the blueprints cannot be read: " + err.Error(), Fix: pathFix(s)}}
	} else {
		o.file, o.problems = blueprint.Read(name, text)
	}
	s.report.Mapping = ofMapping(s, "")
	noteMapping(s, o.problems)
	return wrongBlueprintsFile(o.problems)
}

// into adds what is known of the blueprints to what is known of the mapping.
func (o *offered) into(s *session, m *report.Mapping) {
	if name := s.config.BlueprintsFile; name != "" {
		m.Blueprints = report.File{Name: name, Path: sourcePath(s, name)}
		m.Rules = append(m.Rules[:len(m.Rules):len(m.Rules)], blueprint.Rules...)
		m.Problems = append(m.Problems, o.problems...)
	}
}

// against reports what the mapping sets and the blueprints that are wanted do not have.
func (o *offered) against(s *session, m *boundMapping, wanted func(identifier string) bool) error {
	problems := m.Against(o.file, wanted)
	addProblems(s, problems)
	if len(problems) == 0 {
		return nil
	}
	return &usageError{fmt.Errorf("the mapping does not fit the blueprints:\n%w", problems), true}
}

// wrongBlueprintsFile is the error for problems that are in the report, nil when none is an error.
func wrongBlueprintsFile(problems diag.Problems) error {
	errs := problems.Errors()
	if len(errs) == 0 {
		return nil
	}
	return &usageError{fmt.Errorf("the blueprints are wrong:\n%w", errs), true}
}

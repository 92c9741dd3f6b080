package app

import (
	"context"
	"errors"
)

var validateCommand = command{
	name:  "validate",
	usage: "validate FILE ... [--sarif-file FILE]",
	about: `Checks a mapping and a file of blueprints, and nothing else: it needs no
credential and no network.
All problems are reported at once, errors apart from warnings and notes.`,
	files:     maxMappings,
	run:       validate,
	checkOnly: true,
}

// errMapping is the failure of validate. What is wrong has been printed.
var errMapping = errors.New("the mapping is wrong")

// validate checks the mappings of the arguments, or the one of the inputs, and the blueprints
// beside it, and prints all of their problems.
func validate(ctx context.Context, s *session) error {
	err := checkGiven(ctx, s)
	if !s.report.Mapping.Checked && len(s.report.Mapping.Others) == 0 {
		return err // the file was not read
	}
	s.sections(s.report.Mapping.Problems)
	if len(s.report.Mapping.Problems.Errors()) > 0 {
		return &usageError{err: errMapping, reported: true}
	}
	return err
}

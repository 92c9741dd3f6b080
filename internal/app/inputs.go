package app

import (
	"errors"
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/platform"
)

// readInputs reads what the user asked for into s. It hides the secrets before anything is
// printed. The error is a *usageError.
func readInputs(s *session, args arguments) error {
	config, notes, err := input.Parse(input.Environment{
		Lookup:    s.lookup,
		Arguments: args.values,
		Environ:   func() []string { return s.Environ },
		ReadFile:  s.readInput,
		Pipelines: platform.Pipelines(s.getenv),
	})
	s.config = config
	if c := args.named(string(config.Mode)); c != nil {
		s.command = *c
	}
	s.report.Planned, s.report.CheckOnly = config.Mode == input.Plan, s.command.checkOnly
	s.platform.Mask(config.Secrets()...)
	s.platform.Mask(proxySecrets(s.environment)...)
	if len(args.problems) > 0 {
		s.badArguments = true
		noteInputs(s, args.problems)
		return &usageError{fmt.Errorf("the arguments are wrong:\n%w", args.problems), true}
	}
	if err != nil {
		return wrongInputs(s, err)
	}
	s.level.Set(config.LogLevel)
	limitMemory(s.world, s.log)
	logInputs(s, notes)
	return nil
}

// wrongInputs reports what is wrong with the inputs, and along with it what is wrong with
// the mapping and the blueprints.
func wrongInputs(s *session, err error) error {
	var problems diag.Problems
	if errors.As(err, &problems) {
		noteInputs(s, problems)
	}
	usage := &usageError{fmt.Errorf("the inputs are wrong:\n%w", err), true}
	if _, other := given(s); other != nil {
		usage.err = fmt.Errorf("%w\n%w", usage.err, other)
		if u := (*usageError)(nil); errors.As(other, &u) && !u.reported {
			s.report.Note(diag.Problem{Severity: diag.Error, Message: other.Error()})
		}
	}
	return usage
}

func noteInputs(s *session, problems diag.Problems) {
	s.report.BadInputs = true
	for _, p := range problems {
		s.report.Note(p)
	}
}

// logInputs logs what runs and where each input came from, and no value of one.
func logInputs(s *session, notes input.Notes) {
	about := []any{"version", Version, "platform", s.platform.Name()}
	if s.config.Mode != input.Sync {
		about = append(about, "mode", s.config.Mode)
	}
	if s.config.Mode != input.Validate {
		about = append(about, "workspace", s.config.Workspace, "integration", s.config.IntegrationIdentifier)
	}
	s.log.Info(program, about...)
	var sources []string
	for _, source := range notes.Sources {
		if source.From != "default" {
			sources = append(sources, source.String())
		}
	}
	s.log.Info("inputs: " + strings.Join(sources, ", "))
	for _, text := range notes.Infos {
		s.log.Info(text)
	}
	for _, text := range notes.Warnings {
		s.warn(diag.Problem{Message: text})
	}
}

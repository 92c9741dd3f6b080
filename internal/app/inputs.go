package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/platform"
	"port-bitbucket-exporter/internal/report"
)

// readInputs reads what the user asked for into s. It hides the secrets before anything is
// printed. The error is a *usageError.
func readInputs(ctx context.Context, s *session, args arguments) error {
	config, notes, err := input.Parse(input.Environment{
		Lookup:      s.lookup,
		Arguments:   args.values,
		Environ:     func() []string { return s.Environ },
		ReadFile:    s.readInput,
		CheckFile:   s.checkFile,
		SameFile:    s.sameFile,
		TestReports: testReports(s.getenv),
		Pipelines:   platform.Pipelines(s.getenv),
		Pipe:        platform.Pipe(s.getenv),
		Actions:     platform.Actions(s.getenv),
	})
	s.config, s.files = config, args.files
	s.setStyle(s.world, config)
	if s.printed() {
		s.printing.to(s.screen.Stderr) // the standard output is for the form alone
	}
	if c := args.named(string(config.Mode)); c != nil {
		s.command = *c
	}
	s.report.Planned, s.report.CheckOnly = config.Mode == input.Plan, s.command.checkOnly
	s.report.Subject = report.Subject{Workspace: config.Workspace, Integration: config.IntegrationIdentifier, Checkout: checkout(s)}
	s.platform.Mask(config.Secrets()...)
	s.platform.Mask(proxySecrets(s.environment)...)
	if len(args.problems) > 0 {
		s.badArguments = true
		noteInputs(s, args.problems)
		return &usageError{fmt.Errorf("the arguments are wrong:\n%w", args.problems), true}
	}
	if err != nil {
		if nothingGiven(s, notes) {
			s.badArguments = true
			noteInputs(s, diag.Problems{{Message: "no arguments and no inputs are given", Fix: program + " --help lists them"}})
			return &usageError{errors.New(firstSteps), true}
		}
		return wrongInputs(ctx, s, err)
	}
	limitMemory(s.world, s.log)
	logInputs(s, notes)
	return nil
}

// firstSteps is what somebody reads who types the name of the program and nothing else.
const firstSteps = `no arguments and no inputs are given:
  ` + program + ` validate mapping.yml    checks a mapping, without credentials and network
  ` + program + ` plan mapping.yml --bitbucket-workspace acme    shows what a sync would write
  ` + program + ` sync --mapping-file mapping.yml --bitbucket-workspace acme    writes it
plan and sync take their secrets from the environment: PORT_CLIENT_ID, PORT_CLIENT_SECRET, BITBUCKET_WORKSPACE_TOKEN.
All flags, and the variables of the same names: ` + program + ` --help`

// nothingGiven reports whether this is the name of the program and nothing else: what stands
// in the environment by chance, such as LOG_LEVEL, does not count.
func nothingGiven(s *session, notes input.Notes) bool {
	return len(s.Args) == 0 && s.platform.Name() == "plain" && s.config.Mode == input.Sync &&
		!slices.ContainsFunc(notes.Sources, func(source input.Source) bool {
			return slices.ContainsFunc(input.Table, func(in input.Input) bool { return in.ID == source.ID && (in.Required || in.Secret) })
		})
}

// checkout returns where a browser shows the files of the run.
func checkout(s *session) report.Checkout {
	page, line := platform.Checkout(s.getenv)
	return report.Checkout{Page: page, Line: line}
}

// wrongInputs reports what is wrong with the inputs, and along with it what is wrong with
// the mapping and the blueprints.
func wrongInputs(ctx context.Context, s *session, err error) error {
	var problems diag.Problems
	if errors.As(err, &problems) {
		noteInputs(s, problems)
	}
	usage := &usageError{fmt.Errorf("the inputs are wrong:\n%w", err), true}
	if other := alsoWrong(ctx, s); other != nil {
		usage.err = fmt.Errorf("%w\n%w", usage.err, other)
		if u := (*usageError)(nil); errors.As(other, &u) && !u.reported {
			s.report.Note(diag.Problem{Severity: diag.Error, Message: other.Error()})
		}
	}
	return usage
}

// alsoWrong is what is wrong with the mapping and the blueprints.
func alsoWrong(ctx context.Context, s *session) error {
	if s.command.checkOnly {
		return checkGiven(ctx, s)
	}
	_, err := given(s)
	return err
}

func noteInputs(s *session, problems diag.Problems) {
	s.report.BadInputs = true
	for _, p := range problems {
		s.report.Note(p)
	}
}

// logInputs logs what runs and where each input came from, and no value of one.
func logInputs(s *session, notes input.Notes) {
	about := []any{"version", Version(), "platform", s.platform.Name()}
	if s.config.Mode != input.Sync {
		about = append(about, "mode", s.config.Mode)
	}
	if s.config.Mode != input.Validate {
		about = append(about, "workspace", s.config.Workspace, "integration", s.config.IntegrationIdentifier)
	}
	s.log.Info(program, about...)
	s.log.Info("inputs: " + notes.Summary())
	for _, text := range notes.Infos {
		s.log.Info(text)
	}
	for _, text := range notes.Warnings {
		s.warn(diag.Problem{Message: text})
	}
}

// Package app is the program: it reads the inputs, binds the mapping, wires the
// clients, runs, and publishes what the run did. Everything outside enters here,
// so that a test can be the world.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/datasource"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/platform"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
	"port-bitbucket-exporter/internal/transform"
	"port-bitbucket-exporter/internal/transport"
)

// Version is that of this program, in its user agents and in Port's integration.
const Version = "0.1.0"

// Exit statuses of Main, beside those of a finished run.
const (
	exitFailed = 1 // the run failed
	exitInputs = 2 // inputs or mapping are wrong
	// exitChanges is that of a plan by which a sync would change something, with the
	// input detailed_exit.
	exitChanges = 10
)

// Process is the world that the program runs in.
type Process struct {
	Args           []string // without the program's name
	Environ        []string // "NAME=value"
	Stdout, Stderr io.Writer
	Dir            string            // relative paths start here; empty is the working directory
	Transport      http.RoundTripper // for both services; nil is the network
	Cgroup         fs.FS             // of the process's control group, or nil when its memory limit is not asked for
}

// Main runs the program once, and returns its exit status: 0 done, 1 failed, 2
// arguments, inputs or mapping wrong, 3 partial as the input fail_on rules, 10 for a
// plan with changes as the input detailed_exit rules.
func Main(ctx context.Context, p Process) (exitStatus int) {
	args := parseArguments(p.Args)
	switch {
	case args.help:
		return show(p.Stdout, program+" "+Version+"\n\n"+help())
	case args.version && len(args.problems) == 0:
		return show(p.Stdout, program+" "+Version+"\n")
	}
	a := newApp(p)
	a.arguments = args
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(a.stderr, "%s\n", debug.Stack())
			exitStatus = a.end(ctx, fmt.Errorf("internal error: %v", v))
		}
	}()
	err := a.run(ctx)
	defer a.hangUp()
	var usage *usageError
	if err != nil && ctx.Err() != nil && !errors.As(err, &usage) {
		err = errStopped
	}
	return a.end(ctx, err)
}

// show prints what was asked for, and nothing else.
func show(w io.Writer, text string) (exitStatus int) {
	if _, err := io.WriteString(w, text); err != nil {
		return exitFailed
	}
	return 0
}

// errStopped stands for whatever a signal made fail.
var errStopped = errors.New("stopped by a signal: nothing more is written or deleted; run again to finish")

// app is one run of the program.
type app struct {
	Process
	arguments   arguments
	environment map[string]string
	scrubber    *platform.Scrubber
	platform    platform.Platform
	stdout      *platform.LineWriter
	stderr      *platform.LineWriter
	level       *slog.LevelVar
	log         *slog.Logger
	console     *slog.Logger // for what the page is told with the report
	config      input.Config
	report      *report.Report
	network     *http.Transport // when the process has no transport of its own
	checked     bool            // the mapping was read and checked
	problems    diag.Problems   // of the mapping, then, or that it cannot be read
	wrong       string          // what is wrong beside the mapping, or ""
	bitbucket   *bitbucket.Client
	port        *port.Client
	start       time.Time // of the run, by Port's clock
	page        *datasource.Page
	// foreseen are the blueprints that a sync would make, in a plan.
	foreseen map[string]port.Blueprint
	record   record // of the integration, as the run found it
	// publishLater is true when the page is to show the mapping once it has found something.
	publishLater bool
	// standIn is true when the default mapping runs in place of one that is not known:
	// no mapping is given, Port stores none, and holds entities that another may have made.
	standIn bool
}

func newApp(p Process) *app {
	a := &app{Process: p, environment: map[string]string{}, scrubber: &platform.Scrubber{}, level: &slog.LevelVar{}, report: &report.Report{Started: time.Now()}}
	for _, pair := range p.Environ {
		name, value, _ := strings.Cut(pair, "=")
		a.environment[name] = value
	}
	a.platform = platform.Detect(platform.World{Getenv: a.getenv, Stdout: p.Stdout, Dir: p.Dir, Scrubber: a.scrubber})
	a.stdout, a.stderr = a.scrubber.Writer(p.Stdout), a.scrubber.Writer(p.Stderr)
	a.page = datasource.New(a.scrubber.Redact)
	a.console = slog.New(&logHandler{w: a.stderr, level: a.level})
	a.log = slog.New(&logHandler{w: a.stderr, level: a.level, ship: a.page.Log})
	return a
}

func (a *app) getenv(name string) string { return a.environment[name] }

func (a *app) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.Dir, name)
}

// run does everything up to publishing. The error is why there is no result, and
// a *usageError when inputs or mapping are wrong.
func (a *app) run(ctx context.Context) error {
	if err := a.readInputs(); err != nil {
		return err
	}
	if a.validating() {
		return a.validate()
	}
	given, err := a.givenMapping()
	if err != nil {
		return err
	}
	if err := a.wire(); err != nil {
		return err
	}
	plan, err := a.prepare(ctx, given)
	if err != nil {
		return err
	}
	job := resync.Job{
		Bound: plan, Bitbucket: a.bitbucket, Port: a.port, Start: a.start,
		Concurrency: a.config.Concurrency, MaxFile: a.config.MaxFileSize, Log: a.log,
		MaxDeletions: a.config.MaxDeletions, Deletion: deletions[a.config.Deletion],
		StandIn: a.standIn, Selector: a.shownSelectors(plan, given == nil), ConfirmRenames: a.config.ConfirmRenames,
	}
	if a.config.TimeLimit > 0 {
		job.Deadline = a.report.Started.Add(a.config.TimeLimit)
	}
	if a.planning() {
		return a.plan(ctx, job)
	}
	job.Watch = a.watch()
	err = resync.Run(ctx, job, a.report)
	switch {
	case ctx.Err() != nil:
	case a.publishLater:
		a.publishFound(ctx, plan)
	case err == nil && a.standIn && a.report.Settled:
		a.settleStandIn(ctx, plan)
	}
	return err
}

var deletions = map[input.Deletion]reconcile.Policy{
	input.DeletionApply: reconcile.Apply, input.DeletionReport: reconcile.Report, input.DeletionNever: reconcile.Never,
}

// usageError is a fault of the inputs or of the mapping; told is true when its
// parts are in the report already, as the errors there.
type usageError struct {
	err  error
	told bool
}

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

func (a *app) readInputs() error {
	config, notes, err := input.Parse(input.Environment{
		Lookup: func(name string) (string, bool) {
			value, ok := a.environment[name]
			return value, ok
		},
		Arguments: a.arguments.values,
		Environ:   func() []string { return a.Environ },
		ReadFile:  a.readInput,
		Pipelines: platform.Pipelines(a.getenv),
	})
	a.config = config
	a.report.Planned = a.planning()
	a.platform.Mask(config.Secrets()...)
	a.platform.Mask(proxySecrets(a.environment)...)
	if len(a.arguments.problems) > 0 {
		a.noteInputs(a.arguments.problems)
		return &usageError{fmt.Errorf("the arguments are wrong:\n%w", a.arguments.problems), true}
	}
	if err != nil {
		var problems input.Problems
		if errors.As(err, &problems) {
			a.noteInputs(problems)
		}
		usage := &usageError{fmt.Errorf("the inputs are wrong:\n%w", err), true}
		// What is wrong with the mapping is told along with the other inputs.
		if _, mappingErr := a.givenMapping(); mappingErr != nil {
			usage.err = fmt.Errorf("%w\n%w", usage.err, mappingErr)
			if other := (*usageError)(nil); errors.As(mappingErr, &other) && !other.told {
				a.report.Note(diag.Problem{Severity: diag.Error, Message: mappingErr.Error()})
			}
		}
		return usage
	}
	a.level.Set(config.LogLevel)
	a.limitMemory()
	about := []any{"version", Version, "platform", a.platform.Name()}
	if config.Mode != input.Sync {
		about = append(about, "mode", config.Mode)
	}
	if !a.validating() {
		about = append(about, "workspace", config.Workspace, "integration", config.IntegrationIdentifier)
	}
	a.log.Info(program, about...)
	var sources []string
	for _, s := range notes.Sources {
		if s.From != "default" {
			sources = append(sources, s.String())
		}
	}
	a.log.Info("inputs: " + strings.Join(sources, ", "))
	for _, text := range notes.Infos {
		a.log.Info(text)
	}
	for _, text := range notes.Warnings {
		a.warn(diag.Problem{Message: text})
	}
	return nil
}

func (a *app) noteInputs(problems input.Problems) {
	a.wrong = "the inputs are wrong"
	for _, p := range problems {
		a.report.Note(diag.Problem{Where: p.Where, Message: p.What, Fix: p.Fix})
	}
}

// warn puts a warning into the report. Where no annotation will print it as a line of
// the log, the log has it at once.
func (a *app) warn(p diag.Problem) {
	p.Severity = diag.Warning
	a.report.Note(p)
	if a.platform.Annotates() {
		a.console.Warn(report.Line(p))
	}
}

// wire makes the clients; it asks nothing.
func (a *app) wire() error {
	if err := checkProxy(a.environment); err != nil {
		return err
	}
	var credentials []transport.Credential
	kind := ""
	for i, c := range a.config.Credentials {
		kind = c.Kind.String()
		name := kind
		if len(a.config.Credentials) > 1 {
			name = fmt.Sprintf("%s %d of %d", kind, i+1, len(a.config.Credentials))
		}
		credentials = append(credentials, transport.Credential{Name: name, Authorize: authorize(c)})
	}
	var source transport.Rate
	if r := a.config.SourceRate; r != nil {
		source = transport.Rate{N: r.N, Window: r.Window}
	}
	network := a.transport()
	var err error
	a.bitbucket, err = bitbucket.New(bitbucket.Config{
		BaseURL: a.config.BitbucketHostURL, Workspace: a.config.Workspace,
		Credentials: credentials, CredentialKind: kind,
		Rate:        transport.Rate{N: a.config.RateLimit.N, Window: a.config.RateLimit.Window},
		SourceRate:  source,
		Concurrency: a.config.Concurrency,
		UserAgent:   program + "/" + Version,
		Transport:   network, Log: a.log,
	})
	a.port = port.New(port.Config{
		BaseURL: a.config.PortBaseURL, ClientID: a.config.PortClientID.Reveal(), ClientSecret: a.config.PortClientSecret.Reveal(),
		Identifier: a.config.IntegrationIdentifier, Version: Version,
		Transport: network, Log: a.log,
		OnToken: func(token string) { a.platform.Mask(token) },
	})
	return err
}

// authorize sets the header of one credential.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#authentication, read 2026-11.
func authorize(c input.Credential) func(*http.Request) {
	secret := c.Secret.Reveal()
	if c.Kind == input.WorkspaceToken {
		return func(req *http.Request) { req.Header.Set("Authorization", "Bearer "+secret) }
	}
	return func(req *http.Request) { req.SetBasicAuth(c.Username, secret) }
}

// bind binds a mapping; its warnings are told, and its problems are the error.
func (a *app) bind(file string, text []byte) (*check.Bound, error) {
	env := transform.Environment{}
	for _, name := range a.config.JQEnvAllow {
		if value, ok := a.environment[name]; ok {
			env[name] = value
		}
	}
	plan, problems := check.Check(file, text, env)
	a.checked, a.problems = true, problems
	a.noteMapping(problems)
	if errs := problems.Errors(); len(errs) > 0 {
		return nil, &usageError{fmt.Errorf("the mapping is wrong:\n%w", errs), true}
	}
	return plan, nil
}

// noteMapping puts the problems of a mapping into the report.
func (a *app) noteMapping(problems diag.Problems) {
	for _, p := range problems {
		switch {
		case p.Severity == diag.Warning && !a.validating():
			a.warn(p)
		case p.Severity != diag.Notice || a.validating():
			a.report.Note(p) // of validate it is printed with its line
		}
	}
}

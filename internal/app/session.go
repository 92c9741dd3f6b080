package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"port-bitbucket-exporter/internal/datasource"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/face"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/platform"
	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/terminal"
)

// command is one thing that the program can be asked for. It either prints a text or is a
// value of the input mode.
type command struct {
	name  string
	usage string // after the program's name; empty when another command's line shows it
	about string // for the help; empty when it is not listed

	// text is what the command prints, and nothing else is done. word is one of words.
	text   func(commands []command, word string) string
	words  []string // one of which must stand after it; none when empty
	flags  []string // other spellings of name
	always bool     // the text is printed even when other arguments are wrong

	files int // how many mapping files may stand after it, without a flag
	// run does all of it up to publishing. The error is why there is no result, and
	// a *usageError when inputs or mapping are wrong.
	run func(ctx context.Context, s *session) error
	// atEnd, unless nil, adds to the report of a run what is known at its end.
	atEnd func(s *session)
	// checkOnly is true when the command is about the mapping alone. Its problems are
	// printed already, and its notices are annotated.
	checkOnly bool
}

// session is what is known of one run of the program: its world, its console, its inputs,
// and what publishing needs of each phase that came so far.
type session struct {
	world
	console
	command command
	config  input.Config
	files   []string // the mappings that the arguments name without a flag
	// badArguments is true when the command line is wrong.
	badArguments bool
	clients      *clients // nil until they are made
	offered      offered
	past         past
	// hush ends what says how far the run is.
	hush func()
}

func newSession(p Process, standard command) *session {
	w := newWorld(p)
	return &session{world: w, console: newConsole(w), command: standard, hush: func() {}}
}

// console is every way by which the program speaks to people.
type console struct {
	scrubber *platform.Scrubber
	platform platform.Platform
	stdout   *platform.LineWriter
	stderr   *platform.LineWriter
	printing *diversion // beneath stdout and the platform
	screen   *terminal.Screen
	level    *slog.LevelVar
	style    *style
	machine  *slog.Logger // of the lines that are no log, where style is for machines
	log      *slog.Logger // also onto the feed
	local    *slog.Logger // for what the feed shows with the report
	report   *report.Report
	feed     *datasource.Feed
	progress *progress.Record
}

func newConsole(w world) console {
	c := console{scrubber: &platform.Scrubber{}, level: &slog.LevelVar{}, report: &report.Report{Started: time.Now(), Program: report.Program{Name: program, Version: Version()}}}
	c.printing = &diversion{}
	c.screen = terminal.New(w.Stdout, w.Stderr)
	c.printing.to(c.screen.Stdout)
	c.platform = platform.Detect(platform.World{Getenv: w.getenv, Stdout: c.printing, Dir: w.Dir, Scrubber: c.scrubber})
	c.stdout, c.stderr = c.scrubber.Writer(c.printing), c.scrubber.Writer(c.screen.Stderr)
	c.feed, c.progress = datasource.New(c.scrubber.Redact), progress.New()
	c.style, c.machine = &style{}, slog.New(newMachine(c.printing, slog.LevelInfo, c.scrubber.Line))
	local := &logHandler{w: c.stderr, level: c.level, style: c.style, machine: newMachine(c.screen.Stderr, c.level, c.scrubber.Line)}
	shipped := *local
	shipped.ship = c.feed.Log
	c.local, c.log = slog.New(local), slog.New(&shipped)
	return c
}

// warn puts a warning into the report. Where no annotation will print it as a line of
// the log, the log has it at once.
func (c console) warn(p diag.Problem) {
	p.Severity = diag.Warning
	c.report.Note(p)
	if c.platform.Annotates() {
		c.local.Warn(face.Line(p))
	}
}

// foresee reports something that a sync would do besides writing entities.
func foresee(r *report.Report, format string, args ...any) {
	r.Facts = append(r.Facts, "a sync would "+fmt.Sprintf(format, args...))
	r.Foreseen = true
}

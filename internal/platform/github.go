package platform

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/sethvargo/go-githubactions"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/diag"
)

const (
	// annotationCap is how many annotations of one severity GitHub shows for a
	// step, as its staff say. Source: https://github.com/actions/toolkit/pull/734, read 2026-11.
	annotationCap = 10
	// maxMessageBytes is where the runner cuts a message (it counts characters).
	// Source: https://github.com/actions/runner, v2.336.0, read 2026-11.
	maxMessageBytes = 4096
	// maxSummaryBytes is the size of a step's summary above which GitHub shows
	// none of it. Source as above, and
	// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands, read 2026-11.
	maxSummaryBytes = 1 << 20
	// maxOutputBytes is the size of a job's outputs, counted as UTF-16. Source:
	// GitHub's documentation, read 2026-11.
	maxOutputBytes = 1 << 20
	// outputDelimiter ends every output that go-githubactions v1.4.0 writes: a
	// value with such a line would end there and forge further outputs. Found by trial.
	outputDelimiter = "_GitHubActionsFileCommandDelimeter_"
)

// github is GitHub Actions.
type github struct {
	world  World
	action *githubactions.Action

	mu          sync.Mutex
	err         error // the first failure of a method that returns none
	masked      map[string]bool
	shown       limit
	outputUnits int // UTF-16 code units written to the outputs
}

// isGitHub reports whether this is GitHub Actions, by a variable that it sets in each step.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/variables, read 2026-11.
func isGitHub(getenv env) bool { return getenv("GITHUB_ACTIONS") == "true" }

func newGitHub(w World) Platform {
	g := &github{
		world:  w,
		action: githubactions.New(githubactions.WithWriter(w.Stdout), githubactions.WithGetenv(w.Getenv)),
		masked: map[string]bool{},
	}
	g.shown = limit{"GitHub", annotationCap, g.issue, [diag.Notice + 1]int{}, [diag.Notice + 1]*Annotation{}}
	return g
}

// githubPage is the Checkout of GitHub. Source as above, and
// https://docs.github.com/en/repositories/working-with-files/using-files/getting-permanent-links-to-files, read 2026-11.
func githubPage(getenv env) (page, line string) {
	return pageOf(getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"), hosts["github.com"].between, getenv("GITHUB_SHA")), hosts["github.com"].line
}

func (*github) Name() string { return "GitHub Actions" }

// Annotates is true: GitHub shows annotations next to the changed files and above the log.
func (*github) Annotates() bool { return true }

// Mask also registers the secrets with the runner, which hides further encodings of them.
func (g *github) Mask(secrets ...string) {
	g.world.Scrubber.Add(secrets...)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, secret := range secrets {
		if hideable(secret) && !g.masked[secret] {
			g.masked[secret] = true
			g.keep(guard(func() { g.action.AddMask(secret) }))
		}
	}
}

func (g *github) Annotate(a Annotation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shown.add(a)
}

// Group and EndGroup print GitHub's commands.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands, read 2026-11.
func (g *github) Group(title string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keep(guard(func() { g.action.Group(g.world.Scrubber.Line(title)) }))
}

func (g *github) EndGroup() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keep(guard(g.action.EndGroup))
}

func (g *github) issue(a Annotation) {
	s := g.world.Scrubber
	properties := map[string]string{}
	if a.At.File != "" {
		properties["file"] = s.Line(g.world.relative(a.At.File))
		if a.At.Line > 0 {
			properties["line"] = strconv.Itoa(a.At.Line)
			if a.At.Column > 0 {
				properties["col"] = strconv.Itoa(a.At.Column)
			}
		}
	}
	action := g.action.WithFieldsMap(properties)
	message := clip.BytesWithin(safeMessage(s, a.Message), maxMessageBytes, "…")
	g.keep(guard(func() {
		switch a.Severity {
		case diag.Error:
			action.Errorf("%s", message)
		case diag.Warning:
			action.Warningf("%s", message)
		default:
			action.Noticef("%s", message)
		}
	}))
}

// Publish appends to the file in GITHUB_OUTPUT.
func (g *github) Publish(outputs []Output) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shown.flush()
	if g.world.Getenv("GITHUB_OUTPUT") == "" {
		return errors.New("publish outputs: GITHUB_OUTPUT is not set")
	}
	var errs []error
	for _, o := range outputs {
		if err := g.publish(o); err != nil {
			errs = append(errs, fmt.Errorf("publish output %q: %w", o.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (g *github) publish(o Output) error {
	if !validName(o.Name) {
		return errors.New("not a name: letters, digits and \"_\"")
	}
	value := g.world.Scrubber.Redact(o.Value)
	for line := range strings.FieldsFuncSeq(value, lineBreak) {
		if line == outputDelimiter {
			return errors.New("the value holds the line that ends an output")
		}
	}
	units := len(utf16.Encode([]rune(o.Name + value)))
	if (g.outputUnits+units)*2 > maxOutputBytes {
		return fmt.Errorf("the outputs of a job may have %d bytes (UTF-16) together", maxOutputBytes)
	}
	if err := guard(func() { g.action.SetOutput(o.Name, value) }); err != nil {
		return err
	}
	g.outputUnits += units
	return nil
}

// Summary appends to the file in GITHUB_STEP_SUMMARY, as far as there is room left
// in it.
func (g *github) Summary(markdown func(limitBytes int) string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	path := g.world.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	room := maxSummaryBytes - len("\n")
	if info, err := os.Stat(path); err == nil {
		room -= int(min(info.Size(), maxSummaryBytes))
	}
	text := g.world.Scrubber.Redact(markdown(max(room, 0))) // which makes no text longer
	if text == "" {
		return nil
	}
	if err := guard(func() { g.action.AddStepSummary(text) }); err != nil {
		return fmt.Errorf("write the step summary: %w", err)
	}
	return nil
}

func (g *github) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shown.flush()
	return g.err
}

func (g *github) keep(err error) {
	if g.err == nil {
		g.err = err
	}
}

// guard returns the error that go-githubactions panics with when it cannot write.
func guard(write func()) (err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case error:
			err = cause
		default:
			err = fmt.Errorf("%v", cause)
		}
	}()
	write()
	return nil
}

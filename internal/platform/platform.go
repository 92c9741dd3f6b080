// Package platform speaks to the CI system that the program runs in: it masks
// secrets, shows annotations, and hands over outputs and a summary. It is the
// only package that knows which system that is.
//
// It also holds the Scrubber, the one sanitizer of everything that is printed.
package platform

import (
	"io"
	"sync"
)

// Platform is a CI system. Its methods may be called from several goroutines.
type Platform interface {
	// Name is the platform's name for people.
	Name() string
	// Mask hides the secrets in everything printed from now on. It must be
	// called before any other use of them. Secrets that are too short or too
	// common to be hidden are left alone (see Scrubber.Add).
	Mask(secrets ...string)
	// Annotate shows a message, the worst first: a platform that shows only so
	// many leaves out the rest, and says how many when Publish or Close is called.
	Annotate(a Annotation)
	// Annotates says whether people see annotations apart from the log. Where they do
	// not, Annotate prints into the log.
	Annotates() bool
	// Publish hands over outputs for later steps, and shows what Annotate has
	// kept back. An error names the outputs that were not written; the others were.
	Publish(outputs []Output) error
	// Summary adds Markdown to the summary of the step, where there is one: it asks
	// for a text of at most limitBytes, and an empty one adds nothing.
	Summary(markdown func(limitBytes int) string) error
	// Close shows what Annotate has kept back. The error is the first failure
	// to write that no other method could return. It may be called twice.
	Close() error
}

// Output is one named result. Names are in snake_case.
type Output struct {
	Name  string
	Value string
}

// World is what a platform is made of.
type World struct {
	// Getenv answers like os.Getenv.
	Getenv func(name string) string
	// Stdout is the platform's: nobody else writes to it.
	Stdout io.Writer
	// Dir is the working directory, which relative paths of annotations start from.
	Dir string
	// Scrubber learns the secrets. With nil the platform has one of its own.
	Scrubber *Scrubber
}

// Detect chooses the platform by the environment.
func Detect(w World) Platform {
	if w.Scrubber == nil {
		w.Scrubber = &Scrubber{}
	}
	switch {
	case actions(w.Getenv):
		return newGitHub(w)
	case Pipelines(w.Getenv):
		return &bitbucket{printer: printer{world: w}}
	default:
		return &plain{printer: printer{world: w}}
	}
}

func actions(getenv func(string) string) bool { return getenv("GITHUB_ACTIONS") == "true" }

// Pipelines says whether Detect answers Bitbucket Pipelines. Both variables are
// among those that Pipelines sets itself (Atlassian's documentation, read 2026-11).
func Pipelines(getenv func(string) string) bool {
	return !actions(getenv) && (getenv("BITBUCKET_PIPELINE_UUID") != "" || getenv("BITBUCKET_BUILD_NUMBER") != "")
}

// Root is the folder of the checkout, by whose files the platform names places; empty
// where it is not known. Sources: GitHub's and Atlassian's documentation of default
// variables, read 2026-11.
func Root(getenv func(string) string) string {
	switch {
	case actions(getenv):
		return getenv("GITHUB_WORKSPACE")
	case Pipelines(getenv):
		return getenv("BITBUCKET_CLONE_DIR")
	}
	return ""
}

// printer is what the platforms without commands of their own share: it prints
// annotations as plain lines.
type printer struct {
	world World

	mu  sync.Mutex
	err error // the first failed write
}

func (p *printer) Mask(secrets ...string) { p.world.Scrubber.Add(secrets...) }

func (p *printer) Annotate(a Annotation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.world.Stdout, a.plain(p.world.Scrubber)); err != nil && p.err == nil {
		p.err = err
	}
}

// Annotates is false: an annotation is a line of the log.
func (p *printer) Annotates() bool { return false }

// Summary does nothing: there is no place for one.
func (p *printer) Summary(func(int) string) error { return nil }

func (p *printer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

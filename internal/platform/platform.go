// Package platform speaks to the CI system that the program runs in: it masks
// secrets, shows annotations, and hands over outputs and a summary. It is the
// only package that knows which system that is.
//
// It also holds the Scrubber, the one sanitizer of everything that is printed.
package platform

import (
	"io"
	"path/filepath"
)

// Platform is a CI system. Its methods may be called from several goroutines.
type Platform interface {
	// Name returns the platform's name for people.
	Name() string
	// Mask hides the secrets in everything that is printed from now on. Call it
	// before any other use of them. It skips secrets that are too short or too
	// common to be hidden (see Scrubber.Add).
	Mask(secrets ...string)
	// Annotate shows a message, the worst first: a platform that shows only so
	// many leaves out the rest, and shows how many when Publish or Close is called.
	Annotate(a Annotation)
	// Annotates reports whether people see annotations apart from the log. Where they
	// do not, Annotate prints into the log.
	Annotates() bool
	// Group begins a part of the log that the platform folds away after its title, and
	// EndGroup ends it. Groups do not hold groups. Elsewhere the title is a line of the log.
	Group(title string)
	EndGroup()
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

// validName reports whether an output may have this name.
func validName(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// World is what a platform is made of.
type World struct {
	// Getenv works like os.Getenv.
	Getenv func(name string) string
	// Stdout belongs to the platform alone.
	Stdout io.Writer
	// Dir is the working directory: relative paths of annotations start there.
	Dir string
	// Scrubber learns the secrets. With nil the platform has one of its own.
	Scrubber *Scrubber
	// root is the folder of the checkout, see Root.
	root string
}

// relative returns the path from the root of the checkout, by which a platform shows
// annotations, or the path itself when the file is outside the checkout.
func (w World) relative(file string) string {
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(w.Dir, path)
	}
	rel, err := filepath.Rel(w.root, path)
	if w.root == "" || err != nil || !filepath.IsLocal(rel) {
		return file
	}
	return filepath.ToSlash(rel)
}

// Package kind holds the kinds of Bitbucket objects that a mapping can name: for
// each one its selector, and how its objects are extracted.
package kind

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/shape"
	"port-bitbucket-exporter/internal/source"
)

// Object is a JSON value from Bitbucket. Who is handed one may write into it.
type Object = bitbucket.Object

// Found is one object of a task.
type Found struct {
	Object Object
	// Raw is true when the content of the object is text that could not be parsed,
	// or is not given: expressions that raise an error on it say nothing of what
	// Port holds.
	Raw bool
	// Unparsed is true when the content should have been parsed, and could not be.
	Unparsed bool
	// Read gives the file that a mapping names by file://, as text, or nil when
	// there is none. It is nil where the kind has no files.
	Read func(ctx context.Context, name string) (any, error)
}

// Task is a part of an extraction that can run beside the others: the objects of
// one repository, say.
type Task struct {
	// Source is what all objects of the task come from; the zero Source for a task
	// that only yields warnings.
	Source Source
	Run    Run
}

// Run yields the objects of a task. A *Warning, an *Unreadable and an *Omitted come in the
// place of an object, and others may follow. Any other error comes last: a *Gone when
// the repository answers as if it were not there, else an unknown number of objects is
// missing.
type Run func(ctx context.Context) iter.Seq2[Found, error]

// Extract lists the tasks of one resource, in the order in which their objects
// are to be taken. Nothing is asked before the result is ranged over. An error
// is yielded last, and means that the list of tasks is incomplete.
type Extract func(ctx context.Context, ws *Workspace) iter.Seq2[Task, error]

// Bound is a resource whose selector has been decoded.
type Bound struct {
	Extract Extract
	// Narrowed is true when the selector asks Bitbucket for some of its
	// repositories only, so that an empty answer is not astonishing.
	Narrowed bool
	// Selective is true when the selector says which objects of a source are taken, so
	// that a mistake in it can leave out all of them.
	Selective bool
	// ReadsFiles is true when the kind lists folders, or its selector names files.
	ReadsFiles bool
	// Cost is what the kind asks of Bitbucket beside its lists.
	Cost Cost
	// Warnings are what the selector's author should know.
	Warnings diag.Problems
	// Again reads the list that the kind begins with a second time. Until
	// Workspace.Forget, resources that share a list share its second reading.
	Again func(ctx context.Context, ws *Workspace) (Second, error)
	// Without is the repoQuery that leaves out a source, as YAML wants it; empty for a
	// kind without repositories.
	Without func(Source) string
	place   place
	reading func(Reads) Bound // see Reading
}

// Cost is the least number of requests of one resource alone, for each repository where
// nothing else is said. Requests that a listing shows to be needless are not made, and
// what several resources want is asked for once.
type Cost struct {
	// Each is true when each task is a repository of a list.
	Each         bool
	Once         int // for the whole resource
	Repositories int // as repository data
	Sources      int // for folders and files
	// Named are the repositories that the selector names; 0 for all of its list.
	Named int
}

// Unreadable is one object that could not be extracted; the others go on.
type Unreadable struct {
	Object string // its name, for messages
	Err    error
}

func (u *Unreadable) Error() string { return u.Err.Error() }

func (u *Unreadable) Unwrap() error { return u.Err }

// Gone and Omitted come from reading trees and files, and from the kinds themselves.
type (
	Gone    = source.Gone
	Omitted = source.Omitted
)

// Warning is something to tell that loses no object.
type Warning struct {
	Message string // the same for all that are to be told as one
	Fix     string
	Example string
	// BlocksDeletion is true when what the mapping names could be there under another name:
	// then what Port holds of it is not stale for certain.
	BlocksDeletion bool
}

func (w *Warning) Error() string { return w.Message }

// Kind is one kind of object, as a mapping names it.
type Kind struct {
	Name string
	// Selector are the keys of its selector.
	Selector []mapping.Key
	// Objects is what is known of its objects before one is read.
	Objects shape.Kind
	bind    func(mapping.Selector) (Bound, error)
}

// all kinds, in the order of the manual.
var all = []Kind{project, repository, pullRequest, folder, file}

// All gives the kinds, in the order of the manual.
func All() []Kind { return slices.Clone(all) }

// selector is what define needs of a decoded selector.
type selector interface {
	narrowed() bool
	selective() bool
	readsFiles() bool
	cost() Cost
	// problems are the values that have the right type and no meaning.
	problems(mapping.Selector) diag.Problems
	// again reads the list that the kind begins with a second time.
	again(ctx context.Context, ws *Workspace) (Second, error)
	// without returns a repoQuery that leaves out a source; empty when there is none.
	without(Source) string
}

// Objects returns what is known of the objects of a kind; the zero value of one that does
// not exist.
func Objects(name string) shape.Kind {
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return shape.Kind{}
	}
	return all[i].Objects
}

// linksShape are the links that most objects of Bitbucket have.
const linksShape = `links{+ self{href} html{href} avatar{href}}`

// define makes a kind of its selector's type, its extraction, the place where its objects
// hold their source, and what is known of them: the type is known in one file, and nowhere
// else.
func define[S selector](name string, at place, objects shape.Kind, extract func(context.Context, *Workspace, S) iter.Seq2[Task, error]) Kind {
	return Kind{name, mapping.SelectorKeys(*new(S)), objects, func(raw mapping.Selector) (Bound, error) {
		var s S
		if !raw.Given() {
			return Bound{}, nil
		}
		if err := raw.Decode(&s); err != nil {
			return Bound{}, alsoOf(err, s.problems(raw))
		}
		problems := s.problems(raw)
		if found := problems.Errors(); len(found) > 0 {
			return Bound{}, found
		}
		bound := func(s S) Bound {
			return Bound{
				Extract:  func(ctx context.Context, ws *Workspace) iter.Seq2[Task, error] { return extract(ctx, ws, s) },
				Narrowed: s.narrowed(), Selective: s.selective(), ReadsFiles: s.readsFiles(), Cost: s.cost(),
				Warnings: problems.Warnings(),
				Again:    func(ctx context.Context, ws *Workspace) (Second, error) { return s.again(ctx, ws) },
				Without:  s.without,
				place:    at,
			}
		}
		b := bound(s)
		b.reading = func(reads Reads) Bound { return bound(narrow(s, reads)) }
		return b, nil
	}}
}

// alsoOf adds to the problems of decoding those of the keys that were decoded.
func alsoOf(err error, more diag.Problems) error {
	var problems diag.Problems
	if !errors.As(err, &problems) {
		return err
	}
	undecoded := map[string]bool{}
	for _, p := range problems {
		undecoded[selectorKey(p)] = true
	}
	for _, p := range more.Errors() {
		if !undecoded[selectorKey(p)] {
			problems = append(problems, p)
		}
	}
	problems.Sort()
	return problems
}

// ofKinds says of keys that are unknown which other kinds have them.
func ofKinds(err error, raw mapping.Selector) error {
	var problems diag.Problems
	if !errors.As(err, &problems) {
		return err
	}
	for i, p := range problems {
		for key, at := range raw.Keys() {
			if kinds := kindsWith(key); p.Rule == mapping.RuleUnknownKey && p.At == at && kinds != "" {
				problems[i].Fix = fmt.Sprintf("%s is a key of %s; %s", key, kinds, p.Fix)
			}
		}
	}
	return problems
}

// kindsWith names the kinds whose selector has a key; empty when none has.
func kindsWith(key string) string {
	var names []string
	for _, k := range all {
		if slices.ContainsFunc(k.Selector, func(own mapping.Key) bool { return own.Name == key }) {
			names = append(names, k.Name)
		}
	}
	return strings.Join(names, ", ")
}

// selectorKey is the key of the selector that a problem is about; empty when it is the
// selector itself.
func selectorKey(p diag.Problem) string {
	_, path, _ := strings.Cut(p.Where, "selector.")
	if end := strings.IndexAny(path, ".["); end >= 0 {
		return path[:end]
	}
	return path
}

// otherNames are kinds as other products, and people, name them.
var otherNames = map[string]string{
	"repo": repository.Name, "repos": repository.Name, "pr": pullRequest.Name, "prs": pullRequest.Name, "mr": pullRequest.Name,
	"merge-request": pullRequest.Name, "directory": folder.Name, "dir": folder.Name,
}

// Bind decodes a resource's selector for its kind. It makes no request. The error
// is diag.Problems. Of a broken resource without a selector it checks the kind.
func Bind(r mapping.Resource) (Bound, error) {
	names := make([]string, len(all))
	for i, k := range all {
		if k.Name == r.Kind {
			bound, err := k.bind(r.Selector)
			return bound, ofKinds(err, r.Selector)
		}
		names[i] = k.Name
	}
	fix := "use one of " + strings.Join(names, ", ")
	near, ok := otherNames[strings.ToLower(r.Kind)]
	if !ok {
		near, ok = nearest.Name(r.Kind, names)
	}
	if ok {
		fix = fmt.Sprintf("did you mean %q? The kinds are %s", near, strings.Join(names, ", "))
	}
	return Bound{}, diag.Problems{r.Problem(mapping.RuleUnknownKind, diag.Error, r.KindPos, "kind", fmt.Sprintf("unknown kind %q", r.Kind), fix)}
}

// single yields one object that is at hand.
func single(object Object) Run {
	return func(context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) { yield(Found{Object: object}, nil) }
	}
}

// failing returns a task that yields one error.
func failing(err error) Task {
	return Task{Run: func(context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) { yield(Found{}, err) }
	}}
}

// isOdd reports whether an error is about one value of a list, after which others may follow.
func isOdd(err error) bool {
	var o *bitbucket.Odd
	return errors.As(err, &o)
}

// unreadable makes an odd value of a list an *Unreadable.
func unreadable(err error) error {
	u := &Unreadable{Err: err}
	if o := (*bitbucket.Odd)(nil); errors.As(err, &o) {
		u.Object = o.Name
	}
	return u
}

// advised is an error with a fix of its own.
type advised struct {
	error
	fix string
}

func (a *advised) Unwrap() error { return a.error }

// Fix returns what to do about an error of a task or of their list; empty when nothing is
// known.
func Fix(err error) string {
	var a *advised
	if errors.As(err, &a) {
		return a.fix
	}
	return bitbucket.Fix(err)
}

// Denied reports whether the rest of a resource need not be asked for after an error.
func Denied(err error) bool { return bitbucket.Denied(err) }

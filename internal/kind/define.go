package kind

import (
	"context"
	"encoding/json"
	"iter"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/shape"
)

// Kind is one kind of object, as a mapping names it.
type Kind struct {
	Name string
	// Aliases are its names in other products, and as people write it.
	Aliases []string
	// Example is a selector that binds, as YAML in flow style; empty when none is needed.
	Example string
	// Files is true when its objects have files that a mapping may name by file://.
	Files bool
	// Objects is what is known of its objects before one is read.
	Objects shape.Kind
	// Selector are the keys of its selector.
	Selector []mapping.Key
	Manual   Manual

	place place
	bind  func(mapping.Selector) (Bound, error)
}

// Manual is what the manual says of a kind.
type Manual struct {
	What string // its objects are, with links to Bitbucket's documentation
	// Requests says how many a run sends, in words.
	Requests string
	// Scope is that of workspace tokens and OAuth consumers, APIScope that of API tokens.
	Scope, APIScope string
}

// Extract lists the tasks of one resource, in the order in which their objects
// are to be taken. No request is made before the result is ranged over. An error
// is yielded last, and means that the list of tasks is incomplete.
type Extract func(ctx context.Context, ws *Workspace) iter.Seq2[Task, error]

// Bound is a resource whose selector has been decoded.
type Bound struct {
	Extract Extract
	// Narrowed is true when the selector asks Bitbucket for some of its
	// repositories only, so that an empty answer is not astonishing.
	Narrowed bool
	// Narrowing names the keys that do so, for a message; empty when there are none.
	Narrowing string
	// Selective is true when the selector says which objects of a source are taken, so
	// that a mistake in it can leave out all of them.
	Selective bool
	// ReadsFiles is true when the kind lists folders, or its selector names files.
	ReadsFiles bool
	// Cost is what the kind requests of Bitbucket besides its lists.
	Cost Cost
	// Warnings are what the selector's author should know: warnings and notices.
	Warnings diag.Problems
	// Again reads the list that the kind begins with a second time. Until
	// Workspace.Forget, resources that share a list share its second reading.
	Again func(ctx context.Context, ws *Workspace) (Second, error)
	// Without is the repoQuery that leaves out a source, as YAML wants it; empty for a
	// kind without repositories.
	Without func(Source) string
	// Class is what the resource shares with others that have the same: what one of them has
	// read the next one need not ask for, so that they are extracted one after the other. Nil
	// shares nothing.
	Class   any
	list    any // the key of the list that the kind begins with
	place   place
	reading func(Reads, []string) Bound // see Reading
	// lists returns what matters of the lists that the kind reads, by their keys, where no more of
	// its objects matters; nil of a list for all.
	lists func(reads *reach.Paths) map[any]*reach.Paths
	parts map[any]*reach.Paths // see Partial
}

// Cost is the least number of requests of one resource alone, for each repository where
// nothing else is said. Requests that a listing shows to be needless are not made, and
// what several resources want is requested once.
type Cost struct {
	Once         int // for the whole resource
	Repositories int // as repository data
	Sources      int // for folders and files
	Objects      int // for each object, at most
	// Named are the repositories that the selector names; 0 for all of its list.
	Named int
}

// place is where the objects of a kind hold their source.
type place struct {
	// put puts a source into an object, and returns the object.
	put func(object, source Object) Object
	// paths are those of an object that hold the source alone.
	paths [][]string
	// except are keys of an object that do not come with the source all the same.
	except []string
}

// itself is the place for kinds whose objects are their own sources.
var itself = place{put: func(_, source Object) Object { return source }, paths: [][]string{{}}, except: []string{includedFiles}}

// Place returns an object of the kind that holds a source, as Bitbucket lists it, and nothing
// else.
func (b Bound) Place(text json.RawMessage) (Object, error) {
	source, err := bitbucket.Decode(text)
	if err != nil {
		return nil, err
	}
	return b.place.put(Object{}, source), nil
}

// SourcePaths are the paths of an object that hold its source alone, and keys of an object
// that do not belong to the source all the same.
func (b Bound) SourcePaths() (paths [][]string, except []string) {
	return b.place.paths, b.place.except
}

// selector is what define needs of a decoded selector.
type selector interface {
	// list is the key of the list that the kind begins with.
	list() any
	narrowed() bool
	narrowing() string // names the keys that do so
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

// What a selector may do besides. A kind whose selector does says so next to it, with
// "var _ reader = &selector{}": a method that is spelled otherwise would do nothing.
type (
	// reader takes what expressions read, and the files that they name.
	reader interface {
		read(reads Reads, named []string)
	}
	// lister can ask its lists for parts of their objects: see Bound.lists.
	lister interface {
		lists(reads *reach.Paths) map[any]*reach.Paths
	}
	// namer reports whether its expressions name files.
	namer interface{ namesFiles() bool }
	// parter returns what its list is asked for in a workspace.
	parter interface{ parts(*Workspace) parts }
)

// define completes a kind by its selector's type and its extraction: the type is known in
// one file, and nowhere else.
func define[S selector](k Kind, extract func(context.Context, *Workspace, S) iter.Seq2[Task, error]) Kind {
	k.Selector = mapping.SelectorKeys(*new(S))
	k.bind = func(raw mapping.Selector) (Bound, error) {
		var s S
		if !raw.Given() {
			return Bound{}, nil
		}
		problems := alsoOf(raw.Decode(&s), s.problems(raw))
		if len(problems.Errors()) > 0 {
			return Bound{}, problems
		}
		bound := func(s S) Bound {
			return Bound{
				Extract:  func(ctx context.Context, ws *Workspace) iter.Seq2[Task, error] { return extract(ctx, ws, s) },
				Narrowed: s.narrowed(), Narrowing: s.narrowing(), Selective: s.selective(), ReadsFiles: s.readsFiles(), Cost: s.cost(),
				Warnings: problems,
				Again:    func(ctx context.Context, ws *Workspace) (Second, error) { return s.again(ctx, ws) },
				Without:  s.without,
				Class:    classOf(s),
				list:     s.list(), place: k.place, lists: listsOf(s),
			}
		}
		b := bound(s)
		b.reading = func(reads Reads, named []string) Bound { return bound(narrow(s, reads, named)) }
		return b, nil
	}
	return k
}

// Classes of resources that read folders and files, and that read lists that age.
const (
	classSources = "sources"
	classLists   = "lists"
)

// classOf is the class of a resource with a selector.
func classOf(s selector) any {
	n, ok := s.(namer)
	switch {
	case s.readsFiles() || ok && n.namesFiles():
		return classSources
	case s.cost().Repositories > 0:
		return classLists
	case s.cost().Once > 0:
		return s.list() // as that of projects, which is read once
	}
	return nil
}

// Reading returns the resource for expressions that reach no more than reads says: what
// they cannot reach is left out of the objects when it would cost a request of its own. The
// files that they name by file:// may be read together, before Found.Read asks for them.
func (b Bound) Reading(reads Reads, named ...string) Bound {
	if b.reading == nil {
		return b
	}
	return b.reading(reads, named)
}

// narrow hands a selector what expressions read, and the files that they name, if the
// selector takes them.
func narrow[S selector](s S, reads Reads, named []string) S {
	if n, ok := any(&s).(reader); ok {
		n.read(reads, named)
	}
	return s
}

// listsOf is Bound.lists of a selector, if the lists of its kind can hold parts of objects.
func listsOf[S selector](s S) func(*reach.Paths) map[any]*reach.Paths {
	if l, ok := any(s).(lister); ok {
		return l.lists
	}
	return nil
}

// alsoOf adds to the problems of decoding those of the keys that were decoded.
func alsoOf(decoded, more diag.Problems) diag.Problems {
	undecoded := map[string]bool{}
	for _, p := range decoded.Errors() {
		undecoded[selectorKey(p)] = true
	}
	for _, p := range more {
		if !undecoded[selectorKey(p)] {
			decoded = append(decoded, p)
		}
	}
	decoded.Sort()
	return decoded
}

// selectorKey is the key of the selector that a problem is about; empty when it is the
// selector itself.
func selectorKey(p diag.Problem) string {
	path, inside := strings.CutPrefix(p.Where.Part, "selector.")
	if !inside {
		return ""
	}
	if end := strings.IndexAny(path, ".["); end >= 0 {
		return path[:end]
	}
	return path
}

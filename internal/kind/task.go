package kind

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/source"
)

// Object is a JSON value from Bitbucket. The receiver may modify it.
type Object = bitbucket.Object

// Source is what objects come from: a repository or, where the kind has none, the object
// itself. Whether objects are complete is known of each source, so that one that cannot be
// read blocks the deletion of its own entities alone. The zero Source stands for none.
type Source struct {
	Key  string // unique, and unchanged by a rename
	Name string // for messages: a slug, or the key of a project
	// Read returns its JSON as Bitbucket lists it, which is not in memory; nil for none.
	Read func() ([]byte, error)
}

// JSON returns the source as Bitbucket lists it; nil when that is not known.
func (s Source) JSON() ([]byte, error) {
	if s.Read == nil {
		return nil, nil
	}
	return s.Read()
}

// Found is one object of a task.
type Found struct {
	Object Object
	// Older is the object with the content of its file as YAML 1.1 has it, and nil where that
	// is the same.
	Older Object
	// Address is where a person finds the object: its web page, its repository and path, or
	// what it is called. It is never empty.
	Address string
	// Raw is true when the content of the object is text that could not be parsed,
	// or is not given: expressions that raise an error on it do not show what the
	// entity should hold.
	Raw bool
	// Partial is true when the object may lack what the resource does not read.
	Partial bool
	// Unparsed is true when the content should have been parsed, and could not be, or a file that is
	// included has a text that is not given.
	Unparsed bool
	// Read returns the file that a mapping names by file://, as text, or nil when
	// there is none. It is nil where the kind has no files.
	Read func(ctx context.Context, name string) (any, error)
}

// Task is a part of an extraction that can run beside the others: the objects of
// one repository, say.
type Task struct {
	// Source is what all objects of the task come from; the zero Source for a task
	// that only yields warnings.
	Source Source
	// Ready returns when Run waits for no earlier task any more, or ctx ends. It is nil where Run
	// never does.
	Ready func(ctx context.Context)
	Run   Run
	// Warns is true for a task that has no object, and only warns.
	Warns bool
	aged  *agedList // the list that Run reads; nil where it reads none
	reads *chosen   // the branch whose folders and files Run reads; nil where it reads none
}

// Run yields the objects of a task. A *Warning, an *Unreadable and an *Omitted come in the
// place of an object, and others may follow. Any other error comes last: a *Gone when
// the repository answers as if it were not there, else an unknown number of objects is
// missing.
type Run func(ctx context.Context) iter.Seq2[Found, error]

// Gone and Omitted come from reading trees and files, and from the kinds themselves.
type (
	Gone    = source.Gone
	Omitted = source.Omitted
)

// Unreadable is one object that could not be extracted; the others go on.
type Unreadable struct {
	Object string // its name, for messages
	Err    error
}

func (u *Unreadable) Error() string { return u.Err.Error() }

func (u *Unreadable) Unwrap() error { return u.Err }

// Warning is a problem that loses no object. Its message is the same for all that are to be
// counted as one.
type Warning struct {
	diag.Problem
	// BlocksDeletion is true when what the mapping names could be there under another name:
	// then what Port holds of it is not stale for certain.
	BlocksDeletion bool
	// Notice is true for what is only worth knowing.
	Notice bool
	// Unclear is true of a file whose text is not given, and may be what it was.
	Unclear bool
}

func (w *Warning) Error() string { return w.Message }

// Remembered says that the objects of a task, or some of them, come from memory: of a list
// that was last read then. They call their source by the name that it has now: what is
// remembered of it under another one is not used.
type Remembered struct{ ReadAt time.Time }

func (r *Remembered) Error() string { return "read " + r.ReadAt.UTC().Format(time.RFC3339) }

// None says that a source has no such objects, as far as its answer can be believed.
type None struct {
	// Why says in words how the source answered.
	Why string
	// Again asks once more. An error means that it is not certain that there is none.
	Again func(ctx context.Context) error
}

func (*None) Error() string { return "it has none" }

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
	fix := bitbucket.Fix(err)
	if f := (*source.Fallback)(nil); errors.As(err, &f) {
		fix = cmp.Or(f.Fix, fix)
		if bitbucket.Redirected(err) {
			fix = "check the input git_host_url, and whether a proxy on the way asks for a login"
		}
		return strings.TrimPrefix(fix+"; or set the input source_reader to auto, so that Bitbucket's API is asked for what git does not give", "; or ")
	}
	return fix
}

// Denied reports whether the rest of a resource need not be asked for after an error.
func Denied(err error) bool { return bitbucket.Denied(err) }

// single yields one object that is at hand, and is its own source.
func single(object Object, of Source) Run {
	return func(context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) { yield(Found{Object: object, Address: address(object, of)}, nil) }
	}
}

// failing returns a task that yields one error.
func failing(err error) Task {
	return Task{Run: onlyErrors(err)}
}

// onlyErrors yields errors of which none is the last one, and no object.
func onlyErrors[E error](all ...E) Run {
	return func(context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) {
			for _, err := range all {
				if !yield(Found{}, err) {
					return
				}
			}
		}
	}
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

// address returns the web page of an object that Bitbucket gives as it is; where the object
// has no link to it, what else the object is known by, within its source.
func address(object Object, of Source) string {
	text := func(in Object, key string) string {
		value, _ := in[key].(string)
		return value
	}
	links, _ := object["links"].(Object)
	html, _ := links["html"].(Object)
	if id, ok := object["id"].(json.Number); ok && text(html, "href") == "" {
		return cmp.Or(of.Name, of.Key) + "#" + id.String()
	}
	return cmp.Or(text(html, "href"), text(object, "full_name"), of.Name, of.Key, text(object, "name"), "an object without a name")
}

// clone copies a JSON value with all that is in it.
func clone(v any) any {
	switch v := v.(type) {
	case Object:
		o := make(Object, len(v))
		for k, e := range v {
			o[k] = clone(e)
		}
		return o
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = clone(e)
		}
		return l
	}
	return v
}

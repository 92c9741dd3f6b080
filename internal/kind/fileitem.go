package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/content"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/source"
)

// fileReader makes items of the files of one checkout, one after the other.
type fileReader struct {
	checkout *checkout
	root     *rootFiles // nil when the selector names none
}

// fileText is the bytes of a file, as checkout.File returns them.
type fileText struct {
	body []byte
	err  error
}

// ahead reads the file of an entry, when its content needs it.
func (t *fileReader) ahead(ctx context.Context, e source.Entry) (text fileText) {
	for _, without := range []string{source.Submodule, source.Elsewhere, source.Binary} {
		if slices.Contains(e.Attributes, without) {
			return fileText{}
		}
	}
	text.body, text.err = t.checkout.File(ctx, e.Path)
	return text
}

// item yields the item of one file, or why there is none, and what is to be reported.
func (t *fileReader) item(ctx context.Context, e source.Entry, text fileText, skipParsing bool, yield func(Found, error) bool) bool {
	f := &fileItem{reader: t, checkout: t.checkout, entry: e, text: text, skipParsing: skipParsing, noted: map[string]bool{}}
	found, err := f.found(ctx)
	var omitted *Omitted
	var gone *Gone
	switch {
	case errors.Is(err, errNoItem):
		return t.checkout.report(yield)
	case errors.As(err, &gone), err != nil && ctx.Err() != nil:
		yield(Found{}, err)
		return false
	case err != nil && !errors.As(err, &omitted):
		err = &Unreadable{Object: t.checkout.At(e.Path), Err: err}
	}
	return yield(found, err) && t.checkout.report(yield)
}

// fileItem is one file on its way to an item.
type fileItem struct {
	reader      *fileReader
	checkout    *checkout
	entry       source.Entry
	text        fileText
	skipParsing bool
	noted       map[string]bool // messages
	unparsed    bool            // the content, or a part that it names
}

// errNoItem is for a file that has no item, and whose warnings are noted.
var errNoItem = errors.New("no item")

// note keeps a message once, with the first detail.
func (f *fileItem) note(message, detail string) { f.warn(Warning{}, message, detail) }

// repeated keeps that a mapping in a file has a key twice.
func (f *fileItem) repeated(detail string) {
	if detail != "" {
		f.warn(Warning{Notice: true}, "a mapping in a file has a key twice: the last value is taken", detail)
	}
}

func (f *fileItem) warn(w Warning, message, detail string) {
	if f.noted[message] {
		return
	}
	f.noted[message] = true
	w.Problem = diag.Problem{Message: message, Example: f.checkout.At(f.entry.Path)}
	if detail != "" {
		w.Example += ": " + content.Text([]byte(clip.Bytes(detail, maxDetail, "...")))
	}
	f.checkout.warn(&w)
}

func (f *fileItem) is(attribute string) bool { return slices.Contains(f.entry.Attributes, attribute) }

func (f *fileItem) found(ctx context.Context) (Found, error) {
	if f.is(source.Submodule) {
		f.note("submodules are left out: they are no files", "")
		return Found{}, errNoItem
	}
	value, raw, err := f.content(ctx)
	if err != nil {
		return Found{}, err
	}
	metadata, err := bitbucket.Decode(f.entry.JSON)
	if err != nil {
		return Found{}, err
	}
	repo, err := bitbucket.Decode(f.checkout.repository.JSON)
	if err != nil {
		return Found{}, err
	}
	addRepository(metadata, repo)
	object := Object{
		"content": value, "metadata": metadata, "repo": repo, "branch": f.checkout.Branch(),
		// The documented examples map .file.path and .file.content.
		"file": Object{"path": f.entry.Path, "name": path.Base(f.entry.Path), "content": value,
			"size": json.Number(strconv.FormatInt(f.entry.Size, 10))},
	}
	if f.reader.root != nil {
		if object[includedFiles], err = f.reader.root.included(ctx); err != nil {
			return Found{}, err
		}
	}
	return Found{Object: object, Address: f.checkout.address(f.entry.Path), Raw: raw, Unparsed: f.unparsed, Read: f.checkout.reader("")}, nil
}

// addRepository adds its repository to the commit of a file's metadata, which documented
// mappings take identifiers from; Bitbucket's listings leave it out.
//
// Source: https://github.com/port-labs/ocean/blob/main/integrations/bitbucket-cloud/bitbucket_cloud/helpers/file_kind.py, read 2026-11.
func addRepository(metadata, repository Object) {
	commit, ok := metadata["commit"].(Object)
	if !ok {
		commit = Object{}
		metadata["commit"] = commit
	}
	of := Object{"mainbranch": nil}
	for _, key := range []string{"type", "name", "full_name", "uuid", "links"} {
		of[key] = clone(repository[key])
	}
	if branch, ok := repository["mainbranch"].(Object); ok {
		of["mainbranch"] = Object{"type": branch["type"], "name": branch["name"]}
	}
	commit["repository"] = of
}

// content is parsed, or text, or nil when there is none to give. It is raw when
// it is not what expressions may expect.
func (f *fileItem) content(ctx context.Context) (value any, raw bool, err error) {
	if f.is(source.Elsewhere) {
		f.note(noContentElsewhere, "")
		return nil, true, nil
	}
	if f.is(source.Binary) {
		f.note(noContentBinary, "")
		return nil, true, nil
	}
	body, err := f.text.body, f.text.err
	switch {
	case errors.Is(err, bitbucket.ErrElsewhere):
		f.note(noContentElsewhere, "")
		return nil, true, nil
	case err != nil:
		return nil, false, err
	case body == nil:
		return nil, false, fmt.Errorf("read file %q of repository %q: it is listed, and not there", f.entry.Path, f.checkout.repository.Slug)
	case content.Binary(body):
		f.note(noContentBinary, "")
		return nil, true, nil
	case f.is(source.Link):
		f.note("symbolic links are not followed: their content is the path that they lead to", "")
		return content.Text(body), true, nil
	case f.skipParsing:
		return content.Text(body), false, nil
	}
	parsed, err := f.checkout.ws.contents.Parse(f.entry.Path, body)
	if err != nil {
		f.note("a file does not parse as "+content.Format(f.entry.Path)+": its content is its text", err.Error())
		f.unparsed = true
		return content.Text(body), true, nil
	}
	value = parsed.Value
	f.repeated(parsed.Repeated)
	if content.Format(f.entry.Path) != "" {
		value, err = (&references{item: f, left: maxReferences, bytes: maxReferenced}).resolve(ctx, value)
	}
	return value, f.unparsed, err
}

const (
	noContentBinary    = "binary files have no content: .content is null"
	noContentElsewhere = "files that another host keeps (Git LFS) have no content: .content is null"
)

// maxDetail bounds what a warning holds of why a file does not parse, in bytes.
const maxDetail = 160

const (
	// maxReferences is how many such values of one file are read.
	maxReferences = 100
	// maxReferenced bounds what they add to one file, in bytes: none is read after it.
	maxReferenced = 16 << 20
)

// references puts the files that a parsed file names into their places.
type references struct {
	item  *fileItem
	left  int // values that may still be read
	bytes int // that they may still have
}

// resolve returns the value with what its text values name, at any depth. The value
// is used up. The error is that of a file which is there and could not be read.
func (r *references) resolve(ctx context.Context, value any) (any, error) {
	var err error
	switch v := value.(type) {
	case Object:
		for _, key := range slices.Sorted(maps.Keys(v)) { // sorted: which are the first is not left to chance
			if v[key], err = r.resolve(ctx, v[key]); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range v {
			if v[i], err = r.resolve(ctx, v[i]); err != nil {
				return nil, err
			}
		}
	case string:
		if name, ok := mapping.FileName(v); ok {
			return r.reference(ctx, v, name)
		}
	}
	return value, nil
}

// place returns the path from the root of the repository that a value of the file names,
// from its folder or from the root; empty where no file can be. Refused is why it is null.
func (f *fileItem) place(written string) (name, refused string) {
	p, err := mapping.ParseFilePath(written)
	if errors.Is(err, mapping.ErrNoPath) {
		return "", "a file:// value is no path: it is null"
	}
	if err != nil {
		return "", ""
	}
	name, inside := p.From(path.Dir(f.entry.Path))
	if !inside {
		return "", "a file:// value leads out of its repository: it is null"
	}
	return name, ""
}

// reference returns the content of the file that a value names.
func (r *references) reference(ctx context.Context, value, written string) (any, error) {
	name, refused := r.item.place(written)
	if refused != "" {
		return r.null(refused, strings.ReplaceAll(value, "\x00", "\uFFFD"))
	}
	if r.left == 0 || r.bytes < 0 {
		r.item.note("a file has more file:// values than are read (100, or 16 MiB): the others stay as they are", value)
		return value, nil
	}
	r.left--
	var body []byte
	var err error
	var omitted *Omitted
	if name != "" {
		body, err = r.item.checkout.File(ctx, name)
	}
	switch {
	case errors.Is(err, bitbucket.ErrElsewhere):
		return r.null("a file:// value names a file that another host keeps (Git LFS): it is null", value)
	case errors.As(err, &omitted): // null would overwrite what Port holds
		return nil, &Omitted{Object: r.item.checkout.At(r.item.entry.Path), Why: "a file that it names by file:// is left out: " + omitted.Why, Fix: omitted.Fix}
	case err != nil:
		return nil, err
	case body == nil:
		return r.null("a file:// value names a file that is not there: it is null", value)
	case content.Binary(body):
		return r.null("a file:// value names a binary file: it is null", value)
	}
	r.bytes -= len(body)
	parsed, err := r.item.checkout.ws.contents.Parse(name, body)
	if err != nil {
		r.item.note("a file that a file:// value names does not parse as "+content.Format(name)+": the value is its text", value+": "+err.Error())
		r.item.unparsed = true
		return content.Text(body), nil
	}
	if parsed.Repeated != "" {
		r.item.repeated(value + ": " + parsed.Repeated)
	}
	return parsed.Value, nil
}

func (r *references) null(message, value string) (any, error) {
	r.item.note(message, value)
	return nil, nil
}

package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/content"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/source"
)

// fileReader makes items of the files of one checkout, one after the other.
type fileReader struct {
	checkout *checkout
	root     *rootFiles // nil when the selector names none
	named    []string   // paths of the files that expressions name by file://
	whole    bool       // expressions read what only Bitbucket's API has of a file
	links    bool       // they read its links, or its escaped path
	within   bool       // they read the repository at __repository
}

// fileText is a file with its bytes, as checkout.Text returns them.
type fileText struct {
	entry source.Entry
	body  []byte
	err   error
}

// wants reports which files are read.
func (t *fileReader) wants(patterns []glob.Pattern) func(path string) bool {
	root := slices.Concat(t.root.paths(), t.named)
	return func(path string) bool {
		return slices.Contains(root, path) || slices.ContainsFunc(patterns, func(p glob.Pattern) bool { return p.Matches(path) })
	}
}

// fetch reads the files, and those of the root, together where that can be.
func (t *fileReader) fetch(ctx context.Context, matches []match) error {
	if len(matches) == 0 {
		return nil
	}
	paths := slices.Concat(t.root.paths(), t.named)
	for _, m := range matches {
		paths = append(paths, m.entry.Path)
	}
	return t.checkout.Fetch(ctx, paths)
}

// ahead reads the file of an entry, when its content needs it.
func (t *fileReader) ahead(ctx context.Context, e source.Entry) (text fileText) {
	text.entry, text.body, text.err = t.checkout.Text(ctx, e, t.whole || t.links && e.AsksForLinks())
	return text
}

// item yields the item of one file, or why there is none, and what is to be reported.
func (t *fileReader) item(ctx context.Context, text fileText, skipParsing bool, yield func(Found, error) bool) bool {
	f := &fileItem{reader: t, checkout: t.checkout, entry: text.entry, text: text, skipParsing: skipParsing, noted: map[string]bool{}}
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
		err = &Unreadable{Object: t.checkout.At(text.entry.Path), Err: err}
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
	unclear     bool            // it has none, or a part that it names is not given
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
	parsed, raw, err := f.content(ctx)
	if err != nil {
		return Found{}, err
	}
	metadata, err := f.checkout.Object(f.entry)
	if err != nil {
		return Found{}, err
	}
	repo, err := bitbucket.Decode(f.checkout.repository.JSON)
	if err != nil {
		return Found{}, err
	}
	addRepository(metadata, repo)
	with := func(content any) Object {
		object := Object{
			"content": content, "metadata": metadata, "repo": repo, "branch": f.checkout.Branch(),
			// The documented examples map .file.path and .file.content.
			"file": Object{"path": f.entry.Path, "name": path.Base(f.entry.Path), "content": content,
				"size": json.Number(strconv.FormatInt(f.entry.Size, 10))},
		}
		if f.reader.within {
			object[withinKey] = clone(repo)
		}
		return object
	}
	found := Found{Object: with(parsed.Value), Address: f.checkout.address(f.entry.Path), Raw: raw, Unparsed: f.unparsed || f.unclear, Read: f.checkout.reader("")}
	if f.reader.root != nil {
		var files included
		if files, err = f.reader.root.included(ctx); err != nil {
			return Found{}, err
		}
		found.Object[includedFiles], found.Unparsed = files.texts, found.Unparsed || files.unclear
	}
	if parsed.Differs {
		found.Older = with(parsed.Older)
		found.Older[includedFiles] = found.Object[includedFiles]
	}
	return found, nil
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
func (f *fileItem) content(ctx context.Context) (parsed content.Parsed, raw bool, err error) {
	body, err := f.text.body, f.text.err
	text := func() content.Parsed { return content.Parsed{Value: content.Text(body)} }
	switch {
	case f.is(source.Elsewhere), errors.Is(err, bitbucket.ErrElsewhere) && !f.is(source.Binary):
		f.note(noContentElsewhere, "")
		f.unclear = f.isParsed()
		return parsed, true, nil
	case f.is(source.Binary), err == nil && content.Binary(body):
		f.note(noContentBinary, "")
		f.unclear = f.isParsed()
		return parsed, true, nil
	case err != nil:
		return parsed, false, err
	case body == nil:
		return parsed, false, fmt.Errorf("read file %q of repository %q: it is listed, and not there", f.entry.Path, f.checkout.repository.Slug)
	case f.is(source.Link):
		f.note("symbolic links are not followed: their content is the path that they lead to", "")
		return text(), true, nil
	case f.skipParsing:
		return text(), false, nil
	}
	parsed, err = f.checkout.ws.contents.Parse(f.entry.Path, body)
	if err != nil {
		f.note("a file does not parse as "+content.Format(f.entry.Path)+": its content is its text", err.Error())
		f.unparsed = true
		return text(), true, nil
	}
	f.repeated(parsed.Repeated)
	if f.isParsed() {
		err = f.resolve(ctx, &parsed, body)
	}
	return parsed, f.unparsed, err
}

// isParsed reports whether the content is to be more than text.
func (f *fileItem) isParsed() bool { return content.Format(f.entry.Path) != "" && !f.skipParsing }

const (
	noContentBinary    = "binary files have no content: .content is null"
	noContentElsewhere = "files that another host keeps (Git LFS) have no content: .content is null"
)

// maxDetail bounds what a warning holds of why a file does not parse, in bytes.
const maxDetail = 160

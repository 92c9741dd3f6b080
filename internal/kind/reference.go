package kind

import (
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/content"
	"port-bitbucket-exporter/internal/mapping"
)

const (
	// maxReferences is how many such values of one file are read.
	maxReferences = 100
	// maxReferenced bounds what they add to one file, in bytes: none is read after it.
	maxReferenced = 16 << 20
)

// references puts the files that a parsed file names into their places.
type references struct {
	item  *fileItem
	left  int                       // values that may still be read
	bytes int                       // that they may still have
	cut   bool                      // some were not read for that
	read  map[string]content.Parsed // by value; those that YAML 1.1 has otherwise are among them
	older bool                      // some are
}

// resolve puts the files that a parsed file names into their places, also in what YAML 1.1
// makes of it.
func (f *fileItem) resolve(ctx context.Context, parsed *content.Parsed, body []byte) (err error) {
	r := &references{item: f, left: maxReferences, bytes: maxReferenced, read: map[string]content.Parsed{}}
	if err = f.checkout.Fetch(ctx, f.referenced(parsed.Value, nil)); err != nil {
		return err
	}
	if parsed.Value, err = r.resolve(ctx, parsed.Value); err != nil {
		return err
	}
	switch {
	case r.cut: // which ones are read depends on the order of the keys
		parsed.Older, parsed.Differs = nil, false
		return nil
	case !parsed.Differs && r.older:
		again, err := f.checkout.ws.contents.Parse(f.entry.Path, body)
		if err != nil {
			return nil
		}
		parsed.Older, parsed.Differs = again.Value, true
	}
	parsed.Older = r.put(parsed.Older)
	return nil
}

// referenced appends the paths of the files that text values name, at any depth, as many as
// are read.
func (f *fileItem) referenced(value any, paths []string) []string {
	switch v := value.(type) {
	case Object:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			paths = f.referenced(v[key], paths)
		}
	case []any:
		for _, e := range v {
			paths = f.referenced(e, paths)
		}
	case string:
		if written, ok := mapping.FileName(v); ok && len(paths) < maxReferences {
			if name, refused := f.place(written); refused == "" && name != "" {
				paths = append(paths, name)
			}
		}
	}
	return paths
}

// put puts files that were read into their places, as YAML 1.1 has them.
func (r *references) put(value any) any {
	switch v := value.(type) {
	case Object:
		for key := range v {
			v[key] = r.put(v[key])
		}
	case []any:
		for i := range v {
			v[i] = r.put(v[i])
		}
	case string:
		if read, ok := r.read[v]; ok && read.Differs {
			return read.Older
		} else if ok {
			return read.Value
		}
	}
	return value
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
			parsed, err := r.reference(ctx, v, name)
			r.read[v] = parsed
			r.older = r.older || parsed.Differs
			return parsed.Value, err
		}
	}
	return value, nil
}

// place returns the path from the root of the repository that a value of the file names,
// from its folder or from the root; empty where no file can be. Refused is why it is null.
func (f *fileItem) place(written string) (name, refused string) {
	p, err := mapping.ParseFilePath(written)
	if errors.Is(err, mapping.ErrNoPath) {
		return "", "a file:// value is not a path: it is null"
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
func (r *references) reference(ctx context.Context, value, written string) (parsed content.Parsed, err error) {
	name, refused := r.item.place(written)
	if refused != "" {
		r.item.note(refused, strings.ReplaceAll(value, "\x00", "\uFFFD"))
		return parsed, nil
	}
	if r.left == 0 || r.bytes < 0 {
		r.cut, r.item.unclear = true, true
		r.item.note("a file has more file:// values than are read (100, or 16 MiB): the others stay as they are", value)
		return content.Parsed{Value: value}, nil
	}
	r.left--
	var body []byte
	var omitted *Omitted
	if name != "" {
		body, err = r.item.checkout.File(ctx, name)
	}
	switch {
	case errors.Is(err, bitbucket.ErrElsewhere):
		r.item.note("a file:// value names a file that another host keeps (Git LFS): it is null", value)
		r.item.unclear = true
		return parsed, nil
	case errors.As(err, &omitted): // null would overwrite what Port holds
		return parsed, &Omitted{Object: r.item.checkout.At(r.item.entry.Path), Why: "a file that it names by file:// is left out: " + omitted.Why, Fix: omitted.Fix}
	case err != nil:
		return parsed, err
	case body == nil:
		r.item.note("a file:// value names a file that is not there: it is null", value)
		return parsed, nil
	case content.Binary(body):
		r.item.note("a file:// value names a binary file: it is null", value)
		r.item.unclear = true
		return parsed, nil
	}
	r.bytes -= len(body)
	parsed, err = r.item.checkout.ws.contents.Parse(name, body)
	if err != nil {
		r.item.note("a file that a file:// value names does not parse as "+content.Format(name)+": the value is its text", value+": "+err.Error())
		r.item.unparsed = true
		return content.Parsed{Value: content.Text(body)}, nil
	}
	if parsed.Repeated != "" {
		r.item.repeated(value + ": " + parsed.Repeated)
	}
	return parsed, nil
}

package kind

import (
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
)

const (
	// referencePrefix begins a value of a parsed file that stands for another file.
	referencePrefix = "file://"
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

// resolve gives the value with what its text values name, at any depth. The value
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
		if strings.HasPrefix(v, referencePrefix) {
			return r.reference(ctx, v)
		}
	}
	return value, nil
}

// maxPath is longer than any path that Git takes, in bytes.
const maxPath = 4096

func (r *references) reference(ctx context.Context, value string) (any, error) {
	name, inside := referenced(path.Dir(r.item.entry.Path), value)
	if len(name) > maxPath || strings.ContainsRune(name, 0) {
		return r.null("a file:// value is no path: it is null", "")
	}
	if !inside {
		return r.null("a file:// value leads out of its repository: it is null", value)
	}
	if r.left == 0 || r.bytes < 0 {
		r.item.tell("a file has more file:// values than are read (100, or 16 MiB): the others stay as they are", value)
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
	case binary(body):
		return r.null("a file:// value names a binary file: it is null", value)
	}
	r.bytes -= len(body)
	content, err := parseContent(name, body)
	if err != nil {
		r.item.tell("a file that a file:// value names does not parse as "+format(name)+": the value is its text", value+": "+err.Error())
		r.item.unparsed = true
		return rawText(body), nil
	}
	return content, nil
}

// referenced gives the path that a value leads to from a folder: a leading "/" is
// the root of the repository. It gives false for what is outside of it.
func referenced(folder, value string) (name string, inside bool) {
	name = strings.TrimPrefix(value, referencePrefix)
	if !strings.HasPrefix(name, "/") {
		name = "/" + folder + "/" + name
	}
	depth := 0
	for segment := range strings.SplitSeq(name, "/") {
		switch segment {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return "", false
			}
		default:
			depth++
		}
	}
	return strings.TrimPrefix(path.Clean(name), "/"), true
}

func (r *references) null(message, value string) (any, error) {
	r.item.tell(message, value)
	return nil, nil
}

package resync

import (
	"context"
	"errors"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/transform"
)

// chunkObjects is how many objects go on together: few enough that a repository
// with very many pull requests streams, and many enough to cost nothing.
const chunkObjects = 50

// chunk is a part of what one task gave, mapped and encoded.
type chunk struct {
	source   kind.Source // of all its objects
	objects  int
	arrays   int // objects for which itemsToParse gave an array
	noArrays int
	units    []unit
	notes    []note
	errs     []error  // of the task
	unparsed []string // objects without a unit, whose content could not be parsed
	samples  []map[string]any
}

// unit is one of a transform.Result, ready to be sent.
type unit struct {
	outcome   transform.Outcome
	entry     *check.Entry
	blueprint string
	entity    catalog.Entity // when mapped
	ref       catalog.Ref    // when refused, as far as known
	fault     *transform.Fault
	raw       bool   // the object's content was not parsed, or is not given
	unparsed  bool   // the object's content should have been parsed
	source    string // the object's page or path, for messages
	title     uint64 // see titleOf
}

type note struct {
	transform.Note
	source string
}

// extract runs one task: each object is decoded, mapped by all expressions and
// dropped here, in one goroutine.
func extract(ctx, asking context.Context, r *check.Resource, schemas *schemas, task kind.Task, wanted *samples, emit func(chunk) bool) {
	c := chunk{source: task.Source}
	taken := 0 // for samples
	for found, err := range task.Run(asking) {
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		if taken < wanted.left() {
			taken++
			c.samples = append(c.samples, wanted.copied(found.Object))
		}
		c.add(ctx, asking, schemas, r, found)
		if c.objects == chunkObjects {
			if !emit(c) {
				return
			}
			c = chunk{source: task.Source}
		}
	}
	if c.objects > 0 || len(c.errs) > 0 {
		emit(c)
	}
}

func (c *chunk) add(ctx, asking context.Context, schemas *schemas, r *check.Resource, found kind.Found) {
	source := page(found.Object)
	result := r.Program.Apply(ctx, transform.Source{Object: found.Object, Raw: found.Raw, Read: c.reader(asking, found)})
	c.objects++
	if r.ItemsToParse != nil && result.NotArray {
		c.noArrays++
	} else {
		c.arrays++
	}
	if found.Unparsed && len(result.Units) == 0 {
		c.unparsed = append(c.unparsed, source)
	}
	for _, n := range result.Notes {
		c.notes = append(c.notes, note{n, source})
	}
	for _, u := range result.Units {
		var d *catalog.Digester
		if u.Outcome == transform.Mapped {
			d = schemas.digester(ctx, u.Blueprint)
		}
		unit := encode(r.Entries[u.Entry], u, source, d)
		unit.raw, unit.unparsed = found.Raw, found.Unparsed
		c.units = append(c.units, unit)
	}
}

// reader reads the files that a mapping names by file://. A warning about one is
// told like those of the task; the value is then null.
func (c *chunk) reader(asking context.Context, found kind.Found) func(context.Context, string) (any, error) {
	if found.Read == nil {
		return nil
	}
	return func(_ context.Context, name string) (any, error) {
		text, err := found.Read(asking, name)
		var warning *kind.Warning
		if errors.As(err, &warning) {
			c.errs = append(c.errs, warning)
			return nil, nil
		}
		return text, err
	}
}

func encode(e *check.Entry, u transform.Unit, source string, d *catalog.Digester) unit {
	out := unit{outcome: u.Outcome, entry: e, blueprint: u.Blueprint, fault: u.Fault, source: source}
	switch u.Outcome {
	case transform.Mapped:
		entity, err := catalog.Encode(u.Blueprint, u.Fields, d)
		if err != nil {
			out.outcome = transform.Refused
			out.fault = &transform.Fault{Expr: e.Source.Blueprint, Message: err.Error()}
			out.ref.Blueprint = u.Blueprint
			out.ref.Identifier, _ = u.Fields.Identifier.(string)
			return out
		}
		out.entity = entity
		out.title = titleOf(u.Fields)
	case transform.Refused:
		out.ref.Blueprint = u.Blueprint
		out.ref.Identifier, _ = u.Fields.Identifier.(string)
	}
	return out
}

// page is the web page of an object, by which a person finds it; for a folder or
// a file, its repository and path.
func page(object kind.Object) string {
	for _, key := range []string{"folder", "metadata"} {
		entry, _ := object[key].(map[string]any)
		repository, _ := object["repo"].(map[string]any)
		path, isPath := entry["path"].(string)
		name, isName := repository["full_name"].(string)
		if isPath && isName {
			return name + "/" + path
		}
	}
	links, _ := object["links"].(map[string]any)
	html, _ := links["html"].(map[string]any)
	href, _ := html["href"].(string)
	return href
}

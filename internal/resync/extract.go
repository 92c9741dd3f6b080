package resync

import (
	"context"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/transform"
)

// chunkObjects is how many objects go on together: few enough that a repository
// with very many pull requests streams, and many enough to cost nothing.
const chunkObjects = 50

// chunk is a part of what one task gave, mapped and encoded.
type chunk struct {
	objects  int
	arrays   int // objects for which itemsToParse gave an array
	noArrays int
	units    []unit
	notes    []note
	errs     []error // of the task
}

// unit is one of a transform.Result, ready to be sent.
type unit struct {
	outcome   transform.Outcome
	entry     *entry
	blueprint string
	entity    catalog.Entity // when mapped
	ref       catalog.Ref    // when refused, as far as known
	fault     *transform.Fault
	source    string // the object's page, for messages
}

type note struct {
	transform.Note
	source string
}

// extract runs one task: each object is decoded, mapped by all expressions and
// dropped here, in one goroutine.
func (r *resource) extract(ctx, asking context.Context, task kind.Task, emit func(chunk) bool) {
	var c chunk
	for found, err := range task(asking) {
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		c.add(ctx, r, found)
		if c.objects == chunkObjects {
			if !emit(c) {
				return
			}
			c = chunk{}
		}
	}
	if c.objects > 0 || len(c.errs) > 0 {
		emit(c)
	}
}

func (c *chunk) add(ctx context.Context, r *resource, found kind.Found) {
	source := page(found.Object)
	result := r.program.Apply(ctx, transform.Source{Object: found.Object, Raw: found.Raw, Read: found.Read})
	c.objects++
	if r.ItemsToParse != nil && result.NotArray {
		c.noArrays++
	} else {
		c.arrays++
	}
	for _, n := range result.Notes {
		c.notes = append(c.notes, note{n, source})
	}
	for _, u := range result.Units {
		c.units = append(c.units, encode(r.entries[u.Entry], u, source))
	}
}

func encode(e *entry, u transform.Unit, source string) unit {
	out := unit{outcome: u.Outcome, entry: e, blueprint: u.Blueprint, fault: u.Fault, source: source}
	switch u.Outcome {
	case transform.Mapped:
		entity, err := catalog.Encode(u.Blueprint, u.Fields, e.digester)
		if err != nil {
			out.outcome = transform.Refused
			out.fault = &transform.Fault{Expr: e.source.Blueprint, Message: err.Error()}
			return out
		}
		out.entity = entity
	case transform.Refused:
		out.ref.Blueprint = u.Blueprint
		out.ref.Identifier, _ = u.Fields.Identifier.(string)
	}
	return out
}

// page is the web page of an object, by which a person finds it.
func page(object kind.Object) string {
	links, _ := object["links"].(map[string]any)
	html, _ := links["html"].(map[string]any)
	href, _ := html["href"].(string)
	return href
}

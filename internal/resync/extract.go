package resync

import (
	"context"
	"errors"
	"slices"
	"sync"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/load"
	"port-bitbucket-exporter/internal/transform"
)

// chunkObjects is how many objects go on together: few enough that a repository
// with very many pull requests streams, and many enough to cost nothing.
const chunkObjects = 50

// digesters return what compares the entities of a blueprint, in any goroutine.
type digesters func(ctx context.Context, blueprint string) *catalog.Digester

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
	place    place
}

// roomAhead is how much of the results of tasks may wait for those before them, in bytes, of
// the resource that is loaded, and as much again of those after it.
const roomAhead = 2 << 20

// Sizes of parts of a chunk in memory, besides the texts that it holds: about, in bytes.
const (
	unitSize   = 500
	noteSize   = 200
	sampleSize = 8 << 10
)

// size is about how much memory the chunk takes, in bytes. One with an error after which the
// rest need not be asked for takes all the room that there is: nothing more is begun until it
// is accounted for.
func (c chunk) size() int {
	if slices.ContainsFunc(c.errs, kind.Denied) {
		return roomAhead
	}
	size := unitSize + len(c.samples)*sampleSize + (len(c.notes)+len(c.errs)+len(c.unparsed))*noteSize
	for _, u := range c.units {
		size += unitSize + len(u.Entity.Body) + len(u.Entity.Digest)
	}
	return size
}

// unit is one of a transform.Result, ready to be loaded.
type unit struct {
	load.Unit
	outcome  transform.Outcome
	ref      catalog.Ref // when refused, as far as known
	fault    *transform.Fault
	raw      bool // the object's content was not parsed, or is not given
	unparsed bool // the object's content should have been parsed
}

// value is what a faulty expression gave, and for which object.
func (u unit) value() string {
	if u.fault.Value == "" {
		return u.Address
	}
	return u.fault.Value + " from " + u.Address
}

type note struct {
	transform.Note
	source string
}

// ordered is a task, and its place among all of the run.
type ordered struct {
	kind.Task
	place place
}

// extract runs one task: each object is decoded, mapped by all expressions and
// dropped here, in one goroutine.
func extract(readCtx, writeCtx context.Context, r *check.Resource, digester digesters, task ordered, wanted *samples, emit func(chunk) bool) {
	c := chunk{source: task.Source, place: task.place}
	taken := 0 // for samples
	for found, err := range task.Run(readCtx) {
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		if !found.Partial && taken < wanted.left(task.place) {
			taken++
			wanted.keep(task.place, 1)
			c.samples = append(c.samples, wanted.copied(found.Object))
		}
		c.add(readCtx, writeCtx, r, digester, found)
		if c.objects == chunkObjects {
			if !emit(c) {
				return
			}
			c = chunk{source: task.Source, place: task.place}
		}
	}
	if c.objects > 0 || len(c.errs) > 0 {
		emit(c)
	}
}

func (c *chunk) add(readCtx, writeCtx context.Context, r *check.Resource, digester digesters, found kind.Found) {
	source := found.Address
	result := c.apply(readCtx, writeCtx, r.Program, found)
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
			d = digester(writeCtx, u.Blueprint)
		}
		unit := encode(r.Entries[u.Entry], u, d)
		unit.Address, unit.Source = source, c.source.Key
		unit.raw, unit.unparsed = found.Raw, found.Unparsed
		c.units = append(c.units, unit)
	}
}

// apply maps an object. The files that the mapping names by file:// are read between two
// attempts, side by side, so that mapping itself makes no request.
func (c *chunk) apply(readCtx, writeCtx context.Context, program *transform.Program, found kind.Found) transform.Result {
	source := transform.Source{Object: found.Object, Older: found.Older, Raw: found.Raw, HasFiles: found.Read != nil, Files: map[string]transform.File{}}
	for {
		result := program.Apply(writeCtx, source)
		if len(result.Missing) == 0 {
			return result
		}
		files := make([]transform.File, len(result.Missing))
		var all concurrent.Group
		for i, name := range result.Missing {
			all.Run(func() { files[i].Text, files[i].Err = found.Read(readCtx, name) })
		}
		all.Wait()
		for i, name := range result.Missing {
			source.Files[name] = c.file(files[i])
		}
	}
}

// file accounts for a warning about a file like for those of the task; there is none then.
func (c *chunk) file(f transform.File) transform.File {
	var warning *kind.Warning
	if errors.As(f.Err, &warning) {
		c.errs = append(c.errs, warning)
		return transform.File{}
	}
	return f
}

// encode makes the entity of a unit. One that cannot be encoded is refused.
func encode(entry *check.Entry, u transform.Unit, d *catalog.Digester) unit {
	out := unit{Unit: load.Unit{Entry: entry}, outcome: u.Outcome, fault: u.Fault}
	if u.Outcome == transform.Mapped {
		entity, err := catalog.Encode(u.Blueprint, u.Fields, d)
		if err == nil {
			out.Entity, out.Title = entity, inventory.HashTitle(u.Fields)
			return out
		}
		out.outcome = transform.Refused
		out.fault = &transform.Fault{Expr: entry.Source.Blueprint, Message: err.Error()}
	}
	if out.outcome == transform.Refused {
		out.ref.Blueprint = u.Blueprint
		out.ref.Identifier, _ = u.Fields.Identifier.(string)
	}
	return out
}

// samples are the raw objects of a kind that are still to be shown. Each task sets copies
// aside, unless those before it have as many as are missing: the run takes the first ones,
// so that it does not depend on timing which they are.
type samples struct {
	copied func(object map[string]any) map[string]any

	mu      sync.Mutex // guards what follows
	missing int
	aside   []aside
}

// aside is how many copies a task has set aside that are not shown.
type aside struct {
	by place
	n  int
}

// place is that of a task: the number of its resource, in the order in which they run, and
// its own in that.
type place struct{ resource, task int }

func (p place) before(o place) bool {
	return p.resource < o.resource || p.resource == o.resource && p.task < o.task
}

// left returns how many copies a task may have to set aside in all.
func (s *samples) left(by place) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.missing
	for _, a := range s.aside {
		if a.by.before(by) {
			left -= a.n
		}
	}
	return left
}

// keep notes that a task sets n more copies aside, or fewer where n is negative.
func (s *samples) keep(by place, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.aside, func(a aside) bool { return a.by == by })
	if i < 0 {
		i = len(s.aside)
		s.aside = append(s.aside, aside{by: by})
	}
	s.aside[i].n += n
}

// show takes as many of n copies of a task as are missing.
func (s *samples) show(by place, n int) int {
	s.mu.Lock()
	n = min(n, s.missing)
	s.missing -= n
	s.mu.Unlock()
	if n > 0 {
		s.keep(by, -n)
	}
	return n
}

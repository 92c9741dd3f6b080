// Package report counts what a run did, once: one plain value, of which package face makes
// everything that people and other programs see.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
)

// Counts account for every object and every entity of a resource, or of a run.
//
// The unit is what a selector judges (an object, or one element of
// itemsToParse), once for each entry of the resource's mappings.
type Counts struct {
	Extracted   int // = Transformed + Filtered + Skipped + Failed
	Filtered    int // the selector said false
	Skipped     int // identifier or blueprint is null, or itemsToParse gave no array
	Failed      int // source unreadable, or a selector, identifier or blueprint expression raised an error
	Unread      int // those of Failed whose source was unreadable
	Transformed int // = Created + Updated + Unchanged + Rejected + Merged

	Created   int
	Updated   int
	Unchanged int // Port holds the same: not written
	Rejected  int // not stored: refused by Port or by the checks before sending, or its request failed
	Merged    int // another result for an entity that is counted already
}

// Add returns the sum of both.
func (c Counts) Add(o Counts) Counts {
	c.Extracted += o.Extracted
	c.Filtered += o.Filtered
	c.Skipped += o.Skipped
	c.Failed += o.Failed
	c.Unread += o.Unread
	c.Transformed += o.Transformed
	c.Created += o.Created
	c.Updated += o.Updated
	c.Unchanged += o.Unchanged
	c.Rejected += o.Rejected
	c.Merged += o.Merged
	return c
}

// Balance is nil when every object and every entity is accounted for.
func (c Counts) Balance() error {
	if sum := c.Transformed + c.Filtered + c.Skipped + c.Failed; c.Extracted != sum {
		return fmt.Errorf("%d objects extracted, but %d accounted for", c.Extracted, sum)
	}
	sum := c.Created + c.Updated + c.Unchanged + c.Rejected + c.Merged
	if c.Transformed != sum {
		return fmt.Errorf("%d entities transformed, but %d accounted for", c.Transformed, sum)
	}
	return nil
}

// Resource is what happened to one resource of the mapping.
type Resource struct {
	Index      int // counts from 1
	Kind       string
	Blueprints []string // that it produced or can produce, sorted
	Counts
	Listed   bool // its list was read, whatever became of the objects
	Complete bool // every object was read and evaluated
	Duration time.Duration
}

// Blueprint is what happened to the entities of one blueprint.
type Blueprint struct {
	Identifier string
	Created    int
	Updated    int
	Unchanged  int
	Rejected   int
	Deleted    int
	StaleKept  int    // stale, but not deleted
	HeldBy     string // the guard that held deletion back, in words; empty when open
}

// Cause is why a run is not a full success. Causes add up.
type Cause uint

// The causes. The first two are refusals, which fail_on "incomplete" forgives.
const (
	RejectedEntity   Cause = 1 << iota // an entity was refused
	FailedExpression                   // an identifier or blueprint expression raised an error
	FailedSelector                     // a selector raised an error, or gave no boolean
	Unread                             // something of Bitbucket was not read
	NotAsked                           // something was not asked for, since max_requests was reached
	Undelivered                        // something was not written to Port, or not deleted for a failure
	TimeLimit                          // time_limit was reached
	Fatal                              // the run as a whole failed
)

// File is a file that problems name.
type File struct {
	Name string // as its problems give it
	Path string // from the root of the sources, with "/"; empty when Name is that
}

// Mapping is what is known of the mapping of a run, and of the blueprints beside it.
type Mapping struct {
	File
	Others     []File // further mappings that were checked
	Blueprints File   // that are to be made; the zero File for none
	Checked    bool   // the mapping was read and checked
	// Problems are all that were found in both, or that one cannot be read. The problems of
	// the report hold those of them that matter to the run, too.
	Problems diag.Problems
	Rules    []diag.RuleInfo // that it was checked by
}

// Files are all files that problems can name.
func (m *Mapping) Files() []File {
	return append(append([]File{m.File}, m.Others...), m.Blueprints)
}

func (m *Mapping) scrub(redact func(string) string) {
	m.Problems = m.Problems.Redacted(redact)
	m.Others = slices.Clone(m.Others)
	for _, f := range []*File{&m.File, &m.Blueprints} {
		f.Name, f.Path = redact(f.Name), redact(f.Path)
	}
	for i, f := range m.Others {
		m.Others[i] = File{redact(f.Name), redact(f.Path)}
	}
}

// Program is what made a report.
type Program struct{ Name, Version string }

// Report is what one run did. The zero Report is an empty one, ready for use. It
// has one owner: it is not safe for concurrent use.
type Report struct {
	diag.Log
	Started    time.Time
	Duration   time.Duration
	Resources  []*Resource
	Blueprints []*Blueprint // in any order; every form sorts them by identifier
	// Failure is why the run as a whole failed, in one line; empty when it did not, and where
	// the worst of the problems says it.
	Failure string
	// CutOff is true when the run ended before it had asked for everything and written it, or
	// may have: by time_limit, max_requests, a signal or a failure of the whole.
	CutOff            bool
	Subject           Subject
	BitbucketRequests int
	PortRequests      int
	Allowance         Allowance
	Sources           Sources
	Memory            Memory
	Timeline          Timeline
	// Planned is true for what a sync would do; then Forecast is what it would cost.
	Planned bool
	// Kinds are those of the resources that ran, where others of the mapping did not, of which
	// there are Idle; empty where all ran.
	Kinds []string
	Idle  int
	// Settled is true when everything was read, and all that Port holds of the
	// integration was produced, or made for a relation.
	Settled bool
	// Changes are, of a plan, all that a sync would change, sorted by blueprint and identifier;
	// of a sync, what it deleted, in any order, see NoteDeleted.
	Changes  []catalog.Change
	Kept     []Kept // stale entities that stay, in any order, see NoteKept
	Forecast string
	Facts    []string // what else there is to know, a line each
	Foreseen bool     // a sync would change something besides entities
	Mapping  Mapping
	Program  Program
	// CheckOnly is true when the mapping was checked and nothing else done: then the forms
	// for people hold its problems. BadInputs is true when inputs are wrong beside it.
	CheckOnly bool
	BadInputs bool

	causes Cause
}

// Mark adds a cause.
func (r *Report) Mark(c Cause) { r.causes |= c }

// Has reports whether any of these causes was marked.
func (r *Report) Has(c Cause) bool { return r.causes&c != 0 }

// Blueprint returns the entry of a blueprint, new when there is none.
func (r *Report) Blueprint(identifier string) *Blueprint {
	for _, b := range r.Blueprints {
		if b.Identifier == identifier {
			return b
		}
	}
	b := &Blueprint{Identifier: identifier}
	r.Blueprints = append(r.Blueprints, b)
	return b
}

// Scrub passes every text of the report through redact. It comes before any form of
// the report is made: a form may escape or cut a text, and what is left of a secret
// is not found in it any more.
func (r *Report) Scrub(redact func(string) string) {
	r.Failure = redact(r.Failure)
	for _, res := range r.Resources {
		res.Kind = redact(res.Kind)
		for i, b := range res.Blueprints {
			res.Blueprints[i] = redact(b)
		}
	}
	for _, b := range r.Blueprints {
		b.Identifier, b.HeldBy = redact(b.Identifier), redact(b.HeldBy)
	}
	r.Log.Redact(redact)
	r.Mapping.scrub(redact)
	r.scrubChanges(redact)
	for i := range r.Kept {
		k := &r.Kept[i]
		k.Ref.Blueprint, k.Ref.Identifier, k.Why = redact(k.Ref.Blueprint), redact(k.Ref.Identifier), redact(k.Why)
	}
	r.Subject.scrub(redact)
	r.Timeline.scrub(redact)
	r.Sources.scrub(redact)
	r.Memory.Why, r.Memory.ListsLost = redact(r.Memory.Why), redact(r.Memory.ListsLost)
	for i, fact := range r.Facts {
		r.Facts[i] = redact(fact)
	}
}

// Total is the sum over all resources.
func (r *Report) Total() Counts {
	var sum Counts
	for _, res := range r.Resources {
		sum = sum.Add(res.Counts)
	}
	return sum
}

// Totals is what the whole run did.
type Totals struct {
	Counts
	Deleted   int
	StaleKept int
}

// Totals returns what the whole run did.
func (r *Report) Totals() Totals {
	t := Totals{Counts: r.Total()}
	for _, b := range r.Blueprints {
		t.Deleted += b.Deleted
		t.StaleKept += b.StaleKept
	}
	return t
}

// SortedBlueprints returns the blueprints by identifier, and leaves the Report as it is.
func (r *Report) SortedBlueprints() []*Blueprint {
	return slices.SortedStableFunc(slices.Values(r.Blueprints), func(a, b *Blueprint) int {
		return cmp.Compare(a.Identifier, b.Identifier)
	})
}

// Changing reports whether a plan found that a sync would change something.
func (r *Report) Changing() bool {
	return r.Planned && (r.Foreseen || slices.ContainsFunc(r.Changes, func(c catalog.Change) bool { return c.Action != catalog.Refuse }))
}

func (r *Report) scrubChanges(redact func(string) string) {
	for i := range r.Changes {
		c := &r.Changes[i]
		c.Ref.Blueprint, c.Ref.Identifier, c.Why = redact(c.Ref.Blueprint), redact(c.Ref.Identifier), redact(c.Why)
		for j := range c.Fields {
			f := &c.Fields[j]
			f.Name, f.From, f.To = redact(f.Name), scrubbed(f.From, redact), scrubbed(f.To, redact)
		}
	}
}

func scrubbed(v any, redact func(string) string) any {
	switch v := v.(type) {
	case string:
		return redact(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = scrubbed(item, redact)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, member := range v {
			out[redact(k)] = scrubbed(member, redact)
		}
		return out
	}
	return v
}

// A report names so many entities at most of which only the counts are bounded otherwise.
const (
	maxDeleted = 10_000
	maxKept    = 1_000
)

// Kept is a stale entity that was not deleted.
type Kept struct {
	Ref catalog.Ref
	Why string // in words
}

// NoteDeleted names an entity that a sync deleted; of very many it names the first. In a plan
// the changes are set as a whole, and it does nothing. Counts are the caller's.
func (r *Report) NoteDeleted(ref catalog.Ref) {
	if !r.Planned && len(r.Changes) < maxDeleted {
		r.Changes = append(r.Changes, catalog.Change{Action: catalog.Delete, Ref: ref})
	}
}

// NoteKept names a stale entity that stays, and why; of very many it names the first. Counts
// are the caller's.
func (r *Report) NoteKept(ref catalog.Ref, why string) {
	if len(r.Kept) < maxKept {
		r.Kept = append(r.Kept, Kept{ref, why})
	}
}

// Link returns the page of a place in one of the files of the mapping; empty where none is
// known.
func (r *Report) Link(file string, line int) string {
	for _, f := range r.Mapping.Files() {
		if f.Name != "" && f.Name == file {
			return r.Subject.Checkout.Link(f.Path, line)
		}
	}
	return ""
}

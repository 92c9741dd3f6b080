package load

import (
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
)

// Resource is a resource of the mapping, and where the load of it is accounted for.
type Resource struct {
	*check.Resource
	Report *report.Resource
	Seen   *inventory.Resource
}

// holds counts a unit of an entry whose entity Port holds.
func (r *Resource) holds(e *check.Entry) { r.Seen.Held[e.Number]++ }

// loseName is for a rejected entity that only a search query names: which of those that
// Port holds must not be stale is not known.
func (r *Resource) loseName() {
	r.Seen.Unnamed = r.Where().String() + ": an entity whose identifier is a search query was rejected"
}

// state is what this run did with one entity, while something of it is on its way: see ledger.
type state struct {
	ref              catalog.Ref
	inventory.Entity          // without its results, which are made of those that follow
	results          []result // one for each entry of a mapping that produced it, the last one last
	// held is what Port stored of it before the run wrote to it, once that is known.
	held  catalog.Digest
	known bool
}

// result is what one entry produced last for an entity.
type result struct {
	entry   *check.Entry
	digest  catalog.Digest
	address string
	pending *pending // nil when there was nothing to send, or it is over
	// rejected is true when Port holds nothing of it.
	rejected bool
}

type outcome int

const (
	unchanged outcome = iota
	updated
	created
)

// of returns the index of the result of an entry; -1 when there is none.
func (s *state) of(e *check.Entry) int {
	return slices.IndexFunc(s.results, func(r result) bool { return r.entry == e })
}

// busy reports whether a result is on its way.
func (s *state) busy() bool {
	return slices.ContainsFunc(s.results, func(r result) bool { return r.pending != nil })
}

// unchanged reports whether the entity was counted as one that need not be written.
func (s *state) unchanged() bool { return s.Counted && !s.Updated && !s.Created }

// counts notes that a resource has counted the entity.
func (s *state) counts(of *Resource, as outcome) {
	s.Counted, s.CountedBy, s.Updated, s.Created = true, of.Index, as == updated, as == created
}

// pending is an entity on its way.
type pending struct {
	entity  catalog.Entity
	entry   *check.Entry
	of      *Resource
	address string
	state   *state // nil when the identifier is a search query
	number  int    // in the order in which entities were taken
	size    int    // of the entity's body, in bytes
	stage   stage
	batch   *batch // when packed
	// refused is true when Port did not find what it relates to.
	refused bool
	// due is true when it goes out whatever it relates to, and last when it must not
	// be postponed any more.
	due, last bool
	cycle     []catalog.Ref // of relations, of which it is a part; nil when there is none
}

type stage int

const (
	fresh     stage = iota
	deferred        // until the end of its resource, or of later ones
	packed          // in a batch, sent or not
	postponed       // until what it relates to is there
	over            // sent, refused, or dropped for a later result
)

// batch is entities of one blueprint that go out together.
type batch struct {
	blueprint string
	entities  []*pending
	bytes     int
	outcomes  []port.Outcome
	sent      bool
	sending   concurrent.Group // outcomes may be read when it is done
}

// ahead returns an earlier result for the same entity that is still on its way; nil
// when there is none.
func (p *pending) ahead() *pending {
	if p.state == nil {
		return nil
	}
	for _, r := range p.state.results {
		if r.pending != nil && r.pending.number < p.number {
			return r.pending
		}
	}
	return nil
}

// reject marks the result as one of which Port holds nothing.
func (p *pending) reject() {
	for i := range p.state.results {
		if r := &p.state.results[i]; r.pending == p {
			r.rejected = true
		}
	}
}

// close drops what was on its way: there may be very many.
func (p *pending) close() {
	p.stage = over
	p.entity = catalog.Entity{Ref: p.entity.Ref}
	if p.state == nil {
		return
	}
	for i := range p.state.results {
		if p.state.results[i].pending == p {
			p.state.results[i].pending = nil
		}
	}
}

// Package reconcile decides which entities are stale and may be deleted. It makes no
// request and changes nothing.
//
// # What proves that an entity has no source any more
//
// Absence is proven, not inferred. An entity goes only when all of this holds:
//
//   - The lists that could have held its source were read to their end in this run. What
//     was read to its end and is empty is known to be empty; where objects were filtered,
//     skipped, or failed, and no entity was stored, nothing is known. The same holds where
//     a selector of files, folders or pull requests finds nothing, and is new, or may be
//     new and would let many entities go.
//   - The lists of projects and repositories were read a second time, after everything
//     else and before the first deletion, and what appears only then cannot have produced
//     the entity.
//   - No source that is listed and could not be read can have produced it, under its present
//     name or an earlier one. An answer of 404 proves nothing while the list names the
//     repository.
//   - No source whose objects come from memory can have produced it: what was not asked for in
//     this run may be there by now.
//   - The mapping is the one that the integration runs with, and not a stand-in for one
//     that is not known.
//   - The run did not produce it, stored or not, and nothing that stays relates to it.
//   - It does not look like an entity that this run made under another identifier.
//   - So few go that the mapping's threshold and the input max_deletions allow it.
//
// A list that moved, a count that agrees by chance, an answer of 404, an error, a time
// limit and a mapping that was not given prove nothing.
package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
)

// Guard is why entities stay. The zero Guard holds nothing back.
type Guard struct {
	Why string // in words
	Fix string // what to do about it; empty when nothing is known
}

// Resource is what a resource of the mapping can produce, and why what it produced
// this time may not be all.
type Resource struct {
	Blueprints []string // those it names, or produced
	Any        bool     // its blueprint is computed: it can be any
	Gap        Guard    // why its entities may be incomplete
	Partial    []Partial
}

// Partial is a gap of some sources, such as a repository, or all whose objects come from
// memory.
type Partial struct {
	Guard
	// May reports whether one of them can have produced an entity of the resource.
	May func(catalog.Ref) bool
}

func (s Resource) produces(blueprint string) bool {
	return s.Any || slices.Contains(s.Blueprints, blueprint)
}

// Run is what one run knows when it is done loading.
type Run struct {
	Resources []Resource
	// Listed are the entities that Port lists as ours and untouched since the run
	// began. Pages that shift may list one twice.
	Listed []catalog.Ref
	// Owned is how many entities are ours in all: the listed ones, and those that
	// this run wrote.
	Owned int
	// Produced reports whether the run produced an entity, stored or not.
	Produced func(catalog.Ref) bool
	// Needed reports whether an entity that the run produced relates to it.
	Needed func(catalog.Ref) bool
	// Stays is called for each stale entity that stays, with the reason in words; nil for none.
	Stays func(ref catalog.Ref, why string)
	// Guards block the deletion of whole blueprints.
	Guards map[string]Guard
	// Threshold is the largest share of the owned entities that may go, 0 to 1.
	Threshold float64
	// MaxDeletions bounds how many entities may go; nil means no bound.
	MaxDeletions *int
	Deletion     Policy
	// Halt is why nothing at all may be deleted.
	Halt Guard
}

// Policy is what a run does with stale entities.
type Policy int

const (
	Apply  Policy = iota // deletes them, where nothing blocks it
	Report               // counts and reports them
	Never                // does not look for them
)

// String returns the word of the input deletion.
func (p Policy) String() string { return [...]string{"apply", "report", "never"}[p] }

// Verdict is which stale entities go, and which stay.
type Verdict struct {
	// Delete is sorted by blueprint and identifier.
	Delete []catalog.Ref
	// Blocked counts the stale entities that stay, by blueprint and reason.
	Blocked []Blocked
	// Needed are those that were not produced, and stay since a produced entity relates
	// to them: sorted by blueprint and identifier.
	Needed []catalog.Ref
	// Closed reports whether the deletion of some blueprint is closed: then nothing may
	// be deleted along with what it depends on.
	Closed bool
}

// Blocked are stale entities of one blueprint that stay for one reason.
type Blocked struct {
	Blueprint string
	Count     int
	Guard     Guard
}

// Decide finds the stale entities, and those of them that may be deleted.
//
// Stale is what is listed, was not produced, and is not needed. It may go when no
// resource that can produce it has a gap that may be the reason for its absence, no guard
// blocks its blueprint, no more than the threshold and the bound go in all, and deletion
// is applied.
func Decide(r Run) Verdict {
	var v Verdict
	guards := guards{run: r, known: map[string]Guard{}}
	blocked := blocks{}
	listed := slices.SortedFunc(slices.Values(r.Listed), compareRefs)
	for _, ref := range slices.Compact(listed) {
		if r.Produced(ref) {
			continue
		}
		if r.Needed(ref) {
			v.Needed = append(v.Needed, ref)
		} else if guard := guards.of(ref); guard.Why != "" {
			r.stays(blocked, ref, guard)
		} else {
			v.Delete = append(v.Delete, ref)
		}
	}
	if guard := r.guardAll(len(v.Delete)); guard.Why != "" {
		for _, ref := range v.Delete {
			r.stays(blocked, ref, guard)
		}
		v.Delete = nil
	}
	v.Blocked = blocked.sorted()
	v.Closed = r.Halt.Why != "" || len(r.Guards) > 0 || slices.ContainsFunc(r.Resources, func(s Resource) bool { return s.Gap.Why != "" || len(s.Partial) > 0 })
	return v
}

func (r Run) stays(blocked blocks, ref catalog.Ref, guard Guard) {
	blocked.add(ref, guard)
	if r.Stays != nil {
		r.Stays(ref, guard.Why)
	}
}

// BlockAll returns stale entities as blocked by one guard.
func BlockAll(stale []catalog.Ref, guard Guard) []Blocked {
	b := blocks{}
	for _, ref := range stale {
		b.add(ref, guard)
	}
	return b.sorted()
}

// guard returns why no entity of a blueprint may be deleted; zero when some may.
func (r Run) guard(blueprint string) Guard {
	if r.Halt.Why != "" {
		return r.Halt
	}
	for _, s := range r.Resources {
		if s.Gap.Why != "" && s.produces(blueprint) {
			return s.Gap
		}
	}
	return r.Guards[blueprint]
}

// partial returns why one entity may not be deleted while others of its blueprint may;
// zero when it may.
func (r Run) partial(ref catalog.Ref) Guard {
	for _, s := range r.Resources {
		if !s.produces(ref.Blueprint) {
			continue
		}
		for _, p := range s.Partial {
			if p.May(ref) {
				return p.Guard
			}
		}
	}
	return Guard{}
}

// guards remembers the guard of each blueprint: the listed entities are many.
type guards struct {
	run   Run
	known map[string]Guard
}

func (g *guards) of(ref catalog.Ref) Guard {
	guard, ok := g.known[ref.Blueprint]
	if !ok {
		guard = g.run.guard(ref.Blueprint)
		g.known[ref.Blueprint] = guard
	}
	if guard.Why == "" {
		return g.run.partial(ref)
	}
	return guard
}

// blocks counts what is blocked, by blueprint and guard.
type blocks map[block]int

type block struct {
	blueprint string
	guard     Guard
}

func (b blocks) add(ref catalog.Ref, guard Guard) { b[block{ref.Blueprint, guard}]++ }

func (b blocks) sorted() (all []Blocked) {
	for key, n := range b {
		all = append(all, Blocked{Blueprint: key.blueprint, Guard: key.guard, Count: n})
	}
	slices.SortFunc(all, func(a, b Blocked) int {
		return cmp.Or(strings.Compare(a.Blueprint, b.Blueprint), strings.Compare(a.Guard.Why, b.Guard.Why), strings.Compare(a.Guard.Fix, b.Guard.Fix))
	})
	return all
}

// guardAll returns why none of so many stale entities may go; zero when all may.
func (r Run) guardAll(stale int) Guard {
	switch {
	case stale == 0:
	case float64(stale)/float64(max(r.Owned, stale)) > r.Threshold:
		return Guard{fmt.Sprintf("%d of %d entities are stale, more than the entityDeletionThreshold of %g allows", stale, r.Owned, r.Threshold), raise("entityDeletionThreshold")}
	case r.MaxDeletions != nil && stale > *r.MaxDeletions:
		return Guard{fmt.Sprintf("%d entities are stale, more than the input max_deletions of %d allows", stale, *r.MaxDeletions), raise("max_deletions")}
	case r.Deletion != Apply:
		return Guard{Why: fmt.Sprintf("the input deletion is %q; with %q they would go", r.Deletion, Apply)}
	}
	return Guard{}
}

// raise is what to do about a setting that allows fewer deletions.
func raise(setting string) string {
	return "look in a plan at what would go: if that is right, raise " + setting + " for one run; if not, look for what changed in the mapping and in Bitbucket"
}

func compareRefs(a, b catalog.Ref) int {
	return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Identifier, b.Identifier))
}

// Order sorts blueprints so that those whose entities relate to others, directly or
// through a third, come before them. Within a cycle the given order decides.
func Order(blueprints []string, relates func(from, to string) bool) []string {
	reach := closure(blueprints, relates)
	left := make([]int, len(blueprints))
	for i := range left {
		left[i] = i
	}
	order := make([]string, 0, len(blueprints))
	for len(left) > 0 {
		// There is always one to which only blueprints of its own cycle relate.
		next := max(0, slices.IndexFunc(left, func(to int) bool {
			return !slices.ContainsFunc(left, func(from int) bool { return reach[from][to] && !reach[to][from] })
		}))
		order = append(order, blueprints[left[next]])
		left = slices.Delete(left, next, next+1)
	}
	return order
}

// closure returns which blueprints relate to which, directly or through others.
func closure(blueprints []string, relates func(from, to string) bool) [][]bool {
	reach := make([][]bool, len(blueprints))
	for i, from := range blueprints {
		reach[i] = make([]bool, len(blueprints))
		for j, to := range blueprints {
			reach[i][j] = relates(from, to)
		}
	}
	for via := range reach {
		for from := range reach {
			for to := range reach {
				reach[from][to] = reach[from][to] || reach[from][via] && reach[via][to]
			}
		}
	}
	return reach
}

package reconcile

import (
	"cmp"
	"iter"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
)

// Relation says that one entity relates to another, which Port does not delete
// without it.
type Relation struct{ From, To catalog.Ref }

// Limits are what one request may delete.
type Limits struct {
	// Most is how many entities of one blueprint may go in one request. Those may
	// relate to each other.
	Most int
	// Cascade is true when whatever relates to an entity goes along with it.
	Cascade bool
}

// Deletion is an order in which stale entities go: none before the others that
// relate to it. It is not safe for concurrent use.
type Deletion struct {
	limits     Limits
	refs       []catalog.Ref // sorted
	index      map[catalog.Ref]int
	targets    [][]int // what each one relates to, of those that are stale
	groups     [][]int // of refs that relate to each other in a cycle; most have one
	group      []int   // of each ref
	waits      []int   // for each group, the relations to it from others that have not gone
	blueprints []string
	kept       map[int]Kept // by group; its Ref is empty
	told       map[int]bool // refs that Keep was told of
}

// Kept is a stale entity that cannot be deleted alone, and why: exactly one of the
// reasons is given.
type Kept struct {
	Ref catalog.Ref
	// By is an entity that stays and relates to it. Its identifier is empty when it
	// is not known.
	By catalog.Ref
	// Cycle leads from an entity back to it, over another blueprint.
	Cycle []catalog.Ref
	// Cyclic is how many entities relate to each other in cycles, more than one
	// request may delete.
	Cyclic int
}

// Step is what one request deletes.
type Step struct {
	Blueprint string
	// Groups are identifiers: those of one group go together or not at all. Whatever
	// relates to a group is in an earlier one, or in an earlier step.
	Groups [][]string
}

// NewDeletion puts stale entities in order. Relations may name any entities: one
// that is not stale stays, and so does what it relates to.
func NewDeletion(stale []catalog.Ref, relations []Relation, limits Limits) *Deletion {
	d := &Deletion{limits: limits, index: map[catalog.Ref]int{}, kept: map[int]Kept{}, told: map[int]bool{}}
	d.refs = slices.Compact(slices.SortedFunc(slices.Values(stale), compareRefs))
	for i, ref := range d.refs {
		d.index[ref] = i
		if i == 0 || ref.Blueprint != d.refs[i-1].Blueprint {
			d.blueprints = append(d.blueprints, ref.Blueprint)
		}
	}
	d.targets = make([][]int, len(d.refs))
	var outer []Relation // of those that stay
	for _, r := range slices.SortedFunc(slices.Values(relations), compareRelations) {
		to, stale := d.index[r.To]
		from, also := d.index[r.From]
		switch {
		case !stale || r.From == r.To:
		case also:
			d.targets[from] = append(d.targets[from], to)
		default:
			outer = append(outer, r)
		}
	}
	d.groups = Components(d.targets)
	d.group = make([]int, len(d.refs))
	for g, members := range d.groups {
		for _, m := range members {
			d.group[m] = g
		}
	}
	if limits.Cascade {
		d.split()
	}
	d.order()
	if !limits.Cascade {
		d.keepCycles()
		for _, r := range outer {
			d.keep(d.group[d.index[r.To]], Kept{By: r.From})
		}
	}
	return d
}

// split forgets the cycles: whichever of them goes first takes the others along.
func (d *Deletion) split() {
	for v, targets := range d.targets {
		d.targets[v] = slices.DeleteFunc(targets, func(t int) bool { return d.group[t] == d.group[v] })
	}
	d.groups = nil
	for v := range d.refs {
		d.group[v] = v
		d.groups = append(d.groups, []int{v})
	}
}

func compareRelations(a, b Relation) int {
	return cmp.Or(compareRefs(a.To, b.To), compareRefs(a.From, b.From))
}

// order counts what each group waits for, and puts the blueprints in order.
func (d *Deletion) order() {
	d.waits = make([]int, len(d.groups))
	related := map[[2]string]bool{}
	for from, targets := range d.targets {
		for _, to := range targets {
			related[[2]string{d.refs[from].Blueprint, d.refs[to].Blueprint}] = true
			if d.group[from] != d.group[to] {
				d.waits[d.group[to]]++
			}
		}
	}
	d.blueprints = Order(d.blueprints, func(from, to string) bool { return related[[2]string{from, to}] })
}

// keepCycles keeps what no request can delete: it deletes so many entities of one
// blueprint, and nothing to which others relate.
func (d *Deletion) keepCycles() {
	for g, members := range d.groups {
		first, last := d.refs[members[0]], d.refs[members[len(members)-1]]
		switch {
		case first.Blueprint != last.Blueprint:
			d.keep(g, Kept{Cycle: d.cycle(g)})
		case len(members) > d.limits.Most:
			d.keep(g, Kept{Cyclic: len(members)})
		}
	}
}

// cycle is the shortest way from an entity of the group to one of another blueprint
// and back, for the first entity that has such a relation.
func (d *Deletion) cycle(group int) []catalog.Ref {
	for _, start := range d.groups[group] {
		for _, next := range d.targets[start] {
			if d.group[next] == group && d.refs[next].Blueprint != d.refs[start].Blueprint {
				cycle := []catalog.Ref{d.refs[start]}
				for _, v := range Path(d.targets, next, start) {
					cycle = append(cycle, d.refs[v])
				}
				return cycle
			}
		}
	}
	return nil // never: a group over blueprints has one
}

// keep keeps a group, and all that it relates to.
func (d *Deletion) keep(group int, why Kept) {
	if _, done := d.kept[group]; done {
		return
	}
	d.kept[group] = why
	for queue := []int{group}; len(queue) > 0; queue = queue[1:] {
		for _, member := range d.groups[queue[0]] {
			for _, t := range d.targets[member] {
				if _, done := d.kept[d.group[t]]; !done {
					d.kept[d.group[t]] = Kept{By: d.refs[member]}
					queue = append(queue, d.group[t])
				}
			}
		}
	}
}

// Keep is told that an entity was not deleted: what it relates to is kept too, but
// with Cascade.
func (d *Deletion) Keep(ref catalog.Ref) {
	if i, ok := d.index[ref]; ok && !d.limits.Cascade {
		d.told[i] = true
		d.keep(d.group[i], Kept{By: ref})
	}
}

// Keeps says whether an entity is kept.
func (d *Deletion) Keeps(ref catalog.Ref) bool {
	i, ok := d.index[ref]
	if !ok {
		return false
	}
	_, kept := d.kept[d.group[i]]
	return kept
}

// Kept are the entities that are kept, sorted, but for those that Keep was told of.
func (d *Deletion) Kept() []Kept {
	var all []Kept
	for i, ref := range d.refs {
		if k, kept := d.kept[d.group[i]]; kept && !d.told[i] {
			k.Ref = ref
			all = append(all, k)
		}
	}
	return all
}

// Steps yields what goes in each request, and as much in one as may. What is kept
// meanwhile is left out of later steps.
func (d *Deletion) Steps() iter.Seq[Step] {
	return func(yield func(Step) bool) {
		ready := map[string][]int{} // groups, by blueprint
		for g, members := range d.groups {
			if d.waits[g] == 0 {
				blueprint := d.refs[members[0]].Blueprint
				ready[blueprint] = append(ready[blueprint], g)
			}
		}
		for some := true; some; {
			some = false
			for _, blueprint := range d.blueprints {
				for len(ready[blueprint]) > 0 {
					some = true
					if s := d.step(blueprint, ready); len(s.Groups) > 0 && !yield(s) {
						return
					}
				}
			}
		}
	}
}

// step takes groups of a blueprint that wait for nothing any more. What they relate
// to may go in the same step.
func (d *Deletion) step(blueprint string, ready map[string][]int) Step {
	s := Step{Blueprint: blueprint}
	for n := 0; len(ready[blueprint]) > 0; {
		g := ready[blueprint][0]
		members := d.groups[g]
		_, kept := d.kept[g]
		if !kept && n > 0 && n+len(members) > d.limits.Most {
			break
		}
		ready[blueprint] = ready[blueprint][1:]
		if kept {
			continue // and so is all that it relates to
		}
		n += len(members)
		var identifiers []string
		for _, m := range members {
			identifiers = append(identifiers, d.refs[m].Identifier)
			for _, t := range d.targets[m] {
				to := d.group[t]
				if to == g {
					continue
				}
				if d.waits[to]--; d.waits[to] == 0 {
					other := d.refs[t].Blueprint
					ready[other] = append(ready[other], to)
				}
			}
		}
		s.Groups = append(s.Groups, identifiers)
	}
	return s
}

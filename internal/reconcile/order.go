package reconcile

import (
	"cmp"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/graph"
)

// Relation is one from an entity to another, which Port does not delete before it.
type Relation struct{ From, To catalog.Ref }

// Limits are what one request may delete.
type Limits struct {
	// Most bounds the entities of one request. They are of one blueprint, and may
	// relate to each other.
	Most int
	// Cascade reports whether what relates to an entity is deleted along with it.
	Cascade bool
}

// DeleteOrder hands out stale entities in an order in which Port deletes them: each
// after those that relate to it. It is not safe for concurrent use.
type DeleteOrder struct {
	limits     Limits
	refs       []catalog.Ref // sorted
	index      map[catalog.Ref]int
	targets    [][]int // what each ref relates to, of those that are stale
	groups     [][]int // of refs that relate to each other in a cycle; most have one
	group      []int   // of each ref
	waits      []int   // for each group, the relations to it from groups not handed out
	blueprints []string
	ready      map[string][]int // groups that wait for none, by blueprint
	next       int              // of blueprints: where the next step is looked for
	kept       map[int]Kept     // by group; its Ref is empty
	failed     map[int]bool     // refs that were given to Keep
}

// Kept is a stale entity that cannot be deleted alone, with exactly one reason.
type Kept struct {
	Ref catalog.Ref
	// By is an entity that stays and relates to it. Its identifier is empty where it
	// is unknown.
	By catalog.Ref
	// Cycle leads from an entity back to it, over another blueprint.
	Cycle []catalog.Ref
	// Cyclic counts the entities that relate to each other in cycles: more than one
	// request deletes.
	Cyclic int
}

// Step is what one request deletes.
type Step struct {
	Blueprint string
	// Groups are identifiers: those of one group are deleted together or not at all.
	// What relates to a group is in an earlier one, or in an earlier step.
	Groups [][]string
}

// NewDeleteOrder puts stale entities in order. Relations may name any entities: one
// that is not stale stays, and what it relates to is kept.
func NewDeleteOrder(stale []catalog.Ref, relations []Relation, limits Limits) *DeleteOrder {
	d := &DeleteOrder{limits: limits, index: map[catalog.Ref]int{}, ready: map[string][]int{}, kept: map[int]Kept{}, failed: map[int]bool{}}
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
	d.groups = graph.Components(d.targets)
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

// split makes a group of each entity: the first of a cycle takes the others along.
func (d *DeleteOrder) split() {
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

// order counts what each group waits for, sorts the blueprints, and makes ready the
// groups that wait for none.
func (d *DeleteOrder) order() {
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
	for g, n := range d.waits {
		if n == 0 {
			d.makeReady(g)
		}
	}
}

func (d *DeleteOrder) makeReady(group int) {
	blueprint := d.refs[d.groups[group][0]].Blueprint
	d.ready[blueprint] = append(d.ready[blueprint], group)
}

// keepCycles keeps the cycles that no single request can delete: those over several
// blueprints, and those of more entities than a request may name.
func (d *DeleteOrder) keepCycles() {
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

// cycle returns the shortest way from an entity of the group to one of another
// blueprint and back, for the first entity that has such a relation.
func (d *DeleteOrder) cycle(group int) []catalog.Ref {
	for _, start := range d.groups[group] {
		for _, next := range d.targets[start] {
			if d.group[next] == group && d.refs[next].Blueprint != d.refs[start].Blueprint {
				cycle := []catalog.Ref{d.refs[start]}
				for _, v := range graph.Path(d.targets, next, start) {
					cycle = append(cycle, d.refs[v])
				}
				return cycle
			}
		}
	}
	return nil // not reached: a group over several blueprints has such a relation
}

// keep keeps a group, and all that it relates to.
func (d *DeleteOrder) keep(group int, why Kept) {
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

// Keep records that an entity was not deleted. What it relates to is kept too, unless
// the limits cascade.
func (d *DeleteOrder) Keep(ref catalog.Ref) {
	if i, ok := d.index[ref]; ok && !d.limits.Cascade {
		d.failed[i] = true
		d.keep(d.group[i], Kept{By: ref})
	}
}

// Keeps reports whether an entity is kept.
func (d *DeleteOrder) Keeps(ref catalog.Ref) bool {
	i, ok := d.index[ref]
	if !ok {
		return false
	}
	_, kept := d.kept[d.group[i]]
	return kept
}

// Kept returns the entities that are kept, sorted, without those that were given to Keep.
func (d *DeleteOrder) Kept() []Kept {
	var all []Kept
	for i, ref := range d.refs {
		if k, kept := d.kept[d.group[i]]; kept && !d.failed[i] {
			k.Ref = ref
			all = append(all, k)
		}
	}
	return all
}

// Next returns the next step, as large as one request may be, or false when none is
// left. What Keep kept by then is left out of it, and of those that follow.
func (d *DeleteOrder) Next() (Step, bool) {
	for idle := 0; idle < len(d.blueprints); {
		blueprint := d.blueprints[d.next]
		if len(d.ready[blueprint]) == 0 {
			d.next = (d.next + 1) % len(d.blueprints)
			idle++
			continue
		}
		if s := d.step(blueprint); len(s.Groups) > 0 {
			return s, true
		}
	}
	return Step{}, false
}

// step takes groups of a blueprint that are ready. What they relate to may be in the
// same step.
func (d *DeleteOrder) step(blueprint string) Step {
	s := Step{Blueprint: blueprint}
	for n := 0; len(d.ready[blueprint]) > 0; {
		g := d.ready[blueprint][0]
		members := d.groups[g]
		_, kept := d.kept[g]
		if !kept && n > 0 && n+len(members) > d.limits.Most {
			break
		}
		d.ready[blueprint] = d.ready[blueprint][1:]
		if kept {
			continue // and so is all that it relates to
		}
		n += len(members)
		var identifiers []string
		for _, m := range members {
			identifiers = append(identifiers, d.refs[m].Identifier)
			d.release(m)
		}
		s.Groups = append(s.Groups, identifiers)
	}
	return s
}

// release makes ready the groups that waited for this entity last.
func (d *DeleteOrder) release(member int) {
	for _, t := range d.targets[member] {
		to := d.group[t]
		if to == d.group[member] {
			continue
		}
		if d.waits[to]--; d.waits[to] == 0 {
			d.makeReady(to)
		}
	}
}

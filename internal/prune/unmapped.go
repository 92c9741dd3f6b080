package prune

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/reconcile"
)

// unmapped are entities of blueprints that no resource of the mapping produces, by blueprint:
// what a resource leaves behind that was removed. Port's list holds them; an entity that Port
// made for a relation may be among them.
type unmapped struct {
	*pass
	gone map[string]int // are to be deleted
	held map[string]int // stay, for a reason that is reported with all others
}

// newUnmapped counts what a verdict says of such entities.
func newUnmapped(p *pass, v reconcile.Verdict) unmapped {
	u := unmapped{p, map[string]int{}, map[string]int{}}
	for _, ref := range v.Delete {
		if !p.Bound.Produces(ref.Blueprint) {
			u.gone[ref.Blueprint]++
		}
	}
	for _, b := range v.Blocked {
		if !p.Bound.Produces(b.Blueprint) {
			u.held[b.Blueprint] += b.Count
		}
	}
	return u
}

// report reports, once for each blueprint, how many there are, what becomes of them, and what to do.
func (u unmapped) report() {
	for _, blueprint := range slices.Sorted(maps.Keys(u.gone)) {
		u.note(u.gone[blueprint], blueprint, "to be deleted",
			"to keep such entities, put the resource back into the mapping; deletion: report shows what would go")
	}
	for _, blueprint := range slices.Sorted(maps.Keys(u.held)) {
		u.note(u.held[blueprint], blueprint, "not deleted in this run",
			"they go in a run in which nothing holds them back; to be rid of them at once, delete them in Port; to keep them, put the resource back into the mapping")
	}
}

func (u unmapped) note(n int, blueprint, fate, fix string) {
	u.pass.note(diag.Problem{
		Severity: diag.Warning,
		Message:  fmt.Sprintf("%s of blueprint %q%s %s no longer mapped: %s", entities(n), blueprint, u.made(blueprint), are(n), fate),
		Fix:      fix,
	})
}

// unlisted holds back what no resource of the mapping produces where Port does not list it.
type unlisted struct{ *pass }

// guards adds to the guards of blueprints why nothing of one is deleted that is known by a
// search alone.
func (u unlisted) guards(guards map[string]reconcile.Guard) map[string]reconcile.Guard {
	if !u.searched {
		return guards
	}
	all := maps.Clone(guards)
	if all == nil {
		all = map[string]reconcile.Guard{}
	}
	for blueprint := range u.Former {
		if !u.Bound.Produces(blueprint) {
			all[blueprint] = reconcile.Guard{
				Why: "Port does not list a whole data source any more, and no resource of the mapping produces the blueprint",
				Fix: "delete them in Port",
			}
		}
	}
	return all
}

// made says which kinds gave entities of a blueprint by the mapping that Port shows; empty when
// that is not known.
func (u unmapped) made(blueprint string) string {
	kinds := u.Former[blueprint]
	if len(kinds) == 0 {
		return ""
	}
	return fmt.Sprintf(", which kind %s gave by the mapping that Port shows,", strings.Join(kinds, " and "))
}

// reportNeeded reports those that stay since produced entities relate to them. It asks Port
// which of them are more than a name, and only where a kind is known to have given them.
func (u unmapped) reportNeeded(ctx context.Context, kept []catalog.Ref) {
	kept = slices.DeleteFunc(slices.Clone(kept), func(ref catalog.Ref) bool {
		return u.Bound.Produces(ref.Blueprint) || len(u.Former[ref.Blueprint]) == 0
	})
	stubs := u.stubs(ctx, kept)
	needed := map[string]int{}
	for _, ref := range kept {
		if !stubs[ref] {
			needed[ref.Blueprint]++
		}
	}
	for _, blueprint := range slices.Sorted(maps.Keys(needed)) {
		u.note(needed[blueprint], blueprint, "kept, since entities of this run relate to them",
			"to be rid of them, leave the relation out of the mapping, or delete them in Port, where the relation makes them anew by name alone; to keep them up to date, put the resource back into the mapping")
	}
}

func entities(n int) string {
	if n == 1 {
		return "1 entity"
	}
	return fmt.Sprintf("%d entities", n)
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

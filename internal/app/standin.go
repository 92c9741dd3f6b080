package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/prune"
)

// ownsSomething reports whether Port holds entities of this integration already, in the
// blueprints of a mapping where it has no list of all of them. When that cannot be read, it
// may.
func (a *app) ownsSomething(ctx context.Context, plan *check.Bound) bool {
	listed := true
	for _, err := range a.port.Owned(ctx, a.start) {
		var e *port.Error
		if listed = !errors.As(err, &e) || e.Status != http.StatusNotFound && e.Status != http.StatusGone; !listed {
			break
		}
		return err == nil || ctx.Err() == nil
	}
	if listed {
		return false
	}
	for blueprint := range plan.Blueprints() {
		for _, err := range a.port.Held(ctx, blueprint) {
			if errors.Is(err, port.ErrNotFound) {
				break
			}
			return err == nil || ctx.Err() == nil
		}
	}
	return false
}

// settleStandIn makes the default mapping the integration's own, after a run in which
// it made all that Port holds of the integration: then it is the mapping that was missing.
func (a *app) settleStandIn(ctx context.Context, plan *check.Bound) {
	switch {
	case a.record.unreadable, a.record.absent && !a.config.InitializePortResources, a.record.AppType != "" && a.ofAnother(a.record):
		return
	case a.toPublish(a.record.Integration, plan.Config()):
		a.publishConfig(ctx, plan)
	}
}

// shownSelectors compares the selectors of the resources with those of the mapping that
// Port shows, which an earlier run had. When the stored mapping itself runs, or Port shows
// none, nothing is known of earlier selectors.
func (a *app) shownSelectors(plan *check.Bound, stored bool) func(index int) prune.SelectorHistory {
	shown, _ := a.record.Config.(map[string]any)
	before, _ := shown["resources"].([]any)
	now, _ := plan.Config()["resources"].([]any)
	if stored || len(before) == 0 {
		return func(int) prune.SelectorHistory { return prune.SelectorUnknown }
	}
	return func(index int) prune.SelectorHistory {
		kind, selector := ofResource(now[index-1])
		if slices.ContainsFunc(before, func(r any) bool {
			otherKind, other := ofResource(r)
			return kind == otherKind && sameJSON(selector, other)
		}) {
			return prune.SelectorSame
		}
		return prune.SelectorChanged
	}
}

// hasChangedSelector reports whether the mapping of the inputs has a selector that the
// mapping which Port shows does not have.
func (a *app) hasChangedSelector(plan *check.Bound) bool {
	history := a.shownSelectors(plan, false)
	return slices.ContainsFunc(plan.Mapping.Resources, func(r mapping.Resource) bool { return history(r.Index) == prune.SelectorChanged })
}

// publishFound shows the mapping that ran, when each selector that is new to Port found
// something. One that is shown counts as known from then on, and what it does not find is
// deleted: a mistake in it must not become known by running.
func (a *app) publishFound(ctx context.Context, plan *check.Bound) {
	history := a.shownSelectors(plan, false)
	for _, r := range a.report.Resources {
		if history(r.Index) != prune.SelectorChanged || r.Extracted > 0 {
			continue
		}
		why, fix := "finds nothing", "check its selector; if it is right, save the mapping on Port's Data sources page"
		if !r.Complete {
			why, fix = "was not read to its end", "run again"
		}
		a.warn(diag.Problem{
			Message: fmt.Sprintf("Port's Data sources page still shows the mapping before this one: resource %d (%s) is new in it, and %s", r.Index, r.Kind, why),
			Fix:     fix,
		})
		return
	}
	a.publishConfig(ctx, plan)
}

// ofResource is what says which objects a resource takes.
func ofResource(r any) (kind any, taken []any) {
	m, _ := r.(map[string]any)
	port, _ := m["port"].(map[string]any)
	return m["kind"], []any{m["selector"], port["itemsToParse"]}
}

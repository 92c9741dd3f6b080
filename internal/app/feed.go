package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/datasource"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/prune"
)

// hasFeed reports whether the feed can show anything of this run.
func (i *integration) hasFeed() bool {
	return !i.unreadable && (!i.absent || i.session.config.InitializePortResources)
}

// open brings the integration up to date with what runs, and begins its feed.
// blueprintsMade is true when this run has made the default ones. The feed does not show
// the default mapping while it stands in for another. A failure here is a warning, since
// the run does not need the feed. The error means that the integration is there after all,
// with a mapping that is not known to be the one that runs.
func (i *integration) open(ctx context.Context, blueprintsMade bool) error {
	begun, now := time.Now(), i.Integration
	switch {
	case !i.hasFeed():
		return nil
	case i.absent:
		config := i.mapping.Config()
		if i.session.config.PublishMapping == input.PublishNever || i.partial() || i.standIn || i.holdsSecret() {
			config = map[string]any{}
		}
		created, err := i.port.DataSource.Create(ctx, config)
		if i.mapping.origin == builtIn && (errors.Is(err, port.ErrThere) || created.There && !sameJSON(created.Config, config)) {
			return fmt.Errorf("integration %q was not there when it was read, and is when it is to be made: its mapping is not known, so nothing is read, written or deleted; run again", i.port.Identifier())
		}
		if err != nil {
			i.warn(ctx, "the integration will not show on Port's Data sources page", err)
			return nil
		}
		now = created
	case i.ofAnother():
		return nil
	case i.mapping.origin != fromPort && !i.standIn && i.toShow():
		if i.showLater = i.hasNewSelector(); !i.showLater {
			i.show(ctx)
		}
	}
	if err := i.port.DataSource.Update(ctx, now, blueprintsMade); err != nil {
		i.warn(ctx, "Port's Data sources page shows an old version of the integration", err)
	}
	if ctx.Err() != nil {
		return nil
	}
	i.session.feed.Begin(ctx, datasource.Config{
		Port: i.port, Integration: now, Kinds: i.kinds(),
		Status: i.session.config.SyncStatus, Logs: i.session.config.ShipLogs, Examples: i.session.config.SendExamples, Spent: time.Since(begun),
	}, i.session.report.Started)
	return nil
}

// show makes the feed show the mapping that runs.
func (i *integration) show(ctx context.Context) {
	if err := i.port.DataSource.PublishConfig(ctx, i.mapping.Config()); err != nil {
		i.warn(ctx, "Port's Data sources page does not show the mapping that runs", err)
	}
}

// holdsSecret reports whether the mapping holds one of the secrets of the inputs, which
// everybody who sees the feed would see too. It warns then.
func (i *integration) holdsSecret() bool {
	text, err := json.Marshal(i.mapping.Config())
	if err == nil && i.session.scrubber.Redact(string(text)) == string(text) {
		return false
	}
	i.session.warn(diag.Problem{
		Message: "the mapping holds a secret of the inputs, and is not shown on Port's Data sources page",
		Fix:     "remove the secret from the mapping",
	})
	return true
}

// partial reports whether resources of the mapping do not run. The feed does not show such a
// mapping: a selector that is shown counts as one that earlier runs had.
func (i *integration) partial() bool { return len(i.mapping.Idle) > 0 }

// toShow reports whether the feed is to show the mapping that runs, as publish_mapping
// rules. It warns when the feed shows another one, or must not show this one.
func (i *integration) toShow() bool {
	shown, _ := i.Config.(map[string]any)
	resources, _ := shown["resources"].([]any)
	empty := len(resources) == 0 && (i.Config == nil || shown != nil)
	switch publish := i.session.config.PublishMapping; {
	case sameJSON(shown, i.mapping.Config()):
	case publish == input.PublishAlways, publish == input.PublishIfEmpty && empty:
		return !i.partial() && !i.holdsSecret()
	case !empty:
		i.session.warn(diag.Problem{
			Message: "Port's Data sources page shows another mapping than the one that runs",
			Fix:     "set publish_mapping to always to show this one, or remove the input mapping to run the one in Port",
		})
	}
	return false
}

// foresee reports what a sync would do to the integration.
func (i *integration) foresee() {
	switch {
	case !i.hasFeed():
		return
	case i.absent:
		foresee(i.session.report, "create integration %q", i.port.Identifier())
		return
	case i.ofAnother():
		return
	case i.mapping.origin != fromPort && !i.standIn && i.toShow():
		foresee(i.session.report, "publish the mapping to integration %q", i.port.Identifier())
	}
	i.session.report.Facts = append(i.session.report.Facts, "Port's credential may read the integration: its role is admin or moderator")
}

// settle makes the default mapping the integration's own, after a run in which it made all
// that Port holds of the integration: then it is the mapping that was missing.
func (i *integration) settle(ctx context.Context) {
	if i.hasFeed() && !i.ofAnother() && i.toShow() {
		i.show(ctx)
	}
}

// selectors compares the selectors of the resources with those of the mapping that Port
// shows, which an earlier run had. When the stored mapping itself runs, or Port shows none,
// earlier selectors are unknown.
func (i *integration) selectors() func(index int) prune.SelectorHistory {
	shown, _ := i.Config.(map[string]any)
	before, _ := shown["resources"].([]any)
	now, _ := i.mapping.Config()["resources"].([]any)
	if i.mapping.origin != fromInputs || len(before) == 0 {
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

// former returns the kinds of the mapping that Port shows, in quotes, by the blueprint that they
// name literally; nil when the stored mapping itself runs.
func (i *integration) former() map[string][]string {
	shown, _ := i.Config.(map[string]any)
	resources, _ := shown["resources"].([]any)
	if i.mapping.origin != fromInputs {
		return nil
	}
	kinds := map[string][]string{}
	for _, r := range resources {
		resource, _ := r.(map[string]any)
		kind, _ := resource["kind"].(string)
		for _, blueprint := range blueprintsOf(resource) {
			if name := strconv.Quote(kind); !slices.Contains(kinds[blueprint], name) {
				kinds[blueprint] = append(kinds[blueprint], name)
			}
		}
	}
	return kinds
}

// blueprintsOf returns those that a resource, as Port stores it, names literally.
func blueprintsOf(resource map[string]any) (names []string) {
	port, _ := resource["port"].(map[string]any)
	entity, _ := port["entity"].(map[string]any)
	mappings, many := entity["mappings"].([]any)
	if !many {
		mappings = []any{entity["mappings"]}
	}
	for _, m := range mappings {
		one, _ := m.(map[string]any)
		text, _ := one["blueprint"].(string)
		var name string
		if json.Unmarshal([]byte(text), &name) == nil && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// hasNewSelector reports whether the mapping of the inputs has a selector that the
// mapping which Port shows does not have.
func (i *integration) hasNewSelector() bool {
	history := i.selectors()
	return slices.ContainsFunc(i.mapping.Mapping.Resources, func(r mapping.Resource) bool { return history(r.Index) == prune.SelectorChanged })
}

// showFound shows the mapping that ran, when each selector that is new to Port found
// something. One that is shown counts as known from then on, and what it does not find is
// deleted: a mistake in it must not become known by running.
func (i *integration) showFound(ctx context.Context) {
	history := i.selectors()
	for _, r := range i.session.report.Resources {
		if history(r.Index) != prune.SelectorChanged || r.Extracted > 0 {
			continue
		}
		why, fix := "finds nothing", "check its selector; if it is right, save the mapping on Port's Data sources page"
		if !r.Complete {
			why, fix = "was not read to its end", "run again"
		}
		i.session.warn(diag.Problem{
			Message: fmt.Sprintf("Port's Data sources page still shows the mapping before this one: resource %d (%s) is new in it, and %s", r.Index, r.Kind, why),
			Fix:     fix,
		})
		return
	}
	i.show(ctx)
}

// ofResource returns what decides which objects a resource takes.
func ofResource(r any) (kind any, taken []any) {
	m, _ := r.(map[string]any)
	port, _ := m["port"].(map[string]any)
	return m["kind"], []any{m["selector"], port["itemsToParse"]}
}

// sameJSON compares values that came from YAML or JSON.
func sameJSON(a, b any) bool {
	var plain [2]any
	for i, v := range []any{a, b} {
		text, err := json.Marshal(v)
		if err != nil || json.Unmarshal(text, &plain[i]) != nil {
			return false
		}
	}
	return reflect.DeepEqual(plain[0], plain[1])
}

func (i *integration) warn(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		i.session.warn(diag.Problem{Message: what + ": " + err.Error(), Fix: feedFix(err)})
	}
}

func feedFix(err error) string {
	var e *port.Error
	if errors.As(err, &e) && e.Status == http.StatusForbidden {
		return "give Port's credential the role admin or moderator"
	}
	return ""
}

// kinds returns the resources that run, as the feed names them.
func (i *integration) kinds() []datasource.Kind {
	var kinds []datasource.Kind
	for _, r := range i.mapping.Resources {
		var blueprints []string
		for _, e := range r.Entities {
			blueprints = append(blueprints, i.session.scrubber.Redact(e.Blueprint.Text))
		}
		kinds = append(kinds, datasource.Kind{Name: r.Kind, Index: r.Index, Blueprint: strings.Join(blueprints, ", ")})
	}
	return kinds
}

package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/dryrun"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/resync"
)

// planning says whether a sync is rehearsed, and nothing written.
func (a *app) planning() bool { return a.config.Mode == input.Plan }

// plan does what a sync does, up to the write, and reports what would change.
func (a *app) plan(ctx context.Context, job resync.Job) error {
	store := dryrun.New(a.port, a.foreseen)
	job.Store = store
	err := resync.Run(ctx, job, a.report)
	a.report.Changes = store.Changes()
	a.noteUnchecked(store.Unchecked())
	return err
}

// noteUnchecked names what the plan did not check, so that it never shows as fine what
// nothing looked at: all as notices, and one line where those are not shown.
func (a *app) noteUnchecked(all []dryrun.Unchecked) {
	for _, u := range all {
		a.report.Note(diag.Problem{Severity: diag.Notice, Message: uncheckedText(u), Fix: "see in Port whether it takes these values: a sync reports what it refuses"})
	}
	if len(all) > 0 {
		a.report.Facts = append(a.report.Facts, fmt.Sprintf("Port may refuse what this plan shows as fine: it did not check %d of the rules, such as: %s", len(all), uncheckedText(all[0])))
	}
}

func uncheckedText(u dryrun.Unchecked) string {
	what := fmt.Sprintf("keyword %q", u.Keyword)
	if u.Keyword == "" {
		what = "the schema"
	}
	if u.Property != "" {
		what += fmt.Sprintf(" of property %q", u.Property)
	}
	return fmt.Sprintf("blueprint %q: %s is not checked by a plan", u.Blueprint, what)
}

// foresee tells of something that a sync would do beside writing entities.
func (a *app) foresee(format string, args ...any) {
	a.report.Facts = append(a.report.Facts, "a sync would "+fmt.Sprintf(format, args...))
	a.report.Foreseen = true
}

// foreseeBlueprints takes the default blueprints for made that are not there.
func (a *app) foreseeBlueprints(blueprints []map[string]any, there map[string]bool) error {
	a.foreseen = map[string]port.Blueprint{}
	var names []string
	for _, raw := range blueprints {
		if there[identifier(raw)] {
			continue
		}
		text, err := json.Marshal(raw)
		if err != nil {
			return fmt.Errorf("default blueprints: %w", err)
		}
		b, err := port.DecodeBlueprint(text)
		if err != nil {
			return fmt.Errorf("default blueprints: %w", err)
		}
		a.foreseen[identifier(raw)] = b
		names = append(names, identifier(raw))
	}
	a.foresee("create the blueprints %s", strings.Join(names, ", "))
	return nil
}

// foreseePage tells what a sync would do to the integration.
func (a *app) foreseePage(r record, bound *check.Bound, stored bool) {
	switch {
	case r.unreadable, r.absent && !a.config.InitializePortResources:
		return
	case r.absent:
		a.foresee("create integration %q", a.port.Identifier())
		return
	case a.ofAnother(r):
		return
	case !stored && a.toPublish(r.Integration, bound.Config()):
		a.foresee("publish the mapping to integration %q", a.port.Identifier())
	}
	a.report.Facts = append(a.report.Facts, "Port's credential may read the integration: its role is admin or moderator")
}

// examine tells of a plan what the credentials are, and what a sync costs.
func (a *app) examine() {
	if !a.planning() {
		return
	}
	for _, text := range a.bitbucket.Credentials() {
		a.report.Facts = append(a.report.Facts, "Bitbucket credential "+text)
	}
	a.report.Forecast = "a sync asks Bitbucket: " + a.bitbucket.Spent().String()
}

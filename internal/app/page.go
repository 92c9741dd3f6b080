package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/datasource"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// record is the integration as a run found it in Port.
type record struct {
	port.Integration
	absent     bool
	unreadable bool
	made       bool // this run has made the default blueprints
}

// toPublish says whether the page is to show the mapping of the inputs, as
// publish_mapping says, and tells when it shows another one, or must not show this one.
func (a *app) toPublish(i port.Integration, config map[string]any) bool {
	shown, _ := i.Config.(map[string]any)
	resources, _ := shown["resources"].([]any)
	empty := len(resources) == 0 && (i.Config == nil || shown != nil)
	switch publish := a.config.PublishMapping; {
	case sameJSON(shown, config):
	case publish == input.PublishAlways, publish == input.PublishIfEmpty && empty:
		return !a.holdsSecret(config)
	case !empty:
		a.warn(diag.Problem{
			Message: "Port's Data sources page shows another mapping than the one that runs",
			Fix:     "set publish_mapping to always to show this one, or remove the input mapping to run the one in Port",
		})
	}
	return false
}

// ofAnother says, and tells, that the record is one of another integration.
func (a *app) ofAnother(r record) bool {
	if r.AppType == "" || strings.EqualFold(r.AppType, port.IntegrationType) {
		return false
	}
	a.warn(diag.Problem{
		Message: fmt.Sprintf("integration %q in Port is one of type %q: its record is left alone, and shows nothing of this run", a.port.Identifier(), r.AppType),
		Fix:     "give this run an integration_identifier of its own",
	})
	return true
}

// openPage brings the integration up to date with what runs, and begins its page.
// stored is true when the mapping that runs is the integration's own, and standard when
// it is the default one, which is not shown while it stands in for another. A failure here
// is a warning: the run does not need the page. The error means that the integration is
// there after all, with a mapping that is not known to be the one that runs.
func (a *app) openPage(ctx context.Context, r record, plan *check.Bound, stored, standard bool) error {
	begun := time.Now()
	switch {
	case r.absent && !a.config.InitializePortResources, r.unreadable:
		return nil
	case r.absent:
		config := plan.Config()
		if !stored && a.config.PublishMapping == input.PublishNever || a.standIn || a.holdsSecret(config) {
			config = map[string]any{}
		}
		created, err := a.port.CreateIntegration(ctx, config)
		if standard && (errors.Is(err, port.ErrThere) || created.There && !sameJSON(created.Config, config)) {
			return fmt.Errorf("integration %q was not there when it was read, and is when it is to be made: its mapping is not known, so nothing is read, written or deleted; run again", a.port.Identifier())
		}
		if err != nil {
			a.warnPage(ctx, "the integration will not show on Port's Data sources page", err)
			return nil
		}
		r.Integration = created
	case a.ofAnother(r):
		return nil
	case !stored && !a.standIn && a.toPublish(r.Integration, plan.Config()):
		if a.publishLater = a.hasChangedSelector(plan); !a.publishLater {
			a.publishConfig(ctx, plan)
		}
	}
	if err := a.port.UpdateIntegration(ctx, r.Integration, r.made); err != nil {
		a.warnPage(ctx, "Port's Data sources page shows an old version of the integration", err)
	}
	if ctx.Err() != nil {
		return nil
	}
	a.page.Begin(ctx, datasource.Config{
		Port: a.port, Integration: r.Integration, Kinds: a.pageKinds(plan.Mapping.Resources),
		Status: a.config.SyncStatus, Logs: a.config.ShipLogs, Examples: a.config.SendExamples, Spent: time.Since(begun),
	}, a.report.Started)
	return nil
}

func (a *app) publishConfig(ctx context.Context, plan *check.Bound) {
	if err := a.port.PublishConfig(ctx, plan.Config()); err != nil {
		a.warnPage(ctx, "Port's Data sources page does not show the mapping that runs", err)
	}
}

// holdsSecret says, and tells, that a mapping holds one of the secrets of the inputs:
// it would be shown to everybody who sees the page.
func (a *app) holdsSecret(config map[string]any) bool {
	text, err := json.Marshal(config)
	if err == nil && a.scrubber.Redact(string(text)) == string(text) {
		return false
	}
	a.warn(diag.Problem{
		Message: "the mapping holds a secret of the inputs, and is not shown on Port's Data sources page",
		Fix:     "remove the secret from the mapping",
	})
	return true
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

func (a *app) warnPage(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		a.warn(diag.Problem{Message: what + ": " + err.Error(), Fix: pageFix(err)})
	}
}

func pageFix(err error) string {
	var e *port.Error
	if errors.As(err, &e) && e.Status == 403 {
		return "give Port's credential the role admin or moderator"
	}
	return ""
}

// pageKinds are the resources as the page names them.
func (a *app) pageKinds(resources []mapping.Resource) []datasource.Kind {
	var kinds []datasource.Kind
	for _, r := range resources {
		var blueprints []string
		for _, e := range r.Entities {
			blueprints = append(blueprints, a.scrubber.Redact(e.Blueprint.Text))
		}
		kinds = append(kinds, datasource.Kind{Name: r.Kind, Blueprint: strings.Join(blueprints, ", ")})
	}
	return kinds
}

// watch lets the page follow a run.
func (a *app) watch() resync.Watch {
	w := resync.Watch{Resource: a.page.Resource, Reconciling: a.page.Reconciling}
	if a.config.SendExamples {
		w.Examples, w.Copy, w.Example = port.MaxExamples, a.page.Copy, a.page.Example
	}
	return w
}

// closePage ends the page with what its log still lacks.
func (a *app) closePage(ctx context.Context, stopped bool) {
	for _, p := range a.report.Worst() {
		switch p.Severity {
		case diag.Error:
			a.page.Log("ERROR", report.Line(p))
		case diag.Warning:
			a.page.Log("WARNING", report.Line(p))
		}
	}
	a.page.Log("INFO", report.Result(a.report))
	end := datasource.End{Status: port.Completed, At: time.Now(), Report: a.report}
	switch {
	case stopped:
		end.Status = port.Aborted
	case a.report.ExitStatus(report.Incomplete) != 0:
		end.Status = port.Failed
	}
	for _, f := range a.page.Finish(ctx, end) {
		a.report.Note(diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("Port's Data sources page does not show %s: %s", f.What, f.Err),
			Fix:      pageFix(f.Err),
			Count:    f.Count,
		})
	}
}

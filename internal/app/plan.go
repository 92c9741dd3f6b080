package app

import (
	"context"
	"fmt"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/dryrun"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

var planCommand = command{
	name:  "plan",
	usage: "plan [--name value ...]",
	about: `Reads as a sync does, and shows what that would write, each change by
property and each deletion by name, and what it costs. Writes nothing.`,
	files: 1,
	run:   plan,
	atEnd: addCost,
}

// plan does what a sync does, up to the write, and reports what would change.
func plan(ctx context.Context, s *session) error {
	p, err := setUp(ctx, s)
	if err != nil {
		return err
	}
	job := p.job(s)
	store := dryrun.New(s.clients.port, p.foreseen)
	job.Store = store
	err = resync.Run(ctx, job, s.report)
	s.report.Changes = store.Changes()
	noteUnchecked(s.report, store.Unchecked())
	return err
}

// noteUnchecked names what the plan did not check, so that it never shows as fine what
// nothing looked at: all as notices, and one line where those are not shown.
func noteUnchecked(r *report.Report, all []dryrun.Unchecked) {
	for _, u := range all {
		r.Note(diag.Problem{Severity: diag.Notice, Message: uncheckedText(u), Fix: "see in Port whether it takes these values: a sync reports what it refuses"})
	}
	if len(all) > 0 {
		r.Facts = append(r.Facts, fmt.Sprintf("Port may refuse what this plan shows as fine: it did not check %d of the rules, such as: %s", len(all), uncheckedText(all[0])))
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

// addCost reports which credentials there are, and what a sync costs. What a plan that failed
// has spent is no measure of a sync.
func addCost(s *session) {
	client := s.clients.bitbucket
	failed := s.report.Status() == report.Failed
	if failed && client.Requests() == 0 {
		return
	}
	for _, text := range client.Credentials() {
		s.report.Facts = append(s.report.Facts, "Bitbucket credential "+text)
	}
	if failed {
		return
	}
	cost := client.Spent()
	cost.Known = s.report.Memory.Saved
	s.report.Forecast = "a sync asks Bitbucket: " + cost.String()
	if git := client.Git(); git != nil && git.Requests() > 0 {
		for _, text := range git.Credentials() {
			s.report.Facts = append(s.report.Facts, "Bitbucket credential over git, "+text)
		}
		s.report.Forecast += "; its git host: " + git.Spent().String()
	}
	s.report.Forecast += "; and writes to Port: " + costAtPort(s.report.Changes)
}

// costAtPort returns what it costs to write changes, as far as Port takes them.
func costAtPort(changes []catalog.Change) string {
	written, deleted := map[string]int{}, map[string]int{}
	for _, c := range changes {
		switch c.Action {
		case catalog.Create, catalog.Update:
			written[c.Ref.Blueprint]++
		case catalog.Delete:
			deleted[c.Ref.Blueprint]++
		}
	}
	return port.Forecast(written, deleted)
}

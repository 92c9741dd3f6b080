package app

import (
	"context"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/resync"
)

var syncCommand = command{
	name:  "sync",
	usage: "[sync] [--name value ...]",
	about: "Reads the workspace, maps it and writes to Port. The same as no command.",
	run:   sync,
}

// sync does what the program is for: it reads the workspace and brings Port up to date.
func sync(ctx context.Context, s *session) error {
	p, err := setUp(ctx, s)
	if err != nil {
		return err
	}
	job := p.job(s)
	job.Watch = watch(s)
	defer s.past.follow(s)()
	err = resync.Run(ctx, job, s.report)
	if ctx.Err() == nil && !s.report.CutOff {
		s.past.finish(s.report.Started)
	}
	switch {
	case ctx.Err() != nil:
	case p.integration.showLater:
		p.integration.showFound(ctx)
	case err == nil && p.integration.standIn && s.report.Settled:
		p.integration.settle(ctx)
	}
	return err
}

// watch lets the feed follow a run.
func watch(s *session) resync.Watch {
	w := resync.Watch{Resource: s.feed.Resource, Reconciling: s.feed.Reconciling}
	if s.config.SendExamples {
		w.Examples, w.Copy, w.Example = port.MaxExamples, s.feed.Copy, s.feed.Example
	}
	return w
}

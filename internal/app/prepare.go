package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/resync"
)

// prepared is what a run starts with.
type prepared struct {
	start       time.Time // of the run, by Port's clock
	mapping     *boundMapping
	integration *integration
	// foreseen are the blueprints that a sync would make, in a plan.
	foreseen map[string]port.Blueprint
}

// setUp does what a sync and a plan do before they read the workspace: it binds the mapping
// of the inputs before anything is sent, makes the clients, and looks into Port.
func setUp(ctx context.Context, s *session) (*prepared, error) {
	given, err := given(s)
	if err != nil {
		return nil, err
	}
	s.progress.Phase("looking into Port")
	openPast(s)
	if s.clients, err = newClients(s.world, s.config, s.past.spent(s.config), s.console); err != nil {
		return nil, err
	}
	return prepare(ctx, s, given)
}

// prepare logs in, reads the integration, and binds the mapping that runs: the
// given one, else the integration's, else the default. Only then it writes: the
// default blueprints, those of the inputs, and, when all that the mapping names are
// there, the integration when there is none. A plan writes nothing. What does not depend on another
// answer of Port is asked for beside it.
func prepare(ctx context.Context, s *session, given *boundMapping) (*prepared, error) {
	start, err := s.clients.port.Login(ctx)
	if err != nil {
		return nil, loginError(err)
	}
	i, err := readIntegration(ctx, s, given != nil)
	if err != nil {
		return nil, err
	}
	if i.mapping = given; given == nil {
		if i.mapping, err = bindStored(s, i.Config); err != nil {
			return nil, err
		}
	}
	making := newMaking(s)
	listing := listBlueprints(ctx, s.clients.port, len(toBeThere(i.mapping.Bound)) > 0 || len(making.names()) > 0)
	defer listing.close()
	blueprints := &defaultBlueprints{session: s, port: s.clients.port, given: making.names()}
	if i.mapping.origin == builtIn {
		if err := i.startWithDefaults(ctx, start, blueprints, listing); err != nil {
			return nil, &setupError{err, cmp.Or(port.Fix(err), "give Port's credential the role admin, or make the blueprints yourself and set initialize_port_resources to false")}
		}
	}
	if err := making.start(ctx, i.mapping, listing, blueprints.names()); err != nil {
		blueprints.remove(ctx)
		return nil, err
	}
	s.past.begin(s.report.Started, i.ResyncStart)
	if s.config.Mode == input.Plan {
		i.foresee()
	} else if err := i.open(ctx, len(blueprints.made) > 0); err != nil {
		making.remove(ctx)
		blueprints.remove(ctx)
		return nil, err
	}
	maps.Copy(making.foreseen, blueprints.foreseen)
	return &prepared{start, i.mapping, i, making.foreseen}, ctx.Err()
}

// startWithDefaults finds out, beside each other, whether the default mapping stands in for
// another, and which of the default blueprints are there, when the inputs want them to be made
// and they never were. It creates them then, in a plan it foresees them.
func (i *integration) startWithDefaults(ctx context.Context, start time.Time, blueprints *defaultBlueprints, listing *blueprintListing) (err error) {
	var all concurrent.Group
	all.Run(func() { i.standIn = i.ownsSomething(ctx, start) })
	if i.session.config.InitializePortResources && !i.ResourcesMade {
		all.Run(func() { err = blueprints.create(ctx, listing) })
	}
	all.Wait()
	return err
}

// job is the run that the inputs ask for.
func (p *prepared) job(s *session) resync.Job {
	job := resync.Job{
		Bound: p.mapping.Bound, Bitbucket: s.clients.bitbucket, Port: s.clients.port, Start: p.start,
		Concurrency: s.config.Concurrency, MaxFile: s.config.MaxFileSize, Log: s.log, Progress: s.progress,
		GitMaxBytes: s.config.GitMaxBytes, OnlyGit: s.config.SourceReader == input.ReaderGit,
		WholeObjects: s.config.WholeObjects,
		MaxDeletions: s.config.MaxDeletions, Deletion: deletions[s.config.Deletion],
		StandIn: p.integration.standIn, Selector: p.integration.selectors(), Former: p.integration.former(), ConfirmRenames: s.config.ConfirmRenames,
	}
	_, job.NoGit = s.config.UsesGit()
	s.past.remember(&job, s, p.integration.ResyncStart)
	if s.config.TimeLimit > 0 {
		job.Deadline = s.report.Started.Add(s.config.TimeLimit)
	}
	return job
}

var deletions = map[input.Deletion]reconcile.Policy{
	input.DeletionApply: reconcile.Apply, input.DeletionReport: reconcile.Report, input.DeletionNever: reconcile.Never,
}

func loginError(err error) error {
	var e *port.Error
	if errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Status == http.StatusNotFound || e.Status == http.StatusUnprocessableEntity) {
		return fmt.Errorf("%w; check port_client_id and port_client_secret (in Port: … > Credentials), and that port_base_url is your region's: https://api.port.io or https://api.us.port.io", err)
	}
	return &setupError{err, port.Fix(err)}
}

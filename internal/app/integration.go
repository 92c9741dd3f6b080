package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/port"
)

// integration is this program's record in Port as a run found it, and what the run does
// about it.
type integration struct {
	port.Integration
	absent     bool
	unreadable bool

	session *session
	port    *port.Client
	mapping *boundMapping // the one that runs
	// standIn is true when the default mapping runs in place of one that is not known:
	// no mapping is given, Port stores none, and holds entities that another may have made.
	standIn bool
	// showLater is true when the feed is to show the mapping once it has found something.
	showLater bool
}

// readIntegration reads the record. It refuses one that Port hosts itself, and one that
// cannot be read unless a given mapping can run without it.
func readIntegration(ctx context.Context, s *session, given bool) (*integration, error) {
	found, err := s.clients.port.DataSource.Integration(ctx)
	i := &integration{Integration: found, absent: errors.Is(err, port.ErrNotFound), session: s, port: s.clients.port}
	if i.unreadable = err != nil && !i.absent; i.unreadable {
		if err := i.runWithout(err, given); err != nil {
			return nil, &setupError{err, port.Fix(err)}
		}
	}
	if strings.HasPrefix(strings.ToLower(i.InstallationType), "saas") {
		return nil, &usageError{err: fmt.Errorf("integration %q is hosted by Port (%s): a run of this program would fight with it; "+
			"use another integration_identifier, or delete the hosted integration in Port", i.port.Identifier(), i.InstallationType)}
	}
	return i, nil
}

// runWithout returns why a run is impossible without the record, which could not be read.
// A given mapping can run when it is only the role that is too small.
func (i *integration) runWithout(err error, given bool) error {
	var e *port.Error
	role := errors.As(err, &e) && e.Status == http.StatusForbidden
	if role && given {
		i.session.warn(diag.Problem{Message: err.Error(), Fix: "give Port's credential the role admin or moderator, which reading the integration needs"})
		return nil
	}
	if role {
		return fmt.Errorf("%w; the mapping stored in Port cannot be read: give the credential the role admin or moderator, or give a mapping as input", err)
	}
	return err
}

// ownsSomething reports whether Port holds entities of this integration already: by its
// list of them, or, where it has none, in the blueprints of the mapping. When that cannot
// be read, Port may.
func (i *integration) ownsSomething(ctx context.Context, start time.Time) bool {
	listed := true
	for _, err := range i.port.Entities.Owned(ctx, start) {
		if listed = !port.NoRoute(err); !listed {
			break
		}
		return err == nil || ctx.Err() == nil
	}
	if listed {
		return false
	}
	for blueprint := range i.mapping.Blueprints() {
		for _, err := range i.port.Entities.Stored(ctx, blueprint, nil) {
			if errors.Is(err, port.ErrNotFound) {
				break
			}
			return err == nil || ctx.Err() == nil
		}
	}
	return false
}

// ofAnother reports whether the record belongs to a program of another type. It warns then.
func (i *integration) ofAnother() bool {
	if i.AppType == "" || strings.EqualFold(i.AppType, port.IntegrationType) {
		return false
	}
	i.session.warn(diag.Problem{
		Message: fmt.Sprintf("integration %q in Port is one of type %q: its record is left alone, and shows nothing of this run", i.port.Identifier(), i.AppType),
		Fix:     "give this run an integration_identifier of its own",
	})
	return true
}

package port

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

// Integration is what stands behind an entry of Port's Data sources page. What an
// answer does not say, or says in another type, is the zero value.
type Integration struct {
	// InstallationType is "OnPrem" for what runs at the customer's, or begins with
	// "Saas" for what Port hosts.
	InstallationType string
	// AppType is "bitbucket-cloud" for this program and the one it succeeds.
	AppType string
	Version string // of who wrote last
	// Config is the mapping as it is stored, in whichever JSON: an object when it is
	// one, nil when there never was one.
	Config any
	// ResourcesMade is true when the default blueprints have been made once.
	ResourcesMade bool
	ResyncStatus  string // "running", "completed", "failed", "aborted"
	// ResyncStart is when the last resync began, as whoever ran it has said; zero when none did.
	ResyncStart time.Time
	// LogURL and MetricURL are the addresses that take logs and sync metrics; empty
	// where Port names none.
	LogURL, MetricURL string
	// There is true when it was to be made, and was there already.
	There bool
}

// integrationAnswer is that of every route that answers an integration.
//
// The published document has no schema of it. Source: Ocean's client
// (port_ocean/clients/port/mixins/integrations.py), read 2026-11.
type integrationAnswer struct {
	Integration map[string]any `json:"integration"`
}

// readAnswer is that of reading an integration: one that names none says nothing of
// the mapping that is stored.
type readAnswer struct{ integrationAnswer }

func (a readAnswer) Check() error {
	if a.Integration == nil {
		return errors.New(`no "integration"`)
	}
	return nil
}

func (a integrationAnswer) read() Integration {
	m := a.Integration
	text := func(path ...string) string {
		var v any = m
		for _, key := range path {
			object, _ := v.(map[string]any)
			v = object[key]
		}
		s, _ := v.(string)
		return s
	}
	start, _ := time.Parse(time.RFC3339, text("resyncState", "lastResyncStart")) // zero for anything else
	made, _ := m["arePortResourcesInitialized"].(bool)
	return Integration{
		InstallationType: text("installationType"),
		AppType:          text("installationAppType"),
		Version:          text("version"),
		Config:           m["config"],
		ResourcesMade:    made,
		ResyncStatus:     text("resyncState", "status"),
		ResyncStart:      start,
		LogURL:           text("logAttributes", "ingestUrl"),
		MetricURL:        text("metricAttributes", "ingestUrl"),
	}
}

// DataSource is what stands behind the integration's entry of Port's Data sources page: the
// integration, how its resyncs stand, and their log.
type DataSource struct {
	session    *session
	base       string // of Port's API; what Port names on other sites gets no token
	identifier string
	version    string
}

// Integration reads the integration. The error is ErrNotFound when there is none.
//
// API: https://docs.port.io/api-reference/get-an-integration
func (d *DataSource) Integration(ctx context.Context) (Integration, error) {
	return d.integration(ctx, false)
}

func (d *DataSource) integration(ctx context.Context, brief bool) (Integration, error) {
	var answer readAnswer
	err := d.session.do(ctx, call{method: http.MethodGet, path: d.integrationPath(), brief: brief}, &answer)
	if err != nil {
		return Integration{}, fmt.Errorf("read integration %q: %w", d.identifier, err)
	}
	return answer.read(), nil
}

func (d *DataSource) integrationPath(segments ...string) string {
	return transport.Path(append([]string{"integration", d.identifier}, segments...)...)
}

// ErrThere means that the integration is there already, and cannot be read.
var ErrThere = errors.New("it is there already, and cannot be read")

// Create makes the integration, with the mapping that it shows, and
// returns it. One that is there already, as after a lost answer, is read: its mapping
// may be another. The error is ErrThere when that cannot be done.
//
// The route is not in Port's published documentation. Source: Ocean's client
// (port_ocean/clients/port/mixins/integrations.py), read 2026-11.
func (d *DataSource) Create(ctx context.Context, config map[string]any) (Integration, error) {
	var answer integrationAnswer
	err := d.session.do(ctx, call{
		method: http.MethodPost,
		path:   transport.Path("integration"),
		body: map[string]any{
			"installationId":           d.identifier,
			"installationAppType":      IntegrationType,
			"version":                  d.version,
			"changelogDestination":     map[string]any{},
			"config":                   config,
			"actionsProcessingEnabled": false,
			"incrementalSyncEnabled":   false,
			// Default: the client brings its own mapping and blueprints.
			"createPortResourcesOrigin": "Default",
		},
		brief: true,
	}, &answer)
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusConflict || err == nil && answer.Integration == nil {
		i, readErr := d.integration(ctx, true)
		if i.There = err != nil; i.There && readErr != nil {
			readErr = fmt.Errorf("create integration %q: %w: %w", d.identifier, ErrThere, readErr)
		}
		return i, readErr
	}
	if err != nil {
		return Integration{}, fmt.Errorf("create integration %q: %w", d.identifier, err)
	}
	return answer.read(), nil
}

// Update makes the integration say that it is of our type and version,
// and, with resourcesMade, that its default blueprints have been made. What it says
// already is not written: a change may let another installation resync.
//
// API: https://docs.port.io/api-reference/update-an-integration; the key
// arePortResourcesInitialized is Ocean's (port_ocean/clients/port), read 2026-11.
func (d *DataSource) Update(ctx context.Context, i Integration, resourcesMade bool) error {
	change := map[string]any{}
	if i.AppType != IntegrationType {
		change["installationAppType"] = IntegrationType
	}
	if i.Version != d.version {
		change["version"] = d.version
	}
	if resourcesMade && !i.ResourcesMade {
		change["arePortResourcesInitialized"] = true
	}
	if len(change) == 0 {
		return nil
	}
	err := d.session.do(ctx, call{method: http.MethodPatch, path: d.integrationPath(), body: change, brief: true}, nil)
	if err != nil {
		return fmt.Errorf("update integration %q: %w", d.identifier, err)
	}
	return nil
}

// PublishConfig makes the mapping that of the integration, and asks Port to resync
// nothing for it.
//
// API: https://docs.port.io/api-reference/update-an-integrations-config; the header
// is Ocean's (port_ocean/clients/port), read 2026-11.
func (d *DataSource) PublishConfig(ctx context.Context, config map[string]any) error {
	err := d.session.do(ctx, call{
		method: http.MethodPatch, path: d.integrationPath("config"),
		header: http.Header{"X-Skip-Resync": {"true"}},
		body:   map[string]any{"config": config}, brief: true,
	}, nil)
	if err != nil {
		return fmt.Errorf("publish the mapping to integration %q: %w", d.identifier, err)
	}
	return nil
}

// ResyncStatus is how a resync stands on the Data sources page.
type ResyncStatus string

// The values of ResyncStatus.
const (
	Running   ResyncStatus = "running"
	Completed ResyncStatus = "completed"
	Failed    ResyncStatus = "failed"
	Aborted   ResyncStatus = "aborted"
)

// SetResyncStatus reports that a resync began, or how it ended, at a time.
//
// The route is not in Port's published documentation. Source: Ocean's client
// (port_ocean/core/utils, clients/port), read 2026-11; so is the misspelt key.
func (d *DataSource) SetResyncStatus(ctx context.Context, s ResyncStatus, at time.Time) error {
	body := map[string]any{"status": s, "nextResync": nil, "intervalInMinuets": nil}
	now := at.UTC().Format("2006-01-02T15:04:05.000Z")
	if s == Running {
		maps.Copy(body, map[string]any{"lastResyncStart": now, "lastResyncEnd": nil})
	} else {
		body["lastResyncEnd"] = now
	}
	err := d.session.do(ctx, call{method: http.MethodPatch, path: d.integrationPath("resync-state"), body: body, brief: true}, nil)
	if err != nil {
		return fmt.Errorf("set the resync state to %q: %w", s, err)
	}
	return nil
}

// MaxExamples is the most raw objects that Port takes of one kind.
const MaxExamples = 5

// SendExamples shows raw objects of a kind, each as JSON, to the mapping editor.
//
// The route is not in Port's published documentation. Source: Ocean's client
// (port_ocean/clients/port/mixins/integrations.py), read 2026-11.
func (d *DataSource) SendExamples(ctx context.Context, kind string, examples []map[string]any) error {
	err := d.session.do(ctx, call{
		method: http.MethodPost, path: d.integrationPath("kinds", kind, "examples"),
		body: map[string]any{"examples": examples}, brief: true,
	}, nil)
	if err != nil {
		return fmt.Errorf("send examples of kind %q: %w", kind, err)
	}
	return nil
}

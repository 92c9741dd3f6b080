package port

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"port-bitbucket-exporter/internal/transport"
)

// The routes of this file are not in Port's published documentation. Source:
// Ocean's client (port_ocean/clients/port/mixins/integrations.py), read 2026-11.

// SyncMetric is how one kind of a resync stands: one row of the "Sync status" tab.
type SyncMetric struct {
	IntegrationType       string       `json:"integrationType"`
	InstallationType      string       `json:"installationType"`
	ExecutionMode         string       `json:"executionMode"`
	IntegrationIdentifier string       `json:"integrationIdentifier"`
	IntegrationVersion    string       `json:"integrationVersion"`
	OceanVersion          string       `json:"oceanVersion"`
	KindIdentifier        string       `json:"kindIdentifier"`
	Kind                  string       `json:"kind"`
	KindIndex             int          `json:"kindIndex"`
	EventID               string       `json:"eventId"`
	SyncState             string       `json:"syncState"`
	Blueprint             string       `json:"blueprint"`
	Metrics               SyncPhaseSet `json:"metrics"`
}

// SyncPhaseSet holds the numbers of each phase; of one that did not take place it is nil.
type SyncPhaseSet struct {
	Phase struct {
		Resync struct {
			Success         int     `json:"success"`
			DurationSeconds float64 `json:"duration_seconds"`
		} `json:"resync"`
		Extract   *SyncCounts `json:"extract,omitempty"`
		Transform *SyncCounts `json:"transform,omitempty"`
		Load      *SyncCounts `json:"load,omitempty"`
		Delete    *SyncCounts `json:"delete,omitempty"`
	} `json:"phase"`
}

// SyncCounts are the counts of one phase. The keys are Port's: raw_extracted,
// transformed, filtered_out, loaded, skipped, deleted, failed.
type SyncCounts struct {
	ByType map[string]SyncCount `json:"object_count_type"`
}

// SyncCount is one count.
type SyncCount struct {
	Objects int `json:"object_count"`
}

// PostSyncMetrics reports how every kind stands as a resync begins; base is the
// integration's MetricURL. What they say of the integration is set here.
func (d *DataSource) PostSyncMetrics(ctx context.Context, base string, kinds []SyncMetric) error {
	for i := range kinds {
		kinds[i] = d.own(kinds[i])
	}
	return d.ingest(ctx, http.MethodPost, base, transport.Path("syncMetrics"), map[string]any{"syncKindsMetrics": kinds})
}

// PutSyncMetric reports how one kind stands now.
func (d *DataSource) PutSyncMetric(ctx context.Context, base string, kind SyncMetric) error {
	return d.ingest(ctx, http.MethodPut, base, transport.Path("syncMetrics", "resync", kind.EventID, "kind", kind.KindIdentifier),
		map[string]any{"syncKindMetrics": d.own(kind)})
}

// own sets what a metric says of the integration.
func (d *DataSource) own(m SyncMetric) SyncMetric {
	m.IntegrationType, m.InstallationType, m.ExecutionMode = IntegrationType, "OnPrem", "single_process"
	m.IntegrationIdentifier, m.IntegrationVersion, m.OceanVersion = d.identifier, d.version, d.version
	return m
}

// Heartbeat reports that the resync is still alive.
func (d *DataSource) Heartbeat(ctx context.Context, base, eventID string) error {
	return d.ingest(ctx, http.MethodPost, base, transport.Path("heartbeat"), map[string]any{"eventId": eventID})
}

// LogLine is one line of the integration's log in Port.
type LogLine struct {
	Message   string         `json:"message"`
	Level     string         `json:"level"`     // DEBUG, INFO, WARNING, ERROR
	Timestamp string         `json:"timestamp"` // as LogTime gives
	Extra     map[string]any `json:"extra"`
}

// LogTime is the layout of a LogLine's Timestamp, in UTC.
const LogTime = "2006-01-02T15:04:05.000000Z"

// MaxLogLines is how many lines go out together.
const MaxLogLines = 100

// ShipLogs adds at most MaxLogLines lines to the integration's log; address is its LogURL.
func (d *DataSource) ShipLogs(ctx context.Context, address string, lines []LogLine) error {
	return d.ingest(ctx, http.MethodPost, address, "", map[string]any{"logs": lines})
}

// ingest sends to an address that Port has named.
func (d *DataSource) ingest(ctx context.Context, method, base, path string, body any) error {
	if err := d.trusted(base); err != nil {
		return err
	}
	return d.session.do(ctx, call{method: method, address: strings.TrimRight(base, "/"), path: path, body: body, brief: true}, nil)
}

// portDomains are Port's own registrable domains.
var portDomains = []string{"port.io", "getport.io"}

// ErrUntrusted means that Port named an address to which the token is not sent.
var ErrUntrusted = errors.New("nothing is sent there")

// trusted is nil for an address that may be sent Port's token: one of the same
// registrable domain as the base URL, or on loopback where that is.
func (d *DataSource) trusted(address string) error {
	base, err := url.Parse(d.base)
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("Port names an address that is not valid, %q: %w", address, ErrUntrusted)
	}
	if u.Scheme != "https" && u.Scheme != base.Scheme {
		return fmt.Errorf("Port names an address without encryption, %q: %w", address, ErrUntrusted)
	}
	if u.Host == base.Host || site(u) == site(base) {
		return nil
	}
	return fmt.Errorf("Port names an address on another site than port_base_url (%s), %q: %w", base.Host, u.Host, ErrUntrusted)
}

// site is the registrable domain of an address, one name for all of Port's own and
// one for all of loopback, else the host itself.
func site(u *url.URL) string {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return "loopback"
	}
	if net.ParseIP(host) != nil {
		return u.Host
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return u.Host
	}
	if slices.Contains(portDomains, domain) {
		return portDomains[0]
	}
	return domain
}

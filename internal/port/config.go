package port

import (
	"fmt"
	"log/slog"
	"net/http"

	"port-bitbucket-exporter/internal/progress"
)

// IntegrationType is the incumbent's, so that its installations are taken over.
const IntegrationType = "bitbucket-cloud"

// Config says which integration of which organization to work for.
type Config struct {
	BaseURL      string // "https://api.port.io", without /v1
	ClientID     string
	ClientSecret string
	Identifier   string // of the integration
	Version      string // ours
	Transport    http.RoundTripper
	Log          *slog.Logger
	// Progress records requests and waits; nil for none.
	Progress *progress.Record
	// OnToken is called with every access token before its first use.
	OnToken func(token string)
}

// userAgent names the program and the integration. Port copies it into $datasource of
// what is written: it says who owns an entity.
//
// Source: Ocean's client (port_ocean/clients/port), read 2026-11.
func (c Config) userAgent() string {
	return fmt.Sprintf("port-ocean/%s/%s/%s/exporter", IntegrationType, c.Version, c.Identifier)
}

// datasourcePrefix and datasourceSuffix are what stands around the version in the User-Agent.
func (c Config) datasourcePrefix() string { return "port-ocean/" + IntegrationType + "/" }

func (c Config) datasourceSuffix() string { return "/" + c.Identifier + "/exporter" }

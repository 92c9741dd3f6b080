package port

import (
	"context"
	"fmt"
	"net/http"
)

// Integration is what stands behind an entry of Port's Data sources page.
type Integration struct {
	// InstallationType is "OnPrem" for what runs at the customer's, or begins with
	// "Saas" for what Port hosts.
	InstallationType string `json:"installationType"`
	// Config is the mapping as it is stored, in whichever JSON: an object when it is
	// one, nil when there never was one.
	Config any `json:"config"`
}

// Integration reads the integration. The error is ErrNotFound when there is none.
//
// API: https://docs.port.io/api-reference/get-an-integration
func (c *Client) Integration(ctx context.Context) (Integration, error) {
	var answer struct {
		Integration Integration `json:"integration"`
	}
	err := c.do(ctx, call{method: http.MethodGet, path: path("integration", c.config.Identifier)}, &answer)
	if err != nil {
		return Integration{}, fmt.Errorf("read integration %q: %w", c.config.Identifier, err)
	}
	return answer.Integration, nil
}

// CreateIntegration makes the integration, with the mapping that it shows.
//
// The route is not in Port's published documentation. Source: Ocean's client
// (port_ocean/clients/port/mixins/integrations.py), read 2026-11.
func (c *Client) CreateIntegration(ctx context.Context, config map[string]any) error {
	err := c.do(ctx, call{
		method: http.MethodPost,
		path:   path("integration"),
		body: map[string]any{
			"installationId":           c.config.Identifier,
			"installationAppType":      IntegrationType,
			"version":                  c.config.Version,
			"changelogDestination":     map[string]any{},
			"config":                   config,
			"actionsProcessingEnabled": false,
			"incrementalSyncEnabled":   false,
			// Default: the client brings its own mapping and blueprints.
			"createPortResourcesOrigin": "Default",
		},
		once: true,
	}, nil)
	if err != nil {
		return fmt.Errorf("create integration %q: %w", c.config.Identifier, err)
	}
	return nil
}

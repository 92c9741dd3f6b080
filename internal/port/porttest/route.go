package porttest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// documentedJSON is Port's published OpenAPI document, cut down to the routes
// served here and to what decides about a request.
// Source: static/apispec.yaml of https://github.com/port-labs/port-docs at commit
// 4893974ae5631bfa4c0999e903fe0d15c30ca02a, 2026-01-28. The parameters of an integration's logs
// are those of the document of 2026-05; that it takes no other phase than Ocean sends is assumed.
//
//go:embed documented.json
var documentedJSON []byte

// undocumentedJSON has, in the same form, what that extract lacks: routes and query
// parameters that Port's own framework (port_ocean 0.48) uses, marked
// "undocumented" when the whole document lacks them, PUT and DELETE of a blueprint, and the
// parameters of the document of 2026-05 by which a write names its resync.
//
//go:embed undocumented.json
var undocumentedJSON []byte

type routeFile struct {
	Routes  []routeSpec               `json:"routes"`
	Schemas map[string]map[string]any `json:"schemas"`
}

type routeSpec struct {
	Method       string               `json:"method"`
	Path         string               `json:"path"`
	Undocumented bool                 `json:"undocumented"`
	Query        map[string]queryJSON `json:"query"`
	Body         map[string]any       `json:"body"`
	BodyRequired bool                 `json:"bodyRequired"`
}

type queryJSON struct {
	Schema   map[string]any `json:"schema"`
	Required bool           `json:"required"`
}

type parameter struct {
	schema   *schema // of one value
	list     bool    // it may be given more than once
	required bool
}

type route struct {
	method, path string
	segments     []string
	undocumented bool
	params       map[string]parameter
	body         *schema // nil: the route reads no body
	bodyRequired bool
	endpoint     endpoint
}

// endpoint is what a route does once its request has the right shape.
type endpoint struct {
	run   func(*Server, *call) answer
	write bool // changes entities, blueprints, integrations or what is shown of them
}

// loadRoutes joins the two tables with the endpoints, once for all servers, since
// compiling the schemas takes milliseconds. It panics when they do not fit each
// other: then this package is wrong, not its caller.
var loadRoutes = sync.OnceValue(func() []*route {
	var routes []*route
	refs := map[string]*schema{}
	for _, text := range [][]byte{documentedJSON, undocumentedJSON} {
		var file routeFile
		must(decodeInto(text, &file))
		for name, raw := range file.Schemas {
			c, err := compile(raw, refs)
			must(err)
			refs[name] = c
		}
		for _, spec := range file.Routes {
			if known := findRoute(routes, spec.Method, spec.Path); known != nil {
				known.extend(spec, refs)
				continue
			}
			routes = append(routes, newRoute(spec, refs))
		}
	}
	return routes
})

func newRoute(spec routeSpec, refs map[string]*schema) *route {
	t := &route{
		method: spec.Method, path: spec.Path, segments: strings.Split(spec.Path, "/"),
		undocumented: spec.Undocumented, bodyRequired: spec.BodyRequired,
		params: map[string]parameter{},
	}
	t.addParams(spec.Query, refs)
	if spec.Body != nil {
		c, err := compile(spec.Body, refs)
		must(err)
		t.body = c
	}
	e, ok := endpointOf(spec.Method + " " + spec.Path)
	if !ok {
		panic("porttest: no endpoint for " + spec.Method + " " + spec.Path)
	}
	t.endpoint = e
	return t
}

// extend adds the parameters and the body's keys of a second entry for a route.
// That entry may also close the body to all others.
func (t *route) extend(spec routeSpec, refs map[string]*schema) {
	t.addParams(spec.Query, refs)
	if spec.Body == nil {
		return
	}
	more, err := compile(spec.Body, refs)
	must(err)
	maps.Copy(t.body.properties, more.properties)
	t.body.closed = t.body.closed || more.closed
}

func (t *route) addParams(query map[string]queryJSON, refs map[string]*schema) {
	for name, q := range query {
		c, err := compile(q.Schema, refs)
		must(err)
		p := parameter{schema: c, required: q.Required}
		if p.list = c.items != nil; p.list {
			p.schema = c.items
		}
		t.params[name] = p
	}
}

// read takes the text of a query for what its schema asks for, where it can be
// that.
func (p parameter) read(text string) any {
	v, err := decode([]byte(text))
	_, isNumber := v.(json.Number)
	_, isBool := v.(bool)
	if err == nil && (isNumber && contains(p.schema.types, "number") || isBool && contains(p.schema.types, "boolean")) {
		return v
	}
	return text
}

func findRoute(routes []*route, method, path string) *route {
	for _, t := range routes {
		if t.method == method && t.path == path {
			return t
		}
	}
	return nil
}

// match finds the route of a request and the decoded values of its path. A
// segment written out wins over a variable one.
func (s *Server) match(method string, u *url.URL) (*route, map[string]string) {
	segments := strings.Split(u.EscapedPath(), "/")
	var best *route
	var bestVars map[string]string
	for _, t := range s.routes {
		if t.method != method || len(t.segments) != len(segments) || t.undocumented && s.options.NoUndocumentedRoutes {
			continue
		}
		vars, ok := t.vars(segments)
		if ok && (best == nil || len(vars) < len(bestVars)) {
			best, bestVars = t, vars
		}
	}
	return best, bestVars
}

// routeOf is the Route of an Exchange.
func (s *Server) routeOf(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, _ := s.match(r.Method, r.URL); t != nil {
		return t.path
	}
	return ""
}

func (t *route) vars(segments []string) (map[string]string, bool) {
	vars := map[string]string{}
	for i, want := range t.segments {
		if name, ok := strings.CutPrefix(want, "{"); ok {
			value, err := url.PathUnescape(segments[i])
			if err != nil || value == "" {
				return nil, false
			}
			vars[strings.TrimSuffix(name, "}")] = value
		} else if segments[i] != want {
			return nil, false
		}
	}
	return vars, true
}

// checkQuery returns what is wrong with the query string, or "".
func (t *route) checkQuery(raw string) (url.Values, string) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, "query string cannot be parsed"
	}
	for name, p := range t.params {
		if p.required && !query.Has(name) {
			return nil, fmt.Sprintf("querystring must have required property %q", name)
		}
	}
	for _, name := range sortedKeys(query) {
		p, known := t.params[name]
		values := query[name]
		switch {
		case !known:
			return nil, fmt.Sprintf("querystring must not have additional property %q", name)
		case !p.list && len(values) > 1:
			return nil, fmt.Sprintf("querystring/%s must be given once", name)
		}
		for _, text := range values {
			if why := p.schema.check("querystring/"+name, p.read(text)); why != "" {
				return nil, why
			}
		}
	}
	return query, ""
}

func endpointOf(name string) (endpoint, bool) {
	e, ok := map[string]endpoint{
		"POST /v1/auth/access_token": {run: (*Server).accessToken},
		"GET /v1/organization":       {run: (*Server).organization},

		"GET /v1/blueprints":                 {run: (*Server).listBlueprints},
		"POST /v1/blueprints":                {run: (*Server).createBlueprint, write: true},
		"GET /v1/blueprints/{identifier}":    {run: (*Server).readBlueprint},
		"PATCH /v1/blueprints/{identifier}":  {run: (*Server).patchBlueprint, write: true},
		"PUT /v1/blueprints/{identifier}":    {run: (*Server).replaceBlueprint, write: true},
		"DELETE /v1/blueprints/{identifier}": {run: (*Server).deleteBlueprint, write: true},

		"POST /v1/blueprints/{blueprint_identifier}/entities":                       {run: (*Server).upsertOne, write: true},
		"GET /v1/blueprints/{blueprint_identifier}/entities":                        {run: (*Server).listEntities},
		"POST /v1/blueprints/{blueprint_identifier}/entities/bulk":                  {run: (*Server).upsertBulk, write: true},
		"GET /v1/blueprints/{blueprint_identifier}/entities/{entity_identifier}":    {run: (*Server).readEntity},
		"DELETE /v1/blueprints/{blueprint_identifier}/entities/{entity_identifier}": {run: (*Server).deleteOne, write: true},
		"GET /v1/blueprints/{blueprint_identifier}/entities-count":                  {run: (*Server).countEntities},
		"POST /v1/blueprints/{blueprint_identifier}/bulk/entities/delete":           {run: (*Server).deleteBulk, write: true},
		"POST /v1/blueprints/{blueprint_identifier}/entities/search":                {run: (*Server).searchBlueprint},
		"POST /v1/entities/search":                                                  {run: (*Server).searchAll},
		"POST /v1/blueprints/entities/datasource-entities":                          {run: (*Server).datasourceEntities},

		"GET /v1/integration":                             {run: (*Server).listIntegrations},
		"POST /v1/integration":                            {run: (*Server).createIntegration, write: true},
		"GET /v1/integration/provision-enabled":           {run: (*Server).provisionEnabled},
		"GET /v1/integration/{identifier}":                {run: (*Server).readIntegration},
		"PATCH /v1/integration/{identifier}":              {run: (*Server).patchIntegration, write: true},
		"DELETE /v1/integration/{identifier}":             {run: (*Server).deleteIntegration, write: true},
		"PATCH /v1/integration/{identifier}/config":       {run: (*Server).patchConfig, write: true},
		"PATCH /v1/integration/{identifier}/resync-state": {run: (*Server).patchResyncState, write: true},

		"GET /v1/integration/{identifier}/logs":                     {run: (*Server).readLogs},
		"GET /v1/integration/{integrationInternalId}/syncMetrics":   {run: (*Server).readSyncMetrics},
		"GET /v1/integration/{integrationInternalId}/syncsMetadata": {run: (*Server).readSyncsMetadata},
		"POST /v1/integration/{identifier}/kinds/{kind}/examples":   {run: (*Server).takeExamples, write: true},
		"POST /ingest/logs/{identifier}":                            {run: (*Server).takeLogs, write: true},
		"POST /ingest/metrics/{identifier}/syncMetrics":             {run: (*Server).takeSyncMetrics, write: true},
		"POST /ingest/metrics/{identifier}/heartbeat":               {run: (*Server).takeHeartbeat, write: true},
		"PUT /ingest/metrics/{identifier}/syncMetrics/resync/{eventId}/kind/{kindIdentifier}": {
			run: (*Server).replaceSyncMetrics, write: true},
	}[name]
	return e, ok
}

// call is one request whose shape has been checked.
type call struct {
	*http.Request
	route *route
	vars  map[string]string
	query url.Values
	body  any // plain JSON, numbers as json.Number
	role  Role
}

func (c *call) flag(name string) bool { return c.query.Get(name) == "true" }

// object is the body, or an empty object when there was none.
func (c *call) object() map[string]any {
	m, _ := c.body.(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	return m
}

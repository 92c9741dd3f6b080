package port_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

// Every route answers with a redirect, to another host and to its own: neither the
// token nor an entity nor the client's secret goes anywhere.
func TestNoRouteFollowsARedirect(t *testing.T) {
	t.Parallel()
	var strayed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer other.Close()
	routes := map[string]func(*testing.T, *port.Client) error{
		"integration":      func(t *testing.T, c *port.Client) error { _, err := c.DataSource.Integration(t.Context()); return err },
		"delete blueprint": func(t *testing.T, c *port.Client) error { return c.Blueprints.Delete(t.Context(), repository) },
		"held before": func(t *testing.T, c *port.Client) error {
			for _, err := range c.Entities.StoredBefore(t.Context(), repository, time.Now(), func(catalog.Ref) bool { return false }) {
				return err
			}
			return nil
		},
		"delete with dependants": func(t *testing.T, c *port.Client) error {
			deletions, _ := c.Entities.Delete(t.Context(), repository, []string{"a"}, true)
			return deletions[0].Err
		},
	}
	maps.Copy(routes, safe)
	maps.Copy(routes, once)
	for _, name := range []string{"create", "update", "config", "state", "examples"} {
		routes[name] = func(t *testing.T, c *port.Client) error { return courtesy[name](t.Context(), c) }
	}
	for call, do := range routes {
		for _, code := range []int{301, 302, 303, 307, 308} {
			for _, location := range []string{other.URL + "/v1/x", "//" + other.Listener.Addr().String() + "/v1/x", "/odd/v1/other"} {
				s := newServer()
				f := porttest.Fault{Status: code, Header: http.Header{"Location": {location}}, Times: -1}
				if call != "login" {
					f.Match = notLogin
				}
				fired := s.Fault(f)
				name := call + " " + strconv.Itoa(code) + " " + location
				equal(t, name+": status", status(do(t, overSocket(t, s))), code)
				equal(t, name+": attempts", fired(), 1)
				for _, e := range s.Journal() {
					if e.Path == "/v1/other" {
						t.Errorf("%s: followed to %s", name, e.Path)
					}
				}
			}
		}
	}
	equal(t, "requests to the other host", strayed.Load(), 0)
}

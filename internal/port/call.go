package port

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// call is one request: its body is built once, and sent anew with each attempt.
type call struct {
	method string
	path   string // below /v1, escaped
	query  url.Values
	body   any // JSON when it is []byte, or what is made JSON of; nil for none
	// address is what stands before the path, when that is not below /v1.
	address string
	header  http.Header // besides those of every call
	// once is true for what is not safe to repeat.
	once bool
	// brief is true for what a run does not depend on: two attempts, and ten seconds
	// in all.
	brief bool
	// attempts is how often it goes out at most; 0 is transport.Attempts.
	attempts int
	// noContent is true where a good answer may have no body: that of status 204 leaves into as it is.
	noContent bool
	// answered gets the headers of a good answer; nil for none.
	answered func(http.Header)
}

// where names a call in messages.
func (k call) where() string {
	if k.address != "" {
		return k.method + " " + k.address + k.path
	}
	return k.method + " /v1" + k.path
}

// encode makes a request's body.
func encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []byte:
		return v, nil
	}
	return json.Marshal(v)
}

// words are the fixed parts of routes; what stands between them are names.
var words = []string{"auth", "access_token", "blueprints", "entities", "bulk", "search", "delete", "datasource-entities",
	"integration", "config", "resync-state", "kinds", "examples", "syncMetrics", "resync", "kind", "heartbeat"}

// route names the call without the names in its path.
func (k call) route() string {
	parts := slices.DeleteFunc(strings.Split(k.path, "/"), func(part string) bool { return !slices.Contains(words, part) })
	return k.method + " " + k.address + " " + strings.Join(parts, "/")
}

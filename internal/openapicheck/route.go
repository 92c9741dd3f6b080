package openapicheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// route is one operation of a document.
type route struct {
	method, path string
	segments     []string
	operation    *openapi3.Operation
	query        map[string]*openapi3.Parameter
	inPath       map[string]*openapi3.Schema
	// deep says that the last segment stands for any number of segments.
	deep bool
}

func (d *document) addRoutes(t *openapi3.T) {
	for path, item := range t.Paths.Map() {
		for method, operation := range item.Operations() {
			r := &route{
				method: method, path: path, segments: strings.Split(path, "/"), operation: operation,
				query: map[string]*openapi3.Parameter{}, inPath: map[string]*openapi3.Schema{},
			}
			for _, p := range operation.Parameters {
				switch p.Value.In {
				case openapi3.ParameterInQuery:
					r.query[p.Value.Name] = p.Value
				case openapi3.ParameterInPath:
					r.inPath[p.Value.Name] = p.Value.Schema.Value
				}
			}
			d.routes = append(d.routes, r)
		}
	}
}

// match finds the route of an escaped path. A segment written out wins over a variable one.
func (d *document) match(method, path string) (*route, error) {
	var best *route
	bestVariables, pathKnown := 0, false
	var why error
	for _, r := range d.routes {
		variables, ok, err := r.variables(strings.Split(path, "/"))
		if !ok {
			continue
		}
		pathKnown = true
		if r.method == method && (best == nil || len(variables) < bestVariables) {
			best, bestVariables, why = r, len(variables), err
		}
	}
	switch {
	case best != nil && why != nil:
		return nil, why
	case best != nil:
		return best, nil
	case pathKnown:
		return nil, errors.New("the document has no such method here")
	}
	return nil, errors.New("the document has no such route")
}

// variables are the values in a path. The error is a value that is not as documented.
func (r *route) variables(segments []string) (values map[string]string, ok bool, err error) {
	n := len(r.segments)
	if len(segments) < n || len(segments) > n && !r.deep {
		return nil, false, nil
	}
	values = map[string]string{}
	for i, want := range r.segments {
		got := segments[i]
		if r.deep && i == n-1 {
			got = strings.Join(segments[i:], "/")
		}
		name, variable := strings.CutPrefix(want, "{")
		if !variable {
			if got != want {
				return nil, false, nil
			}
			continue
		}
		name = strings.TrimSuffix(name, "}")
		value, unescapeErr := url.PathUnescape(got)
		if unescapeErr != nil || value == "" && !(r.path == sourcePath && i == n-1) {
			return nil, false, nil
		}
		values[name] = value
		if schema := r.inPath[name]; schema != nil {
			if checkErr := checkText(schema, value); checkErr != nil {
				err = fmt.Errorf("path: %s: %w", name, checkErr)
			}
		}
	}
	return values, true, err
}

func (r *route) checkQuery(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(r.query) {
		if r.query[name].Required && !query.Has(name) {
			return fmt.Errorf("%q is required", name)
		}
	}
	for _, name := range sortedKeys(query) {
		p := r.query[name]
		if p == nil {
			return fmt.Errorf("%q is unknown", name)
		}
		schema := p.Schema.Value
		if schema.Type.Is(openapi3.TypeArray) {
			schema = schema.Items.Value
		} else if len(query[name]) > 1 {
			return fmt.Errorf("%q comes more than once", name)
		}
		for _, value := range query[name] {
			if err := checkText(schema, value); err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
		}
	}
	return nil
}

// checkText judges a value that is written as text in a path or a query.
func checkText(schema *openapi3.Schema, text string) error {
	var v any = text
	switch {
	case schema.Type.Is(openapi3.TypeInteger), schema.Type.Is(openapi3.TypeNumber):
		if _, err := strconv.Atoi(text); err == nil { // no documented one takes a fraction
			v = json.Number(text)
		}
	case schema.Type.Is(openapi3.TypeBoolean):
		switch text {
		case "true":
			v = true
		case "false":
			v = false
		}
	}
	if err := schema.VisitJSON(v, openapi3.SetSchemaRegexCompiler(compilePattern)); err != nil {
		return explain(err)
	}
	return nil
}

func (d *document) checkRequest(r *route, e Exchange) error {
	body := r.operation.RequestBody
	switch {
	case len(e.RequestBody) == 0 && body != nil && body.Value.Required:
		return errors.New("a body is required")
	case len(e.RequestBody) == 0:
		return nil
	case body == nil:
		return errors.New("the route takes no body")
	case d.maxBodyBytes > 0 && len(e.RequestBody) > d.maxBodyBytes:
		return fmt.Errorf("a body of %d bytes, more than %d", len(e.RequestBody), d.maxBodyBytes)
	}
	if !isJSON(e.RequestHeader) {
		return fmt.Errorf("Content-Type is %q, not application/json", e.RequestHeader.Get("Content-Type"))
	}
	v, err := decode(e.RequestBody)
	if err != nil {
		return err
	}
	return d.fits(body.Value.Content["application/json"].Schema.Value, v)
}

func (d *document) checkAnswer(r *route, e Exchange) error {
	if d.loose != nil && e.Status < 300 && narrowed(e.URL.Query().Get("fields")) {
		r, err := d.loose.match(e.Method, e.URL.EscapedPath())
		if err != nil {
			return err
		}
		return d.loose.checkAnswer(r, e)
	}
	schema, err := d.answerSchema(r, e)
	if err != nil || schema == nil {
		return err
	}
	if !isJSON(e.ResponseHeader) {
		if e.Status == http.StatusTooManyRequests || e.Status >= 500 || kind(e.ResponseHeader) != "" && kind(e.ResponseHeader) == d.texts[e.Status] {
			return nil // both services, or what stands before them, answer with plain text or HTML
		}
		return fmt.Errorf("Content-Type is %q, not application/json", e.ResponseHeader.Get("Content-Type"))
	}
	v, err := decode(e.ResponseBody)
	if err != nil {
		return err
	}
	if e.Status < 300 {
		d.complete(v, e.URL.Query().Get("fields"))
	}
	return d.fits(schema, v)
}

// answerSchema is nil for a body of any kind.
func (d *document) answerSchema(r *route, e Exchange) (*openapi3.Schema, error) {
	if d.choose != nil {
		if schema, ok := d.choose(d, r, e); ok {
			return schema, nil
		}
	}
	answer := r.operation.Responses.Status(e.Status)
	if answer == nil && refusal(e.Status) {
		return d.schemas["error"].Value, nil
	}
	if answer == nil {
		return nil, errors.New("the route does not document this status")
	}
	if media := answer.Value.Content["application/json"]; media != nil {
		return media.Schema.Value, nil
	}
	return nil, nil
}

// refusal tells the statuses that any route may answer and that the documents leave out.
func refusal(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

func isJSON(h http.Header) bool { return kind(h) == "application/json" }

// kind is the media type of a body, or "".
func kind(h http.Header) string {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

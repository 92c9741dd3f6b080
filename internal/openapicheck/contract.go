// Package openapicheck checks HTTP exchanges against the vendors' OpenAPI documents, for tests.
//
// Requests are judged strictly: the route, the method, every query parameter and the body must be documented.
// Answers must have a documented status and a body that fits its schema. What the real services take or send
// beyond their documents is listed, entry by entry with its source, in bitbucket.yaml and port.yaml beside this
// file; everything else is a disagreement.
//
// The documents are not part of this module: a folder holds them, which the environment names.
package openapicheck

import (
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
)

// Variable is the environment variable that names the folder of OpenAPI documents.
const Variable = "CONTRACT_SPECS"

// Exchange is one request and its answer.
type Exchange struct {
	Method string
	// URL is the path below the API's base, with the query. Its host is not looked at.
	URL *url.URL
	// RequestHeader tells the type of the body; the credential is not looked at.
	RequestHeader http.Header
	RequestBody   []byte
	// Status is 0 when there was no whole answer; then the request alone is checked.
	Status         int
	ResponseHeader http.Header
	ResponseBody   []byte
}

// Checker holds both documents. It is safe for concurrent use.
type Checker struct {
	bitbucket, port *document
	checked         atomic.Int64
}

// Load reads bitbucket-openapi.yaml and port-openapi.yaml of a folder.
func Load(dir string) (*Checker, error) {
	read := func(name string, prepare func([]byte) (*document, error)) (*document, error) {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		d, err := prepare(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return d, nil
	}
	bitbucket, err := read("bitbucket-openapi.yaml", newBitbucket)
	if err != nil {
		return nil, err
	}
	port, err := read("port-openapi.yaml", newPort)
	if err != nil {
		return nil, err
	}
	return &Checker{bitbucket: bitbucket, port: port}, nil
}

// Fork returns a checker that shares the documents, whose loading is most of the work, and counts from zero.
func (c *Checker) Fork() *Checker { return &Checker{bitbucket: c.bitbucket, port: c.port} }

// FromEnv loads the folder that CONTRACT_SPECS names. It reports false, and no error, when it names none.
func FromEnv() (*Checker, bool, error) {
	dir := os.Getenv(Variable)
	if dir == "" {
		return nil, false, nil
	}
	c, err := Load(dir)
	return c, err == nil, err
}

// Bitbucket checks an exchange with Bitbucket Cloud; its path is what follows "/2.0". The error names the route
// and the places that disagree, of the request and of the answer; it never quotes a value of a body.
func (c *Checker) Bitbucket(e Exchange) error { return c.check(c.bitbucket, e) }

// Port checks an exchange with Port; its path begins with "/v1". The error is as that of Bitbucket.
func (c *Checker) Port(e Exchange) error { return c.check(c.port, e) }

// Checked is the number of exchanges that were checked, whatever the result.
func (c *Checker) Checked() int { return int(c.checked.Load()) }

func (c *Checker) check(d *document, e Exchange) error {
	c.checked.Add(1)
	r, err := d.match(e.Method, e.URL.EscapedPath())
	if err != nil {
		return fmt.Errorf("%s %s %s: %w", d.name, e.Method, e.URL.EscapedPath(), err)
	}
	var problems []error
	say := func(part string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s %s %s: %s: %w", d.name, e.Method, r.path, part, err))
		}
	}
	say("query", r.checkQuery(e.URL.RawQuery))
	say("request", d.checkRequest(r, e))
	if e.Status != 0 {
		say(fmt.Sprintf("answer %d", e.Status), d.checkAnswer(r, e))
	}
	return errors.Join(problems...)
}

//go:embed port.yaml
var portAdditions []byte

// maxPortBodyBytes is Port's limit for the body of a request.
// Source: https://docs.port.io/api-reference/port-api, read 2026-11.
const maxPortBodyBytes = 1 << 20

func newPort(text []byte) (*document, error) {
	doc, err := prepare(text, portAdditions)
	if err != nil {
		return nil, err
	}
	t, err := load(doc)
	if err != nil {
		return nil, err
	}
	d := &document{
		name: "Port", schemas: t.Components.Schemas, options: schemaOptions(isURI), maxBodyBytes: maxPortBodyBytes,
	}
	d.addRoutes(t)
	return d, nil
}

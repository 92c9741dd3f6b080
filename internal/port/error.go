package port

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/transport"
)

// NoRoute reports whether an error is the answer of a server that has no such route. One that
// lacks what the route names may answer the same.
func NoRoute(err error) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented}, e.Status)
}

// ErrNotFound is matched by an *Error with status 404.
var ErrNotFound = errors.New("not found")

// Error is a refusal by Port: of a request, or of one entity in it.
type Error struct {
	Where   string // method and path; empty for one entity of a batch
	Status  int    // 0 where the answer for an entity of a batch has none
	Code    string // "not_found"
	Message string
	Trace   string // x-trace-id, for Port's support
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Where != "" {
		fmt.Fprintf(&b, "%s: ", e.Where)
	}
	if e.Status == 0 {
		b.WriteString("refused, without a status")
	} else {
		b.WriteString(strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))))
	}
	switch {
	case e.Message != "":
		fmt.Fprintf(&b, ": %s", e.Message)
	case e.Code != "":
		fmt.Fprintf(&b, ": %s", e.Code)
	case e.Status/100 == 3:
		b.WriteString(": a redirect, which is not followed")
	}
	b.WriteString(traceText(e.Trace))
	return b.String()
}

// Answer returns the error without the request and the trace: what other requests may have
// met too.
func (e *Error) Answer() *Error {
	answer := *e
	answer.Where, answer.Trace = "", ""
	return &answer
}

// Is makes errors.Is(err, ErrNotFound) true for status 404.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && e.Status == http.StatusNotFound
}

// Passing reports whether the same request may succeed later. Where a gateway or a proxy on
// the way gave such an answer, Port may have done what was asked.
func (e *Error) Passing() bool { return transport.Passing(e.Status) }

// Fix says what to do about an error that is not a refusal of what was sent; empty when
// it is one, or says it itself.
func Fix(err error) string {
	var e *Error
	p := transport.AsProxyError(err)
	switch {
	case p != nil:
		return p.Fix()
	case transport.Untrusted(err) != nil:
		return "" // another attempt would find the same, and the error says what to do
	case transport.Unreached(err):
		return transport.UnreachedFix("port_base_url")
	case !errors.As(err, &e):
		return stays(err)
	case e.Status == http.StatusUnauthorized:
		return "run again; if it stays so, check that Port's credential is still the one that Port shows"
	case e.Status == http.StatusGone:
		return "Port has removed this: look for a newer version of this program"
	case e.Status/100 == 3:
		return "check port_base_url, and whether a proxy on the way asks for a login"
	case e.Status == http.StatusTooManyRequests:
		return "run again later: something else uses up the allowance of your organization in Port"
	case e.Status >= http.StatusInternalServerError, e.Passing():
		return stays(err)
	}
	return ""
}

// stays is the fix for faults that may pass by themselves.
func stays(err error) string {
	fix := "run again; if it stays so, look at Port's status page, and at proxies on the way"
	if Trace(err) != "" {
		fix += ", and give the x-trace-id to Port's support"
	}
	return fix
}

// traceHeader names an answer for Port's support.
const traceHeader = "x-trace-id"

// traceText ends an error's text; empty without a trace.
func traceText(trace string) string {
	if trace == "" {
		return ""
	}
	return " (" + traceHeader + " " + trace + ")"
}

// traceError is what is wrong with a good answer.
type traceError struct {
	err   error
	trace string
}

func (t *traceError) Error() string { return t.err.Error() + traceText(t.trace) }

func (t *traceError) Unwrap() error { return t.err }

// traced adds the trace of the answer that an error is about.
func traced(err error, trace string) error {
	if trace == "" {
		return err
	}
	return &traceError{err, trace}
}

// Trace is the x-trace-id of the answer that an error is about; empty when there
// was no answer. The error's text gives it as " (x-trace-id …)".
func Trace(err error) string {
	var e *Error
	var t *traceError
	switch {
	case errors.As(err, &e):
		return e.Trace
	case errors.As(err, &t):
		return t.trace
	}
	return ""
}

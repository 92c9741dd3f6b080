package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
)

// MaxJSON bounds one JSON answer that is read as a whole, in bytes: a page of 100 large
// objects is far below it.
const MaxJSON = 64 << 20

// MaxError bounds what is read of the body of an error, in bytes. Both services send less
// than 1 KiB; a gateway's page may be larger, and its beginning says what it is.
const MaxError = 64 << 10

// Checker is an answer that knows what it must hold.
type Checker interface{ Check() error }

// Decode reads one JSON value, and checks it when it is a Checker. Numbers in objects stay
// exact, and nothing of an earlier attempt stays. The error is a *TypeError for a value of
// another JSON type.
func Decode(d *json.Decoder, into any) error {
	reflect.ValueOf(into).Elem().SetZero()
	d.UseNumber()
	err := d.Decode(into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return &TypeError{Field: wrong.Field, Got: wrong.Value}
	}
	if err != nil {
		return err
	}
	return Check(into)
}

// Check checks an answer when it is a Checker.
func Check(answer any) error {
	if c, ok := answer.(Checker); ok {
		return c.Check()
	}
	return nil
}

// TypeError is a JSON value of another type than is due.
type TypeError struct {
	Field string // path of the field; empty for the whole value
	Got   string // the JSON type
}

func (t *TypeError) Error() string {
	if t.Field == "" {
		return fmt.Sprintf("it is of the JSON type %s, and another one was expected", t.Got)
	}
	return fmt.Sprintf("%q holds a %s where another type was expected", t.Field, t.Got)
}

// StatusError returns the error of an answer that is not a success: a *ProxyError when a proxy
// gave it, else what read makes of the beginning of its body. Where the status may pass, that
// is within an *Again.
func StatusError(where string, resp *http.Response, read func(text []byte) error) error {
	if err := FromProxy(resp); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, MaxError)) // a part of it is enough
	err := read(text)
	if !Passing(resp.StatusCode) {
		return err
	}
	after, _ := RetryAfter(resp.Header)
	return &Again{Err: err, After: after}
}

// Interrupted returns the error of a request without a whole answer: within an *Again, unless
// another attempt would find the same.
func Interrupted(err error) error {
	if untrusted := Untrusted(err); untrusted != nil {
		return untrusted
	}
	if p := AsProxyError(err); p != nil && p.Lasting() {
		return err
	}
	return &Again{Err: err}
}

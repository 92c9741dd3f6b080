package port

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// checker is an answer that knows what it must hold.
type checker interface{ check() error }

// reader reads an answer piece by piece.
type reader func(*json.Decoder) error

func decode(body io.Reader, into any) error {
	if read, ok := into.(reader); ok {
		d := json.NewDecoder(body)
		d.UseNumber()
		return read(d)
	}
	reflect.ValueOf(into).Elem().SetZero() // of what an earlier attempt left
	d := json.NewDecoder(io.LimitReader(body, maxJSON))
	d.UseNumber()
	err := plain(d.Decode(into))
	if c, ok := into.(checker); ok && err == nil {
		return c.check()
	}
	return err
}

// plain says in words of JSON that a value is of another type.
func plain(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return err
	case wrong.Field == "":
		return fmt.Errorf("it is of the JSON type %s", wrong.Value)
	}
	return fmt.Errorf("%q is of the JSON type %s", wrong.Field, wrong.Value)
}

package bitbucket

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/partial"
	"port-bitbucket-exporter/internal/reach"
)

// page is the envelope of every list. Only values and next can be relied on. Each value is
// decoded by itself, so that an odd one does not spoil the others.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination, read 2026-11.
type page struct {
	Values *[]json.RawMessage `json:"values"`
	Next   string             `json:"next"`
	Size   *integer           `json:"size"`
}

// pageBuffer is what pages are read with, one after the other: room for a text and its values, and a
// decoder. Its contents are valid until the next page is read.
type pageBuffer struct {
	text    bytes.Buffer
	values  []json.RawMessage
	decoder *partial.Decoder
}

// maxPageBuffer is the room for a text that is kept for the next page, in bytes.
const maxPageBuffer = 4 << 20

// pageBuffers are those that no list uses. They are safe for concurrent use.
type pageBuffers struct{ free sync.Pool }

func (k *pageBuffers) take() *pageBuffer {
	if d, ok := k.free.Get().(*pageBuffer); ok {
		return d
	}
	return &pageBuffer{decoder: partial.NewDecoder()}
}

// put is for a buffer of which nothing is used any more.
func (k *pageBuffers) put(d *pageBuffer) {
	if d.text.Cap() <= maxPageBuffer {
		k.free.Put(d)
	}
}

// errUnusual is a page that is to be read field by field.
var errUnusual = errors.New("a page of an unusual form")

// read reads a page of the usual form in its memory. The error says that the page has another form,
// or none.
func (d *pageBuffer) read(p *page) error {
	d.values = d.values[:0]
	*p = page{}
	p.Values = &d.values
	again := map[string]bool{}
	return partial.List(d.text.Bytes(), "values", func(value partial.Text) {
		d.values = append(d.values, json.RawMessage(value))
	}, func(key string, value partial.Text) error {
		if again[key] && (key == "next" || key == "size") {
			return errUnusual
		}
		again[key] = true
		switch {
		case key == "next":
			return json.Unmarshal(value, &p.Next)
		case key == "size":
			return json.Unmarshal(value, &p.Size)
		case strings.EqualFold(key, "values"), strings.EqualFold(key, "next"), strings.EqualFold(key, "size"):
			return errUnusual
		}
		return nil
	})
}

// loosePage is a page that is good without its values.
type loosePage page

func (p *page) Check() error {
	if p.Values == nil {
		return errors.New("no page: it has no \"values\"")
	}
	return nil
}

// integer is a whole number, however JSON writes it: 3, 3.0 and 3e0 are one number there.
//
// Source: RFC 8259, section 6.
type integer int64

// UnmarshalJSON refuses a number with a fraction, and one that is too large.
func (n *integer) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	if exact, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		*n = integer(exact)
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<62 {
		return fmt.Errorf("a whole number was expected, not %s", clip.Bytes(string(text), maxName, "..."))
	}
	*n = integer(f)
	return nil
}

// Listed is an object of a list, with its JSON as it came, unless Endpoint.NoJSON: a type of
// values for List.
type Listed struct {
	Object Object
	JSON   json.RawMessage
	Whole  bool // Object has all that came, of a page that was asked for whole values
	// Unordered is true where the list is known not to have the newest first, see Endpoint.When.
	Unordered bool
}

// Odd is the error of one value of a list that cannot be used. It comes in place of the
// value, and others may follow. What the value stands for is not known.
type Odd struct {
	// Name identifies the value: its place in the list, and the names it gives itself.
	Name string
	Err  error
}

func (o *Odd) Error() string { return o.Name + ": " + o.Err.Error() }

func (o *Odd) Unwrap() error { return o.Err }

// names are the fields by which a person knows an object, the best first.
var names = []string{"slug", "path", "key", "name", "title", "id", "uuid"}

// maxName bounds each name of an odd value in messages, in bytes.
const maxName = 100

// odd names a value by its place, from 1, and by the first two of its names.
func odd(place int, raw json.RawMessage, err error) *Odd {
	o, decodeErr := Decode(raw)
	var found []string
	for _, key := range names {
		text, isText := o[key].(string)
		number, isNumber := o[key].(json.Number)
		if text = cmp.Or(text, number.String()); decodeErr == nil && (isText || isNumber) && text != "" && len(found) < 2 {
			found = append(found, fmt.Sprintf("%s %q", key, clip.Bytes(text, maxName, "...")))
		}
	}
	name := fmt.Sprintf("value %d of the list", place)
	if len(found) > 0 {
		name += " (" + strings.Join(found, ", ") + ")"
	}
	return &Odd{name, err}
}

var errNull = errors.New("an object was expected, not null")

// Decode makes an object of its JSON, with exact numbers.
func Decode(raw json.RawMessage) (Object, error) {
	if text, err := partial.Check(raw); err == nil && text[0] == '{' {
		return object(&partial.Decoder{}, raw, nil), nil
	}
	var o Object
	err := decode(raw, &o) // it words what is wrong
	if err == nil && o == nil {
		err = errNull
	}
	return o, err
}

// object makes of a text, which is a JSON object, what matters of it; all for nil.
func object(d *partial.Decoder, text []byte, reads *reach.Paths) Object {
	o, _ := d.Value(text, reads).(Object)
	return o
}

// order is whether a list has the newest values first, as far as it has been read.
type order struct {
	last   time.Time // of the value before
	broken bool
}

// decoded is a value, its key, and why it cannot be used.
type decoded[T any] struct {
	value T
	key   string
	err   error
}

// lookAhead looks through a page before its values are passed on, so that a caller does not take one
// that is old for the end of the new ones. It returns the values, or nil where nothing is to be
// looked for.
func lookAhead[T any](l *lister[T], p *page, r *reading[T]) []decoded[T] {
	if l.endpoint.When == nil || r.order.broken {
		return nil
	}
	all := make([]decoded[T], len(*p.Values))
	for i, raw := range *p.Values {
		d := &all[i]
		if d.value, d.key, d.err = l.value(raw); d.err != nil {
			continue
		}
		if at, ok := l.endpoint.When(d.value); ok {
			r.order.broken = r.order.broken || !r.order.last.IsZero() && at.After(r.order.last)
			r.order.last = at
		}
	}
	return all
}

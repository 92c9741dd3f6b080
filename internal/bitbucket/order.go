package bitbucket

import (
	"encoding/json"
	"time"
)

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

// order looks through a page before its values are passed on, so that a caller does not take one
// that is old for the end of the new ones. It returns the values, or nil where nothing is to be
// looked for.
func (l *lister[T]) order(p *page, r *reading) []decoded[T] {
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

// valueOf is value for the i-th value of a page, of which all may have been decoded ahead.
func (l *lister[T]) valueOf(raw json.RawMessage, ahead []decoded[T], i int) (T, string, error) {
	if ahead == nil {
		return l.value(raw)
	}
	return ahead[i].value, ahead[i].key, ahead[i].err
}

package jq

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
)

var (
	errDepth = fmt.Errorf("gives a value nested deeper than %d levels", maxDepth)
	errLong  = fmt.Errorf("gives a number of more than %d digits", maxDigits)
	// ErrNotFinite comes with a value in which null stands for NaN, and the largest number
	// for an infinity.
	ErrNotFinite = errors.New("gives NaN or Infinity, which JSON does not have")
)

// plain returns v as plain JSON: *big.Int becomes json.Number, which the rest of the
// program knows and encoding/json writes exactly. A container is copied only when
// something in it changes.
//
// What v weighs when it is written out is taken from room.
//
// The error is ErrNotFinite when null stands for NaN, or the largest number for an infinity:
// the value is good otherwise. Any other error is a value that is not JSON, or does not fit into room.
func plain(v any, room *int) (any, error) {
	p := plainer{room: room}
	got, _, err := p.value(v, 0)
	if err == nil && p.notFinite {
		err = ErrNotFinite
	}
	return got, err
}

type plainer struct {
	room      *int
	notFinite bool
}

// value returns the plain value of v, and whether it is another one than v.
func (p *plainer) value(v any, depth int) (got any, changed bool, err error) {
	if depth > maxDepth {
		return nil, false, errDepth
	}
	if *p.room -= cell + textOf(v); *p.room < 0 {
		return nil, false, errMade
	}
	switch v := v.(type) {
	case nil, string, bool, int:
		return v, false, nil
	case json.Number:
		if number(v) != nil {
			return nil, false, errLong
		}
		return v, false, nil
	case float64:
		switch {
		case math.IsNaN(v):
			p.notFinite = true
			return nil, true, nil
		case math.IsInf(v, 0):
			p.notFinite = true
			return math.Copysign(math.MaxFloat64, v), true, nil
		case v == 0 && math.Signbit(v):
			return 0, true, nil
		}
		return v, false, nil
	case *big.Int:
		if number(v) != nil {
			return nil, false, errLong
		}
		return json.Number(v.String()), true, nil
	case []any:
		return p.array(v, depth)
	case map[string]any:
		return p.object(v, depth)
	}
	return nil, false, fmt.Errorf("gives a value that is not JSON (%T)", v)
}

func (p *plainer) array(v []any, depth int) (any, bool, error) {
	result, copied := v, false
	for i, member := range v {
		got, changed, err := p.value(member, depth+1)
		if err != nil {
			return nil, false, err
		}
		if !changed {
			continue
		}
		if !copied {
			result, copied = slices.Clone(v), true
		}
		result[i] = got
	}
	return result, copied, nil
}

func (p *plainer) object(v map[string]any, depth int) (any, bool, error) {
	result, copied := v, false
	for key, member := range v {
		*p.room -= len(key)
		got, changed, err := p.value(member, depth+1)
		if err != nil {
			return nil, false, err
		}
		if !changed {
			continue
		}
		if !copied {
			result, copied = maps.Clone(v), true
		}
		result[key] = got
	}
	return result, copied, nil
}

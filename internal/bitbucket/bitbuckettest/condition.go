package bitbuckettest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// condition is a compiled query.
type condition interface {
	holds(o object) bool
	mentions(field string) bool
}

type (
	anyOf      []condition
	allOf      []condition
	comparison struct {
		path   []string
		op     string
		value  any // nil, string, float64, bool or time.Time
		isTime bool
	}
)

func (c anyOf) holds(o object) bool {
	return slices.ContainsFunc(c, func(c condition) bool { return c.holds(o) })
}

func (c anyOf) mentions(field string) bool {
	return slices.ContainsFunc(c, func(c condition) bool { return c.mentions(field) })
}

func (c allOf) holds(o object) bool {
	return !slices.ContainsFunc(c, func(c condition) bool { return !c.holds(o) })
}

func (c allOf) mentions(field string) bool { return anyOf(c).mentions(field) }

func (c comparison) mentions(field string) bool { return c.path[0] == field }

// holds looks at each element of a list on the way: one that fits is enough. != and !~ are the opposites
// of = and ~, so that there no element may fit.
func (c comparison) holds(o object) bool {
	switch c.op {
	case "!=":
		c.op = "="
		return !c.holds(o)
	case "!~":
		c.op = "~"
		return !c.holds(o)
	}
	return anyValue(o, c.path, c.fits)
}

// fits compares one value. A value of another type, and null against anything but null, does not fit.
func (c comparison) fits(got any) bool {
	if c.value == nil || got == nil {
		return c.op == "=" && c.value == nil && got == nil
	}
	if c.op == "~" {
		g, ok1 := got.(string)
		w, ok2 := c.value.(string)
		return ok1 && ok2 && strings.Contains(strings.ToLower(g), strings.ToLower(w))
	}
	order, ok := c.order(got)
	if !ok {
		return false
	}
	switch c.op {
	case "=":
		return order == 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "<":
		return order < 0
	default:
		return order <= 0
	}
}

func (c comparison) order(got any) (int, bool) {
	switch want := c.value.(type) {
	case string:
		g, ok := got.(string)
		return cmp.Compare(g, want), ok
	case float64:
		g, ok := got.(int)
		return cmp.Compare(float64(g), want), ok
	case bool:
		g, ok := got.(bool)
		order := 1
		if g == want {
			order = 0
		}
		return order, ok && c.op == "="
	case time.Time:
		g, ok := got.(string)
		if !ok {
			return 0, false
		}
		at, err := time.Parse(time.RFC3339Nano, g)
		return at.Compare(want), err == nil
	}
	return 0, false
}

// anyValue calls accept with the values at path, through lists, until it says true. An absent value, and
// one below null, is nil.
func anyValue(v any, path []string, accept func(any) bool) bool {
	if l, ok := v.(list); ok {
		return slices.ContainsFunc(l, func(e any) bool { return anyValue(e, path, accept) })
	}
	if len(path) == 0 {
		return accept(v)
	}
	o, ok := v.(object)
	if !ok {
		return accept(nil)
	}
	m, _ := o.lookup(path[0])
	return anyValue(m.value, path[1:], accept)
}

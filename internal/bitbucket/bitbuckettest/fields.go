package bitbuckettest

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// selector is the `fields` parameter: the partial-response language.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response, read 2026-11.
type selector struct {
	base    bool // start from the default view; false when a name without a sign is given
	adds    [][]string
	removes [][]string
}

// parseFields reads "a,b.c" (only these), "+x" (add), "-x" (remove), with "*" for any name of a level. A
// plus sign that was not sent as %2B arrives as a space, and is refused.
func parseFields(text string) (selector, error) {
	f := selector{base: true}
	for part := range strings.SplitSeq(text, ",") {
		if strings.ContainsAny(part, " \t\n") {
			return f, errors.New("Invalid field " + strconv.Quote(part) + ": a plus sign must be sent as %2B")
		}
		name, add := strings.CutPrefix(part, "+")
		name, remove := strings.CutPrefix(name, "-")
		path := strings.Split(name, ".")
		if slices.Contains(path, "") {
			return f, errors.New("Invalid field " + strconv.Quote(part))
		}
		switch {
		case remove:
			f.removes = append(f.removes, path)
		case add:
			f.adds = append(f.adds, path)
		default:
			f.base = false
			f.adds = append(f.adds, path)
		}
	}
	return f, nil
}

// apply returns what is left of o. A name that o does not have is ignored. "*" stands for the members of
// the default view: one that is left out by default has to be named.
func (f selector) apply(o object) object {
	if f.base && len(f.adds) == 0 && len(f.removes) == 0 {
		return o
	}
	out := make(object, 0, len(o))
	for _, m := range o {
		sub := selector{base: f.base && !m.hidden}
		exact := false
		for _, p := range f.removes {
			if p[0] != m.key && p[0] != "*" {
				continue
			}
			if len(p) == 1 {
				sub.base = false
			} else {
				sub.removes = append(sub.removes, p[1:])
			}
		}
		for _, p := range f.adds {
			if p[0] != m.key && (p[0] != "*" || m.hidden) {
				continue
			}
			if len(p) == 1 {
				exact = true
			} else {
				sub.adds = append(sub.adds, p[1:])
			}
		}
		sub.base = sub.base || exact
		if value, ok := sub.applyValue(m.value); ok {
			out = append(out, member{m.key, value, shown})
		}
	}
	return out
}

func (f selector) applyValue(value any) (any, bool) {
	if !f.base && len(f.adds) == 0 {
		return nil, false
	}
	switch value := value.(type) {
	case object:
		out := f.apply(value)
		return out, f.base || len(out) > 0
	case list:
		if f.base && len(f.adds) == 0 && len(f.removes) == 0 {
			return value, true
		}
		out := make(list, 0, len(value))
		for _, e := range value {
			if kept, ok := f.applyValue(e); ok {
				out = append(out, kept)
			}
		}
		return out, true
	case nil:
		return nil, true
	}
	return value, f.base
}

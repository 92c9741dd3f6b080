package kind

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/shape"
)

// parts are what matters of the values of a list, and the parameter fields that asks for it:
// without kind, reads and fields, whole values.
type parts struct {
	kind   string
	reads  *reach.Paths // nil for all
	fields string       // empty where whole values are asked for
	moment time.Time    // that of the workspace
}

// Partial returns the resource with what its expressions reach of an object: its lists need
// hold no more, where Options.Parts say so.
func (b Bound) Partial(reads *reach.Paths) Bound {
	if b.lists != nil {
		b.parts = b.lists(reads)
	}
	return b
}

// partsOf are what matters of each list to any of some resources, by the key of the list. A
// list of which all matters to one of them is not among them.
func partsOf(resources []Bound) map[any]*reach.Paths {
	all, whole := map[any]*reach.Paths{}, map[any]bool{}
	for _, b := range resources {
		for key, reads := range b.parts {
			all[key] = reach.Union(all[key], reads)
			whole[key] = whole[key] || reads == nil
		}
	}
	for key := range whole {
		if whole[key] {
			delete(all, key)
		}
	}
	return all
}

const (
	// ofPage is what is asked for of each page besides its values.
	ofPage = "next,page,pagelen,size"
	// maxFields bounds the parameter as it is sent, in bytes: some servers take addresses of up to 4 KB,
	// and the query of the user needs a part of that.
	maxFields = 2000
)

// fieldsOf returns the parameter fields that asks for what matters of the values of a list,
// whose objects have a shape; empty where whole values are to be asked for. A list without the
// parameter leaves out some fields, which asking for them by name brings in: so what the shape
// does not name is asked for with what it is in, which by its name alone comes as it does without
// the parameter. What an object is to be there for is asked for with its type, which each has.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response, read
// 2026-11; that a name alone brings all below it is seen in the answers to a public client,
// https://gitlab.com/gitlab-org/gitlab/-/merge_requests/156383.
func fieldsOf(reads *reach.Paths, of *shape.Shape) string {
	if reads == nil || of == nil {
		return ""
	}
	names := namesIn(&reach.Paths{Whole: reads.Whole, Keys: reads.Keys, Each: reads.Each}, of, "values", false)
	for encoded := ""; ; {
		slices.Sort(names)
		if slices.Contains(names, "values") {
			return ""
		}
		encoded = ofPage + "," + strings.Join(names, ",")
		if len(url.QueryEscape(encoded)) <= maxFields {
			return encoded
		}
		names = widen(names)
	}
}

// namesOf returns the names of what matters of a value of a shape, at a path.
func namesOf(reads *reach.Paths, of *shape.Shape, path string) []string {
	whole := []string{path}
	switch {
	case reads.Whole || of == nil || of.Form != shape.Object && of.Form != shape.List:
		return whole
	case of.Form == shape.Object:
		return namesIn(reads, of, path, reads.There || len(reads.Keys) == 0)
	case len(reads.Keys) > 0 || of.Member() == nil || of.Member().Form != shape.Object:
		return whole
	case reads.Each == nil:
		return namesIn(&reach.Paths{}, of.Member(), path, true)
	}
	return namesIn(reads.Each, of.Member(), path, true)
}

// namesIn returns the names of what matters of an object, and where it matters that the object
// is there, one that each has.
func namesIn(reads *reach.Paths, of *shape.Shape, path string, there bool) (names []string) {
	whole := []string{path}
	if reads.Whole || reads.Each != nil || there && of.Field("type") == nil {
		return whole
	}
	if there {
		names = append(names, path+".type")
	}
	for key, below := range reads.Keys {
		field := of.Field(key)
		if field == nil || strings.Trim(key, nameable) != "" {
			return whole
		}
		names = append(names, namesOf(below, field, path+"."+key)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nameable are the characters of names that fields can hold.
const nameable = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

// widen asks for one more object or array as a whole: the one whose names take the most room.
func widen(names []string) []string {
	room := map[string]int{}
	for _, name := range names {
		room[name[:strings.LastIndexByte(name, '.')]] += len(name)
	}
	longest := ""
	for parent, n := range room {
		if longest == "" || n > room[longest] || n == room[longest] && parent < longest {
			longest = parent
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, longest+".") })
	return append(names, longest)
}

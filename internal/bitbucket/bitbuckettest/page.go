package bitbuckettest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// selection says which items of a collection a request asks for, and in which order.
type selection struct {
	kind   string            // name of the list, see content.examples
	scope  string            // what else tells this collection from others, for the cache
	source func() []item     // in default order
	keep   func(o item) bool // nil keeps all
	// without is a condition that holds unless `q` mentions its field.
	without      func(o item) bool
	withoutField string
}

// selectItems applies `q` and `sort`. The answer is the refusal when one of them is wrong.
func (v view) selectItems(q *request, sel selection) ([]item, *answer) {
	text, sort := q.query.Get("q"), q.query.Get("sort")
	key := strings.Join([]string{v.base, q.path, sel.scope, text, sort}, "\x00")
	if l, ok := v.w.lists.get(key, v.w.gen); ok {
		return l, nil
	}
	known := v.w.schema()[sel.kind]
	var cond condition
	if q.query.Has("q") {
		c, err := parseQuery(text, known)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "Invalid query: "+err.Error()).noted("bad q: " + err.Error())
		}
		cond = c
	}
	keepDefault := sel.without
	if cond != nil && cond.mentions(sel.withoutField) {
		keepDefault = nil
	}
	l := make([]item, 0)
	for _, it := range sel.source() {
		if (sel.keep == nil || sel.keep(it)) && (keepDefault == nil || keepDefault(it)) &&
			(cond == nil || cond.holds(it.tree(v))) {
			l = append(l, it)
		}
	}
	if q.query.Has("sort") {
		field, descending := strings.CutPrefix(sort, "-")
		if !known.has(strings.Split(field, ".")) {
			return nil, refuse(http.StatusBadRequest, "Invalid sort field").noted("bad sort: " + strconv.Quote(sort))
		}
		l = v.sorted(l, strings.Split(field, "."), descending)
	}
	v.w.lists.put(key, v.w.gen, l)
	return l, nil
}

func (v view) sorted(items []item, path []string, descending bool) []item {
	type keyed struct {
		it  item
		key any
	}
	all := make([]keyed, len(items))
	for i, it := range items {
		all[i].it = it
		anyValue(it.tree(v), path, func(x any) bool { all[i].key = x; return true })
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		c := compareValues(a.key, b.key)
		if descending {
			return -c
		}
		return c
	})
	out := make([]item, len(all))
	for i, k := range all {
		out[i] = k.it
	}
	return out
}

// compareValues orders null first, then by type.
func compareValues(a, b any) int {
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			return cmp.Compare(a, b)
		}
	case int:
		if b, ok := b.(int); ok {
			return cmp.Compare(a, b)
		}
	case bool:
		if b, ok := b.(bool); ok {
			return cmp.Compare(strconv.FormatBool(a), strconv.FormatBool(b))
		}
	}
	rank := func(v any) int {
		if v == nil {
			return 0
		}
		return 1
	}
	return cmp.Compare(rank(a), rank(b))
}

// pageByNumber is the paging of every list but the source listing. A page beyond the end is empty.
func (v view) pageByNumber(q *request, items []item) *answer {
	n := 1
	if q.query.Has("page") {
		var err error
		if n, err = strconv.Atoi(q.query.Get("page")); err != nil || n < 1 {
			return refuse(http.StatusBadRequest, "Invalid page").noted("bad page")
		}
	}
	return v.page(q, items, n, strconv.Itoa, len(items))
}

// page renders page n; name gives the `page` parameter that stands for a page number in links. A size below 0
// is not told.
func (v view) page(q *request, items []item, n int, name func(n int) string, size int) *answer {
	length := v.pagelen(q)
	from := min((n-1)*length, len(items))
	to := min(from+length, len(items))
	values := make(list, 0, to-from)
	for _, it := range items[from:to] {
		values = append(values, it.tree(v))
	}
	o := object{{"values", values, shown}, {"pagelen", length, shown}}
	if size >= 0 && !v.w.omitSize {
		o = append(o, member{"size", size, shown})
	}
	o = append(o, member{"page", n, shown})
	if to < len(items) {
		o = append(o, member{"next", q.self(url.Values{"page": {name(n + 1)}}), shown})
	}
	if n > 1 && from < len(items) {
		o = append(o, member{"previous", q.self(url.Values{"page": {name(n - 1)}}), shown})
	}
	a := v.respond(q, o)
	a.again = q.self(url.Values{"page": {name(n)}})
	return a
}

func (v view) pagelen(q *request) int {
	if v.w.maxPage > 0 {
		return min(q.pagelen(), v.w.maxPage)
	}
	return q.pagelen()
}

func newestFirst[T item](all []T, updated func(T) time.Time) []item {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b T) int { return updated(b).Compare(updated(a)) })
	items := make([]item, len(sorted))
	for i, o := range sorted {
		items[i] = o
	}
	return items
}

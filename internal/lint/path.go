package lint

import (
	"slices"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/shape"
)

// sameInput are the functions whose arguments see what the function sees.
var sameInput = []string{
	"select", "first", "last", "limit", "isempty", "error", "add", "path", "del", "has", "contains", "inside", "startswith", "endswith", "ltrimstr",
	"rtrimstr", "join", "split", "test", "match", "capture", "scan", "splits", "range", "debug", "tojson", "getpath", "index", "rindex", "indices",
}

// eachMember are the functions whose argument sees the members of what the function sees.
var eachMember = []string{"map", "any", "all", "sort_by", "group_by", "unique_by", "min_by", "max_by"}

// sameOutput are the functions that give what they see, or nothing.
var sameOutput = []string{"select", "values", "debug"}

// rootPaths returns the paths that an expression reads of an object, as far as they are
// certain, in their order. What is known of the object says which parts are lists.
func rootPaths(q *gojq.Query, object *shape.Shape) []shape.Path {
	r := rooted{own: jq.Defined(q), object: object}
	r.query(q)
	return r.paths
}

type rooted struct {
	own    map[string]bool // functions that the expression defines itself
	object *shape.Shape
	base   shape.Path // where what the query sees stands in the object
	paths  []shape.Path
}

// at looks at a query that sees another part of the object.
func (r *rooted) at(base shape.Path, q *gojq.Query) {
	before := r.base
	r.base = base
	r.query(q)
	r.base = before
}

// hasParts reports whether an object or a list stands at a path: to read a field of another
// value is a mistake of another kind, in what binds stronger.
func (r *rooted) hasParts(path shape.Path) bool {
	of := r.object.At(path)
	return of != nil && (of.Form == shape.Object || of.Form == shape.List)
}

// query looks at a query that sees a part of the object, at the base.
func (r *rooted) query(q *gojq.Query) {
	if q == nil {
		return
	}
	if q.Term != nil {
		r.term(q.Term)
		return
	}
	r.query(q.Left)
	if q.Op != gojq.OpPipe || len(q.Patterns) > 0 {
		r.query(q.Right)
	} else if base, ok := r.output(q.Left); ok && r.hasParts(base) {
		r.at(base, q.Right)
	}
}

// output returns where what a query gives stands in the object, when that is certain.
func (r *rooted) output(q *gojq.Query) (path shape.Path, ok bool) {
	switch {
	case q == nil || len(q.FuncDefs) > 0:
	case q.Term != nil:
		return r.outputOf(q.Term)
	case q.Op == gojq.OpPipe && len(q.Patterns) == 0:
		before := r.base
		if r.base, ok = r.output(q.Left); ok {
			path, ok = r.output(q.Right)
		}
		r.base = before
	}
	return path, ok
}

func (r *rooted) outputOf(t *gojq.Term) (path shape.Path, ok bool) {
	suffixes := t.SuffixList
	switch t.Type {
	case gojq.TermTypeIdentity:
		path, ok = r.base, true
	case gojq.TermTypeIndex:
		path, ok = r.base, true
		suffixes = append([]*gojq.Suffix{{Index: t.Index}}, suffixes...)
	case gojq.TermTypeQuery:
		path, ok = r.output(t.Query)
	case gojq.TermTypeFunc:
		switch args := t.Func.Args; {
		case r.own[t.Func.Name]:
		case slices.Contains(sameOutput, t.Func.Name):
			path, ok = r.base, true
		case (t.Func.Name == "first" || t.Func.Name == "last") && len(args) == 0:
			path, ok = append(slices.Clone(r.base), shape.Step{Member: true}), true
		case (t.Func.Name == "first" || t.Func.Name == "last" || t.Func.Name == "limit") && len(args) > 0:
			path, ok = r.output(args[len(args)-1])
		}
	}
	if !ok {
		return nil, false
	}
	path, end := walk(path, suffixes)
	return path, end == certain && (len(path) == 0 || !path[0].Member)
}

func (r *rooted) term(t *gojq.Term) {
	for _, suffix := range t.SuffixList {
		r.index(suffix.Index)
	}
	switch t.Type {
	case gojq.TermTypeIdentity:
		r.path(t.SuffixList)
	case gojq.TermTypeIndex:
		r.path(append([]*gojq.Suffix{{Index: t.Index}}, t.SuffixList...))
		r.index(t.Index)
	case gojq.TermTypeQuery:
		r.query(t.Query)
	case gojq.TermTypeArray:
		r.query(t.Array.Query)
	case gojq.TermTypeUnary:
		r.term(t.Unary.Term)
	case gojq.TermTypeString:
		r.text(t.Str)
	case gojq.TermTypeFormat:
		r.text(t.Str)
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			r.query(kv.KeyQuery)
			r.query(kv.Val)
			if kv.Val == nil && kv.Key != "" && kv.Key[0] != '$' {
				r.paths = append(r.paths, append(slices.Clone(r.base), shape.Step{Key: kv.Key}))
			}
		}
	case gojq.TermTypeIf:
		r.query(t.If.Cond)
		r.query(t.If.Then)
		for _, elif := range t.If.Elif {
			r.query(elif.Cond)
			r.query(elif.Then)
		}
		r.query(t.If.Else)
	case gojq.TermTypeTry:
		r.query(t.Try.Body)
	case gojq.TermTypeReduce:
		r.query(t.Reduce.Query)
	case gojq.TermTypeForeach:
		r.query(t.Foreach.Query)
	case gojq.TermTypeFunc:
		if !r.own[t.Func.Name] {
			r.call(t.Func)
		}
	}
}

// call looks at the arguments of a function of jq's own.
func (r *rooted) call(f *gojq.Func) {
	list := r.object.At(r.base)
	switch {
	case slices.Contains(sameInput, f.Name):
		for _, arg := range f.Args {
			r.query(arg)
		}
	case (f.Name == "any" || f.Name == "all") && len(f.Args) == 2:
		r.query(f.Args[0])
		if base, ok := r.output(f.Args[0]); ok {
			r.at(base, f.Args[1])
		}
	case slices.Contains(eachMember, f.Name) && len(f.Args) == 1 && list != nil && list.Form == shape.List:
		r.at(append(slices.Clone(r.base), shape.Step{Member: true}), f.Args[0])
	}
}

func (r *rooted) text(s *gojq.String) {
	if s != nil {
		for _, q := range s.Queries {
			r.query(q)
		}
	}
}

// path adds the path that suffixes lead along, from the base on. It ends before what is not
// known.
func (r *rooted) path(suffixes []*gojq.Suffix) {
	path, end := walk(r.base, suffixes)
	switch {
	case len(path) == len(r.base) || path[0].Member:
	case end != optional:
		r.paths = append(r.paths, path)
	case len(r.base) == 0: // an error is expected, after the first key
		r.paths = append(r.paths, path[:1])
	}
}

// The ends of a path.
const (
	certain  = iota // it is whole
	unknown         // it goes on along what is not known
	optional        // an error is expected on it
)

// walk goes along suffixes from a path on.
func walk(from shape.Path, suffixes []*gojq.Suffix) (path shape.Path, end int) {
	path = slices.Clone(from)
	for _, suffix := range suffixes {
		key, isKey := jq.Key(suffix.Index)
		switch {
		case suffix.Optional:
			return path, optional
		case suffix.Iter, suffix.Index != nil && !suffix.Index.IsSlice && numbered(suffix.Index):
			path = append(path, shape.Step{Member: true, Each: suffix.Iter})
		case isKey:
			path = append(path, shape.Step{Key: key})
		default:
			return path, unknown
		}
	}
	return path, certain
}

// numbered reports whether an index is a number that is written out.
func numbered(i *gojq.Index) bool {
	t := i.Start
	return i.Name == "" && i.Str == nil && t != nil && t.Term != nil && (t.Term.Type == gojq.TermTypeNumber || t.Term.Type == gojq.TermTypeUnary)
}

// index looks at what is computed in brackets.
func (r *rooted) index(i *gojq.Index) {
	if i != nil {
		r.query(i.Start)
		r.query(i.End)
		r.text(i.Str)
	}
}

// pathAt returns the offset of the last key of a path, as far as it is certain: where its
// keys follow each other directly, or else in that order.
func pathAt(source string, path shape.Path) int {
	at, whole := keysAt(source, path, true)
	if !whole {
		at, _ = keysAt(source, path, false)
	}
	return at
}

func keysAt(source string, path shape.Path, together bool) (at int, whole bool) {
	keys := slices.DeleteFunc(slices.Clone(path), func(s shape.Step) bool { return s.Member })
	next := 0
	for _, t := range tokens(source) {
		switch {
		case t.kind != fieldToken || next == len(keys):
		case t.value == "."+keys[next].Key:
			at = t.start
			next++
		case together:
			next = 0
		}
	}
	return at, next == len(keys)
}

// rootPath returns the path that a query is, from the object on, and what stands there;
// nil when that is not known.
func (x *expression) rootPath(q *gojq.Query) (shape.Path, *shape.Shape) {
	t := jq.OnlyTerm(q)
	if t == nil || t.Type != gojq.TermTypeIndex {
		return nil, nil
	}
	paths := rootPaths(q, x.Kind.Object)
	if len(paths) != 1 || len(paths[0]) != 1+len(t.SuffixList) {
		return nil, nil
	}
	return paths[0], x.Kind.Object.At(paths[0])
}

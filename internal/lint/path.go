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

// rootPaths returns the paths that an expression reads of the object itself, as far as
// they are certain, in their order.
func rootPaths(q *gojq.Query) []shape.Path {
	r := rooted{own: jq.Defined(q)}
	r.query(q)
	return r.paths
}

type rooted struct {
	own   map[string]bool // functions that the expression defines itself
	paths []shape.Path
}

// query looks at a query that sees the object.
func (r *rooted) query(q *gojq.Query) {
	if q == nil {
		return
	}
	if q.Term != nil {
		r.term(q.Term)
		return
	}
	r.query(q.Left)
	if q.Op != gojq.OpPipe || len(q.Patterns) > 0 || identical(q.Left) {
		r.query(q.Right)
	}
}

func (r *rooted) term(t *gojq.Term) {
	for _, suffix := range t.SuffixList {
		r.index(suffix.Index)
	}
	switch t.Type {
	case gojq.TermTypeIdentity:
		if len(t.SuffixList) > 0 {
			r.path(t.SuffixList[0].Index, t.SuffixList[1:])
		}
	case gojq.TermTypeIndex:
		r.path(t.Index, t.SuffixList)
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
				r.paths = append(r.paths, shape.Path{{Key: kv.Key}})
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
		if slices.Contains(sameInput, t.Func.Name) && !r.own[t.Func.Name] {
			for _, arg := range t.Func.Args {
				r.query(arg)
			}
		}
		if (t.Func.Name == "any" || t.Func.Name == "all") && len(t.Func.Args) == 2 {
			r.query(t.Func.Args[0])
		}
	}
}

func (r *rooted) text(s *gojq.String) {
	if s != nil {
		for _, q := range s.Queries {
			r.query(q)
		}
	}
}

// path adds a path that begins with a key. It ends before what is not known.
func (r *rooted) path(first *gojq.Index, suffixes []*gojq.Suffix) {
	key, ok := jq.Key(first)
	if !ok {
		return
	}
	path := shape.Path{{Key: key}}
steps:
	for _, suffix := range suffixes {
		key, isKey := jq.Key(suffix.Index)
		switch {
		case suffix.Optional: // an error is expected
			r.paths = append(r.paths, path[:1])
			return
		case suffix.Iter, suffix.Index != nil && !suffix.Index.IsSlice && numbered(suffix.Index):
			path = append(path, shape.Step{Member: true})
		case isKey:
			path = append(path, shape.Step{Key: key})
		default:
			break steps
		}
	}
	r.paths = append(r.paths, path)
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

// pathAt returns the offset of the last key of a path, as far as it is certain.
func pathAt(source string, path shape.Path) int {
	at, next := 0, 0
	for _, t := range tokens(source) {
		if next < len(path) && path[next].Member {
			next++
		}
		if t.kind == fieldToken && next < len(path) && t.value == "."+path[next].Key {
			at = t.start
			next++
		} else if t.kind == fieldToken && next < len(path) {
			next = 0
		}
	}
	return at
}

// rootPath returns the path that a query is, from the object on, and what stands there;
// nil when that is not known.
func (x *expression) rootPath(q *gojq.Query) (shape.Path, *shape.Shape) {
	t := jq.OnlyTerm(q)
	if t == nil || t.Type != gojq.TermTypeIndex {
		return nil, nil
	}
	paths := rootPaths(q)
	if len(paths) != 1 || len(paths[0]) != 1+len(t.SuffixList) {
		return nil, nil
	}
	return paths[0], x.Kind.Object.At(paths[0])
}

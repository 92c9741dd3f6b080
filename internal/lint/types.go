package lint

import (
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/jq"
)

// types is a set of the types that a value can have.
type types uint

const (
	isNull types = 1 << iota
	isBoolean
	isNumber
	isString
	isArray
	isObject

	anyType       = isNull | isBoolean | isNumber | isString | isArray | isObject
	noType  types = 0 // no result at all
)

// String names the types, for messages.
func (t types) String() string {
	var words []string
	for i, word := range []string{"null", "true or false", "a number", "a text", "an array", "an object"} {
		if t&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, " or ")
}

// resultTypes are the functions whose results have known types, whatever comes in.
var resultTypes = map[string]types{
	"not": isBoolean, "test": isBoolean, "startswith": isBoolean, "endswith": isBoolean, "contains": isBoolean, "inside": isBoolean,
	"has": isBoolean, "in": isBoolean, "any": isBoolean, "all": isBoolean, "isempty": isBoolean, "isnan": isBoolean, "isinfinite": isBoolean,
	"isnormal": isBoolean, "IN": isBoolean, "toboolean": isBoolean,

	"length": isNumber, "utf8bytelength": isNumber, "tonumber": isNumber, "now": isNumber, "floor": isNumber, "ceil": isNumber, "round": isNumber,
	"sqrt": isNumber, "fabs": isNumber, "mktime": isNumber, "fromdate": isNumber, "range": isNumber, "infinite": isNumber, "nan": isNumber,

	"tostring": isString, "tojson": isString, "type": isString, "ascii_downcase": isString, "ascii_upcase": isString, "join": isString,
	"sub": isString, "gsub": isString, "todate": isString, "strftime": isString, "implode": isString, "splits": isString,
	"trim": isString, "ltrim": isString, "rtrim": isString,

	"keys": isArray, "map": isArray, "split": isArray, "to_entries": isArray, "sort": isArray, "sort_by": isArray, "unique": isArray,
	"unique_by": isArray, "group_by": isArray, "flatten": isArray, "explode": isArray, "combinations": isArray, "transpose": isArray,
	"paths": isArray, "gmtime": isArray, "localtime": isArray, "strptime": isArray,

	"from_entries": isObject, "with_entries": isObject, "capture": isObject, "match": isObject, "env": isObject, "$ENV": isObject,
	"index": isNumber | isNull, "rindex": isNumber | isNull, "indices": isArray | isNull, "scan": isString | isArray,
	"empty": noType,
}

// typer finds the types of expressions. What it returns is never too narrow: it is
// anyType where nothing is known.
type typer struct {
	own map[string]bool // functions that the expression defines itself
}

func newTyper(q *gojq.Query) typer { return typer{own: jq.Defined(q)} }

// query returns the types of the results of a query on a value of the given types.
func (t typer) query(q *gojq.Query, in types) types {
	switch {
	case q == nil || q.Meta != nil || len(q.Imports) > 0:
		return anyType
	case q.Term != nil:
		return t.term(q.Term, in)
	}
	switch q.Op {
	case gojq.OpPipe:
		if len(q.Patterns) > 0 {
			return t.query(q.Right, in)
		}
		return t.query(q.Right, t.query(q.Left, in))
	case gojq.OpComma:
		return t.query(q.Left, in) | t.query(q.Right, in)
	case gojq.OpAlt:
		return t.query(q.Left, in)&^isNull | t.query(q.Right, in)
	case gojq.OpEq, gojq.OpNe, gojq.OpGt, gojq.OpGe, gojq.OpLt, gojq.OpLe, gojq.OpAnd, gojq.OpOr:
		return isBoolean
	case gojq.OpAdd:
		return t.query(q.Left, in) | t.query(q.Right, in)
	case gojq.OpSub:
		return isNumber | isArray
	case gojq.OpMod:
		return isNumber
	}
	if jq.Assigns(q.Op) && t.path(q.Left) {
		return in&^isNull | isObject | isArray
	}
	return anyType
}

// path reports whether a query is a path of at least one key: .a, .a[0].b.
func (t typer) path(q *gojq.Query) bool {
	term := jq.OnlyTerm(q)
	return term != nil && term.Type == gojq.TermTypeIndex
}

func (t typer) term(term *gojq.Term, in types) types {
	for _, suffix := range term.SuffixList {
		if !suffix.Optional {
			return anyType
		}
	}
	switch term.Type {
	case gojq.TermTypeIdentity:
		return in
	case gojq.TermTypeNull:
		return isNull
	case gojq.TermTypeTrue, gojq.TermTypeFalse:
		return isBoolean
	case gojq.TermTypeNumber, gojq.TermTypeUnary:
		return isNumber
	case gojq.TermTypeString, gojq.TermTypeFormat:
		return isString
	case gojq.TermTypeArray:
		return isArray
	case gojq.TermTypeObject:
		return isObject
	case gojq.TermTypeQuery:
		return t.query(term.Query, in)
	case gojq.TermTypeFunc:
		return t.function(term.Func, in)
	case gojq.TermTypeIf:
		return t.choice(term.If, in)
	case gojq.TermTypeTry:
		got := t.query(term.Try.Body, in)
		if term.Try.Catch != nil {
			got |= t.query(term.Try.Catch, anyType)
		}
		return got
	}
	return anyType
}

func (t typer) choice(i *gojq.If, in types) types {
	got := t.query(i.Then, in)
	for _, elif := range i.Elif {
		got |= t.query(elif.Then, in)
	}
	if i.Else == nil {
		return got | in
	}
	return got | t.query(i.Else, in)
}

func (t typer) function(f *gojq.Func, in types) types {
	if t.own[f.Name] {
		return anyType
	}
	switch {
	case f.Name == "select" && len(f.Args) == 1, f.Name == "debug", f.Name == "stderr":
		return in
	case (f.Name == "first" || f.Name == "last") && len(f.Args) == 1:
		return t.query(f.Args[0], in)
	}
	if got, known := resultTypes[f.Name]; known {
		return got
	}
	return anyType
}

// count is what is known of the number of results of a query.
type count struct {
	none bool // there can be none
	many bool // there can be several
}

func (c count) times(o count) count { return count{c.none || o.none, c.many || o.many} }

// resultCounts are the functions that do not always give one result.
var resultCounts = map[string]count{
	"empty": {none: true}, "range": {true, true}, "splits": {true, true}, "scan": {true, true}, "match": {none: true}, "capture": {none: true},
	"paths": {true, true}, "recurse": {many: true}, "repeat": {many: true}, "while": {true, true}, "limit": {true, true}, "combinations": {true, true},
	"arrays": {none: true}, "objects": {none: true}, "iterables": {none: true}, "booleans": {none: true}, "numbers": {none: true},
	"strings": {none: true}, "nulls": {none: true}, "values": {none: true}, "scalars": {none: true},
}

// count returns how many results a query can have. It may be too narrow.
func (t typer) count(q *gojq.Query) count {
	switch {
	case q == nil:
		return count{}
	case q.Term != nil:
		return t.countTerm(q.Term)
	}
	left, right := t.count(q.Left), t.count(q.Right)
	switch q.Op {
	case gojq.OpComma:
		return count{left.none && right.none, true}
	case gojq.OpAlt:
		return count{right.none, left.many || right.many}
	}
	if jq.Assigns(q.Op) {
		return count{}
	}
	return left.times(right)
}

func (t typer) countTerm(term *gojq.Term) count {
	var got count
	switch term.Type {
	case gojq.TermTypeQuery:
		got = t.count(term.Query)
	case gojq.TermTypeRecurse:
		got = count{many: true}
	case gojq.TermTypeFunc:
		got = t.countFunction(term.Func)
	case gojq.TermTypeIf:
		got = t.count(term.If.Then)
		for _, elif := range term.If.Elif {
			then := t.count(elif.Then)
			got = count{got.none || then.none, got.many || then.many}
		}
		otherwise := t.count(term.If.Else)
		got = count{got.none || otherwise.none, got.many || otherwise.many}
	case gojq.TermTypeTry:
		got = t.count(term.Try.Body)
	}
	for _, suffix := range term.SuffixList {
		if suffix.Iter {
			got = count{true, true}
		}
	}
	return got
}

func (t typer) countFunction(f *gojq.Func) count {
	switch {
	case t.own[f.Name]:
		return count{}
	case f.Name == "select":
		return count{none: true}
	case (f.Name == "first" || f.Name == "last") && len(f.Args) == 1:
		return count{none: t.count(f.Args[0]).none}
	case f.Name == "limit" && len(f.Args) == 2:
		got := t.count(f.Args[1])
		if most := jq.OnlyTerm(f.Args[0]); most != nil && most.Type == gojq.TermTypeNumber && most.Number == "1" {
			got.many = false
		}
		return got
	}
	return resultCounts[f.Name]
}

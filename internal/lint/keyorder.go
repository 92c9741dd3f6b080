package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// seen is what is known of a value.
type seen struct {
	types  types
	at     *shape.Shape
	holds  *seen // what the members of an array are; nil when nothing is known of them
	sorted bool  // the keys are written in their order
}

// certain reports whether a value that is not null is an object.
func (s seen) certain() bool { return s.types&^isNull == isObject && !s.sorted }

// possible reports whether a value can be an object.
func (s seen) possible() bool { return s.types&isObject != 0 && !s.sorted }

// member is what a member of an array, or of an object, is.
func (s seen) member() seen {
	if s.holds != nil {
		return *s.holds
	}
	return known(s.at.Member())
}

// holding reports whether the text of a value has an object in it: certainly, or possibly.
func (s seen) holding() (certain, possible bool) {
	certain, possible = s.certain(), s.possible()
	if s.types&isArray != 0 {
		member := s.member()
		certain = certain || s.types&^isNull == isArray && member.certain()
		possible = possible || member.possible()
	}
	return certain, possible
}

// formTypes are the types of the forms of shapes.
var formTypes = map[shape.Form]types{
	shape.Text: isString, shape.Number: isNumber, shape.Flag: isBoolean, shape.Object: isObject, shape.List: isArray,
}

func known(at *shape.Shape) seen {
	if at == nil || at.Form == shape.Unknown {
		return seen{types: anyType}
	}
	return seen{types: formTypes[at.Form] | isNull, at: at}
}

// ordered goes along an expression, and finds where the order of the keys of an object shows
// in the result.
type ordered struct{ *expression }

func (o ordered) tell(name, example, here, there, fix string) {
	o.once(mapping.RuleJQDiffers, diag.Warning, locate(o.source, strings.TrimSuffix(name, "[]")),
		fmt.Sprintf(`the keys of objects are sorted here, and keep their order in Port's own integration: {"b":1,"a":2} | %s is %s here, and %s there`, example, here, there), fix)
}

// unorderedFix is for what gives the members of an object.
const unorderedFix = "sort the result, or read the keys by their names, unless the order does not matter"

func (o ordered) members(name string, in seen, unordered, sure bool) {
	switch {
	case unordered || !in.possible() || sure && !in.certain():
	case name == "[]":
		o.tell("[]", "[.[]]", "[2,1]", "[1,2]", unorderedFix)
	default:
		o.tell(name, "[keys_unsorted[]]", `["a","b"]`, `["b","a"]`, unorderedFix)
	}
}

// text is for what writes a value.
func (o ordered) text(name string, in seen, unordered, sure bool) {
	if certain, possible := in.holding(); !unordered && (certain || possible && !sure) {
		o.tell(name, "tojson", `{"a":2,"b":1}`, `{"b":1,"a":2}`, "write the fields that you need, one by one")
	}
}

// query returns what is known of the result. Unordered says that the order of several
// results, or of the members of an array, is lost on the way.
func (o ordered) query(q *gojq.Query, in seen, unordered bool) seen {
	switch {
	case q == nil:
		return in
	case q.Term != nil:
		return o.term(q.Term, in, unordered)
	case q.Op == gojq.OpPipe && len(q.Patterns) == 0:
		return o.query(q.Right, o.query(q.Left, in, unordered || loses(q.Right, makesObjects(q.Left))), unordered)
	case q.Op == gojq.OpPipe:
		o.query(q.Left, in, unordered)
		return o.query(q.Right, in, unordered)
	}
	compared := compares(q.Op) || q.Op == gojq.OpAnd || q.Op == gojq.OpOr
	left, right := o.query(q.Left, in, unordered && !compared), o.query(q.Right, in, unordered && !compared)
	switch q.Op {
	case gojq.OpComma, gojq.OpAlt:
		return seen{types: left.types | right.types, sorted: left.sorted && right.sorted}
	}
	return seen{types: o.types.query(q, in.types)}
}

// orderless are functions after which the order of what came before does not show.
var orderless = []string{
	"sort", "sort_by", "group_by", "unique", "unique_by", "from_entries", "length", "any", "all", "min", "max", "min_by", "max_by",
	"isempty", "contains", "inside", "IN", "has", "INDEX", "type", "not", "keys",
}

// passing are functions that leave the order as it is.
var passing = []string{"map", "select", "values", "strings", "numbers", "objects", "arrays", "tostring", "tojson", "with_entries", "map_values", "del", "ascii_downcase", "ascii_upcase"}

// loses reports whether the order of what comes in does not show in the result of a query.
// Merged says that what comes in are objects, of which add makes one.
func loses(q *gojq.Query, merged bool) bool {
	for _, stage := range stages(q) {
		t := jq.OnlyTerm(stage)
		switch {
		case t == nil, picks(t.SuffixList):
			return false
		case t.Type == gojq.TermTypeArray:
			if t.Array.Query != nil && loses(t.Array.Query, false) {
				return true
			}
		case t.Type == gojq.TermTypeIndex && t.Index.Name == "":
			return false
		case t.Type == gojq.TermTypeFunc:
			if ends, lost := losing(t.Func, merged); ends {
				return lost
			}
		case t.Type != gojq.TermTypeIndex && t.Type != gojq.TermTypeIdentity && t.Type != gojq.TermTypeObject:
			return false
		}
		merged = makesObjects(stage)
	}
	return false
}

// losing reports whether a function decides about the order, and whether it is lost then.
func losing(f *gojq.Func, merged bool) (decides, lost bool) {
	switch {
	case slices.Contains(orderless, f.Name), merged && f.Name == "add":
		return true, true
	case f.Name == "select" && len(f.Args) == 1 && oneKey(f.Args[0]):
		return true, true // one member is left
	case f.Name == "map" && len(f.Args) == 1 && loses(f.Args[0], false):
		return true, true
	}
	return !slices.Contains(passing, f.Name), false
}

// oneKey reports whether a condition compares the key of an entry with a text.
func oneKey(q *gojq.Query) bool {
	if q.Op != gojq.OpEq {
		return false
	}
	_, text := jq.Text(q.Right)
	key, isKey := lastKey(q.Left)
	return text && isKey && key == "key"
}

// makesObjects reports whether each result, or each member of the result, is an object that
// the query makes.
func makesObjects(q *gojq.Query) bool {
	t := jq.OnlyTerm(q)
	switch {
	case t == nil || len(t.SuffixList) > 0:
	case t.Type == gojq.TermTypeArray && t.Array.Query != nil:
		inner := stages(t.Array.Query)
		return makesObjects(inner[len(inner)-1])
	case t.Type == gojq.TermTypeFunc && t.Func.Name == "map" && len(t.Func.Args) == 1:
		return makesObjects(t.Func.Args[0])
	case t.Type == gojq.TermTypeObject:
		return true
	}
	return false
}

// stages are the parts of a query between its pipes.
func stages(q *gojq.Query) []*gojq.Query {
	if q.Term == nil && q.Op == gojq.OpPipe && len(q.Patterns) == 0 {
		return append(stages(q.Left), stages(q.Right)...)
	}
	return []*gojq.Query{q}
}

func (o ordered) term(t *gojq.Term, in seen, unordered bool) seen {
	suffixes := t.SuffixList
	// What stands in an array and is picked from shows its order: [.[]][0].
	got := o.base(t, in, unordered && !picks(suffixes))
	for _, suffix := range suffixes {
		switch {
		case suffix.Index != nil:
			got = o.step(suffix.Index, got, in)
		case suffix.Iter:
			o.members("[]", got, unordered, true)
			got = got.member()
		}
	}
	return got
}

// picks reports whether a suffix chooses members by their places.
func picks(suffixes []*gojq.Suffix) bool {
	return slices.ContainsFunc(suffixes, func(s *gojq.Suffix) bool { return s.Index != nil && s.Index.Name == "" && s.Index.Str == nil })
}

func (o ordered) step(i *gojq.Index, in, root seen) seen {
	if key, ok := jq.Key(i); ok {
		return known(in.at.Field(key))
	}
	o.query(i.Start, root, false)
	o.query(i.End, root, false)
	if i.IsSlice {
		return in
	}
	return in.member()
}

func (o ordered) base(t *gojq.Term, in seen, unordered bool) seen {
	switch t.Type {
	case gojq.TermTypeIdentity:
		return in
	case gojq.TermTypeIndex:
		return o.step(t.Index, in, in)
	case gojq.TermTypeRecurse:
		o.members("..", in, unordered, false)
		return seen{types: anyType}
	case gojq.TermTypeQuery:
		return o.query(t.Query, in, unordered)
	case gojq.TermTypeArray:
		if t.Array.Query == nil {
			return seen{types: isArray, holds: &seen{}}
		}
		member := o.query(t.Array.Query, in, unordered)
		return seen{types: isArray, holds: &member}
	case gojq.TermTypeObject:
		return o.object(t.Object, in)
	case gojq.TermTypeString:
		o.pieces(t.Str, in, `"\(…)"`, true)
	case gojq.TermTypeFormat:
		sure := t.Format != "@json" // the others are for texts
		if t.Str != nil {
			o.pieces(t.Str, in, t.Format, sure)
		} else {
			o.text(t.Format, in, unordered, sure)
		}
	case gojq.TermTypeFunc:
		return o.function(t.Func, in, unordered)
	case gojq.TermTypeIf:
		return o.choice(t.If, in, unordered)
	case gojq.TermTypeTry:
		got := o.query(t.Try.Body, in, unordered)
		if t.Try.Catch != nil {
			o.query(t.Try.Catch, seen{types: anyType}, unordered)
			got = seen{types: anyType}
		}
		return got
	case gojq.TermTypeReduce:
		o.query(t.Reduce.Query, in, true) // a sum, mostly
		o.query(t.Reduce.Start, in, false)
		o.query(t.Reduce.Update, seen{types: anyType}, false)
	case gojq.TermTypeForeach:
		o.query(t.Foreach.Query, in, unordered)
	case gojq.TermTypeLabel:
		return o.query(t.Label.Body, in, unordered)
	}
	return seen{types: o.types.term(&gojq.Term{Type: t.Type, Func: t.Func, Unary: t.Unary, Number: t.Number, Str: t.Str}, in.types)}
}

// pieces are what is written into a text.
func (o ordered) pieces(s *gojq.String, in seen, name string, sure bool) {
	for _, q := range s.Queries {
		if q.Term == nil || q.Term.Str == nil {
			o.text(name, o.query(q, in, false), false, sure)
		}
	}
}

func (o ordered) object(object *gojq.Object, in seen) seen {
	var keys []string
	for _, kv := range object.KeyVals {
		o.query(kv.KeyQuery, in, false)
		o.query(kv.Val, in, false)
		key := kv.Key
		if kv.KeyString != nil {
			key = kv.KeyString.Str
		}
		keys = append(keys, strings.TrimPrefix(key, "$"))
	}
	return seen{types: isObject, sorted: slices.IsSorted(keys)}
}

func (o ordered) choice(i *gojq.If, in seen, unordered bool) seen {
	o.query(i.Cond, in, true)
	got := o.query(i.Then, in, unordered)
	for _, elif := range i.Elif {
		o.query(elif.Cond, in, true)
		got.types |= o.query(elif.Then, in, unordered).types
	}
	return seen{types: got.types | o.query(i.Else, in, unordered).types, sorted: got.sorted}
}

// scalars reports whether a function gives an array of texts or of numbers.
func (ordered) scalars(name string) bool {
	return slices.Contains([]string{"keys", "split", "explode", "gmtime", "localtime", "strptime", "paths"}, name)
}

// listing are functions that give what an object holds, member by member.
var listing = []string{"to_entries", "keys_unsorted", "paths", "tostream", "recurse"}

// spreading are functions that do so when what they see is an object, with the numbers of
// their arguments.
var spreading = map[string][]int{"map": {1}, "add": {0}, "join": {1}, "flatten": {0, 1}, "combinations": {0, 1}}

// keeping are functions that give what they see, or another object in its place.
var keeping = []string{"select", "del", "with_entries", "map_values", "debug", "values", "objects"}

func (o ordered) function(f *gojq.Func, in seen, unordered bool) seen {
	if o.types.own[f.Name] {
		return seen{types: anyType}
	}
	result := seen{types: o.types.function(f, in.types)}
	if result.types == isArray && o.scalars(f.Name) {
		result.holds = &seen{types: isString | isNumber | isNull}
	}
	inner := in
	switch {
	case slices.Contains(listing, f.Name):
		o.members(f.Name, in, unordered, false)
	case f.Name == "tojson":
		o.text(f.Name, in, unordered, false)
	case f.Name == "tostring":
		o.text(f.Name, in, unordered, true)
	case slices.Contains(spreading[f.Name], len(f.Args)):
		o.members(f.Name, in, unordered, true)
		inner = in.member()
	case slices.Contains(keeping, f.Name):
		result = in
		if f.Name != "select" && f.Name != "del" {
			inner = seen{types: anyType}
		}
	}
	lost := unordered || slices.Contains(orderless, f.Name)
	for _, arg := range f.Args {
		got := o.query(arg, inner, lost)
		switch f.Name {
		case "first", "last":
			result = got
		case "map":
			result.holds = &got
		}
	}
	return result
}

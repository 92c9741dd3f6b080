package lint

import (
	"fmt"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// selectors finds a query of a selector that gives no boolean for any object, or that
// may give none.
func selectors(x *expression) {
	if x.role != selectorRole {
		return
	}
	last := lastStep(x.tree)
	got, results := x.types.query(x.tree, isObject), x.types.count(x.tree)
	constant, isConstant := jq.Constant(x.tree)
	f := jq.Call(last)
	assigned := last.Term == nil && last.Op == gojq.OpAssign
	switch {
	case f != nil && f.Name == "select" && len(f.Args) == 1 && !x.types.own["select"]:
		x.add(mapping.RuleSelectorSelect, diag.Error, locate(x.source, "select"),
			"select gives the object or nothing, and a selector must give true or false", conditionFix(x.tree, f.Args[0]))
	case assigned && !x.compiled: // unknownNames has found more
	case assigned && got&isBoolean == 0:
		x.add(mapping.RuleJQAssignment, diag.Error, locateSign(x.source, "="),
			`a single "=" assigns, and gives the object: a selector must give true or false`, fmt.Sprintf("write %s == %s", short(last.Left), short(last.Right)))
	case x.neverBoolean():
	case got == noType:
		x.add(mapping.RuleSelectorBoolean, diag.Error, 0, "never gives a result, and a selector must give true or false", takeAll)
	case got&isBoolean == 0:
		x.add(mapping.RuleSelectorBoolean, diag.Error, 0, fmt.Sprintf("gives %s, and a selector must give true or false", got), booleanFix(constant, isConstant, got))
	case isConstant && constant == false:
		x.add(mapping.RuleSelectorNothing, diag.Warning, 0, "takes no object at all", takeAll+", or remove the resource: its entities are stale either way")
	case results.many:
		x.add(mapping.RuleJQFirstResult, diag.Warning, 0, "gives several results, of which the first one counts, or none, which is an error of the object",
			`say whether one or all must fit: any(.reviewers[]; .nickname == "dana")`)
	case results.none:
		x.add(mapping.RuleSelectorNothing, diag.Warning, 0, "can give no result at all, which is an error of the object", "end the expression with // false, in parentheses: (…) // false")
	}
}

// takeAll is the way out for a selector that is not to choose.
const takeAll = "write 'true' to take every object"

// neverBoolean finds a field that is never true or false.
func (x *expression) neverBoolean() (found bool) {
	path, of := x.rootPath(x.tree)
	if of == nil || of.Form == shape.Unknown || of.Form == shape.Flag {
		return false
	}
	fix := map[shape.Form]string{
		shape.Text: `%s == "…"`, shape.Number: "%s > 0", shape.Object: "%s != null", shape.List: "(%s | length) > 0",
	}[of.Form]
	x.add(mapping.RuleSelectorBoolean, diag.Warning, 0, fmt.Sprintf("%s is %s, and a selector must give true or false: each object is an error", path, valuesOf[of.Form]),
		fmt.Sprintf("compare it: "+fix, path))
	return true
}

// lastStep is what a chain of "|" ends with.
func lastStep(q *gojq.Query) *gojq.Query {
	for {
		switch {
		case q.Term == nil && q.Op == gojq.OpPipe:
			q = q.Right
		case q.Term != nil && q.Term.Type == gojq.TermTypeQuery && len(q.Term.SuffixList) == 0:
			q = q.Term.Query
		default:
			return q
		}
	}
}

// conditionFix returns the condition of a query that is nothing but select(…).
func conditionFix(q, condition *gojq.Query) string {
	text := short(condition)
	switch t := jq.OnlyTerm(q); {
	case t != nil && t.Type == gojq.TermTypeFunc, q.Term == nil && identical(q.Left):
	case q.Term == nil && jq.Call(q.Right) != nil:
		text = short(q.Left) + " | " + text
	default:
		text = "…"
	}
	const fix = "write the condition alone, without select"
	if strings.Contains(text, "…") {
		return fix
	}
	return fix + ": " + mapping.InSingleQuotes(text)
}

func booleanFix(constant any, isConstant bool, got types) string {
	switch {
	case isConstant && (constant == "true" || constant == "false"):
		return fmt.Sprintf("write '%s', without double quotes", constant)
	case isConstant && constant == nil:
		return takeAll
	case isConstant:
		return fmt.Sprintf("compare a field with it: .name == %q", constant)
	case got == isNumber:
		return "compare it: (…) > 0; 'true' takes every object"
	}
	if got == isObject || got == isArray {
		return "name a field and compare it: .is_private == false; 'true' takes every object"
	}
	return "compare it with ==; 'true' takes every object"
}

// arrays finds itemsToParse that gives no array for any object.
func arrays(x *expression) {
	if x.role != itemsRole {
		return
	}
	if x.types.count(x.tree).many {
		x.add(mapping.RuleJQFirstResult, diag.Warning, 0, "gives several results, of which the first one counts: itemsToParse must give one array",
			"remove the [] at its end, or put the whole in brackets: "+bracketFix(x.tree))
		return
	}
	if got := x.types.query(x.tree, isObject); got != noType && got&isArray == 0 {
		x.add(mapping.RuleWrongType, diag.Error, 0, fmt.Sprintf("gives %s, and itemsToParse must give an array", got),
			"name the field that is an array, such as .content.items, or put it in brackets: "+bracketFix(x.tree))
	}
}

// severalResults finds a value of the entity of which only the first one is used.
func severalResults(x *expression) {
	switch x.role {
	case selectorRole, itemsRole, leafRole, identityRole:
		return
	}
	if len(x.problems.Errors()) > 0 || !x.types.count(x.tree).many {
		return
	}
	x.add(mapping.RuleJQFirstResult, diag.Warning, 0, "can give several results, of which only the first one is used",
		fmt.Sprintf("for all of them write %s, for the first one %s", bracketFix(x.tree), mapping.InSingleQuotes("first("+short(x.tree)+")")))
}

func bracketFix(q *gojq.Query) string { return mapping.InSingleQuotes("[" + short(q) + "]") }

package transform

import (
	"fmt"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// checkSelector refuses a query that gives no boolean for any object, and tells of
// one that may give none.
func (c *compiler) checkSelector(x *expression) {
	if x.tree == nil {
		return
	}
	t := newTyper(x.tree)
	last := lastStep(x.tree)
	tell := func(rule diag.Rule, severity diag.Severity, offset int, message, fix string) {
		c.add(x.Problem(rule, severity, offset, message, fix))
	}
	got, results := t.query(x.tree, isObject), t.count(x.tree)
	f := jq.Call(last)
	switch {
	case f != nil && f.Name == "select" && len(f.Args) == 1 && !t.own["select"]:
		tell(mapping.RuleSelectorSelect, diag.Error, locate(x.source, "select"),
			"select gives the object or nothing, and a selector must give true or false", conditionFix(x.tree, f.Args[0]))
	case last.Term == nil && last.Op == gojq.OpAssign && x.code == nil: // its names are told
	case last.Term == nil && last.Op == gojq.OpAssign && got&isBoolean == 0:
		tell(mapping.RuleJQAssignment, diag.Error, locateSign(x.source, "="),
			`a single "=" assigns, and gives the object: a selector must give true or false`, fmt.Sprintf("write %s == %s", short(last.Left), short(last.Right)))
	case c.checkText(x):
	case got == noType:
		tell(mapping.RuleSelectorBoolean, diag.Error, 0, "never gives a result, and a selector must give true or false", "write 'true' to take every object")
	case got&isBoolean == 0:
		tell(mapping.RuleSelectorBoolean, diag.Error, 0, fmt.Sprintf("gives %s, and a selector must give true or false", got), booleanFix(x, got))
	case x.constant && x.literal == false:
		tell(mapping.RuleSelectorNothing, diag.Warning, 0, "takes no object at all", "write 'true' to take every object, or remove the resource: its entities are stale either way")
	case results.many:
		tell(mapping.RuleJQFirstResult, diag.Warning, 0, "gives several results, of which the first one counts, or none, which is an error of the object",
			`say whether one or all must fit: any(.reviewers[]; .nickname == "dana")`)
	case results.none:
		tell(mapping.RuleSelectorNothing, diag.Warning, 0, "can give no result at all, which is an error of the object", "end the expression with // false, in parentheses: (…) // false")
	}
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

// conditionFix gives the condition of a query that is nothing but select(…).
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

func booleanFix(x *expression, got types) string {
	switch {
	case x.constant && (x.literal == "true" || x.literal == "false"):
		return fmt.Sprintf("write '%s', without double quotes", x.literal)
	case x.constant && x.literal == nil:
		return "write 'true' to take every object"
	case x.constant:
		return fmt.Sprintf("compare a field with it: .name == %q", x.literal)
	case got == isNumber:
		return "compare it: (…) > 0; 'true' takes every object"
	}
	if got == isObject || got == isArray {
		return "name a field and compare it: .is_private == false; 'true' takes every object"
	}
	return "compare it with ==; 'true' takes every object"
}

// checkItems refuses itemsToParse that gives no array for any object.
func (c *compiler) checkItems(x *expression) {
	if x.tree == nil {
		return
	}
	t := newTyper(x.tree)
	if t.count(x.tree).many {
		c.add(x.Problem(mapping.RuleJQFirstResult, diag.Warning, 0, "gives several results, of which the first one counts: itemsToParse must give one array",
			"remove the [] at its end, or put the whole in brackets: "+bracketFix(x)))
		return
	}
	if got := t.query(x.tree, isObject); got != noType && got&isArray == 0 {
		c.add(x.Problem(mapping.RuleWrongType, diag.Error, 0, fmt.Sprintf("gives %s, and itemsToParse must give an array", got),
			"name the field that is an array, such as .content.items, or put it in brackets: "+bracketFix(x)))
	}
}

func bracketFix(x *expression) string { return mapping.InSingleQuotes("[" + short(x.tree) + "]") }

// checkValue tells of a value that gives several results.
func (c *compiler) checkValue(x *expression) {
	if x.tree == nil || x.wrong || !newTyper(x.tree).count(x.tree).many {
		return
	}
	c.add(x.Problem(mapping.RuleJQFirstResult, diag.Warning, 0, "can give several results, of which only the first one is used",
		fmt.Sprintf("for all of them write %s, for the first one %s", bracketFix(x), mapping.InSingleQuotes("first("+short(x.tree)+")"))))
}

// checkIdentifier tells of an identifier that different objects share.
func (c *compiler) checkIdentifier(x *expression) {
	if x.tree == nil {
		return
	}
	if x.constant && x.literal != nil {
		c.add(x.Problem(mapping.RuleIdentifier, diag.Warning, 0, "is the same for every object: they become one entity, and the last one wins",
			"write what differs from object to object"+identifierExample(c.resource.Kind)))
		return
	}
	if left := joinedNumber(x.tree); left != nil {
		c.add(x.Problem(mapping.RuleIdentifier, diag.Notice, 0,
			fmt.Sprintf(`two objects can get one identifier: "a" and 11 give "a11", as "a1" and 1 do, since nothing stands between %s and the number`, short(left)),
			"put a sign between them"+identifierExample(c.resource.Kind)))
	}
}

func identifierExample(kind string) string {
	if known := UniqueIdentifier(kind); known != "" {
		return ", such as " + mapping.InSingleQuotes(known) + ", and the same in the relations to it"
	}
	return ""
}

// joinedNumber gives what stands directly before an id that is joined to it: the left
// of .name + (.id | tostring). It is nil when there is none, or it ends with a text.
func joinedNumber(q *gojq.Query) *gojq.Query {
	if q.Term != nil || q.Op != gojq.OpAdd {
		return nil
	}
	number := q.Right
	if t := jq.OnlyTerm(number); t != nil {
		return nil
	}
	for number.Term != nil && number.Term.Type == gojq.TermTypeQuery {
		number = number.Term.Query
	}
	if number.Op != gojq.OpPipe || jq.Call(number.Right) == nil || jq.Call(number.Right).Name != "tostring" {
		return nil
	}
	if key, ok := lastKey(number.Left); !ok || key != "id" {
		return nil
	}
	left := q.Left
	last := left
	for last.Term == nil && last.Op == gojq.OpAdd {
		last = last.Right
	}
	if t := jq.OnlyTerm(last); t == nil || t.Type != gojq.TermTypeIndex {
		return nil
	}
	return left
}

package transform

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// rootPath is the path that a query is, from the object on, and what stands there; nil
// when that is not known.
func (c *compiler) rootPath(q *gojq.Query) ([]step, *shape) {
	t := jq.OnlyTerm(q)
	if t == nil || t.Type != gojq.TermTypeIndex {
		return nil, nil
	}
	paths := rootPaths(q)
	if len(paths) != 1 || len(paths[0]) != 1+len(t.SuffixList) {
		return nil, nil
	}
	return paths[0], shapes[c.resource.Kind].at(paths[0])
}

// order tells of a time, which is a text, that is compared with a number: a text is
// greater than every number.
func (i *inspector) order(q *gojq.Query) {
	for _, side := range [][2]*gojq.Query{{q.Left, q.Right}, {q.Right, q.Left}} {
		path, of := i.rootPath(side[0])
		if of == nil || of.form != textForm || i.types.query(side[1], anyType) != isNumber {
			continue
		}
		text := written(path)
		fix := "compare it with a text, or write (" + text + " | tonumber)"
		if strings.HasSuffix(path[len(path)-1].key, "_on") {
			fix = fmt.Sprintf(`write (%s[:19] + "Z" | fromdate) for the time in seconds, as now gives it`, text)
		}
		i.tell(mapping.RuleJQCondition, diag.Warning, 0, fmt.Sprintf("%s is a text, and %s a number: the one is greater than the other for every object", text, short(side[1])), fix)
		return
	}
}

// doubleMark is the operator for a default in other languages.
var doubleMark = regexp.MustCompile(`\s*\?\?\s*`)

// twiceOptional tells of .a ?? .b, which is .a.b without errors.
func (i *inspector) twiceOptional() {
	last := -2
	for _, t := range tokens(i.source) {
		if t.kind != signToken || t.value != "?" {
			continue
		}
		if t.start == last+1 && t.start+1 < len(i.source) && strings.TrimSpace(i.source[t.start+1:]) != "" {
			i.tell(mapping.RuleJQPrecedence, diag.Warning, last, `"??" is no operator of jq, and what follows is read as a field of what stands before`,
				whole(doubleMark.ReplaceAllString(i.source, " // "), `for a default write "//"`))
			return
		}
		last = t.start
	}
}

// joined tells of .a | tostring + .b, which reads .b from what .a gives.
func (i *inspector) joined(q *gojq.Query) {
	sum := operands(q.Right, gojq.OpAdd)
	f := jq.Call(sum[0])
	if len(sum) < 2 || f == nil || len(f.Args) > 0 || i.types.own[f.Name] || i.types.function(f, anyType) != isString {
		return
	}
	path, of := i.rootPath(q.Left)
	if path == nil || of != nil && of.form == objectForm {
		return
	}
	at := slices.IndexFunc(sum[1:], func(part *gojq.Query) bool {
		t := head(part)
		return t != nil && t.Type == gojq.TermTypeIndex
	})
	if at < 0 {
		return
	}
	fixed := "(" + q.Left.String() + " | " + f.Name + ")"
	for _, part := range sum[1:] {
		fixed += " + " + part.String()
	}
	i.tell(mapping.RuleJQPrecedence, diag.Warning, locate(i.source, f.Name),
		fmt.Sprintf(`"+" comes before "|": %s is read from %s, and not from the object`, short(sum[1+at]), short(q.Left)),
		whole(fixed, "put parentheses around the part before \"+\""))
}

// checkText tells of a query that is a field of which it is known that it is never
// true or false.
func (c *compiler) checkText(x *expression) (told bool) {
	path, of := c.rootPath(x.tree)
	if of == nil {
		return false
	}
	what := map[form]string{textForm: "a text", numberForm: "a number", objectForm: "an object", listForm: "a list"}[of.form]
	if what == "" {
		return false
	}
	fix := map[form]string{
		textForm: written(path) + ` == "…"`, numberForm: written(path) + " > 0", objectForm: written(path) + " != null", listForm: "(" + written(path) + " | length) > 0",
	}[of.form]
	c.add(x.Problem(mapping.RuleSelectorBoolean, diag.Warning, 0, fmt.Sprintf("%s is %s, and a selector must give true or false: each object is an error", written(path), what),
		"compare it: "+fix))
	return true
}

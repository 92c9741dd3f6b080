package transform

import (
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// maxQuoted bounds an expression that a fix repeats, in bytes.
const maxQuoted = 80

// checkBlueprint refuses a blueprint that Port does not take.
func (e *entry) checkBlueprint(v any) *Fault {
	s, ok := v.(string)
	if !ok {
		return notText(e.blueprint.Expr, v, "a blueprint")
	}
	err := catalog.CheckBlueprint(s)
	if err == nil {
		return nil
	}
	return &Fault{
		Expr:    e.blueprint.Expr,
		Value:   jq.Quote(s),
		Message: "the blueprint " + err.Error(),
		Fix:     "give the identifier of a blueprint, as Port shows it next to its title",
	}
}

// checkTarget refuses an identifier, of the entity itself or of one that it
// relates to, that Port does not take.
func checkTarget(expr mapping.Expr, v any, what string) *Fault {
	s, ok := v.(string)
	if !ok {
		return notText(expr, v, what)
	}
	err := catalog.CheckIdentifier(s)
	if err == nil {
		return nil
	}
	return &Fault{Expr: expr, Value: jq.Quote(s), Message: "the identifier " + err.Error(), Fix: identifierFix(s)}
}

func identifierFix(s string) string {
	switch {
	case s == "":
		return `give null for no relation (if . == "" then null else . end), and leave "" out of an array: map(select(. != ""))`
	case s == "." || s == "..":
		return `put a text before it: "x" + (…)`
	case utf8.RuneCountInString(s) > catalog.MaxIdentifier:
		return "shorten it: (…)[:1000]"
	}
	return `end the expression with | gsub("[^A-Za-z0-9@_.+:\\\\/=-]"; "-")`
}

// asText is the way out for a number or a boolean where a text is due.
func asText(expr mapping.Expr) string {
	text := strings.TrimSpace(jq.DoubleQuotes(expr.Text))
	if len(text) > maxQuoted || strings.ContainsAny(text, "\r\n") {
		text = "…"
	}
	return "write (" + text + " | tostring)"
}

// checkRelation refuses a relation that Port does not take: it takes an
// identifier, an array of identifiers, null, or a search query.
//
// Source: https://api.port.io/static/index.html (OpenAPI), entity schema, read 2026-11.
func checkRelation(from value, v any) *Fault {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		return checkQuery(from.where(), v)
	case []any:
		for _, member := range v {
			if fault := checkTarget(from.where(), member, "a member of a relation"); fault != nil {
				return fault
			}
		}
		return nil
	}
	return checkTarget(from.where(), v, "a relation")
}

// checkQuery refuses an object that is not a search query.
func checkQuery(expr mapping.Expr, v any) *Fault {
	problem := queryProblem(v)
	if problem == "" {
		return nil
	}
	return &Fault{
		Expr:    expr,
		Message: "a search query " + problem,
		Fix:     `write {"combinator": "and", "rules": [{"property": "…", "operator": "=", "value": …}]}; to name an entity give its identifier`,
	}
}

// queryProblem returns what is wrong with the shape of a search query; "" when it is
// right.
//
// Source: https://api.port.io/static/index.html (OpenAPI), entity search schema, read 2026-11.
func queryProblem(v any) string {
	q, ok := v.(map[string]any)
	if !ok {
		return "must be an object, and this is " + describe(v)
	}
	if c := q["combinator"]; c != "and" && c != "or" {
		return `has the combinator "and" or "or", and this has ` + describe(c)
	}
	rules, ok := q["rules"].([]any)
	if !ok || len(rules) == 0 {
		return "has an array of rules, and this has " + describe(q["rules"])
	}
	for _, r := range rules {
		rule, ok := r.(map[string]any)
		if !ok {
			return "has objects as rules, and this has " + describe(r)
		}
		if _, nested := rule["rules"]; nested {
			if problem := queryProblem(r); problem != "" {
				return problem
			}
			continue
		}
		if operator, ok := rule["operator"].(string); !ok || operator == "" {
			return "has an operator in each rule, and this has " + describe(rule["operator"])
		}
		if rule["property"] == nil {
			return "has a property in each rule, and this has null"
		}
	}
	return ""
}

func notText(expr mapping.Expr, v any, what string) *Fault {
	fault := &Fault{Expr: expr, Message: "gives " + article(v) + ", and " + what + " must be a text"}
	if v != nil {
		fault.Value = gojq.Preview(v)
	}
	switch v.(type) {
	case nil:
		fault.Fix = "leave null out: map(select(. != null))"
	case []any, map[string]any:
		fault.Fix = "name the field of it that is a text"
	default:
		fault.Fix = asText(expr)
	}
	return fault
}

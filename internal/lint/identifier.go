package lint

import (
	"fmt"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// identifiers finds an identifier that different objects share.
func identifiers(x *expression) {
	if x.role != identifierRole {
		return
	}
	if constant, ok := jq.Constant(x.tree); ok && constant != nil {
		x.add(mapping.RuleIdentifier, diag.Warning, 0, "is the same for every object: they become one entity, and the last one wins",
			"write what differs from object to object"+identifierExample(x.Kind))
		return
	}
	if left := joinedNumber(x.tree); left != nil {
		x.add(mapping.RuleIdentifier, diag.Notice, 0,
			fmt.Sprintf(`two objects can get one identifier: "a" and 11 give "a11", as "a1" and 1 do, since there is nothing between %s and the number`, short(left)),
			"put a sign between them"+identifierExample(x.Kind))
	}
}

func identifierExample(k shape.Kind) string {
	if k.Identifier == "" {
		return ""
	}
	return ", such as " + mapping.InSingleQuotes(k.Identifier) + ", and the same in the relations to it"
}

// joinedNumber returns what stands directly before an id that is joined to it: the left
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

// blueprints finds a blueprint that Port can never take.
func blueprints(x *expression) {
	constant, _ := jq.Constant(x.tree)
	blueprint, ok := constant.(string)
	if !ok || x.role != blueprintRole || x.Blueprint == nil {
		return
	}
	if err := x.Blueprint(blueprint); err != nil {
		x.add(mapping.RuleBlueprint, diag.Error, 0, "the blueprint "+jq.Quote(blueprint)+" "+err.Error(),
			"write the identifier of the blueprint, as Port shows it next to its title")
	}
}

package lint

import (
	"fmt"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// conditions finds conditions, and operands of "and" and "or", that are always true.
func conditions(x *expression) {
	jq.Walk(x.tree, func(node any) {
		switch node := node.(type) {
		case *gojq.Func:
			switch n := len(node.Args); {
			case x.types.own[node.Name]:
			case node.Name == "select" && n == 1, (node.Name == "any" || node.Name == "all") && n > 0:
				x.condition(node.Name, node.Args[n-1])
			}
		case *gojq.If:
			x.condition("if", node.Cond)
		case *gojq.IfElif:
			x.condition("elif", node.Cond)
		case *gojq.Query:
			if node.Op == gojq.OpAnd || node.Op == gojq.OpOr {
				x.operand(node, node.Left, node.Right)
				x.operand(node, node.Right, node.Left)
			}
		}
	})
}

// condition looks at the condition of a function or a keyword.
func (x *expression) condition(of string, q *gojq.Query) {
	switch {
	case q.Term == nil && q.Op == gojq.OpAssign:
		x.assignment(q)
	case q.Term == nil && (q.Op == gojq.OpAnd || q.Op == gojq.OpOr):
		for _, side := range []*gojq.Query{q.Left, q.Right} {
			if side.Term == nil && side.Op == gojq.OpAssign {
				x.assignment(side)
			}
		}
	default:
		got := x.types.query(q, anyType)
		if got == noType || got&(isNull|isBoolean) != 0 {
			return
		}
		fix := `compare it: length > 0, .name == "x"`
		x.once(mapping.RuleJQCondition, diag.Warning, locate(x.source, of), fmt.Sprintf("the condition %s gives %s, which counts as true", short(q), got), fix)
	}
}

func (x *expression) assignment(q *gojq.Query) {
	x.once(mapping.RuleJQAssignment, diag.Warning, locateSign(x.source, "="), `a single "=" assigns, and the condition is always true`,
		fmt.Sprintf("write %s == %s", short(q.Left), short(q.Right)))
}

// operand looks at an operand of "and" and "or", which may have been meant to be compared.
func (x *expression) operand(q, operand, other *gojq.Query) {
	got := x.types.query(operand, anyType)
	if got == noType || got&(isNull|isBoolean) != 0 {
		return
	}
	at, fix := 0, "compare it: .length > 0, .name == \"x\""
	if value, ok := jq.Text(operand); ok {
		at = locateText(x.source, "", value)
		if other.Term == nil && compares(other.Op) {
			fix = fmt.Sprintf("repeat the comparison: %s %s %s %s %s", short(other), q.Op, short(other.Left), other.Op, short(operand))
		}
	}
	x.once(mapping.RuleJQCondition, diag.Warning, at, fmt.Sprintf("%s is %s, which counts as true", short(operand), got), fix)
}

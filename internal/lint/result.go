package lint

import (
	"fmt"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
)

// arrays finds itemsToParse that gives no array for any object.
func arrays(x *expression) {
	if x.role != itemsRole {
		return
	}
	if x.types.count(x.tree).many {
		x.add(mapping.RuleJQFirstResult, diag.Warning, 0, "gives several results, of which the first one counts: itemsToParse must give one array",
			"remove the [] at its end, or put the whole in brackets: "+x.bracketFix())
		return
	}
	if got := x.types.query(x.tree, isObject); got != noType && got&isArray == 0 {
		x.add(mapping.RuleWrongType, diag.Error, 0, fmt.Sprintf("gives %s, and itemsToParse must give an array", got),
			"name the field that is an array, such as .content.items, or put it in brackets: "+x.bracketFix())
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
		fmt.Sprintf("for all of them write %s, for the first one %s", x.bracketFix(), mapping.InSingleQuotes("first("+short(x.tree)+")")))
}

func (x *expression) bracketFix() string { return mapping.InSingleQuotes("[" + short(x.tree) + "]") }

package transform

import (
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/jq"
)

// environmentNames gives the variables that an expression reads by name:
// env.A, env["A"], $ENV.A, $ENV["A"], env | .A. Names that are computed are not
// found; they cannot read more than Environment either.
func environmentNames(q *gojq.Query) []string {
	var names []string
	own := false // the expression defines a function env of its own
	jq.Walk(q, func(node any) {
		switch node := node.(type) {
		case *gojq.FuncDef:
			own = own || node.Name == "env"
		case *gojq.Term:
			if name, ok := indexedVariable(node); ok {
				names = append(names, name)
			}
		case *gojq.Query:
			if name, ok := pipedVariable(node); ok {
				names = append(names, name)
			}
		}
	})
	if own {
		return nil
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// indexedVariable is the name in env.NAME and its like, (env).NAME included.
func indexedVariable(t *gojq.Term) (string, bool) {
	if len(t.SuffixList) == 0 {
		return "", false
	}
	bare := *t
	bare.SuffixList = nil
	if !isEnvironment(&gojq.Query{Term: &bare}) {
		return "", false
	}
	return jq.Key(t.SuffixList[0].Index)
}

// pipedVariable is the name in env | .NAME.
func pipedVariable(q *gojq.Query) (string, bool) {
	if q.Op != gojq.OpPipe || len(q.Patterns) > 0 || !isEnvironment(q.Left) {
		return "", false
	}
	head := q.Right
	for head.Op == gojq.OpPipe && len(head.Patterns) == 0 {
		head = head.Left
	}
	t := jq.OnlyTerm(head)
	if t == nil || t.Type != gojq.TermTypeIndex {
		return "", false
	}
	return jq.Key(t.Index)
}

func isEnvironment(q *gojq.Query) bool {
	f := jq.Call(q)
	return f != nil && len(f.Args) == 0 && (f.Name == "env" || f.Name == "$ENV")
}

// locateVariable gives the offset of a variable's name behind env or $ENV.
func locateVariable(text, name string) int {
	for start := range len(text) {
		behind, ok := strings.CutPrefix(text[start:], "env")
		if !ok {
			behind, ok = strings.CutPrefix(text[start:], "ENV")
		}
		behind = strings.TrimLeft(behind, "?.[\"'|() \t\r\n")
		if ok && strings.HasPrefix(behind, name) {
			return len(text) - len(behind)
		}
	}
	return locate(text, name)
}

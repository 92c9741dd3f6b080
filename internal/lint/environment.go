package lint

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
)

// unknownVariables finds environment variables that expressions may not read.
func unknownVariables(x *expression) {
	severity, end := diag.Warning, "it is null here"
	if x.role.names() {
		severity, end = diag.Error, "it would be null here and name another entity"
	}
	for _, name := range environmentNames(x.tree) {
		if _, ok := x.Environment[name]; ok {
			continue
		}
		fix := "set it and name it in the input jq_env_allow; never allow a variable that holds a secret"
		if near, ok := nearest.Name(name, slices.Sorted(maps.Keys(x.Environment))); ok {
			fix = fmt.Sprintf("did you mean %s? else %s", near, fix)
		}
		x.add(mapping.RuleJQEnvironment, severity, locateVariable(x.Text, name),
			"the environment variable "+strconv.Quote(name)+" is not allowed or not set: "+end, fix)
	}
}

// emptyEnvironment finds the environment as a whole where it holds nothing.
func emptyEnvironment(x *expression) {
	if len(x.Environment) > 0 || len(environmentNames(x.tree)) > 0 {
		return
	}
	for f := range x.calls() {
		if f.Name == "env" || f.Name == "$ENV" {
			x.once(mapping.RuleJQEnvironment, diag.Warning, locate(x.source, f.Name), f.Name+" is empty here: no environment variable is allowed",
				"name those that expressions may read in the input jq_env_allow; never allow a variable that holds a secret")
		}
	}
}

// environmentNames returns the variables that an expression reads by name: env.A,
// env["A"], $ENV.A, $ENV["A"], env | .A. Names that are computed are not found; they
// cannot read more than Options.Environment either.
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

// locateVariable returns the offset of a variable's name after env or $ENV.
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

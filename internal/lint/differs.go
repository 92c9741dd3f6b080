package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// differences finds what gives another value than in Port's own integration, whose engine
// keeps the order of the keys of objects, and has the mathematics of another library.
func differences(x *expression) {
	if !x.compiled {
		return
	}
	for f := range x.calls() {
		x.inexact(f)
	}
	for t := range nodes[*gojq.Try](x.tree) {
		x.handler(t)
	}
	x.unspaced()
	if x.role == itemsRole || x.role == selectorRole {
		return // which elements there are, not in which order
	}
	o := ordered{x}
	root := seen{types: isObject, at: x.Kind.Object}
	if x.Kind.Object == nil {
		root.types = anyType
	}
	o.query(x.tree, root, false)
}

// inexactFunctions are those of mathematics whose last digit depends on the library.
var inexactFunctions = []string{
	"acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp", "exp10", "exp2", "expm1", "gamma",
	"j0", "j1", "jn", "lgamma", "lgamma_r", "log", "log10", "log1p", "log2", "pow", "sin", "sinh", "tan", "tanh", "tgamma", "y0", "y1", "yn",
}

func (x *expression) inexact(f *gojq.Func) {
	if !slices.Contains(inexactFunctions, f.Name) {
		return
	}
	if f.Name == "pow" && len(f.Args) == 2 && f.Args[1].Term != nil && f.Args[1].Term.Type == gojq.TermTypeNumber && !strings.Contains(f.Args[1].Term.Number, ".") {
		return
	}
	x.once(mapping.RuleJQDiffers, diag.Notice, locate(x.source, f.Name),
		fmt.Sprintf("the last digit that %s gives can differ from that of Port's own integration: 1.5 | exp is 4.481689070338065 here, and 4.4816890703380645 there", f.Name),
		"round the result: (… * 1000 | round) / 1000")
}

// handler finds handlers that show the text of an error.
func (x *expression) handler(t *gojq.Try) {
	if t.Catch == nil || constantResult(t.Catch) {
		return
	}
	if f := jq.Call(t.Catch); f != nil && (f.Name == "empty" || f.Name == "error") {
		return
	}
	x.once(mapping.RuleJQDiffers, diag.Notice, locate(x.source, "catch"),
		"the text of an error is not in all cases that of Port's own integration", `give a text of your own: catch "…"`)
}

func constantResult(q *gojq.Query) bool {
	if _, constant := jq.Constant(q); constant {
		return true
	}
	t := jq.OnlyTerm(q)
	return t != nil && t.Type == gojq.TermTypeNumber
}

// unspaced finds "?//", which jq reads as one operator, of patterns.
func (x *expression) unspaced() {
	for q := range nodes[*gojq.Query](x.tree) {
		if len(q.Patterns) > 1 {
			return
		}
	}
	all := tokens(x.source)
	for i := range len(all) - 2 {
		if all[i].value == "?" && all[i+1].value == "/" && all[i+2].value == "/" && all[i+2].start == all[i].start+2 {
			x.once(mapping.RuleJQDiffers, diag.Warning, all[i].start, `"?//" is read as "? //" here; in Port's own integration it is an operator of its own, and the expression gives null`,
				`write a blank: "? //"`)
		}
	}
}

package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// precedence finds operators that bind otherwise than they look.
func precedence(x *expression) {
	for q := range nodes[*gojq.Query](x.tree) {
		switch {
		case q.Op == gojq.OpAlt:
			x.alternative(q)
		case q.Op == gojq.OpPipe && len(q.Patterns) == 0:
			x.joined(q)
			x.piped(q)
		}
	}
}

// alternative finds .a // "x" == "y", which compares "x" and "y".
func (x *expression) alternative(q *gojq.Query) {
	if q.Right.Term != nil || !compares(q.Right.Op) {
		return
	}
	op := q.Right.Op.String()
	x.once(mapping.RuleJQPrecedence, diag.Warning, locateSign(x.source, "//"),
		fmt.Sprintf(`%q binds stronger than "//": this is %s // (%s)`, op, short(q.Left), short(q.Right)),
		fmt.Sprintf("write (%s // %s) %s %s", short(q.Left), short(q.Right.Left), op, short(q.Right.Right)))
}

// joined finds .a | tostring + .b, which reads .b from what .a gives.
func (x *expression) joined(q *gojq.Query) {
	if q.Right.Op != gojq.OpAdd || q.Right.Term != nil {
		return
	}
	sum := operands(q.Right, gojq.OpAdd)
	f := jq.Call(sum[0])
	if f == nil || len(f.Args) > 0 || x.types.own[f.Name] || x.types.function(f, anyType) != isString {
		return
	}
	path, of := x.rootPath(q.Left)
	if path == nil || of != nil && of.Form == shape.Object {
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
	x.once(mapping.RuleJQPrecedence, diag.Warning, locate(x.source, f.Name),
		fmt.Sprintf(`"+" comes before "|": %s is read from %s, and not from the object`, short(sum[1+at]), short(q.Left)),
		whole(fixed, "put parentheses around the part before \"+\""))
}

// piped finds .name | test("x") and .is_private, whose second field is read from the name.
func (x *expression) piped(q *gojq.Query) {
	right := q.Right
	if right.Term != nil || right.Op != gojq.OpAnd && right.Op != gojq.OpOr {
		return
	}
	text, other := false, (*gojq.Query)(nil)
	for _, side := range operands(right, right.Op) {
		switch f := head(side); {
		case f != nil && f.Type == gojq.TermTypeFunc && x.readsText(f.Func, q.Left):
			text = true
		case f != nil && f.Type == gojq.TermTypeIndex && other == nil:
			other = side
		}
	}
	if !text || other == nil {
		return
	}
	x.once(mapping.RuleJQPrecedence, diag.Warning, locate(x.source, right.Op.String()),
		fmt.Sprintf(`"|" comes before %q: %s is read from what %s gives`, right.Op, short(other), short(q.Left)),
		fmt.Sprintf("put parentheses around the part before %q: (%s | …) %s …", right.Op, short(q.Left), right.Op))
}

// textFunctions raise an error on anything but a text.
var textFunctions = []string{"test", "startswith", "endswith", "match", "ascii_downcase", "ascii_upcase", "split", "sub", "gsub", "capture", "scan"}

// readsText reports whether a function is called with a text as its input.
func (x *expression) readsText(f *gojq.Func, input *gojq.Query) bool {
	if f.Name == "contains" {
		_, of := x.rootPath(input)
		return of != nil && of.Form == shape.Text && !x.types.own[f.Name]
	}
	return slices.Contains(textFunctions, f.Name) && !x.types.own[f.Name]
}

// doubleMark is the operator for a default in other languages.
var doubleMark = regexp.MustCompile(`\s*\?\?\s*`)

// doubleMarks finds .a ?? .b, which is .a.b without errors.
func doubleMarks(x *expression) {
	last := -2
	for _, t := range tokens(x.source) {
		if t.kind != signToken || t.value != "?" {
			continue
		}
		if t.start == last+1 && t.start+1 < len(x.source) && strings.TrimSpace(x.source[t.start+1:]) != "" {
			x.once(mapping.RuleJQPrecedence, diag.Warning, last, `"??" is not an operator of jq, and what follows is read as a field of what comes before it`,
				whole(doubleMark.ReplaceAllString(x.source, " // "), `for a default write "//"`))
			return
		}
		last = t.start
	}
}

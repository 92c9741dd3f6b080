package transform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// inspect tells what is known to go wrong, or to mean something else than it
// looks, in an expression that is jq.
func (c *compiler) inspect(x *expression) {
	i := inspector{compiler: c, expression: x, types: newTyper(x.tree)}
	jq.Walk(x.tree, func(node any) {
		switch node := node.(type) {
		case *gojq.Func:
			i.function(node)
		case *gojq.Term:
			i.term(node)
		case *gojq.Query:
			i.query(node)
		case *gojq.If:
			i.condition("if", node.Cond)
		case *gojq.IfElif:
			i.condition("elif", node.Cond)
		}
	})
	i.called()
	i.twiceOptional()
}

// inspector looks at one expression.
type inspector struct {
	*compiler
	*expression
	types typer
	noted map[string]bool // messages: each is told once
}

func (i *inspector) tell(rule diag.Rule, severity diag.Severity, offset int, message, fix string) {
	if i.noted[message] {
		return
	}
	if i.noted == nil {
		i.noted = map[string]bool{}
	}
	i.noted[message] = true
	i.add(i.Problem(rule, severity, offset, message, fix))
}

// regexArguments are the functions that take a regular expression first, and the
// place of the flags among their arguments.
var regexArguments = map[string]int{
	"test": 1, "match": 1, "capture": 1, "scan": 1, "splits": 1, "split": 1, "sub": 2, "gsub": 2,
}

// function looks at the literal arguments of a call.
func (i *inspector) function(f *gojq.Func) {
	if i.types.own[f.Name] {
		return
	}
	switch f.Name {
	case "debug", "stderr":
		i.tell(mapping.RuleJQDebug, diag.Notice, locate(i.source, f.Name), f.Name+" writes nowhere here, and gives its input", "remove it")
	case "select":
		if len(f.Args) == 1 {
			i.condition(f.Name, f.Args[0])
		}
	case "any", "all":
		if n := len(f.Args); n > 0 {
			i.condition(f.Name, f.Args[n-1])
		}
	case "env", "$ENV":
		if len(i.known) == 0 && len(environmentNames(i.tree)) == 0 {
			i.tell(mapping.RuleJQEnvironment, diag.Warning, locate(i.source, f.Name), f.Name+" is empty here: no environment variable is allowed",
				"name those that expressions may read in the input jq_env_allow; never allow a variable that holds a secret")
		}
	}
	at, ok := regexArguments[f.Name]
	if !ok || len(f.Args) == 0 || f.Name == "split" && len(f.Args) == 1 {
		return
	}
	if pattern, ok := jq.Text(f.Args[0]); ok {
		i.regex(f.Name, pattern)
	}
	if at == len(f.Args)-1 {
		if flags, ok := jq.Text(f.Args[at]); ok && strings.Trim(flags, "gim") != "" {
			i.tell(mapping.RuleJQRegex, diag.Error, locateText(i.source, f.Name, flags),
				fmt.Sprintf("jq: the flags %q of %s are not supported", flags, f.Name), "the flags are g, i and m")
		}
	}
}

// formats are those that gojq knows.
var formats = []string{"@text", "@json", "@html", "@uri", "@urid", "@csv", "@tsv", "@sh", "@base64", "@base64d"}

// term looks at formats, and at functions with a field behind them.
func (i *inspector) term(t *gojq.Term) {
	if t.Type == gojq.TermTypeFormat && !slices.Contains(formats, t.Format) {
		fix := nearFix(t.Format, formats) + "the formats are " + strings.Join(formats, ", ")
		i.tell(mapping.RuleJQFormat, diag.Error, locate(i.source, t.Format), fmt.Sprintf("jq: there is no format %s", t.Format), fix)
	}
	if len(t.SuffixList) == 0 || t.SuffixList[0].Index == nil || t.SuffixList[0].Index.Name == "" {
		return
	}
	if len(t.SuffixList) > 1 && t.SuffixList[1].Optional {
		return
	}
	key := t.SuffixList[0].Index.Name
	switch {
	case t.Type == gojq.TermTypeFormat && t.Str == nil:
		i.tell(mapping.RuleJQFormat, diag.Error, locate(i.source, t.Format), fmt.Sprintf("jq: %s is applied to the whole object, and .%s read from the text that it gives", t.Format, key),
			fmt.Sprintf("write .%s | %s", key, t.Format))
	case t.Type == gojq.TermTypeFunc && len(t.Func.Args) == 0:
		i.applied(t.Func.Name, key)
	}
}

// applied tells of a function with a field behind it, which is not its argument.
func (i *inspector) applied(function, key string) {
	if i.types.own[function] {
		return
	}
	gives := i.types.function(&gojq.Func{Name: function}, anyType)
	if gives&(isObject|isNull) != 0 || gives == noType {
		return
	}
	i.tell(mapping.RuleJQPrecedence, diag.Error, locate(i.source, function),
		fmt.Sprintf("jq: %s .%s reads the field %q of what %s gives, which is %s", function, key, key, function, gives),
		fmt.Sprintf("a function stands behind a \"|\": .%s | %s", key, function))
}

// query looks at operators.
func (i *inspector) query(q *gojq.Query) {
	switch q.Op {
	case gojq.OpAlt:
		i.alternative(q)
	case gojq.OpAnd, gojq.OpOr:
		i.operand(q, q.Left, q.Right)
		i.operand(q, q.Right, q.Left)
	case gojq.OpPipe:
		i.pipe(q)
	case gojq.OpEq, gojq.OpNe:
		i.comparison(q)
	case gojq.OpGt, gojq.OpGe, gojq.OpLt, gojq.OpLe:
		i.order(q)
	}
}

func compares(op gojq.Operator) bool {
	switch op {
	case gojq.OpEq, gojq.OpNe, gojq.OpGt, gojq.OpGe, gojq.OpLt, gojq.OpLe:
		return true
	}
	return false
}

// short gives the text of a query for a message; "…" when it is long.
func short(q *gojq.Query) string {
	if s := q.String(); len(s) <= maxQuoted && !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return "…"
}

// alternative tells of .a // "x" == "y", which compares "x" and "y".
func (i *inspector) alternative(q *gojq.Query) {
	if q.Right.Term != nil || !compares(q.Right.Op) {
		return
	}
	op := q.Right.Op.String()
	i.tell(mapping.RuleJQPrecedence, diag.Warning, locateSign(i.source, "//"),
		fmt.Sprintf(`%q binds stronger than "//": this is %s // (%s)`, op, short(q.Left), short(q.Right)),
		fmt.Sprintf("write (%s // %s) %s %s", short(q.Left), short(q.Right.Left), op, short(q.Right.Right)))
}

// operand tells of an operand of "and" and "or" that is always true, or that was
// meant to be compared.
func (i *inspector) operand(q, operand, other *gojq.Query) {
	got := i.types.query(operand, anyType)
	if got == noType || got&(isNull|isBoolean) != 0 {
		return
	}
	fix := "compare it: .length > 0, .name == \"x\""
	if other.Term == nil && compares(other.Op) {
		if _, literal := jq.Text(operand); literal {
			fix = fmt.Sprintf("repeat the comparison: %s %s %s %s %s", short(other), q.Op, short(other.Left), other.Op, short(operand))
		}
	}
	i.tell(mapping.RuleJQCondition, diag.Warning, i.operandAt(operand),
		fmt.Sprintf("%s is %s, which counts as true", short(operand), got), fix)
}

// operandAt finds a literal, else the start of the expression.
func (i *inspector) operandAt(operand *gojq.Query) int {
	if value, ok := jq.Text(operand); ok {
		return locateText(i.source, "", value)
	}
	return 0
}

// condition tells of the condition of a function or a keyword that is always the same.
func (i *inspector) condition(of string, q *gojq.Query) {
	switch {
	case q.Term == nil && q.Op == gojq.OpAssign:
		i.assignment(q)
	case q.Term == nil && (q.Op == gojq.OpAnd || q.Op == gojq.OpOr):
		for _, side := range []*gojq.Query{q.Left, q.Right} {
			if side.Term == nil && side.Op == gojq.OpAssign {
				i.assignment(side)
			}
		}
	default:
		got := i.types.query(q, anyType)
		if got == noType || got&(isNull|isBoolean) != 0 {
			return
		}
		fix := `compare it: length > 0, .name == "x"`
		i.tell(mapping.RuleJQCondition, diag.Warning, locate(i.source, of), fmt.Sprintf("the condition %s gives %s, which counts as true", short(q), got), fix)
	}
}

func (i *inspector) assignment(q *gojq.Query) {
	i.tell(mapping.RuleJQAssignment, diag.Warning, locateSign(i.source, "="), `a single "=" assigns, and the condition is always true`,
		fmt.Sprintf("write %s == %s", short(q.Left), short(q.Right)))
}

// textFunctions raise an error on anything but a text.
var textFunctions = []string{"test", "startswith", "endswith", "match", "ascii_downcase", "ascii_upcase", "split", "sub", "gsub", "capture", "scan"}

// pipe tells of .name | test("x") and .is_private, whose second field is read from the
// name.
func (i *inspector) pipe(q *gojq.Query) {
	right := q.Right
	if len(q.Patterns) == 0 && right.Op == gojq.OpAdd && right.Term == nil {
		i.joined(q)
	}
	if len(q.Patterns) > 0 || right.Term != nil || right.Op != gojq.OpAnd && right.Op != gojq.OpOr {
		return
	}
	text, other := false, (*gojq.Query)(nil)
	for _, side := range operands(right, right.Op) {
		switch f := head(side); {
		case f != nil && f.Type == gojq.TermTypeFunc && i.readsText(f.Func, q.Left):
			text = true
		case f != nil && f.Type == gojq.TermTypeIndex && other == nil:
			other = side
		}
	}
	if !text || other == nil {
		return
	}
	i.tell(mapping.RuleJQPrecedence, diag.Warning, locate(i.source, right.Op.String()),
		fmt.Sprintf(`"|" comes before %q: %s is read from what %s gives`, right.Op, short(other), short(q.Left)),
		fmt.Sprintf("put parentheses around the part before %q: (%s | …) %s …", right.Op, short(q.Left), right.Op))
}

// readsText reports whether a function is called with a text as its input.
func (i *inspector) readsText(f *gojq.Func, input *gojq.Query) bool {
	if f.Name == "contains" {
		_, of := i.rootPath(input)
		return of != nil && of.form == textForm && !i.types.own[f.Name]
	}
	return slices.Contains(textFunctions, f.Name) && !i.types.own[f.Name]
}

// operands gives what is joined by an operator.
func operands(q *gojq.Query, op gojq.Operator) []*gojq.Query {
	if q.Term != nil || q.Op != op {
		return []*gojq.Query{q}
	}
	return append(operands(q.Left, op), operands(q.Right, op)...)
}

// head is the first term of a query, which sees what comes in; nil in parentheses.
func head(q *gojq.Query) *gojq.Term {
	for q.Term == nil && q.Left != nil {
		q = q.Left
	}
	return q.Term
}

// booleans are fields of Bitbucket's objects that are true or false.
var booleans = []string{
	"is_private", "has_issues", "has_wiki", "draft", "queued", "close_source_branch", "approved", "has_publicly_visible_repos", "enforced_signed_commits",
}

// comparison tells of values that can never be equal.
func (i *inspector) comparison(q *gojq.Query) {
	for _, side := range [][2]*gojq.Query{{q.Left, q.Right}, {q.Right, q.Left}} {
		value, ok := jq.Text(side[1])
		if !ok {
			continue
		}
		at := locateText(i.source, "", value)
		if key, boolean := lastKey(side[0]); boolean && slices.Contains(booleans, key) {
			fix := "write true or false, without double quotes"
			if value == "true" || value == "false" {
				fix = fmt.Sprintf("write %s %s %s, without double quotes", short(side[0]), q.Op, value)
			}
			i.tell(mapping.RuleJQCondition, diag.Warning, at, fmt.Sprintf("%s is true or false, and is never equal to the text %q", short(side[0]), value), fix)
			return
		}
		if value == "null" {
			i.tell(mapping.RuleJQCondition, diag.Warning, at, `this compares with the text "null", and a field that is not there is null`,
				fmt.Sprintf("write %s %s null, without double quotes", short(side[0]), q.Op))
			return
		}
	}
	left, right := i.types.query(q.Left, anyType), i.types.query(q.Right, anyType)
	if left&right == 0 && left != noType && right != noType {
		i.tell(mapping.RuleJQCondition, diag.Warning, 0,
			fmt.Sprintf("%s gives %s and %s gives %s: they are never equal", short(q.Left), left, short(q.Right), right),
			"compare values of one type")
	}
}

// lastKey gives the key that a path ends with.
func lastKey(q *gojq.Query) (string, bool) {
	t := jq.OnlyTerm(q)
	if t == nil || t.Type != gojq.TermTypeIndex {
		return "", false
	}
	index := t.Index
	for _, suffix := range t.SuffixList {
		if suffix.Iter {
			return "", false
		}
		if suffix.Index != nil {
			index = suffix.Index
		}
	}
	return jq.Key(index)
}

// called tells of a function that is a field of the object as well, and is all that
// the expression has.
func (i *inspector) called() {
	if f := jq.Call(i.tree); f != nil && f.Name == "type" && len(f.Args) == 0 {
		i.tell(mapping.RuleJQText, diag.Warning, locate(i.source, "type"), `type is a function here, and gives "object"`, "for the field write .type")
	}
}

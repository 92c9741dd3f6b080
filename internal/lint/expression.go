package lint

import (
	"fmt"
	"iter"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/shape"
)

// Options are what expressions are held against.
type Options struct {
	// Environment holds the variables that expressions may read.
	Environment map[string]string
	// Kind is what is known of the objects of the resource's kind.
	Kind shape.Kind
	// Blueprint returns why Port does not take a text as a blueprint; nil when it takes it.
	// A nil Blueprint refuses none.
	Blueprint func(string) error
}

// linter collects the problems of one resource.
type linter struct {
	Options
	resource mapping.Resource
	problems diag.Problems
	files    bool // a file:// was seen: only the first one is reported
	itemless bool // it was reported that there are no items
}

// role is what the result of an expression is for.
type role int

const (
	valueRole    role = iota // a value of the entity
	fileRole                 // the same, and file:// may stand for it
	leafRole                 // a part of a search query
	identityRole             // a part of a search query that is an identifier
	identifierRole
	blueprintRole
	selectorRole
	itemsRole
)

// names reports whether another value of the expression would be another entity.
func (r role) names() bool { return r == identifierRole || r == blueprintRole || r == identityRole }

// expression is one expression under the eyes of the rules.
type expression struct {
	mapping.Expr
	*linter
	role role

	tree     *gojq.Query // nil until syntax has read it
	source   string      // the text that the tree was read from
	types    typer
	compiled bool // every name in it exists

	problems diag.Problems
	noted    map[string]bool // messages of once
}

// add adds a problem at an offset of the text.
func (x *expression) add(rule diag.Rule, severity diag.Severity, offset int, message, fix string) {
	x.problems = append(x.problems, x.Problem(rule, severity, offset, message, fix))
}

// once adds a problem unless one with the same message was added by it.
func (x *expression) once(rule diag.Rule, severity diag.Severity, offset int, message, fix string) {
	if x.noted[message] {
		return
	}
	if x.noted == nil {
		x.noted = map[string]bool{}
	}
	x.noted[message] = true
	x.add(rule, severity, offset, message, fix)
}

// nodes yields the nodes of one type of the syntax tree, from the outside in.
func nodes[T any](tree *gojq.Query) iter.Seq[T] {
	return func(yield func(T) bool) {
		more := true
		jq.Walk(tree, func(node any) {
			if n, ok := node.(T); ok && more {
				more = yield(n)
			}
		})
	}
}

// calls yields the calls of functions of jq: not of those that the expression defines.
func (x *expression) calls() iter.Seq[*gojq.Func] {
	return func(yield func(*gojq.Func) bool) {
		for f := range nodes[*gojq.Func](x.tree) {
			if !x.types.own[f.Name] && !yield(f) {
				return
			}
		}
	}
}

// maxQuoted bounds an expression that a fix repeats, in bytes: a line of a terminal.
const maxQuoted = 80

// short is the text of a query for a message; "…" when it is long.
func short(q *gojq.Query) string {
	if s := q.String(); len(s) <= maxQuoted && !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return "…"
}

// whole adds the mended expression to a fix, if it is jq.
func whole(mended, fix string) string {
	mended = strings.TrimSpace(mended)
	if _, err := gojq.Parse(mended); err != nil || len(mended) > maxQuoted || strings.ContainsAny(mended, "\r\n") {
		return fix
	}
	return fix + ": " + mapping.InSingleQuotes(mended)
}

// nearFix is the beginning of a fix that names what is spelled nearly alike.
func nearFix(name string, known []string) string {
	if near, ok := nearest.Name(name, known); ok {
		return fmt.Sprintf("did you mean %s? ", near)
	}
	return ""
}

// head is the first term of a query, which sees what comes in; nil in parentheses.
func head(q *gojq.Query) *gojq.Term {
	for q.Term == nil && q.Left != nil {
		q = q.Left
	}
	return q.Term
}

// operands returns what is joined by an operator.
func operands(q *gojq.Query, op gojq.Operator) []*gojq.Query {
	if q.Term != nil || q.Op != op {
		return []*gojq.Query{q}
	}
	return append(operands(q.Left, op), operands(q.Right, op)...)
}

// compares reports whether an operator compares two values.
func compares(op gojq.Operator) bool {
	switch op {
	case gojq.OpEq, gojq.OpNe, gojq.OpGt, gojq.OpGe, gojq.OpLt, gojq.OpLe:
		return true
	}
	return false
}

// lastKey returns the key that a path ends with.
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

// identical reports whether a query gives what it sees.
func identical(q *gojq.Query) bool {
	t := jq.OnlyTerm(q)
	return t != nil && t.Type == gojq.TermTypeIdentity && len(t.SuffixList) == 0
}

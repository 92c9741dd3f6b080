package transform

import (
	"fmt"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/mapping"
)

const (
	// maxText bounds an expression, in bytes: gojq's compiler is recursive.
	maxText = 64 << 10
	// maxNames bounds the undefined names that are told of one expression.
	maxNames = 20
)

// expr compiles one expression. It never gives nil; what is wrong is among the
// problems.
func (c *compiler) expr(e mapping.Expr, s strictness) *expression {
	x := &expression{Expr: e}
	before := len(c.problems)
	if len(e.Text) > maxText {
		c.add(e.Problem(mapping.RuleJQSize, mapping.Error, 0,
			fmt.Sprintf("jq: the expression has %d bytes, and at most %d are read", len(e.Text), maxText),
			"shorten it"))
		return x
	}
	if _, ok := fileReference(e.Text); ok {
		c.noFile(e)
		return x
	}
	var err error
	if x.tree, x.source, err = parse(e.Text); err != nil {
		c.add(syntaxProblem(e, err))
		return x
	}
	x.code = c.compile(x)
	x.literal, x.constant = constantOf(x.tree)
	for _, name := range environmentNames(x.tree) {
		if _, ok := c.known[name]; !ok {
			c.unknownVariable(e, locateVariable(e.Text, name), name, s)
		}
	}
	c.inspect(x)
	c.checkFields(x)
	x.wrong = len(c.problems[before:].Errors()) > 0
	return x
}

func (c *compiler) add(p mapping.Problem) { c.problems = append(c.problems, p) }

// compile gives nil when names of the expression do not exist. They are told all at
// once: each is defined after that, and the expression compiled again.
func (c *compiler) compile(x *expression) *gojq.Code {
	options := []gojq.CompilerOption{
		gojq.WithEnvironLoader(func() []string { return c.environ }),
		// In jq these write to the standard error stream, and give their input.
		gojq.WithFunction("debug", 0, 1, identity),
		gojq.WithFunction("stderr", 0, 0, identity),
	}
	n := unknowns{expression: x, fields: c.fieldNames()}
	for range maxNames {
		code, err := gojq.Compile(x.tree, append(options, n.options()...)...)
		if err == nil {
			if len(n.problems) == 0 {
				return c.bounded(x, code)
			}
			break
		}
		if !n.tell(err) {
			break
		}
	}
	c.problems = append(c.problems, n.problems...)
	return nil
}

// bounded has the Go functions that the code calls checked.
func (c *compiler) bounded(x *expression, code *gojq.Code) *gojq.Code {
	if err := bound(code); err != nil {
		c.add(x.Problem(mapping.RuleJQUnsupported, mapping.Error, 0, message(err), "report this as a mistake of the program"))
		return nil
	}
	return code
}

func identity(v any, _ []any) any { return v }

// parse reads the text as jq; if it is none, it reads it again with the single
// quotes of texts doubled. No single quote is jq outside of a text, so an
// expression that is jq as written needs no doubling, and could only suffer. The
// source is what was read, and as long as the text.
func parse(text string) (query *gojq.Query, source string, err error) {
	query, err = gojq.Parse(text)
	if err == nil || !strings.Contains(text, "'") {
		return query, text, err
	}
	source = doubleQuotes(text)
	query, err = gojq.Parse(source)
	return query, source, err
}

// constantOf gives the value of an expression that is only a text without
// interpolation, true, false or null.
func constantOf(q *gojq.Query) (v any, ok bool) {
	t := onlyTerm(q)
	if t == nil || len(t.SuffixList) > 0 {
		return nil, false
	}
	switch t.Type {
	case gojq.TermTypeString:
		return t.Str.Str, t.Str.Queries == nil
	case gojq.TermTypeTrue:
		return true, true
	case gojq.TermTypeFalse:
		return false, true
	case gojq.TermTypeNull:
		return nil, true
	}
	return nil, false
}

// onlyTerm gives the term that a query is, without parentheses around it; nil
// when it is more than a term.
func onlyTerm(q *gojq.Query) *gojq.Term {
	for q != nil && q.Term != nil && q.Meta == nil && len(q.Imports) == 0 && len(q.FuncDefs) == 0 {
		if q.Term.Type != gojq.TermTypeQuery || len(q.Term.SuffixList) > 0 {
			return q.Term
		}
		q = q.Term.Query
	}
	return nil
}

// call gives the function that a query is a call of, and nothing else; nil when it is none.
func call(q *gojq.Query) *gojq.Func {
	if t := onlyTerm(q); t != nil && t.Type == gojq.TermTypeFunc && len(t.SuffixList) == 0 {
		return t.Func
	}
	return nil
}

// keyOf gives the key of .key, ."key" and ["key"].
func keyOf(i *gojq.Index) (string, bool) {
	switch {
	case i == nil || i.IsSlice:
		return "", false
	case i.Name != "":
		return i.Name, true
	case i.Str != nil:
		return i.Str.Str, i.Str.Queries == nil
	case i.Start != nil:
		return literalText(i.Start)
	}
	return "", false
}

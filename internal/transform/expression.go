package transform

import (
	"fmt"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// maxNames bounds the undefined names that are told of one expression.
const maxNames = 20

// expression is a compiled expression.
type expression struct {
	mapping.Expr
	code *jq.Code
	file string // the path of a file, in the place of code; else ""

	tree   *gojq.Query // nil when the text is no jq
	source string      // the text that the tree was read from
	wrong  bool        // there is an error in it

	constant bool // the expression always gives literal, which the syntax tree says
	literal  any  // nil, a boolean or a string
}

// expr compiles one expression. It never gives nil; what is wrong is among the
// problems.
func (c *compiler) expr(e mapping.Expr, s strictness) *expression {
	x := &expression{Expr: e}
	before := len(c.problems)
	if len(e.Text) > jq.MaxText {
		c.add(e.Problem(mapping.RuleJQSize, diag.Error, 0,
			fmt.Sprintf("jq: the expression has %d bytes, and at most %d are read", len(e.Text), jq.MaxText),
			"shorten it"))
		return x
	}
	if _, ok := fileReference(e.Text); ok {
		c.noFile(e)
		return x
	}
	var err error
	if x.tree, x.source, err = jq.Parse(e.Text); err != nil {
		c.add(syntaxProblem(e, err))
		return x
	}
	x.code = c.compile(x)
	x.literal, x.constant = jq.Constant(x.tree)
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

func (c *compiler) add(p diag.Problem) { c.problems = append(c.problems, p) }

// compile gives nil when names of the expression do not exist. They are told all at
// once: each is defined after that, and the expression compiled again.
func (c *compiler) compile(x *expression) *jq.Code {
	n := unknowns{expression: x, fields: c.fieldNames()}
	for range maxNames {
		code, err := jq.Compile(x.tree, c.known, n.options()...)
		if err == nil {
			if len(n.problems) == 0 {
				return code
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

func identity(v any, _ []any) any { return v }

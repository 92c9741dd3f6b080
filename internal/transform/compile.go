package transform

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
)

// Environment holds the variables that expressions may read through env and
// $ENV; nothing else of the process is visible to them.
type Environment map[string]string

// Compile binds every expression of a resource. Warnings and notes come back even
// without an error. The error is diag.Problems: all problems of the
// resource at once, in file order.
func Compile(r mapping.Resource, env Environment) (*Program, diag.Problems, error) {
	c := newCompiler(r, env)
	p := c.program(r)
	if found := c.problems.Errors(); len(found) > 0 {
		return nil, c.problems.Advice(), found
	}
	return p, c.problems.Advice(), nil
}

// Check finds the problems of the expressions of a resource that has others already,
// in file order.
func Check(r mapping.Resource, env Environment) diag.Problems {
	c := newCompiler(r, env)
	c.program(r)
	return c.problems
}

func newCompiler(r mapping.Resource, env Environment) *compiler {
	return &compiler{known: env, resource: r}
}

func (c *compiler) program(r mapping.Resource) *Program {
	p := &Program{selector: c.given(r.Query, lenient)}
	c.checkSelector(p.selector)
	if r.ItemsToParse != nil {
		p.items = c.items(r)
		c.checkItems(p.items.expr)
	}
	for _, e := range r.Entities {
		made := c.entry(e)
		made.kind = r.Kind
		p.entries = append(p.entries, made)
	}
	p.files = c.files
	c.problems.Sort()
	return p
}

// given compiles an expression that is not there in a broken resource.
func (c *compiler) given(e mapping.Expr, s strictness) *expression {
	if !e.Given() {
		return &expression{Expr: e}
	}
	return c.expr(e, s)
}

// compiler collects the problems of one resource.
type compiler struct {
	resource mapping.Resource
	known    Environment
	files    map[string]bool // named by file://; nil when none is
	problems diag.Problems
	itemless bool // it is told that there are no items
}

// strictness says what an environment variable that is not allowed means: in
// an identifier or a blueprint it would make another entity.
type strictness bool

const (
	lenient strictness = false
	strict  strictness = true
)

// entry is an entry of mappings. Nil fields are keys that are not there.
type entry struct {
	Entry
	kind       string // as the mapping spells it
	identifier value
	anatomy    *anatomy // of the identifier; nil when it cannot be taken apart
	blueprint  *expression
	title      *expression
	icon       *expression
	team       *value
	properties []field
	relations  []field
}

type field struct {
	name  string
	value value
}

// value is an expression or a search query: one of the two is not nil.
type value struct {
	expr  *expression
	query *query
}

// query is a search query whose leaves are expressions.
type query struct {
	combinator *expression
	rules      []rule
}

// rule is a nested query, or the keys of a rule.
type rule struct {
	nested *query
	leaves []leaf
}

type leaf struct {
	name string
	expr *expression
}

func (c *compiler) entry(e mapping.Entity) entry {
	made := entry{
		identifier: c.value(e.Identifier, strict),
		blueprint:  c.given(e.Blueprint, strict),
		properties: c.fields(e.Properties, c.fileOrExpr),
		relations:  c.fields(e.Relations, c.lenient),
	}
	if e.Title != nil {
		made.title = c.fileOrExpr(*e.Title)
	}
	if e.Icon != nil {
		made.icon = c.lenient(*e.Icon)
	}
	if e.Team != nil {
		team := c.value(*e.Team, lenient)
		made.team = &team
	}
	if made.identifier.expr != nil {
		c.checkIdentifier(made.identifier.expr)
	}
	c.checkValues(made)
	made.Entry = Entry{
		Keys: catalog.Keys{
			Title:      e.Title != nil,
			Icon:       e.Icon != nil,
			Team:       e.Team != nil,
			Properties: names(e.Properties),
			Relations:  names(e.Relations),
		},
		QueryIdentifier: e.Identifier.Query != nil,
	}
	made.Blueprint, made.Dynamic = c.literalBlueprint(made.blueprint)
	return made
}

// checkValues looks at everything that is no search query.
func (c *compiler) checkValues(e entry) {
	all := []*expression{e.identifier.expr, e.blueprint, e.title, e.icon}
	if e.team != nil {
		all = append(all, e.team.expr)
	}
	for _, f := range slices.Concat(e.properties, e.relations) {
		all = append(all, f.value.expr)
	}
	for _, x := range all {
		if x != nil {
			c.checkValue(x)
		}
	}
}

// literalBlueprint gives the blueprint when it is known before any object is
// seen. One that Port can never take is a problem.
func (c *compiler) literalBlueprint(x *expression) (blueprint string, dynamic bool) {
	blueprint, ok := x.literal.(string)
	if !x.constant || !ok {
		return "", true
	}
	if err := catalog.CheckBlueprint(blueprint); err != nil {
		c.problems = append(c.problems, x.Problem(mapping.RuleBlueprint, diag.Error, 0,
			"the blueprint "+quote(blueprint)+" "+err.Error(),
			"write the identifier of the blueprint, as Port shows it next to its title"))
	}
	return blueprint, false
}

func names(fields []mapping.Field) []string {
	var all []string
	for _, f := range fields {
		all = append(all, f.Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (c *compiler) lenient(e mapping.Expr) *expression { return c.given(e, lenient) }

// fields compiles each value that is no search query by the given function.
func (c *compiler) fields(from []mapping.Field, compile func(mapping.Expr) *expression) []field {
	var all []field
	for _, f := range from {
		made := field{name: f.Name}
		if f.Value.Query != nil {
			made.value.query = c.query(f.Value.Query, lenient)
		} else {
			made.value.expr = compile(*f.Value.Expr)
		}
		all = append(all, made)
	}
	return all
}

func (c *compiler) value(v mapping.Value, s strictness) value {
	if v.Query != nil {
		return value{query: c.query(v.Query, s)}
	}
	if v.Expr == nil {
		return value{expr: &expression{}}
	}
	return value{expr: c.given(*v.Expr, s)}
}

func (c *compiler) query(q *mapping.Query, s strictness) *query {
	made := &query{combinator: c.given(q.Combinator, s)}
	for _, r := range q.Rules {
		if r.Nested != nil {
			made.rules = append(made.rules, rule{nested: c.query(r.Nested, s)})
			continue
		}
		var leaves []leaf
		for _, l := range r.Leaves {
			leaves = append(leaves, leaf{name: l.Name, expr: c.given(l.Expr, s)})
		}
		made.rules = append(made.rules, rule{leaves: leaves})
	}
	return made
}

// where is the expression that stands for the value in messages.
func (v value) where() mapping.Expr {
	if v.query != nil {
		return v.query.combinator.Expr
	}
	return v.expr.Expr
}

// unknownVariable is the problem of a variable that the environment lacks.
func (c *compiler) unknownVariable(e mapping.Expr, offset int, name string, s strictness) {
	severity, end := diag.Warning, "it is null here"
	if s == strict {
		severity, end = diag.Error, "it would be null here and name another entity"
	}
	fix := "set it and name it in the input jq_env_allow; never allow a variable that holds a secret"
	if near, ok := nearest.Name(name, slices.Sorted(maps.Keys(c.known))); ok {
		fix = fmt.Sprintf("did you mean %s? else %s", near, fix)
	}
	c.problems = append(c.problems, e.Problem(mapping.RuleJQEnvironment, severity, offset,
		"the environment variable "+strconv.Quote(name)+" is not allowed or not set: "+end,
		fix))
}

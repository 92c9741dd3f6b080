package transform

import (
	"path"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// Environment holds the variables that expressions may read through env and
// $ENV; nothing else of the process is visible to them.
type Environment map[string]string

// Compile compiles every expression of a resource whose kind is known as k. The error is
// diag.Problems: one for each expression that does not compile, without a way out. Ask
// lint before, which explains them all.
func Compile(r mapping.Resource, env Environment, k shape.Kind) (*Program, error) {
	c := &compiler{env: env}
	p := &Program{kind: k, selector: c.expr(r.Query)}
	if r.ItemsToParse != nil {
		p.items = c.items(r)
	}
	for _, e := range r.Entities {
		p.entries = append(p.entries, c.entry(e))
	}
	p.files = c.files
	if len(c.problems) > 0 {
		c.problems.Sort()
		return nil, c.problems
	}
	return p, nil
}

// compiler compiles the expressions of one resource.
type compiler struct {
	env      Environment
	files    map[string]bool // named by file://; nil when none is
	problems diag.Problems
}

// expr compiles one expression. It never returns nil; what does not compile is among
// the problems. An expression that a broken resource lacks has no code.
func (c *compiler) expr(e mapping.Expr) *expression {
	if !e.Given() {
		return &expression{Expr: e}
	}
	return c.compile(e)
}

func (c *compiler) compile(e mapping.Expr) *expression {
	x := &expression{Expr: e}
	var err error
	if x.tree, _, err = jq.Parse(e.Text); err == nil {
		x.code, err = jq.Compile(x.tree, c.env)
	}
	if err != nil {
		c.problems = append(c.problems, e.Problem(mapping.RuleJQSyntax, diag.Error, 0, jq.Message(err), ""))
	}
	return x
}

// fileOrExpr compiles an expression in whose place a file may be named.
func (c *compiler) fileOrExpr(e mapping.Expr) *expression {
	name, ok := e.File()
	if !ok {
		return c.expr(e)
	}
	if c.files == nil {
		c.files = map[string]bool{}
	}
	name = path.Clean(name)
	c.files[name] = true
	return &expression{Expr: e, file: name}
}

func (c *compiler) entry(e mapping.Entity) entry {
	made := entry{
		identifier: c.value(e.Identifier),
		blueprint:  c.expr(e.Blueprint),
		properties: c.fields(e.Properties, c.fileOrExpr),
		relations:  c.fields(e.Relations, c.expr),
	}
	if e.Title != nil {
		made.title = c.fileOrExpr(*e.Title)
	}
	if e.Icon != nil {
		made.icon = c.expr(*e.Icon)
	}
	if e.Team != nil {
		team := c.value(*e.Team)
		made.team = &team
	}
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
	made.Blueprint, made.Dynamic = literalBlueprint(made.blueprint)
	return made
}

// literalBlueprint returns the blueprint when it is known before any object is seen.
func literalBlueprint(x *expression) (blueprint string, dynamic bool) {
	blueprint, ok := jq.Text(x.tree)
	return blueprint, !ok
}

func names(fields []mapping.Field) []string {
	var all []string
	for _, f := range fields {
		all = append(all, f.Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (c *compiler) items(r mapping.Resource) *items {
	made := &items{expr: c.expr(*r.ItemsToParse), name: r.ItemsToParseName}
	if r.TopLevelTransform {
		made.drop = sourcePath(r.ItemsToParse.Text)
	}
	return made
}

// fields compiles each value by the given function, unless it is a search query.
func (c *compiler) fields(from []mapping.Field, compile func(mapping.Expr) *expression) []field {
	var all []field
	for _, f := range from {
		made := field{name: f.Name}
		if f.Value.Query != nil {
			made.value.query = c.query(f.Value.Query)
		} else {
			made.value.expr = compile(*f.Value.Expr)
		}
		all = append(all, made)
	}
	return all
}

func (c *compiler) value(v mapping.Value) value {
	if v.Query != nil {
		return value{query: c.query(v.Query)}
	}
	return value{expr: c.expr(*v.Expr)}
}

func (c *compiler) query(q *mapping.Query) *query {
	made := &query{combinator: c.expr(q.Combinator)}
	for _, r := range q.Rules {
		if r.Nested != nil {
			made.rules = append(made.rules, rule{nested: c.query(r.Nested)})
			continue
		}
		var leaves []leaf
		for _, l := range r.Leaves {
			leaves = append(leaves, leaf{name: l.Name, expr: c.expr(l.Expr)})
		}
		made.rules = append(made.rules, rule{leaves: leaves})
	}
	return made
}

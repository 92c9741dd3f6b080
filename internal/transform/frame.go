package transform

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// Frame is what the identifiers of all objects of one origin have in common: they begin
// and end with texts that it alone decides.
type Frame struct {
	Prefix, Suffix string
	// Exact is true when nothing stands between: the identifier is the prefix.
	Exact bool
	// Number is true when a whole number stands between, and nothing else.
	Number bool
}

// Covers reports whether an identifier may be one of the frame's.
func (f Frame) Covers(identifier string) bool {
	if f.Exact {
		return identifier == f.Prefix
	}
	rest, ok := strings.CutPrefix(identifier, f.Prefix)
	if ok {
		rest, ok = strings.CutSuffix(rest, f.Suffix)
	}
	return ok && (!f.Number || isWhole(rest))
}

// Alone reports whether an identifier that the frame covers cannot be put together from
// another name of an origin: "svc11" is number 11 of svc and number 1 of svc1, while
// "svc-11" and "svc/11" are of svc alone.
func (f Frame) Alone(identifier string) bool {
	if f.Exact {
		return true
	}
	before, _ := utf8.DecodeLastRuneInString(f.Prefix)
	after, _ := utf8.DecodeRuneInString(f.Suffix)
	if !f.Number {
		return f.Prefix+f.Suffix != "" && (f.Prefix == "" || !ofName(before)) && (f.Suffix == "" || !ofName(after))
	}
	digits := len(identifier) - len(f.Prefix) - len(f.Suffix)
	sharp := func(end string, r rune) bool {
		return end == "" || !catalog.Letter(r) && !unicode.IsDigit(r) || digits == 1 && !unicode.IsDigit(r)
	}
	return sharp(f.Prefix, before) && sharp(f.Suffix, after)
}

// ofName reports whether names of repositories and the like hold a character.
func ofName(r rune) bool {
	return catalog.Letter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_. ", r)
}

// isWhole reports whether a text is a whole number as jq writes it.
func isWhole(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && (text[0] != '0' || len(text) == 1)
}

// Frame returns the frame of the identifiers that an entry of mappings makes of the objects
// of one origin, of which the given object holds that and nothing else. ok is false when
// the origin's part in the identifier is not a text at its ends: then its identifiers
// cannot be told from those of others. The object is used up.
func (p *Program) Frame(ctx context.Context, entry int, object map[string]any) (f Frame, ok bool) {
	a := p.entries[entry].anatomy
	if a == nil {
		return Frame{}, false
	}
	e := jq.NewEvaluator(ctx, &p.turn)
	defer e.Close()
	if f.Prefix, ok = joined(e, a.head, object); !ok {
		return Frame{}, false
	}
	if f.Suffix, ok = joined(e, a.tail, object); !ok {
		return Frame{}, false
	}
	f.Exact, f.Number = a.exact, a.number
	return f, f.Prefix != "" || f.Suffix != ""
}

// joined concatenates texts as jq does: null adds nothing.
func joined(e *jq.Evaluator, parts []*expression, object map[string]any) (text string, ok bool) {
	var b strings.Builder
	for _, x := range parts {
		switch got, err := e.Value(x.code, object); v := got.(type) {
		case nil:
			if err != nil {
				return "", false
			}
		case string:
			b.WriteString(v)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// SetOrigin finds out how the identifiers of the resource are put together, for Frame. It
// is called once, before the program is used.
func (p *Program) SetOrigin(env Environment, o Origin) {
	for i := range p.entries {
		if x := p.entries[i].identifier.expr; x != nil && x.tree != nil && p.items == nil {
			a := dissect(x.tree, env, o)
			if id := p.kind.Object.Field("id"); a != nil && id != nil && id.Form != shape.Number {
				a.number = false
			}
			p.entries[i].anatomy = a
		}
	}
}

// part is one of the texts that are joined. A part of a text with \(…) is made a text of.
type part struct {
	query *gojq.Query
	text  bool
	after []string // functions through which each part of the joined text goes alike
}

// dissect takes an identifier apart at the places where texts are joined. It is nil where
// no end of it depends on the origin alone.
func dissect(q *gojq.Query, env Environment, o Origin) *anatomy {
	parts := joinedParts(q)
	from := 0
	for from < len(parts) && parts[from].of(o) {
		from++
	}
	to := len(parts)
	for to > from && parts[to-1].of(o) {
		to--
	}
	a := &anatomy{exact: from == len(parts), number: to-from == 1 && parts[from].isID()}
	for i, p := range parts {
		if from <= i && i < to {
			continue
		}
		x := p.compiled(env)
		switch {
		case x == nil:
			return nil
		case i < from:
			a.head = append(a.head, x)
		default:
			a.tail = append(a.tail, x)
		}
	}
	if len(a.head)+len(a.tail) == 0 {
		return nil
	}
	return a
}

// joinedParts are the texts that an expression joins, in order; the expression itself
// where it joins none.
func joinedParts(q *gojq.Query) []part {
	switch {
	case len(q.FuncDefs) > 0 || q.Meta != nil || len(q.Imports) > 0:
	case q.Term == nil && q.Op == gojq.OpAdd:
		return append(joinedParts(q.Left), joinedParts(q.Right)...)
	case q.Term == nil && q.Op == gojq.OpPipe && len(q.Patterns) == 0:
		// A change of case is made of each part alike.
		if f := jq.Call(q.Right); f != nil && len(f.Args) == 0 && (f.Name == "ascii_downcase" || f.Name == "ascii_upcase") {
			parts := joinedParts(q.Left)
			for i := range parts {
				parts[i].after = append(slices.Clone(parts[i].after), f.Name)
			}
			return parts
		}
	case q.Term != nil && len(q.Term.SuffixList) == 0 && q.Term.Type == gojq.TermTypeQuery:
		return joinedParts(q.Term.Query)
	case q.Term != nil && len(q.Term.SuffixList) == 0 && q.Term.Type == gojq.TermTypeString && len(q.Term.Str.Queries) > 0:
		var parts []part
		for _, inner := range q.Term.Str.Queries {
			parts = append(parts, part{query: inner, text: true})
		}
		return parts
	}
	return []part{{query: q}}
}

// of reports whether a part depends on the origin alone.
func (p part) of(o Origin) bool {
	r := newReader()
	r.tree(p.query)
	return o.holds(r.root)
}

// isID reports whether a part is the number of an object, as a text.
func (p part) isID() bool {
	q := p.query
	for q.Term != nil && q.Term.Type == gojq.TermTypeQuery && len(q.Term.SuffixList) == 0 {
		q = q.Term.Query
	}
	if !p.text {
		if q.Term != nil || q.Op != gojq.OpPipe || len(q.Patterns) > 0 || jq.Call(q.Right) == nil || jq.Call(q.Right).Name != "tostring" {
			return false
		}
		q = q.Left
	}
	t := jq.OnlyTerm(q)
	return t != nil && t.Type == gojq.TermTypeIndex && len(t.SuffixList) == 0 && t.Index.Name == "id"
}

// compiled is the part as an expression of its own; nil where it is none.
func (p part) compiled(env Environment) *expression {
	text := "(" + p.query.String() + ")"
	if p.text {
		text += " | tostring"
	}
	for _, f := range p.after {
		text += " | " + f
	}
	c := &compiler{env: env}
	x := c.compile(mapping.Expr{Text: text})
	if len(c.problems) > 0 {
		return nil
	}
	return x
}

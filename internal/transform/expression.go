package transform

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/mapping"
)

// maxText bounds an expression, in bytes: gojq's compiler is recursive.
const maxText = 64 << 10

// expr compiles one expression. It never gives nil; what is wrong is among the
// problems.
func (c *compiler) expr(e mapping.Expr, s strictness) *expression {
	x := &expression{Expr: e}
	if len(e.Text) > maxText {
		c.problems = append(c.problems, e.Problem(mapping.Error, 0,
			fmt.Sprintf("jq: the expression has %d bytes, and at most %d are read", len(e.Text), maxText),
			"shorten it"))
		return x
	}
	if _, ok := fileReference(e.Text); ok {
		c.noFile(e)
		return x
	}
	query, err := parse(e.Text)
	if err != nil {
		c.problems = append(c.problems, syntaxProblem(e, err))
		return x
	}
	x.code, err = gojq.Compile(query,
		gojq.WithEnvironLoader(func() []string { return c.environ }),
		// In jq these write to the standard error stream, and give their input.
		gojq.WithFunction("debug", 0, 1, identity),
		gojq.WithFunction("stderr", 0, 0, identity),
	)
	if err != nil {
		c.problems = append(c.problems, nameProblem(e, err))
		return x
	}
	if err := bound(x.code); err != nil {
		c.problems = append(c.problems, e.Problem(mapping.Error, 0, message(err), "report this as a mistake of the program"))
	}
	x.literal, x.constant = constantOf(query)
	for _, name := range environmentNames(query) {
		if _, ok := c.known[name]; !ok {
			c.unknownVariable(e, locateVariable(e.Text, name), name, s)
		}
	}
	return x
}

func identity(v any, _ []any) any { return v }

// parse reads the text as jq; if it is none, it reads it again with the single
// quotes of texts doubled. No single quote is jq outside of a text, so an
// expression that is jq as written needs no doubling, and could only suffer.
func parse(text string) (*gojq.Query, error) {
	query, err := gojq.Parse(text)
	if err == nil || !strings.Contains(text, "'") {
		return query, err
	}
	return gojq.Parse(doubleQuotes(text))
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
		v, constant := constantOf(i.Start)
		key, ok := v.(string)
		return key, constant && ok
	}
	return "", false
}

// syntaxProblem tells where the text stops being jq. The offset of gojq is the
// end of the token.
func syntaxProblem(e mapping.Expr, err error) mapping.Problem {
	var parseError *gojq.ParseError
	if !errors.As(err, &parseError) {
		return e.Problem(mapping.Error, 0, message(err), defaultFix)
	}
	offset := parseError.Offset
	if start := offset - len(parseError.Token); start >= 0 && doubleQuotes(e.Text)[start:offset] == parseError.Token {
		offset = start
	}
	return e.Problem(mapping.Error, offset, message(err), syntaxFix(e.Text, parseError.Token, offset))
}

const defaultFix = `a field begins with a dot (.name), a text stands in double quotes ("name"), and steps are joined by "|"`

func syntaxFix(text, token string, offset int) string {
	before := strings.TrimSpace(text[:offset])
	switch {
	case strings.HasPrefix(text[offset:], "'"):
		return `put the text in double quotes ("OPEN"), and the whole expression in single quotes if YAML needs it`
	case strings.HasPrefix(token, "|") && strings.HasSuffix(text[:offset], "|"):
		return `for a choice write "or", and for a default "//"`
	case strings.HasPrefix(token, "|") && (before == "" || strings.HasSuffix(before, "|")):
		return `remove one "|"; to read a nested field write .project.name`
	case strings.HasPrefix(token, "&"):
		return `write "and"`
	case strings.HasPrefix(token, "!"):
		return `write (… | not)`
	case token == "" && offset == len(text) && strings.Count(text, `"`)%2 == 1:
		return `close the text with a double quote`
	case token == "" && offset == len(text):
		return "the expression ends too early: add what is missing after the last operator, or the closing bracket"
	case strings.HasPrefix(token, `\`):
		return `write a backslash inside a text twice: "\\d"`
	}
	return defaultFix
}

// missing are names of jq that gojq lacks, and what to write for them.
//
// Source: https://github.com/itchyny/gojq#difference-to-jq, read 2026-11.
var missing = map[string]string{
	"keys_unsorted":     "write keys: objects have no order here",
	"input_line_number": "remove it: there is no input text here",
	"input_filename":    "remove it: there is no input file here",
	"$__loc__":          "remove it: it is not supported here",
	"$__prog_args":      "remove it: it is not supported here",
}

// nameProblem tells what an expression uses that does not exist here. gojq
// keeps the types of these errors to itself, so the texts are taken apart.
func nameProblem(e mapping.Expr, err error) mapping.Problem {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "variable not defined: "); ok {
		fix := missing[name]
		if fix == "" {
			fix = fmt.Sprintf("define it before its use (… as %s | …); inputs and environment variables are read as $ENV.NAME", name)
		}
		return e.Problem(mapping.Error, locate(e.Text, name), message(err), fix)
	}
	if signature, ok := strings.CutPrefix(text, "function not defined: "); ok {
		name, arity, _ := strings.Cut(signature, "/")
		offset := locate(e.Text, name)
		return e.Problem(mapping.Error, offset, message(err), functionFix(e.Text, offset, name, arity))
	}
	switch {
	case strings.HasPrefix(text, "input(s)"):
		return e.Problem(mapping.Error, locate(e.Text, "input"), "jq: input and inputs are not allowed",
			"write . for the object: an expression sees one object only")
	case strings.HasPrefix(text, "cannot load module"):
		return e.Problem(mapping.Error, 0, "jq: modules are not allowed: "+text, "write the functions into the expression")
	case strings.HasPrefix(text, "missing query"):
		return e.Problem(mapping.Error, 0, "jq: the expression is empty", "write what to evaluate, or remove the key")
	}
	if name, ok := strings.CutPrefix(text, "label not defined: "); ok {
		return e.Problem(mapping.Error, locate(e.Text, name), message(err), fmt.Sprintf("write label %s | … around it", name))
	}
	return e.Problem(mapping.Error, 0, message(err), defaultFix)
}

func functionFix(text string, offset int, name, arity string) string {
	if fix := missing[name]; fix != "" {
		return fix
	}
	signatures, known := builtins()
	var others []string
	for _, s := range signatures {
		if n, _, _ := strings.Cut(s, "/"); n == name {
			others = append(others, s)
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		return fmt.Sprintf(`it exists as %s (name/number of arguments): separate arguments with ";"`, strings.Join(others, ", "))
	}
	if offset > 0 && text[offset-1] == '-' {
		start := offset - 1
		for start > 0 && isNameByte(text[start-1]) {
			start--
		}
		return fmt.Sprintf(`a field with "-" in its name is written .[%q]; for a subtraction write .%s`, text[start:offset]+name, name)
	}
	fix := ""
	if near, ok := mapping.Nearest(name, known); ok {
		fix = fmt.Sprintf("did you mean %s? ", near)
	}
	if arity == "0" {
		return fix + fmt.Sprintf(`for the field write .%s, for the text "%s" in double quotes (in YAML: '"%s"')`, name, name, name)
	}
	return fix + "see the jq manual for the names of functions"
}

// builtins gives the functions of jq, as name/arity and as names.
func builtins() (signatures, names []string) {
	query, err := gojq.Parse("builtins")
	if err != nil {
		return nil, nil
	}
	all, _ := query.Run(nil).Next()
	list, _ := all.([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			name, _, _ := strings.Cut(s, "/")
			signatures, names = append(signatures, s), append(names, name)
		}
	}
	slices.Sort(names)
	return signatures, slices.Compact(names)
}

// locate gives the offset of a name in the text of an expression, outside of
// texts where possible; 0 when it is not there.
func locate(text, name string) int {
	inText, found := false, -1
	for i := range len(text) {
		switch {
		case text[i] == '"' && (i == 0 || text[i-1] != '\\'):
			inText = !inText
		case isWord(text, i, name):
			if !inText {
				return i
			}
			if found < 0 {
				found = i
			}
		}
	}
	return max(found, 0)
}

// isWord says whether the name stands at offset i, as a whole word that is no field.
func isWord(text string, i int, name string) bool {
	if !strings.HasPrefix(text[i:], name) {
		return false
	}
	if i > 0 && (isNameByte(text[i-1]) || text[i-1] == '.' || text[i-1] == '$') {
		return false
	}
	end := i + len(name)
	return end == len(text) || !isNameByte(text[end])
}

func isNameByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

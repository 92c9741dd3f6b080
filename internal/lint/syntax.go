package lint

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// tooLong finds an expression that is longer than any that a person writes.
func tooLong(x *expression) bool {
	if len(x.Text) <= jq.MaxText {
		return false
	}
	x.add(mapping.RuleJQSize, diag.Error, 0, fmt.Sprintf("jq: the expression has %d bytes, and at most %d are read", len(x.Text), jq.MaxText), "shorten it")
	return true
}

// syntax reads the expression, and finds where it stops being jq.
func syntax(x *expression) bool {
	tree, source, err := jq.Parse(x.Text)
	if err == nil {
		x.tree, x.source, x.types = tree, source, newTyper(tree)
		return false
	}
	var parseError *gojq.ParseError
	if !errors.As(err, &parseError) {
		x.add(mapping.RuleJQSyntax, diag.Error, 0, jq.Message(err), defaultFix)
		return true
	}
	// The offset of gojq is the end of the token.
	offset, token := parseError.Offset, parseError.Token
	doubled := jq.DoubleQuotes(x.Text)
	if start := offset - len(token); start >= 0 && doubled[start:offset] == token {
		offset = start
	}
	fix := x.CommentFix()
	switch {
	case fix != "":
		x.add(mapping.RuleYAMLComment, diag.Error, len(x.Text), `to YAML " #" begins a comment, which ends the expression within a text`, fix)
	case strings.HasPrefix(x.Text[offset:], "'"):
		x.add(mapping.RuleJQSingleQuotes, diag.Error, offset, "jq: a text in single quotes is not understood here", singleQuotesFix(x.Text))
	default:
		x.add(mapping.RuleJQSyntax, diag.Error, offset, jq.Message(err), syntaxFix(x.Expr, token, offset))
	}
	return true
}

// singleQuotesFix returns the expression with double quotes, if it is jq then.
func singleQuotesFix(text string) string {
	const fix = "put the text in double quotes"
	doubled := strings.TrimSpace(strings.ReplaceAll(text, "'", `"`))
	if _, err := gojq.Parse(doubled); err != nil || len(doubled) > maxQuoted || strings.Contains(doubled, "\n") {
		return fix + ` ("OPEN"), and the whole expression in single quotes if YAML needs it`
	}
	return fix + ", and the whole expression in single quotes for YAML: " + mapping.InSingleQuotes(doubled)
}

const defaultFix = `a field begins with a dot (.name), a text is written in double quotes ("name"), and steps are joined by "|"`

// spellings are operators and words of other languages, and what jq has for them.
var spellings = []struct{ text, fix string }{
	{"===", `write "=="`},
	{"!==", `write "!="`},
	{"=~", `write test("…") after a "|": .name | test("^a")`},
	{"<>", `write "!="`},
	{"->", `a nested field is written .project.name`},
	{"&&", `write "and"`},
	{"&", `write "and"`},
	{"||", `for a choice write "or", and for a default "//"`},
	{"??", `for a default write "//"`},
	{"!", `write (… | not)`},
	{"is ", `compare with "==": .name == null`},
	{"eq ", `compare with "=="`},
	{"ne ", `compare with "!="`},
	{"in ", `write IN("a", "b") after a "|": .state | IN("OPEN", "MERGED")`},
	{"like ", `write test("…") after a "|": .name | test("^a")`},
	{"${", `for the value of a field write .name, and inside a text "\(.name)"`},
	{"$", `a variable is written $name; an environment variable is $ENV.NAME`},
	{"`", `a text is written in double quotes`},
	{"“", `write plain double quotes (")`},
	{"”", `write plain double quotes (")`},
	{"„", `write plain double quotes (")`},
	{";", `";" is only for between the arguments of a function; steps are joined by "|"`},
	{":", `a choice is written: if … then … else … end`},
	{"=", `compare with "=="`},
	{"~", `write test("…") after a "|": .name | test("^a")`},
	{"{", `braces make an object: {name: .name}; for the value of a field write .name alone`},
}

func syntaxFix(e mapping.Expr, token string, offset int) string {
	text := e.Text
	before := strings.TrimSpace(text[:offset])
	rest := text[offset:]
	if fix := neighbourFix(text, token, offset); fix != "" {
		return fix
	}
	switch {
	case strings.HasPrefix(token, "|") && strings.HasSuffix(text[:offset], "|"):
		return `for a choice write "or", and for a default "//"`
	case strings.HasPrefix(token, "|") && (before == "" || strings.HasSuffix(before, "|")):
		return `remove one "|"; to read a nested field write .project.name`
	case token == "" && offset == len(text):
		return endFix(e)
	case strings.HasPrefix(token, `\`):
		return `write a backslash inside a text twice: "\\d"`
	case strings.HasPrefix(rest, "(") && before != "" && jq.IsNameByte(before[len(before)-1]):
		return `jq has no methods: write the function after a "|", such as .name | length`
	case strings.HasPrefix(before, "http") && strings.HasPrefix(rest, "://"):
		return `a text is written in double quotes: '"https://example.com/" + .slug'`
	case strings.TrimSpace(text) == token && e.Name == "selector.query":
		return "write 'true' to take every object"
	case strings.TrimSpace(text) == token:
		return fmt.Sprintf(`for the text %q write it in both quotes: '"%s"'`, token, token)
	case strings.HasSuffix(before, "??"):
		return `for a default write "//"`
	case strings.HasSuffix(before, "?"):
		return "a choice is written: if … then … else … end"
	case strings.HasPrefix(token, ")"), strings.HasPrefix(token, "]"), strings.HasPrefix(token, "}"):
		return fmt.Sprintf("remove %q, or write what is missing before it", token)
	case token == "then" || token == "else" || token == "elif" || token == "end":
		return "a choice is written: if … then … else … end"
	}
	return spellingFix(text, offset)
}

// spellingFix is for an operator or a word of another language.
func spellingFix(text string, offset int) string {
	// Of two characters the parser may have taken the first for an operator.
	for _, at := range []int{offset, offset - 1, offset - 2} {
		if at < 0 || at >= len(text) || !utf8.RuneStart(text[at]) {
			continue
		}
		for _, s := range spellings {
			if strings.HasPrefix(text[at:], s.text) && at+len(s.text) > offset {
				return s.fix
			}
		}
	}
	return defaultFix
}

// endFix is for an expression that ends too early.
func endFix(e mapping.Expr) string {
	text := e.Text
	if strings.Count(text, `"`)%2 == 1 {
		return `close the text with a double quote`
	}
	var open []token
	closing := map[string]string{"(": ")", "[": "]", "{": "}", "if": "end"}
	for _, t := range tokens(text) {
		switch {
		case t.kind != signToken && t.value != "if" && t.value != "end":
		case closing[t.value] != "":
			open = append(open, t)
		case len(open) > 0 && closing[open[len(open)-1].value] == t.value:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		last := open[len(open)-1]
		at := e.At(last.start)
		return fmt.Sprintf("write %q where the %q of line %d, column %d, is to be closed, at the latest at the end", closing[last.value], last.value, at.Line, at.Column)
	}
	return "the expression ends too early: add what is missing after the last operator"
}

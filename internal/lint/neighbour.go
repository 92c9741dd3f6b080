package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// aText is a text at the start of what is left.
var aText = regexp.MustCompile(`^\s*"(?:[^"\\]|\\.)*"`)

// neighbourFix is for what is wrong with the tokens beside an offset: an operator is
// missing, or is one of another language. It is empty when that is not known.
func neighbourFix(text, token string, offset int) string {
	before, rest := strings.TrimSpace(text[:offset]), text[offset:]
	if fix := lookalikeFix(text, offset); fix != "" {
		return fix
	}
	if bare, ok := mapping.WithoutBraces(text); ok && strings.HasPrefix(token, "{") {
		return "this is the language of templates: write " + mapping.InSingleQuotes(bare)
	}
	_, functions := jq.Builtins()
	switch isFunction := slices.Contains(functions, token); {
	case (token == "and" || token == "or") && strings.HasSuffix(before, "|"):
		return whole(strings.TrimSpace(strings.TrimSuffix(before, "|"))+" "+rest, fmt.Sprintf(`remove the "|" before %q`, token))
	case token == ")" && strings.HasSuffix(before, "(") && jq.IsNameByte(lastByte(strings.TrimSuffix(before, "("))):
		name := before[len(strings.TrimRightFunc(before[:len(before)-1], isNameRune)) : len(before)-1]
		if strings.HasSuffix(strings.TrimSuffix(before, name+"("), ".") {
			return ""
		}
		return whole(strings.TrimSuffix(before, "(")+rest[1:], name+" takes no parentheses")
	case !endsValue(before):
	case isFunction && aText.MatchString(rest[len(token):]):
		argument := aText.FindString(rest[len(token):])
		return whole(piped(before, token+"("+strings.TrimSpace(argument)+")", rest[len(token)+len(argument):]),
			"a function stands behind a \"|\", and its argument in parentheses")
	case isFunction && strings.TrimSpace(rest) == token:
		return whole(before+" | "+rest, `a function is written after a "|"`)
	case strings.HasPrefix(rest, "~") && aText.MatchString(rest[1:]):
		argument := aText.FindString(rest[1:])
		return whole(piped(before, "test("+strings.TrimSpace(argument)+")", rest[1+len(argument):]), "a regular expression is the argument of test")
	case strings.HasPrefix(rest, `"`):
		fix := fmt.Sprintf("an operator is missing before %s: to join texts write + before it", quoted(rest))
		if argument := aText.FindString(rest); startsValue(rest[len(argument):]) {
			fix += " and after it"
			return whole(before+" + "+argument+" + "+strings.TrimSpace(rest[len(argument):]), fix)
		}
		return whole(before+" + "+rest, fix)
	}
	return ""
}

// lastPath is the path that something ends with.
var lastPath = regexp.MustCompile(`\.[\w.\[\]]*$`)

// piped puts a call after the path that stands last, in parentheses where there is more.
func piped(before, call, behind string) string {
	at := lastPath.FindStringIndex(before)
	if behind = strings.TrimRight(behind, " "); at == nil || at[0] == 0 && behind == "" {
		return before + " | " + call + behind
	}
	return before[:at[0]] + "(" + before[at[0]:] + " | " + call + ")" + behind
}

func isNameRune(r rune) bool { return r < utf8.RuneSelf && jq.IsNameByte(byte(r)) }

func lastByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

// endsValue reports whether a value stands before.
func endsValue(before string) bool {
	c := lastByte(before)
	return jq.IsNameByte(c) || c == ')' || c == ']' || c == '}' || c == '"'
}

// startsValue reports whether a value follows, and no operator.
func startsValue(rest string) bool {
	rest = strings.TrimSpace(rest)
	return rest != "" && strings.IndexByte(".($@\"[", rest[0]) >= 0
}

// quoted is the text that something begins with.
func quoted(rest string) string {
	if text := strings.TrimSpace(aText.FindString(rest)); text != "" && len(text) <= maxQuoted {
		return text
	}
	return "the text"
}

// lookalikeFix is for a character that looks like another one.
func lookalikeFix(text string, offset int) string {
	r, _ := utf8.DecodeRuneInString(text[offset:])
	if name := mapping.Lookalike(r); name != "" {
		return name
	}
	if r != '‘' && r != '’' {
		return ""
	}
	const fix = "write plain quotes for ‘ and ’"
	if inner := strings.TrimFunc(text, func(r rune) bool { return r == '‘' || r == '’' || unicode.IsSpace(r) }); !strings.ContainsAny(inner, "‘’") {
		if _, err := gojq.Parse(inner); err == nil && strings.HasPrefix(inner, `"`) {
			return whole(inner, fix)
		}
	}
	return whole(strings.NewReplacer("‘", `"`, "’", `"`).Replace(text), fix)
}

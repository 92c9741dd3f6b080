package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
)

// The operators of search queries, and how their rules are joined.
//
// Source: https://docs.port.io/api-reference/create-an-entity (relations), and the guide on
// mapping relations by search queries, read 2026-11.
var (
	searchOperators = []string{"=", "in", "contains", "containsAny"}
	combinators     = []string{"and", "or"}
)

var (
	// bareName is the name of a property, or of a field of Port's own.
	bareName = regexp.MustCompile(`^\$?[A-Za-z_]\w*$`)
	// bareText is what could be a text without quotes of jq: words, signs between them.
	bareText = regexp.MustCompile(`^[$@\w][\w@/.:+#&!?*%=~ -]*$`)
	// aField is a field in an expression.
	aField = regexp.MustCompile(`(?:^|[^\w])\.\w`)
	// bareOperator is an operator of a comparison.
	bareOperator = regexp.MustCompile(`^(?:[=!<>~]{1,3}|[A-Za-z]\w*)$`)
)

// searchTexts finds a part of a search query that is a text in the quotes of YAML alone: to
// jq property: "name" is the function name. Port's own guides write queries so. It ends the
// look at the expression, which may be jq of another meaning, or none.
func searchTexts(x *expression) bool {
	leaf, text := x.leaf(), strings.TrimSpace(x.Text)
	meant := false
	switch leaf {
	case "combinator":
		meant = bareName.MatchString(text)
	case "operator":
		meant = bareOperator.MatchString(text)
	case "property":
		meant = bareName.MatchString(text) || bareText.MatchString(text) && !aField.MatchString(text) && !compiles(x)
	case "value":
		meant = bareText.MatchString(text) && !aField.MatchString(text) && !compiles(x)
	}
	if !meant || text == "null" || text == "true" || text == "false" {
		return false
	}
	fix := fmt.Sprintf("write %s: %s", leaf, mapping.InSingleQuotes(jq.Quote(inCase(leaf, text))))
	if leaf == "operator" && !slices.Contains(searchOperators, inCase(leaf, text)) {
		fix = operatorFix(leaf, searchOperators)
	}
	if leaf == "value" {
		name := strings.TrimPrefix(text, "$")
		if near, ok := nearest.Name(name, x.fieldNames()); ok {
			fix = fmt.Sprintf("for the field write %s: .%s, for the text %s", leaf, near, mapping.InSingleQuotes(jq.Quote(text)))
		}
	}
	x.add(mapping.RuleJQText, diag.Error, 0, fmt.Sprintf("jq: %s is a text, and lacks the quotes of jq", jq.Quote(text)), fix)
	return true
}

// inCase is a text in the letters that its leaf has in Port.
func inCase(leaf, text string) string {
	known := searchOperators
	switch leaf {
	case "combinator":
		known = combinators
	case "operator":
	default:
		return text
	}
	if i := slices.IndexFunc(known, func(one string) bool { return strings.EqualFold(one, text) }); i >= 0 {
		return known[i]
	}
	if leaf == "operator" && text == "==" {
		return "="
	}
	return text
}

// operatorFix names what Port knows.
func operatorFix(leaf string, known []string) string {
	return fmt.Sprintf("Port knows %s: write for example %s: %s", strings.Join(known, ", "), leaf, mapping.InSingleQuotes(jq.Quote(known[0])))
}

// leaf is which part of a search query an expression is; empty when it is none.
func (x *expression) leaf() string {
	if x.role != leafRole && x.role != identityRole {
		return ""
	}
	return x.Name[strings.LastIndex(x.Name, ": ")+2:]
}

// compiles reports whether the text is jq whose names all exist.
func compiles(x *expression) bool {
	tree, _, err := jq.Parse(x.Text)
	if err == nil {
		_, err = jq.Compile(tree, x.Environment)
	}
	return err == nil
}

// searchWords finds an operator or a combinator that Port does not know.
func searchWords(x *expression) {
	known, leaf := searchOperators, x.leaf()
	switch leaf {
	case "combinator":
		known = combinators
	case "operator":
	default:
		return
	}
	constant, ok := jq.Constant(x.tree)
	word, text := constant.(string)
	if !ok || text && slices.Contains(known, word) {
		return
	}
	fix := operatorFix(leaf, known)
	if right := inCase(leaf, word); right != word {
		fix = fmt.Sprintf("write %s: %s", leaf, mapping.InSingleQuotes(jq.Quote(right)))
	} else if near, ok := nearest.Name(word, known); ok {
		fix = fmt.Sprintf("did you mean %s: %s?", leaf, mapping.InSingleQuotes(jq.Quote(near)))
	}
	x.add(mapping.RuleSearch, diag.Warning, 0, fmt.Sprintf("Port's search queries have no %s %s", leaf, short(x.tree)), fix)
}

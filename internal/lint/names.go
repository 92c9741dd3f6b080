package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
)

// unsupported are names of jq 1.8.2 that do not work here, and what to write for them.
var unsupported = map[string]string{
	"get_search_list": "remove it: there are no modules here",
	"get_jq_origin":   "remove it: there are no modules here",
	"get_prog_origin": "remove it: there are no modules here",
}

// former are names that older versions of jq had, with the last one that did.
var former = map[string]struct{ last, fix string }{
	"leaf_paths":       {"1.6", "write paths(scalars)"},
	"recurse_down":     {"1.6", "write recurse"},
	"scalars_or_empty": {"1.6", "write scalars"},
	"pow10":            {"1.7.1", "write exp10"},
}

// wished are names that no version of jq has, and that people write.
var wished = map[string]string{
	"toarray": `write if type == "array" then . else [.] end`,
	"isvalid": "write try (… | true) catch false",
	"ascii":   "write [.] | implode",
	"date":    "write todate",
	"dateadd": "write todate after the sum of seconds: (.x | fromdate) + 3600 | todate",
	"datesub": "write todate after the difference of seconds: (.x | fromdate) - 3600 | todate",
}

// foreign are functions of other languages, and what jq has for them.
var foreign = map[string]string{
	"len": "length", "size": "length", "count": "length",
	"lower": "ascii_downcase", "lowercase": "ascii_downcase", "tolower": "ascii_downcase", "downcase": "ascii_downcase",
	"upper": "ascii_upcase", "uppercase": "ascii_upcase", "toupper": "ascii_upcase", "upcase": "ascii_upcase",
	"replace": `gsub("a"; "b")`, "replaceall": `gsub("a"; "b")`, "substring": ".[0:3]", "substr": ".[0:3]", "slice": ".[0:3]",
	"concat": `"+" between the parts`, "int": "tonumber", "number": "tonumber", "float": "tonumber",
	"str": "tostring", "string": "tostring", "coalesce": `"//" between the values`, "default": `"//" before the default`,
	"isnull": "== null", "isempty": `== ""`, "exists": "!= null", "defined": "!= null", "includes": "contains(…)",
	"matches": "test(…)", "regex": "test(…)", "strip": "trim", "sum": "add", "filter": "map(select(…))", "find": "first(.[] | select(…))",
	"foreach": "map(…)", "uniq": "unique", "distinct": "unique", "today": "now | todate", "indexof": "index(…)", "strlen": "length",
}

// constants are those of other languages, in lower case.
var constants = map[string]string{
	"none": "null", "nil": "null", "null": "null", "undefined": "null", "true": "true", "false": "false", "yes": "true", "no": "false",
}

// maxNames bounds the undefined names of one expression: who reads a page of them fixes the
// first, and looks again.
const maxNames = 20

// unknownNames finds functions and variables that do not exist: all of them, since each
// is defined once it was found, and the expression compiled again.
func unknownNames(x *expression) {
	n := unknowns{expression: x, fields: x.fieldNames()}
	for range maxNames {
		_, err := jq.Compile(x.tree, x.Environment, n.options()...)
		if err == nil {
			x.compiled = len(x.problems) == 0
			return
		}
		if !n.tell(err) {
			return
		}
	}
}

// unknowns are the names of an expression that do not exist. gojq does not export the
// types of these errors, so their texts are taken apart.
type unknowns struct {
	*expression
	fields    []string // those of the objects, as far as they are known
	functions []string // name/arity
	variables []string
	inputs    bool
}

// options define what was found.
func (n *unknowns) options() []gojq.CompilerOption {
	var options []gojq.CompilerOption
	for _, signature := range n.functions {
		name, count, _ := strings.Cut(signature, "/")
		arity, _ := strconv.Atoi(count)
		options = append(options, gojq.WithFunction(name, arity, arity, func(v any, _ []any) any { return v }))
	}
	if len(n.variables) > 0 {
		options = append(options, gojq.WithVariables(n.variables))
	}
	if n.inputs {
		options = append(options, gojq.WithInputIter(gojq.NewIter[any]()))
	}
	return options
}

func (n *unknowns) problem(rule diag.Rule, offset int, message, fix string) {
	n.add(rule, diag.Error, offset, message, fix)
}

// tell adds the problem of an error. It returns false when nothing can be defined that
// would let the expression compile.
func (n *unknowns) tell(err error) (goOn bool) {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "variable not defined: "); ok {
		n.variable(name, jq.Message(err))
		return true
	}
	if signature, ok := strings.CutPrefix(text, "function not defined: "); ok {
		if slices.Contains(n.functions, signature) || strings.Contains(signature, "::") {
			n.problem(mapping.RuleJQFunction, 0, jq.Message(err), defaultFix)
			return false
		}
		n.function(signature)
		return true
	}
	switch {
	case strings.HasPrefix(text, "input(s)") && !n.inputs:
		n.inputs = true
		at := locate(n.source, "input")
		if !strings.HasPrefix(n.source[at:], "input") || at == 0 && !strings.HasPrefix(strings.TrimSpace(n.source), "input") {
			at = locate(n.source, "inputs")
		}
		n.problem(mapping.RuleJQInput, at, "jq: input and inputs are not allowed",
			"write . for the object: an expression sees one object only")
		return true
	case strings.HasPrefix(text, "cannot load module"):
		n.problem(mapping.RuleJQInput, 0, "jq: modules are not allowed: "+text, "write the functions into the expression")
	case strings.HasPrefix(text, "missing query"):
		n.problem(mapping.RuleJQSyntax, 0, "jq: the expression is empty", "write what to evaluate, or remove the key")
	case strings.HasPrefix(text, "label not defined: "):
		name := strings.TrimPrefix(text, "label not defined: ")
		n.problem(mapping.RuleJQVariable, locate(n.source, name), jq.Message(err), fmt.Sprintf("write label %s | … around it", name))
	default:
		n.problem(mapping.RuleJQSyntax, 0, jq.Message(err), defaultFix)
	}
	return false
}

func (n *unknowns) variable(name, message string) {
	n.variables = append(n.variables, name)
	rule, fix := mapping.RuleJQVariable, fmt.Sprintf("define it before its use (… as %s | …); inputs and environment variables are read as $ENV.NAME", name)
	if strings.EqualFold(name, "$env") {
		fix = "did you mean $ENV? it holds the environment variables that jq_env_allow names"
	}
	n.problem(rule, locate(n.source, name), message, fix)
}

func (n *unknowns) function(signature string) {
	n.functions = append(n.functions, signature)
	name, arity, _ := strings.Cut(signature, "/")
	message := "jq: there is no function " + name
	if arity == "1" {
		message += " with 1 argument"
	} else if arity != "0" {
		message += " with " + arity + " arguments"
	}
	offset := locate(n.source, name)
	signatures, known := jq.Builtins()
	lower := strings.ToLower(strings.ReplaceAll(name, "_", ""))
	others := arities(signatures, name)
	whole := strings.TrimSpace(n.source) == name
	switch {
	case whole && n.Name == "blueprint":
		n.problem(mapping.RuleJQText, offset, withoutQuotes(name), "write blueprint: "+mapping.InSingleQuotes(`"`+name+`"`))
	case unsupported[name] != "":
		n.problem(mapping.RuleJQUnsupported, offset, message+", which is in jq, but not here", unsupported[name])
	case former[name].fix != "":
		n.problem(mapping.RuleJQFunction, offset, fmt.Sprintf("%s: jq had it up to version %s", message, former[name].last), former[name].fix)
	case wished[name] != "":
		n.problem(mapping.RuleJQFunction, offset, message, wished[name])
	case n.hyphen(offset):
		n.hyphened(name, offset)
	case len(others) > 0:
		n.problem(mapping.RuleJQArguments, offset, argumentsMessage(name, arity, others), n.argumentsFix(name, arity, others))
	case constants[lower] != "" && arity == "0":
		n.problem(mapping.RuleJQConstant, offset, message, fmt.Sprintf("did you mean %s? The constants of jq are null, true and false", constants[lower]))
	case foreign[lower] != "":
		n.problem(mapping.RuleJQFunction, offset, message, "jq has for it: "+foreign[lower])
	case arity == "0":
		n.word(name, offset, whole, message, known)
	default:
		n.problem(mapping.RuleJQFunction, offset, message, nearFix(name, known)+"see the jq manual for the names of functions")
	}
}

// hyphen reports whether a name is the end of a field with a hyphen: .full-name.
func (n *unknowns) hyphen(offset int) bool {
	return offset > 1 && n.source[offset-1] == '-' && fieldStart(n.source, offset-1) >= 0
}

// fieldStart returns the offset of the dot of the field that ends at an offset; -1 when
// none does.
func fieldStart(source string, end int) int {
	start := end
	for start > 0 && (jq.IsNameByte(source[start-1]) || source[start-1] == '-') {
		start--
	}
	if start == end || start == 0 || source[start-1] != '.' {
		return -1
	}
	return start - 1
}

func argumentsMessage(name, arity string, others []string) string {
	var takes []string
	for _, s := range others {
		takes = append(takes, strings.TrimPrefix(s, name+"/"))
	}
	plural := "s"
	if arity == "1" {
		plural = ""
	}
	return fmt.Sprintf("jq: %s is called with %s argument%s, and takes %s", name, arity, plural, strings.Join(takes, " or "))
}

// argumentsFix shows how the function is called, with the arguments as written where
// commas between them are the mistake.
func (n *unknowns) argumentsFix(name, arity string, others []string) string {
	fix := fmt.Sprintf(`write the arguments in parentheses, with ";" between them: %s(…; …)`, name)
	if others[0] == name+"/0" || arity == "0" {
		fix = fmt.Sprintf(`write the arguments in parentheses: %s(…)`, name)
	}
	for f := range nodes[*gojq.Func](n.tree) {
		if f.Name != name {
			continue
		}
		var parts []string
		for _, arg := range f.Args {
			for _, part := range commas(arg) {
				parts = append(parts, part.String())
			}
		}
		if len(parts) > len(f.Args) && slices.Contains(others, name+"/"+strconv.Itoa(len(parts))) {
			return fmt.Sprintf(`separate arguments with ";": %s(%s)`, name, strings.Join(parts, "; "))
		}
	}
	return fix
}

// commas returns the queries that are joined by ",".
func commas(q *gojq.Query) []*gojq.Query {
	if q.Op != gojq.OpComma {
		return []*gojq.Query{q}
	}
	return append(commas(q.Left), commas(q.Right)...)
}

// arities are the signatures of a function, sorted.
func arities(signatures []string, name string) []string {
	var found []string
	for _, s := range signatures {
		if n, _, _ := strings.Cut(s, "/"); n == name {
			found = append(found, s)
		}
	}
	slices.Sort(found)
	return found
}

// withoutQuotes is the message for a text that stands alone without quotes of jq.
func withoutQuotes(name string) string {
	return fmt.Sprintf("jq: %s without quotes is read as a function, and there is none of that name", name)
}

// fileName is an expression that is the name of a file.
var fileName = regexp.MustCompile(`^[\w-]+\.[A-Za-z]\w*$`)

// word adds the problem of a name that is not a function: a field without its dot, a text without
// quotes, or a misspelt constant or function.
func (n *unknowns) word(name string, offset int, whole bool, message string, functions []string) {
	text := strings.TrimSpace(n.source)
	nearField, _ := nearest.Name(name, n.fields)
	nearConstant, _ := nearest.Name(name, []string{"true", "false", "null"})
	nearFunction, _ := nearest.Name(name, functions)
	rule, fix := mapping.RuleJQFunction, fmt.Sprintf("a text is written in double quotes: %q", name)
	if whole {
		rule, message, fix = mapping.RuleJQText, withoutQuotes(name), "for a text write it in both quotes: "+mapping.InSingleQuotes(`"`+name+`"`)
	}
	switch {
	case fileName.MatchString(text) && slices.Contains(n.fields, includedFiles):
		fix = fmt.Sprintf("for the text of the file write .__includedFiles[%q], and %[1]s below includedFiles: in the selector; for its name write %s", text, mapping.InSingleQuotes(`"`+text+`"`))
	case slices.Contains(n.fields, name):
		fix = "for the field write ." + name + ", " + fix
	case nearConstant != "" && n.compared(offset):
		rule, fix = mapping.RuleJQConstant, "did you mean "+nearConstant+"?"
	case n.compared(offset):
		fix = n.comparedFix(name, offset, fix)
	case strings.EqualFold(name, nearFunction):
		rule, fix = mapping.RuleJQFunction, "did you mean "+nearFunction+"?"
	case whole && nearConstant != "":
		fix = "did you mean " + nearConstant + "? " + fix
	case nearField != "" && nearField != nearFunction:
		fix = "did you mean the field ." + nearField + "? " + fix
	case nearFunction != "":
		fix = "did you mean the function " + nearFunction + "? " + fix
	}
	n.problem(rule, offset, message, fix)
}

// compared reports whether a name stands after "=", "==" or "!=".
func (n *unknowns) compared(offset int) bool {
	return strings.HasSuffix(strings.TrimRight(n.source[:offset], " "), "=")
}

// comparedFix returns the whole comparison with the name in double quotes; fix when it is long.
func (n *unknowns) comparedFix(name string, offset int, fix string) string {
	before, behind := strings.TrimRight(n.source[:offset], " "), n.source[offset+len(name):]
	if left := strings.TrimSuffix(before, "="); strings.TrimRight(left, "=!<>|+-*/%") == left {
		before = left + "=="
	}
	fixed := strings.TrimSpace(before + ` "` + name + `"` + behind)
	if len(fixed) > maxQuoted || strings.Contains(fixed, "\n") {
		return fix
	}
	return "a text is written in double quotes: " + mapping.InSingleQuotes(fixed)
}

// hyphened adds the problem of a field with a hyphen in its name, which jq takes for a minus.
func (n *unknowns) hyphened(name string, offset int) {
	start := fieldStart(n.source, offset-1)
	key := n.source[start+1:offset] + name
	fix := fmt.Sprintf(`a field with "-" in its name is written .[%q]; for a subtraction write blanks around the "-"`, key)
	atRoot := start == 0 || !jq.IsNameByte(n.source[start-1]) && n.source[start-1] != ']'
	if path, _ := instead(n.Kind.Object, key); path != nil && atRoot {
		fix = "write " + path.String()
	} else if near, ok := nearest.Name(key, n.fields); ok && atRoot {
		fix = "write ." + near
	}
	n.problem(mapping.RuleJQHyphen, offset-1, fmt.Sprintf(`jq: %s is read as %s minus the function %s, which is not defined`, "."+key, n.source[start:offset-1], name), fix)
}

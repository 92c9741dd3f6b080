package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
)

// withoutQuotes is the message for a text that stands alone without quotes of jq.
func withoutQuotes(name string) string {
	return fmt.Sprintf("jq: %s without quotes is read as a function, and there is none of that name", name)
}

// fileName is an expression that is the name of a file.
var fileName = regexp.MustCompile(`^[\w-]+\.[A-Za-z]\w*$`)

// word adds the problem of a name that is no function: a field without its dot, a text without
// quotes, or a misspelt constant or function.
func (n *unknowns) word(name string, offset int, whole bool, message string, functions []string) {
	text := strings.TrimSpace(n.source)
	nearField, _ := nearest.Name(name, n.fields)
	nearConstant, _ := nearest.Name(name, []string{"true", "false", "null"})
	nearFunction, _ := nearest.Name(name, functions)
	rule, fix := mapping.RuleJQFunction, fmt.Sprintf("a text stands in double quotes: %q", name)
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

// compared reports whether a name stands behind "=", "==" or "!=".
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
	return "a text stands in double quotes: " + mapping.InSingleQuotes(fixed)
}

// hyphened adds the problem of a field with a hyphen in its name, which jq takes for a minus.
func (n *unknowns) hyphened(name string, offset int) {
	start := fieldStart(n.source, offset-1)
	key := n.source[start+1:offset] + name
	fix := fmt.Sprintf(`a field with "-" in its name is written .[%q]; for a subtraction write blanks around the "-"`, key)
	atRoot := start == 0 || !jq.IsNameByte(n.source[start-1]) && n.source[start-1] != ']'
	if path := otherNames[strings.ReplaceAll(key, "-", "_")]; path != "" && slices.Contains(n.fields, rootKey(path)) && atRoot {
		fix = "write " + path
	} else if near, ok := nearest.Name(key, n.fields); ok && atRoot {
		fix = "write ." + near
	}
	n.problem(mapping.RuleJQHyphen, offset-1, fmt.Sprintf(`jq: %s is read as %s minus the function %s, which is not defined`, "."+key, n.source[start:offset-1], name), fix)
}

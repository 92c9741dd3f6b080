package input

import (
	"fmt"
	"regexp"
	"strings"
)

// referencePattern takes what stands for the value of a variable: $NAME and ${NAME}, which
// Bitbucket and GitLab leave as they are where the variable is not defined, and $(NAME), which
// Azure does.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/,
// https://docs.gitlab.com/ci/variables/where_variables_can_be_used/ and
// https://learn.microsoft.com/en-us/azure/devops/pipelines/process/variables, read 2026-11.
var referencePattern = regexp.MustCompile(`^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\}|\(([A-Za-z_][A-Za-z0-9_.]*)\))$`)

// plainName takes names of variables that are no secret by accident: secrets are generated,
// and have digits or small letters.
var plainName = regexp.MustCompile(`^[A-Z][A-Z_]*$`)

// unresolved returns the name of the variable that the text, or an item of it, stands for and
// is not replaced by.
func unresolved(in Input, text string) (name string, is bool) {
	items := []string{text}
	if in.ID != "mapping" {
		items = strings.Split(text, ",")
	}
	for _, item := range items {
		if m := referencePattern.FindStringSubmatch(strings.TrimSpace(item)); m != nil {
			return m[1] + m[2] + m[3], true
		}
	}
	return "", false
}

// unresolved reports a value that stands for the variable of that name.
func (r *reader) unresolved(in Input, g given, name string) {
	text := `"$` + name + `"`
	if in.Secret {
		for item := range strings.SplitSeq(g.text, ",") {
			if _, is := unresolved(in, item); !is {
				r.rep.hidden = append(r.rep.hidden, strings.TrimSpace(item))
			}
		}
		if !plainName.MatchString(name) {
			name, text = "the variable", `a "$" and a name`
		}
	}
	var fix string
	switch {
	case r.env.Actions:
		fix = fmt.Sprintf(`%s; "with:" does not replace the names of variables by their values`, r.env.write(in, "${{ vars."+name+" }}"))
	case r.env.Pipelines:
		fix = "define " + name + " among the variables of the repository, of the workspace, or of the deployment that the step names, and look at its spelling"
	default:
		fix = "define " + name + " where the program starts, and look at its spelling and at single quotes, in which a shell replaces nothing"
	}
	r.rep.problem(location(in.ID, g.from), fix, "its value is the text %s: that variable is not defined here", text)
}

package transform

import (
	"fmt"
	"regexp"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
)

// regex refuses a pattern that would raise an error for each object.
func (i *inspector) regex(function, pattern string) {
	_, err := regexp.Compile(pattern)
	if err == nil {
		return
	}
	why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	i.tell(mapping.RuleJQRegex, diag.Error, locateText(i.source, function, pattern),
		fmt.Sprintf("jq: %s cannot use the regular expression %s: %s", function, quote(pattern), why), regexFix(function, pattern))
}

var (
	without       = regexp.MustCompile(`^\^\(\?!([^()]+)\)(?:\.[*+]\$?)?$`) // does not begin with
	lookAround    = regexp.MustCompile(`\(\?<?[=!]`)
	backReference = regexp.MustCompile(`\\[1-9]|\\k<|\(\?P=`)
	possessive    = regexp.MustCompile(`[*+?}]\+|\(\?>`)
)

// regexFix says what a pattern has that RE2 lacks.
//
// Source: https://github.com/google/re2/wiki/Syntax, read 2026-11.
func regexFix(function, pattern string) string {
	switch {
	case function == "test" && without.MatchString(pattern):
		start := without.FindStringSubmatch(pattern)[1]
		if strings.Contains(start, "|") {
			start = "(?:" + start + ")"
		}
		return fmt.Sprintf(`there is no (?!…): write (test(%q) | not) for test(%q)`, "^"+start, pattern)
	case lookAround.MatchString(pattern):
		return `there is no look-around ((?=…), (?!…), (?<=…), (?<!…)): test twice, such as test("a") and (test("b") | not)`
	case backReference.MatchString(pattern):
		return `there are no back-references (\1): capture the parts and compare them: capture("(?<a>…)-(?<b>…)") | .a == .b`
	case possessive.MatchString(pattern):
		return "there are no possessive quantifiers and no atomic groups: remove the second + or write (?:…)"
	case strings.Contains(pattern, `\Z`):
		return `write \\z for the end of the text`
	case strings.Contains(pattern, `\h`):
		return `write [ \\t] for a blank`
	case strings.HasPrefix(pattern, "*"), strings.HasPrefix(pattern, "+"):
		return `this is a pattern of files, and no regular expression: write .* for any text`
	}
	return `write each sign that is meant as it is behind two backslashes: "\\(", "\\["`
}

package lint

import (
	"fmt"
	"regexp"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// regexArguments are the functions that take a regular expression first, and the place
// of the flags among their arguments.
var regexArguments = map[string]int{
	"test": 1, "match": 1, "capture": 1, "scan": 1, "splits": 1, "split": 1, "sub": 2, "gsub": 2,
}

// regularExpressions finds patterns and flags that raise an error for each object.
func regularExpressions(x *expression) {
	for f := range x.calls() {
		at, ok := regexArguments[f.Name]
		if !ok || len(f.Args) == 0 || f.Name == "split" && len(f.Args) == 1 {
			continue
		}
		if text, ok := jq.Text(f.Args[0]); ok {
			pattern(x, f.Name, text)
		}
		if at != len(f.Args)-1 {
			continue
		}
		if flags, ok := jq.Text(f.Args[at]); ok && strings.Trim(flags, "gim") != "" {
			x.once(mapping.RuleJQRegex, diag.Error, locateText(x.source, f.Name, flags),
				fmt.Sprintf("jq: the flags %q of %s are not supported", flags, f.Name), "the flags are g, i and m")
		}
	}
}

// pattern looks at the literal pattern of a call.
func pattern(x *expression, function, pattern string) {
	_, err := regexp.Compile(pattern)
	if err == nil {
		return
	}
	why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	x.once(mapping.RuleJQRegex, diag.Error, locateText(x.source, function, pattern),
		fmt.Sprintf("jq: %s cannot use the regular expression %s: %s", function, jq.Quote(pattern), why), regexFix(function, pattern))
}

var (
	without       = regexp.MustCompile(`^\^\(\?!([^()]+)\)(?:\.[*+]\$?)?$`) // does not begin with
	lookAround    = regexp.MustCompile(`\(\?<?[=!]`)
	backReference = regexp.MustCompile(`\\[1-9]|\\k<|\(\?P=`)
	possessive    = regexp.MustCompile(`[*+?}]\+|\(\?>`)
)

// regexFix names what a pattern has that RE2 lacks, and what to write instead.
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

package lint

import (
	"errors"
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/onig"
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
		flags := ""
		if at == len(f.Args)-1 {
			flags, _ = jq.Text(f.Args[at])
		}
		if _, err := jq.Regexp("", flags); err != nil {
			x.once(mapping.RuleJQRegex, diag.Error, locateText(x.source, f.Name, flags),
				fmt.Sprintf("jq: %s does not know the flags %s", f.Name, jq.Quote(flags)), "the flags are g, i, x, m, s, p, l and n")
			flags = ""
		}
		if text, ok := jq.Text(f.Args[0]); ok {
			pattern(x, f.Name, text, flags)
		}
	}
}

// pattern looks at the literal pattern of a call.
func pattern(x *expression, function, pattern, flags string) {
	var wrong *jq.RegexError
	if _, err := jq.Regexp(pattern, flags); !errors.As(err, &wrong) {
		return // the flags are known
	}
	why := wrong.Err.Error()
	x.once(mapping.RuleJQRegex, diag.Error, locateText(x.source, function, pattern),
		fmt.Sprintf("jq: %s cannot use the regular expression %s: %s", function, jq.Quote(pattern), why), regexFix(pattern, why, wrong.Err))
}

// regexFixes are the ways out by the beginning of what is wrong.
var regexFixes = []struct{ why, fix string }{
	{"invalid pattern in look-behind", `the length of a look-behind is fixed: give each length one of its own, such as ((?<=a)|(?<=bc)) for (?<=a|bc)`},
	{"target of repeat operator is invalid", "a place such as ^ or (?=…) cannot be repeated: put it into a group, or remove the sign after it"},
	{"undefined group option", "a group is (…), (?:…), (?<name>…), (?i:…), (?=…), (?!…), (?<=…), (?<!…) or (?>…)"},
	{"invalid backref number/name", "number the groups from 1, in the order of their opening parentheses"},
	{"undefined name", "give the group this name before it is referred to: (?<name>…)"},
	{"invalid POSIX bracket type", "the names are alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, punct, space, upper, word and xdigit"},
	{"empty range in char class", "begin a range with the lesser character: [a-z]"},
	{"upper is smaller than lower", "write the lesser number first: {1,3}"},
}

// regexFix names what to write instead.
func regexFix(pattern, why string, err error) string {
	var lacks *onig.UnsupportedError
	switch {
	case strings.HasPrefix(pattern, "*"), strings.HasPrefix(pattern, "+"):
		return `this is a pattern of files, not a regular expression: write .* for any text`
	case errors.As(err, &lacks):
		return unsupportedFix(lacks.What)
	}
	for _, known := range regexFixes {
		if strings.HasPrefix(why, known.why) {
			return known.fix
		}
	}
	return `write two backslashes before each sign that is meant as it is: "\\(", "\\["`
}

// unsupportedFix names the way out for an operator that works elsewhere in jq.
func unsupportedFix(what string) string {
	switch {
	case strings.HasPrefix(what, `\p{`):
		return `name a general category (\\p{Lu}), a script (\\p{Greek}) or a set of the brackets (\\p{Alpha})`
	case strings.HasPrefix(what, "(?~"):
		return "write (?:(?!…).)* for any text without …"
	case what == "(*":
		return `write \\* for a star that is meant as it is`
	case what == "(?{", what == "(?(?", what == "(?(*":
		return "remove it: it does nothing in jq"
	case strings.HasPrefix(what, "(?("):
		return "write a | at its end, for nothing: without it jq 1.8.2 does not find what it should"
	case strings.HasPrefix(what, `\k`):
		return "name the group without a level"
	case strings.HasPrefix(what, `\X`), strings.HasPrefix(what, `\y`), strings.HasPrefix(what, `\Y`):
		return `write . for a character, and \\b for where a word begins or ends`
	}
	return "write out what the group holds"
}

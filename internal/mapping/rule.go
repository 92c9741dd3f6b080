package mapping

import "port-bitbucket-exporter/internal/diag"

// The rules of the text and of YAML.
const (
	RuleText         diag.Rule = "text"
	RuleYAMLSyntax   diag.Rule = "yaml-syntax"
	RuleYAMLQuotes   diag.Rule = "yaml-quotes"
	RuleYAMLTab      diag.Rule = "yaml-tab"
	RuleYAMLComment  diag.Rule = "yaml-comment"
	RuleYAMLTag      diag.Rule = "yaml-tag"
	RuleYAMLAnchor   diag.Rule = "yaml-anchor"
	RuleDocuments    diag.Rule = "several-documents"
	RuleDuplicateKey diag.Rule = "duplicate-key"
)

// The rules of the mapping's keys and values.
const (
	RuleUnknownKey    diag.Rule = "unknown-key"
	RuleMisplacedKey  diag.Rule = "misplaced-key"
	RuleMissingKey    diag.Rule = "missing-key"
	RuleWrongType     diag.Rule = "wrong-type"
	RuleNull          diag.Rule = "null-value"
	RuleEmptyList     diag.Rule = "empty-list"
	RuleRange         diag.Rule = "out-of-range"
	RuleUnquoted      diag.Rule = "unquoted-value"
	RuleTaken         diag.Rule = "taken-value"
	RuleTooMany       diag.Rule = "too-many-problems"
	RuleUnknownKind   diag.Rule = "unknown-kind"
	RuleSelectorValue diag.Rule = "selector-value"
	RuleDeprecated    diag.Rule = "deprecated"
)

// The rules of jq.
const (
	RuleJQSyntax       diag.Rule = "jq-syntax"
	RuleJQSingleQuotes diag.Rule = "jq-single-quotes"
	RuleJQSize         diag.Rule = "jq-size"
	RuleJQFunction     diag.Rule = "jq-undefined-function"
	RuleJQArguments    diag.Rule = "jq-arguments"
	RuleJQVariable     diag.Rule = "jq-undefined-variable"
	RuleJQUnsupported  diag.Rule = "jq-unsupported"
	RuleJQText         diag.Rule = "jq-text-without-quotes"
	RuleJQHyphen       diag.Rule = "jq-hyphen"
	RuleJQConstant     diag.Rule = "jq-constant"
	RuleJQInput        diag.Rule = "jq-input"
	RuleJQRegex        diag.Rule = "jq-regex"
	RuleJQFormat       diag.Rule = "jq-format"
	RuleJQDiffers      diag.Rule = "jq-differs"
	RuleJQEnvironment  diag.Rule = "jq-environment"
	RuleJQDebug        diag.Rule = "jq-debug"
	RuleJQAssignment   diag.Rule = "jq-assignment"
	RuleJQPrecedence   diag.Rule = "jq-precedence"
	RuleJQCondition    diag.Rule = "jq-condition"
	RuleJQFirstResult  diag.Rule = "jq-first-result"
)

// The rules of what expressions mean to Port and to Bitbucket.
const (
	RuleSelectorBoolean diag.Rule = "selector-not-boolean"
	RuleSelectorSelect  diag.Rule = "selector-select"
	RuleSelectorNothing diag.Rule = "selector-nothing"
	RuleFile            diag.Rule = "file-reference"
	RuleBlueprint       diag.Rule = "blueprint-identifier"
	RuleIdentifier      diag.Rule = "identifier"
	RuleSearch          diag.Rule = "search-query"
	RuleField           diag.Rule = "unknown-field"
)

// Rules are all rules, in the order in which a mapping is read.
var Rules = []diag.RuleInfo{
	{Rule: RuleText, Short: "The file is not text that can be read as a mapping.",
		Help: "A mapping is a text of at most 1 MiB in UTF-8, without control characters."},
	{Rule: RuleYAMLSyntax, Short: "The file is not YAML.",
		Help: "Check the indentation, the colons and the quotes of the line that is named and of the one above."},
	{Rule: RuleYAMLQuotes, Short: "YAML takes a part of the jq expression for its own.",
		Help: "A value that begins with @ * & ! { [ % or a quote, or that holds \": \", means something else to YAML. Put the whole expression in single quotes, and write a single quote in it twice: '@base64 \"x\"'."},
	{Rule: RuleYAMLTab, Short: "A line is indented with a tab.",
		Help: "YAML takes spaces only for indentation. Let the editor replace tabs by spaces."},
	{Rule: RuleYAMLComment, Short: "YAML takes the end of the jq expression for a comment.",
		Help: "What follows \" #\" is a comment to YAML. Put the whole expression in single quotes."},
	{Rule: RuleYAMLTag, Short: "A value has a YAML tag that does not fit.",
		Help: "A tag begins with \"!\". jq has no \"!\": for the opposite write (… | not). Else remove the tag, or put the whole expression in single quotes."},
	{Rule: RuleYAMLAnchor, Short: "An anchor, an alias or a merge key cannot be used.",
		Help: "&name gives a value a name, *name repeats it, and <<: *name takes over the keys of a mapping. Name a value before it is repeated, not within itself, and not hundreds of times."},
	{Rule: RuleDocuments, Short: "The file holds several YAML documents.",
		Help: "A mapping is one document: remove \"---\", and put all resources into one list."},
	{Rule: RuleDuplicateKey, Short: "A key is written twice.",
		Help: "Remove one of the two, or rename it. At the top level a key in camelCase and the same in snake_case are one key."},

	{Rule: RuleUnknownKey, Short: "A key has no meaning here.",
		Help: "In a selector it is an error, since the selector would take other objects than it seems to. Elsewhere it is ignored, as Port's own integrations do."},
	{Rule: RuleMisplacedKey, Short: "A key is in the wrong place, and has no effect there.",
		Help: "Move it to the place that is named, with the indentation of that place."},
	{Rule: RuleMissingKey, Short: "A required key is missing.",
		Help: "A resource needs kind, selector with query, and port with entity and mappings; each entry of mappings needs identifier and blueprint."},
	{Rule: RuleWrongType, Short: "A value has the wrong type.",
		Help: "Write the type that is named: text, true or false, a number, a list or a mapping. A jq expression is text: quote it where YAML reads another type."},
	{Rule: RuleNull, Short: "A value is null, and counts as absent.",
		Help: "Give the key a value, or remove it. A property that is to be emptied in Port is written 'null', in quotes."},
	{Rule: RuleEmptyList, Short: "A list is empty.",
		Help: "Write at least one item."},
	{Rule: RuleRange, Short: "A number is out of its range.",
		Help: "Write a number within the range that is named."},
	{Rule: RuleUnquoted, Short: "A jq expression is written as a boolean or a number.",
		Help: "It is read as the text that it is written as. Quote it, so that no reader and no tool takes it for another type: 'true'."},
	{Rule: RuleTaken, Short: "A setting is written as another type, and taken for the value that it names.",
		Help: "Write it as the message says: true, false and numbers without quotes, and a text that looks like a number in quotes. Editors and other tools then read it alike."},
	{Rule: RuleTooMany, Short: "There are more problems than are shown.",
		Help: "Solve the others first, and check again."},
	{Rule: RuleUnknownKind, Short: "The kind is not known.",
		Help: "Write one of the kinds that the message names."},
	{Rule: RuleSelectorValue, Short: "A value of the selector has the right type and no meaning.",
		Help: "Write what the message names: a role that Bitbucket knows, a pattern, the path of a file, the name of a repository."},
	{Rule: RuleDeprecated, Short: "What is written works, and there is a better way.",
		Help: "Write what the message names."},

	{Rule: RuleJQSyntax, Short: "The expression is not jq.",
		Help: "A field begins with a dot (.name), a text is written in double quotes (\"name\"), steps are joined by \"|\", and arguments by \";\"."},
	{Rule: RuleJQSingleQuotes, Short: "A text is in single quotes, where jq has double quotes only.",
		Help: "A text in single quotes is understood only between blanks: .state == 'OPEN'. Elsewhere write double quotes, and put the whole expression in single quotes for YAML."},
	{Rule: RuleJQSize, Short: "The expression is too long.",
		Help: "At most 65536 bytes are read."},
	{Rule: RuleJQFunction, Short: "The expression calls a function that does not exist.",
		Help: "Take the name from the jq manual. For a field write a dot before it (.name), for a text double quotes (\"name\")."},
	{Rule: RuleJQArguments, Short: "A function is called with the wrong number of arguments.",
		Help: "Arguments are separated by \";\", and not by \",\": sub(\"a\"; \"b\")."},
	{Rule: RuleJQVariable, Short: "The expression uses a variable or a label that is not defined.",
		Help: "Define it before its use: … as $name | …. Environment variables are read as $ENV.NAME."},
	{Rule: RuleJQUnsupported, Short: "The expression uses a part of jq that does not exist here.",
		Help: "Expressions are evaluated by gojq, which leaves out a few functions of jq. Write what the message names."},
	{Rule: RuleJQText, Short: "A text is not in quotes.",
		Help: "Write the text in double quotes, and put them in single quotes for YAML: '\"service\"'. For a field write a dot before it."},
	{Rule: RuleJQHyphen, Short: "A field whose name holds a hyphen is read as a subtraction.",
		Help: "Write .[\"full-name\"]. For a subtraction put blanks around the \"-\"."},
	{Rule: RuleJQConstant, Short: "A constant of another language is used.",
		Help: "The constants of jq are null, true and false."},
	{Rule: RuleJQInput, Short: "The expression reads further inputs, and there are none.",
		Help: "An expression sees one object, as \".\". input, inputs and modules are not allowed."},
	{Rule: RuleJQRegex, Short: "A regular expression is not one that jq takes, or that this program takes.",
		Help: "Regular expressions are those of libjq 1.8.2: Oniguruma's in the syntax Perl_NG, with the flags g, i, x, m, s, p, l and n. Not supported are calls of groups (\\g<name>), absent operators ((?~…)), callouts ((?{…}), (*…)) and text segments (\\X). A wrong one would raise an error for each object."},
	{Rule: RuleJQFormat, Short: "A format (@…) is not used as it can be.",
		Help: "The formats are @text, @json, @csv, @tsv, @html, @uri, @urid, @sh, @base64 and @base64d. A format is applied to what comes in: .name | @base64."},
	{Rule: RuleJQEnvironment, Short: "An environment variable is read that expressions may not see.",
		Help: "Name it in the input jq_env_allow. Never allow a variable that holds a secret: what expressions give is sent to Port."},
	{Rule: RuleJQDebug, Short: "debug and stderr write nowhere here.",
		Help: "They give their input. Remove them."},
	{Rule: RuleJQAssignment, Short: "A single \"=\" assigns, and does not compare.",
		Help: "Write \"==\"."},
	{Rule: RuleJQPrecedence, Short: "Operators bind otherwise than the expression looks.",
		Help: "Put parentheses around what belongs together: (.a // \"x\") == \"x\"; (.name | test(\"x\")) and .is_private."},
	{Rule: RuleJQCondition, Short: "A condition is always the same.",
		Help: "Every text, number, array and object counts as true. Repeat the comparison: .state == \"OPEN\" or .state == \"MERGED\". Booleans are compared without quotes."},
	{Rule: RuleJQFirstResult, Short: "The expression gives several results, and only the first one counts.",
		Help: "For all of them write an array: [.reviewers[].display_name]. For the first one write first(…)."},

	{Rule: RuleSelectorBoolean, Short: "The query of a selector never gives true or false.",
		Help: "A selector says for each object whether to take it: query: 'true' takes all, query: .is_private == false some. Anything else than true and false is an error of that object, and nothing is deleted."},
	{Rule: RuleSelectorSelect, Short: "The query of a selector uses select(…), which gives the object or nothing.",
		Help: "Write the condition alone, without select: query: .is_private == false."},
	{Rule: RuleSelectorNothing, Short: "The query of a selector can leave the question open, or is the same for all objects.",
		Help: "A query that gives no result, or takes no object at all, is seldom meant. Use any(…; …) or all(…; …) for lists."},
	{Rule: RuleFile, Short: "file:// is used where it cannot be, or names no file.",
		Help: "It can stand for a property or the title, with a path that begins at the root of the repository, or at the folder: file://README.md."},
	{Rule: RuleBlueprint, Short: "Port has no such blueprint, or does not take its identifier.",
		Help: "Write the identifier of the blueprint, as Port shows it next to its title, in both quotes: '\"service\"'. It must be there before the run."},
	{Rule: RuleIdentifier, Short: "Different objects can get one identifier.",
		Help: "Of two entities with one identifier the last one wins. Put a separator between its parts, and use what differs from object to object."},
	{Rule: RuleSearch, Short: "A search query is not one that Port knows.",
		Help: "A query has a combinator and a list of rules, each with property, operator and value: all of them are jq, so that a text is in both quotes: property: '\"$identifier\"'."},
	{Rule: RuleField, Short: "The objects of this kind have no such field.",
		Help: "A field that is not there is null. The fields are those of Bitbucket's API, which the documentation of the kind names."},
}

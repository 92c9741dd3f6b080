package mapping

// RuleID is the class of a problem: a name that stays the same, by which a reader
// can look a problem up and a code scanner can group it.
type RuleID string

// The rules of the text and of YAML.
const (
	RuleText         RuleID = "text"
	RuleYAMLSyntax   RuleID = "yaml-syntax"
	RuleYAMLQuotes   RuleID = "yaml-quotes"
	RuleYAMLTab      RuleID = "yaml-tab"
	RuleYAMLComment  RuleID = "yaml-comment"
	RuleYAMLTag      RuleID = "yaml-tag"
	RuleYAMLAnchor   RuleID = "yaml-anchor"
	RuleDocuments    RuleID = "several-documents"
	RuleDuplicateKey RuleID = "duplicate-key"
)

// The rules of the mapping's keys and values.
const (
	RuleUnknownKey    RuleID = "unknown-key"
	RuleMisplacedKey  RuleID = "misplaced-key"
	RuleMissingKey    RuleID = "missing-key"
	RuleWrongType     RuleID = "wrong-type"
	RuleNull          RuleID = "null-value"
	RuleEmptyList     RuleID = "empty-list"
	RuleRange         RuleID = "out-of-range"
	RuleUnquoted      RuleID = "unquoted-value"
	RuleTooMany       RuleID = "too-many-problems"
	RuleUnknownKind   RuleID = "unknown-kind"
	RuleSelectorValue RuleID = "selector-value"
	RuleDeprecated    RuleID = "deprecated"
)

// The rules of jq.
const (
	RuleJQSyntax       RuleID = "jq-syntax"
	RuleJQSingleQuotes RuleID = "jq-single-quotes"
	RuleJQSize         RuleID = "jq-size"
	RuleJQFunction     RuleID = "jq-undefined-function"
	RuleJQArguments    RuleID = "jq-arguments"
	RuleJQVariable     RuleID = "jq-undefined-variable"
	RuleJQUnsupported  RuleID = "jq-unsupported"
	RuleJQText         RuleID = "jq-text-without-quotes"
	RuleJQHyphen       RuleID = "jq-hyphen"
	RuleJQConstant     RuleID = "jq-constant"
	RuleJQInput        RuleID = "jq-input"
	RuleJQRegex        RuleID = "jq-regex"
	RuleJQFormat       RuleID = "jq-format"
	RuleJQEnvironment  RuleID = "jq-environment"
	RuleJQDebug        RuleID = "jq-debug"
	RuleJQAssignment   RuleID = "jq-assignment"
	RuleJQPrecedence   RuleID = "jq-precedence"
	RuleJQCondition    RuleID = "jq-condition"
	RuleJQFirstResult  RuleID = "jq-first-result"
)

// The rules of what expressions mean to Port and to Bitbucket.
const (
	RuleSelectorBoolean RuleID = "selector-not-boolean"
	RuleSelectorSelect  RuleID = "selector-select"
	RuleSelectorNothing RuleID = "selector-nothing"
	RuleFile            RuleID = "file-reference"
	RuleBlueprint       RuleID = "blueprint-identifier"
	RuleIdentifier      RuleID = "identifier"
	RuleField           RuleID = "unknown-field"
)

// RuleInfo tells what a rule is about.
type RuleInfo struct {
	Rule  RuleID
	Short string // what is wrong, in one sentence
	Help  string // why it matters, and how to mend it
}

// Rules are all rules, in the order in which a mapping is read.
var Rules = []RuleInfo{
	{RuleText, "The file is no text that can be read as a mapping.",
		"A mapping is a text of at most 1 MiB in UTF-8, without control characters."},
	{RuleYAMLSyntax, "The file is not YAML.",
		"Check the indentation, the colons and the quotes of the line that is named and of the one above."},
	{RuleYAMLQuotes, "YAML takes a part of the jq expression for its own.",
		"A value that begins with @ * & ! { [ % or a quote, or that holds \": \", means something else to YAML. Put the whole expression in single quotes, and write a single quote in it twice: '@base64 \"x\"'."},
	{RuleYAMLTab, "A line is indented with a tab.",
		"YAML takes spaces only for indentation. Let the editor replace tabs by spaces."},
	{RuleYAMLComment, "YAML takes the end of the jq expression for a comment.",
		"What stands behind \" #\" is a comment to YAML. Put the whole expression in single quotes."},
	{RuleYAMLTag, "A value has a YAML tag that does not fit.",
		"A tag begins with \"!\". jq has no \"!\": for the opposite write (… | not). Else remove the tag, or put the whole expression in single quotes."},
	{RuleYAMLAnchor, "An anchor, an alias or a merge key cannot be used.",
		"&name gives a value a name, *name repeats it, and <<: *name takes over the keys of a mapping. Name a value before it is repeated, not within itself, and not hundreds of times."},
	{RuleDocuments, "The file holds several YAML documents.",
		"A mapping is one document: remove \"---\", and put all resources into one list."},
	{RuleDuplicateKey, "A key is written twice.",
		"Remove one of the two, or rename it. At the top level a key in camelCase and the same in snake_case are one key."},

	{RuleUnknownKey, "A key has no meaning here.",
		"In a selector it is an error, since the selector would take other objects than it seems to. Elsewhere it is ignored, as Port's own integrations do."},
	{RuleMisplacedKey, "A key stands in the wrong place, and has no effect there.",
		"Move it to the place that is named, with the indentation of that place."},
	{RuleMissingKey, "A required key is missing.",
		"A resource needs kind, selector with query, and port with entity and mappings; each entry of mappings needs identifier and blueprint."},
	{RuleWrongType, "A value has the wrong type.",
		"Write the type that is named: text, true or false, a number, a list or a mapping. A jq expression is text: quote it where YAML reads another type."},
	{RuleNull, "A value is null, and counts as absent.",
		"Give the key a value, or remove it. A property that is to be emptied in Port is written 'null', in quotes."},
	{RuleEmptyList, "A list is empty.",
		"Write at least one item."},
	{RuleRange, "A number is out of its range.",
		"Write a number within the range that is named."},
	{RuleUnquoted, "A jq expression is written as a boolean or a number.",
		"It is read as the text that it is written as. Quote it, so that no reader and no tool takes it for another type: 'true'."},
	{RuleTooMany, "There are more problems than are told.",
		"Solve the others first, and check again."},
	{RuleUnknownKind, "The kind is not known.",
		"Write one of the kinds that the message names."},
	{RuleSelectorValue, "A value of the selector has the right type and no meaning.",
		"Write what the message names: a role that Bitbucket knows, a pattern, the path of a file, the name of a repository."},
	{RuleDeprecated, "What is written works, and there is a better way.",
		"Write what the message names."},

	{RuleJQSyntax, "The expression is not jq.",
		"A field begins with a dot (.name), a text stands in double quotes (\"name\"), steps are joined by \"|\", and arguments by \";\"."},
	{RuleJQSingleQuotes, "A text stands in single quotes, where jq has double quotes only.",
		"A text in single quotes is understood only between blanks: .state == 'OPEN'. Elsewhere write double quotes, and put the whole expression in single quotes for YAML."},
	{RuleJQSize, "The expression is too long.",
		"At most 65536 bytes are read."},
	{RuleJQFunction, "The expression calls a function that does not exist.",
		"Take the name from the jq manual. For a field write a dot before it (.name), for a text double quotes (\"name\")."},
	{RuleJQArguments, "A function is called with the wrong number of arguments.",
		"Arguments are separated by \";\", and not by \",\": sub(\"a\"; \"b\")."},
	{RuleJQVariable, "The expression uses a variable or a label that is not defined.",
		"Define it before its use: … as $name | …. Environment variables are read as $ENV.NAME."},
	{RuleJQUnsupported, "The expression uses a part of jq that does not exist here.",
		"Expressions are evaluated by gojq, which leaves out a few functions of jq. Write what the message names."},
	{RuleJQText, "A text stands without quotes.",
		"Write the text in double quotes, and put them in single quotes for YAML: '\"service\"'. For a field write a dot before it."},
	{RuleJQHyphen, "A field whose name holds a hyphen is read as a subtraction.",
		"Write .[\"full-name\"]. For a subtraction put blanks around the \"-\"."},
	{RuleJQConstant, "A constant of another language is used.",
		"The constants of jq are null, true and false."},
	{RuleJQInput, "The expression reads further inputs, and there are none.",
		"An expression sees one object, as \".\". input, inputs and modules are not allowed."},
	{RuleJQRegex, "A regular expression is not one that this program takes.",
		"Regular expressions are those of RE2: without look-around ((?=…), (?!…)) and without back-references (\\1). The flags are g, i and m. Elsewhere in jq they would raise an error for each object."},
	{RuleJQFormat, "A format (@…) is not used as it can be.",
		"The formats are @text, @json, @csv, @tsv, @html, @uri, @urid, @sh, @base64 and @base64d. A format is applied to what comes in: .name | @base64."},
	{RuleJQEnvironment, "An environment variable is read that expressions may not see.",
		"Name it in the input jq_env_allow. Never allow a variable that holds a secret: what expressions give is sent to Port."},
	{RuleJQDebug, "debug and stderr write nowhere here.",
		"They give their input. Remove them."},
	{RuleJQAssignment, "A single \"=\" assigns, and does not compare.",
		"Write \"==\"."},
	{RuleJQPrecedence, "Operators bind otherwise than the expression looks.",
		"Put parentheses around what belongs together: (.a // \"x\") == \"x\"; (.name | test(\"x\")) and .is_private."},
	{RuleJQCondition, "A condition is always the same.",
		"Every text, number, array and object counts as true. Repeat the comparison: .state == \"OPEN\" or .state == \"MERGED\". Booleans are compared without quotes."},
	{RuleJQFirstResult, "The expression gives several results, and only the first one counts.",
		"For all of them write an array: [.reviewers[].display_name]. For the first one write first(…)."},

	{RuleSelectorBoolean, "The query of a selector never gives true or false.",
		"A selector says for each object whether to take it: query: 'true' takes all, query: .is_private == false some. Anything else than true and false is an error of that object, and nothing is deleted."},
	{RuleSelectorSelect, "The query of a selector uses select(…), which gives the object or nothing.",
		"Write the condition alone, without select: query: .is_private == false."},
	{RuleSelectorNothing, "The query of a selector can leave the question open, or is the same for all objects.",
		"A query that gives no result, or takes no object at all, is seldom meant. Use any(…; …) or all(…; …) for lists."},
	{RuleFile, "file:// stands where it cannot, or names no file.",
		"It can stand for a property or the title, with a path that begins at the root of the repository, or at the folder: file://README.md."},
	{RuleBlueprint, "Port has no such blueprint, or does not take its identifier.",
		"Write the identifier of the blueprint, as Port shows it next to its title, in both quotes: '\"service\"'. It must be there before the run."},
	{RuleIdentifier, "Different objects can get one identifier.",
		"Of two entities with one identifier the last one wins. Put a separator between its parts, and use what differs from object to object."},
	{RuleField, "The objects of this kind have no such field.",
		"A field that is not there is null. The fields are those of Bitbucket's API, which the documentation of the kind names."},
}

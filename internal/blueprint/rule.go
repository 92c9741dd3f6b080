package blueprint

import "port-bitbucket-exporter/internal/diag"

// The rules of a file of blueprints.
const (
	RuleSyntax   diag.Rule = "blueprints-json"
	RuleValue    diag.Rule = "blueprints-value"
	RuleKey      diag.Rule = "blueprints-key"
	RuleTwice    diag.Rule = "blueprints-twice"
	RuleRelation diag.Rule = "blueprints-relation"
	RuleField    diag.Rule = "blueprints-field"
)

// Rules are all rules, in the order in which a file is read.
var Rules = []diag.RuleInfo{
	{Rule: RuleSyntax, Short: "The file of blueprints is not JSON.",
		Help: "It is a JSON list of at most 1 MiB in UTF-8: [{\"identifier\": …}, …]. JSON has no comments, no comma before a closing bracket, and no key twice."},
	{Rule: RuleValue, Short: "A part of a blueprint is missing, or is not what Port takes.",
		Help: "A blueprint needs identifier, title and schema with properties; each property a type; each relation target, required and many. Port's builder shows this form with Edit JSON."},
	{Rule: RuleKey, Short: "A blueprint has a key or a word that is not known.",
		Help: "Port ignores some such keys and refuses others. Correct the name, or remove it."},
	{Rule: RuleTwice, Short: "Two of one kind have one name.",
		Help: "An identifier names one blueprint of the file, and a property is defined once, whether it is written, mirrored, calculated or aggregated."},
	{Rule: RuleRelation, Short: "A blueprint names a blueprint, a relation or a property that is not there.",
		Help: "What a relation or an aggregation leads to is a blueprint of the file or of Port; a mirror property and an inherited team begin with a relation of their blueprint."},
	{Rule: RuleField, Short: "The mapping sets what the blueprint does not have.",
		Help: "Port refuses an entity with a property or relation that its blueprint lacks. Add it to the file, or correct the name in the mapping."},
}

// maxProblems bounds what is said of one file.
const maxProblems = 100

// problems are those of one file.
type problems struct{ all diag.Problems }

func (p *problems) add(one diag.Problem) { p.all = append(p.all, one) }

// full reports whether there are more than are shown: then nothing more is looked for.
func (p *problems) full() bool { return len(p.all) > maxProblems }

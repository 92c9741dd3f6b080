package mapping

import (
	"slices"
	"strings"
)

// Shape is the form of a value.
type Shape int

// The shapes.
const (
	Any               Shape = iota // it is not read
	Flag                           // true or false
	Fraction                       // a number from 0 to 1
	Count                          // a whole number, from 1 on
	Text                           // a text
	Expression                     // a jq expression
	ExpressionOrQuery              // a jq expression, or a search query whose leaves are
	Object                         // a mapping with Keys
	TextOrObject                   // a text, or a mapping with Keys
	Nested                         // an item of a search query: a rule, or another query
)

// Holds is how many values of its shape a key holds.
type Holds int

// The ways to hold values.
const (
	One       Holds = iota
	Named           // a mapping: any name, and a value
	Many            // a list
	OneOrMany       // a list, or a mapping in place of a list of one
)

// Key is one key of a mapping. The tables of keys are the language: the parser
// and what describes the language to others read the same ones.
type Key struct {
	Name       string
	Help       string // one sentence, for editors
	Required   bool
	Deprecated bool
	Default    any // nil when there is none
	Shape      Shape
	Holds      Holds
	Keys       []Key    // of an object
	Values     []string // the texts that are known; nil when any is
}

// The defaults of the keys that have another one than their zero value.
const (
	defaultItemName  = "item"
	defaultThreshold = 0.9
)

// Language are the keys of a mapping. Those at the top level may also be written
// in snake_case. The keys of a selector are those of its kind: see SelectorKeys.
var Language = []Key{
	{Name: "resources", Required: true, Shape: Object, Holds: Many, Keys: resourceKeys,
		Help: "Which objects of Bitbucket become which entities in Port, in the order in which they are read."},
	{Name: "createMissingRelatedEntities", Shape: Flag, Default: true,
		Help: "Whether Port creates the entities that a relation names and that do not exist."},
	{Name: "deleteDependentEntities", Shape: Flag, Default: false,
		Help: "Whether deleting a stale entity also deletes the entities that require it."},
	{Name: "enableMergeEntity", Shape: Flag, Default: true,
		Help: "Whether what a mapping does not name stays as Port holds it."},
	{Name: "entityDeletionThreshold", Shape: Fraction, Default: defaultThreshold,
		Help: "The share of the entities above which none is deleted: 0 deletes never, 1 has no limit."},
}

var resourceKeys = []Key{
	{Name: "kind", Required: true, Shape: Text, Help: "What is read."},
	{Name: "selector", Required: true, Shape: Object, Keys: commonKeys, Help: "Which objects are taken."},
	{Name: "port", Required: true, Shape: Object, Keys: portKeys, Help: "Which entities they become."},
}

// commonKeys are in every selector. The mapping itself reads "query"; nothing
// reads "exportEnvVariables", which is for processing on Port's side.
var commonKeys = []Key{
	{Name: "query", Required: true, Shape: Expression,
		Help: "A jq expression that gives true for the objects to take, and false for the others: 'true' takes all."},
	{Name: "exportEnvVariables", Shape: Any, Deprecated: true,
		Help: "Has no effect here: name environment variables in the input jq_env_allow."},
}

var portKeys = []Key{
	{Name: "entity", Required: true, Shape: Object, Keys: entityKeys, Help: "The entities of an object."},
	{Name: "itemsToParse", Shape: Expression,
		Help: "A jq expression that gives an array: each of its elements becomes an object of its own."},
	{Name: "itemsToParseName", Shape: Text, Default: defaultItemName,
		Help: "The key under which expressions find the element."},
	{Name: "itemsToParseTopLevelTransform", Shape: Flag, Default: true,
		Help: "Whether the array itself is left out of the objects made of its elements."},
}

var entityKeys = []Key{
	{Name: "mappings", Required: true, Shape: Object, Holds: OneOrMany, Keys: mappingsKeys,
		Help: "The values of an entity, as jq expressions; a list makes several entities of one object."},
}

var mappingsKeys = []Key{
	{Name: "identifier", Required: true, Shape: ExpressionOrQuery,
		Help: "The identifier of the entity: a jq expression that differs from object to object."},
	{Name: "blueprint", Required: true, Shape: Expression,
		Help: "The identifier of the blueprint, a text in both quotes: '\"service\"'."},
	{Name: "title", Shape: Expression, Help: "The title of the entity."},
	{Name: "icon", Shape: Expression, Help: "The icon of the entity."},
	{Name: "team", Shape: ExpressionOrQuery, Help: "The team that owns the entity, or an array of teams, or a search query for them."},
	{Name: "properties", Shape: Expression, Holds: Named,
		Help: "The properties of the entity: the identifier of each, and a jq expression."},
	{Name: "relations", Shape: ExpressionOrQuery, Holds: Named,
		Help: "The relations of the entity: the identifier of each, and a jq expression for the identifier of the related entity, or a search query for it."},
}

// QueryKeys are the keys of a search query, and QueryRuleKeys those of its rules.
var (
	QueryKeys = []Key{
		{Name: "combinator", Required: true, Shape: Expression, Help: `How the rules are joined: '"and"' or '"or"'.`},
		{Name: "rules", Required: true, Shape: Nested, Holds: Many, Help: "The rules, or further queries."},
	}
	QueryRuleKeys = []Key{
		{Name: "property", Required: true, Shape: Expression, Help: `What is compared: '"$identifier"', or the name of a property.`},
		{Name: "operator", Required: true, Shape: Expression, Help: `How it is compared, such as '"="'.`},
		{Name: "value", Required: true, Shape: Expression, Help: "What it is compared with."},
	}
)

func keyNames(keys []Key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return names
}

// home returns where a key belongs, in words: `port.entity.mappings`. It is empty for
// a key that has no place of its own.
func home(name string) string {
	for _, at := range []struct {
		where string
		keys  []Key
	}{
		{"the top level", Language}, {"the resource", resourceKeys}, {"selector", commonKeys},
		{"port", portKeys}, {"port.entity", entityKeys}, {"port.entity.mappings", mappingsKeys},
	} {
		if slices.Contains(keyNames(at.keys), name) {
			return at.where
		}
	}
	return ""
}

// SnakeCase is the other spelling of a key of the top level.
func SnakeCase(key string) string {
	var out strings.Builder
	for _, r := range key {
		if r >= 'A' && r <= 'Z' {
			out.WriteByte('_')
			r += 'a' - 'A'
		}
		out.WriteRune(r)
	}
	return out.String()
}

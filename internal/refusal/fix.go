package refusal

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/port"
)

// protectedText matches how Port may say that integrations may not write there. Its wording
// is not documented.
var protectedText = regexp.MustCompile(`protected[_ ](blueprint|entity|resource)|is protected|system blueprint`)

// isProtected reports whether Port refused a blueprint of its own, such as _user and
// _team, or one that it calls protected.
func isProtected(e *port.Error, blueprint string) bool {
	denied := e.Status == http.StatusForbidden || e.Status == http.StatusNotFound
	return denied && strings.HasPrefix(blueprint, "_") || protectedText.MatchString(strings.ToLower(e.Code+" "+e.Message))
}

const ownBlueprintsFix = "integrations may not create entities of Port's own blueprints, such as _user and _team: create them in Port, or give null for those that it does not have"

func protectedFix(blueprint string) string {
	return fmt.Sprintf("integrations may not create entities of blueprint %q, which Port protects: map to a blueprint of your own", blueprint)
}

// requestFix returns what to do about a request that Port did not take.
func requestFix(err error, blueprint string) string {
	var e *port.Error
	if !errors.As(err, &e) {
		return "run again"
	}
	if isProtected(e, blueprint) {
		return protectedFix(blueprint)
	}
	switch e.Status {
	case http.StatusNotFound:
		return fmt.Sprintf("create blueprint %q in Port, or correct the mapping's blueprint expression", blueprint)
	case http.StatusUnauthorized, http.StatusForbidden:
		return "give Port's credential a role that may write entities of this blueprint"
	}
	return "run again; if it fails again, give the x-trace-id to Port's support"
}

// fix returns what to do about the cause.
func (c *cause) fix() string {
	text := strings.ToLower(c.err.Code + " " + c.err.Message)
	if c.field.name != "" {
		text = replaceValue(text, strings.ToLower(c.field.name)) // it may be any word
	}
	switch {
	case isProtected(c.err, c.blueprint) && c.field.word == "relation":
		return ownBlueprintsFix
	case isProtected(c.err, c.blueprint):
		return protectedFix(c.blueprint)
	case c.err.Status == http.StatusForbidden:
		return fmt.Sprintf("give Port's credential a role that may write entities of blueprint %q", c.blueprint)
	case c.err.Status == http.StatusRequestEntityTooLarge:
		return "shorten the longest property, such as (… | .[0:100000])"
	case inheritsTeam(text):
		return fmt.Sprintf("remove team from the mapping: entities of blueprint %q take theirs from what they relate to", c.blueprint)
	case c.searched() && (c.field.word == "" || c.field.word == "identifier"):
		return "the search query of an identifier must find exactly one entity, and creates none: compare its rules with what Port holds"
	case c.cycle != nil:
		return "set createMissingRelatedEntities: true, or leave the relation out of one of them"
	case strings.HasPrefix(c.absent.Ref.Blueprint, "_"):
		return ownBlueprintsFix
	case c.absent.Ref.Identifier != "":
		return "let the mapping produce what it relates to, give null where there is none, or set createMissingRelatedEntities: true"
	case c.field.word == "property":
		return c.propertyFix(text)
	case c.field.word == "relation":
		return c.relationFix(text)
	}
	return cmp.Or(c.typeFix(text), fmt.Sprintf("look at blueprint %q in Port; correct the mapping, or leave such objects out in selector.query", c.blueprint))
}

func (c *cause) propertyFix(text string) string {
	name := c.field.name
	schema, there := c.schema.Schema.Properties[name].(map[string]any)
	for _, computed := range []map[string]any{c.schema.Mirrored, c.schema.Calculated, c.schema.Aggregated} {
		if _, is := computed[name]; is && !there {
			return fmt.Sprintf("remove it from the mapping: Port works out property %q of blueprint %q itself", name, c.blueprint)
		}
	}
	switch {
	case c.unknown(there, text):
		return c.unknownFix(slices.Collect(maps.Keys(c.schema.Schema.Properties)))
	case strings.Contains(text, "required"):
		return c.requiredFix()
	}
	byFormat, byLimit := c.formatFix(schema), limitFix(schema)
	if !strings.Contains(text, "format") {
		byFormat, byLimit = byLimit, byFormat
	}
	return cmp.Or(c.conversion(wantedType(schema, text)), byFormat, byLimit,
		fmt.Sprintf("look at property %q of blueprint %q in Port; correct the expression, or leave such objects out in selector.query", name, c.blueprint))
}

func (c *cause) relationFix(text string) string {
	name := c.field.name
	relation, there := c.schema.Relations[name]
	_, list := c.value.([]any)
	_, query := c.value.(map[string]any)
	switch {
	case c.unknown(there, text):
		return c.unknownFix(slices.Collect(maps.Keys(c.schema.Relations)))
	case strings.Contains(text, "required"):
		return c.requiredFix()
	case query:
		return fmt.Sprintf("let the search query find no more than relation %q of blueprint %q takes: one entity, or up to 100 when it is one to many", name, c.blueprint)
	case there && relation.Many && !list:
		return fmt.Sprintf("relation %q of blueprint %q is one to many: give an array, such as %s", name, c.blueprint, c.jq("[%s]"))
	case there && !relation.Many && list:
		return fmt.Sprintf("relation %q of blueprint %q is to one entity: give one identifier, such as %s", name, c.blueprint, c.jq("(%s | first)"))
	}
	return fmt.Sprintf("look at relation %q of blueprint %q in Port; give the identifier of an entity of its target, or null", name, c.blueprint)
}

// unknown reports whether the blueprint lacks a field of the mapping. When the blueprint
// could not be read, Port's words decide.
func (c *cause) unknown(there bool, text string) bool {
	if c.known || !c.mapped {
		return c.mapped && !there
	}
	return strings.Contains(text, "additional propert") || strings.Contains(text, "unknown") ||
		strings.Contains(text, "not a property") || strings.Contains(text, "not a relation") || strings.Contains(text, "not defined")
}

// unknownFix is for a field that the blueprint does not have.
func (c *cause) unknownFix(valid []string) string {
	fix := fmt.Sprintf("add %s to blueprint %q in Port, or remove it from the mapping", c.field, c.blueprint)
	slices.Sort(valid)
	if near, ok := nearest.Name(c.field.name, valid); ok {
		fix = fmt.Sprintf("did you mean %q? Otherwise %s", near, fix)
	}
	return fix
}

func (c *cause) requiredFix() string {
	if !c.mapped {
		return fmt.Sprintf("map %s too, or make it optional in blueprint %q", c.field, c.blueprint)
	}
	return fmt.Sprintf("blueprint %q requires it: give a default, such as %s, or leave such objects out in selector.query", c.blueprint, c.jq(`(%s // "…")`))
}

// typeFix is for title, icon, team, and a field that is not known.
func (c *cause) typeFix(text string) string {
	if !c.mapped {
		return ""
	}
	return c.conversion(wantedType(nil, text))
}

var saidType = regexp.MustCompile(`(?:must be|should be|expected|of type)(?: an?| type)? ?["'` + "`" + `]?(string|number|integer|boolean|array|object)`)

// wantedType returns the type that the blueprint gives, or else the one that Port names.
func wantedType(schema map[string]any, text string) string {
	if t, ok := schema["type"].(string); ok {
		return t
	}
	if m := saidType.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// conversions are the jq expressions that make one type of another.
var conversions = map[[2]string]string{
	{"number", "string"}:  "(%s | tostring)",
	{"boolean", "string"}: "(%s | tostring)",
	{"array", "string"}:   `(%s | join(", "))`,
	{"object", "string"}:  "(%s | tojson)",
	{"string", "number"}:  "(%s | tonumber? // null)",
	{"string", "boolean"}: `(%s == "true")`,
	{"string", "array"}:   "[%s]",
	{"number", "array"}:   "[%s]",
	{"boolean", "array"}:  "[%s]",
	{"object", "array"}:   "[%s]",
	{"string", "object"}:  "(%s | fromjson? // null)",
}

// conversion returns how to convert the value; empty when it has the wanted type.
func (c *cause) conversion(wanted string) string {
	got := typeOf(c.value)
	due := wanted
	if due == "integer" {
		due = "number"
	}
	if due == "" || got == due || got == "null" {
		return ""
	}
	fix := fmt.Sprintf("blueprint %q wants type %s here, and this gives %s", c.blueprint, wanted, got)
	if jq, ok := conversions[[2]string{got, due}]; ok {
		return fix + ": write " + c.jq(jq)
	}
	return fix + ": give another value, or null"
}

// limits are the keywords of a property's schema that bound its values.
var limits = []string{"minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern"}

// maxListed bounds how many values of an enum a fix repeats: they fit on one line.
const maxListed = 8

func limitFix(schema map[string]any) string {
	if enum, ok := schema["enum"].([]any); ok {
		var words []string
		for _, v := range enum[:min(len(enum), maxListed)] {
			words = append(words, asJSON(v))
		}
		if len(enum) > maxListed {
			words = append(words, "…")
		}
		return "add the value to those that the property may have in Port, or map it to one of them: " + strings.Join(words, ", ")
	}
	var told []string
	for _, k := range limits {
		if v, ok := schema[k]; ok {
			told = append(told, k+" "+asJSON(v))
		}
	}
	if len(told) == 0 {
		return ""
	}
	return "the property has limits in Port: " + strings.Join(told, ", ") + "; keep to them, or change them"
}

// formats describe the texts of each format.
var formats = map[string]string{
	"url":       "a whole address, such as https://example.com/x",
	"date-time": "a time with a zone, such as 2026-11-22T10:00:00Z; from seconds, (… | todate)",
	"timer":     "a time with a zone, such as 2026-11-22T10:00:00Z; from seconds, (… | todate)",
	"email":     "an address such as a@example.com",
	"idn-email": "an address such as a@example.com",
	"user":      "the e-mail address of a user",
	"ipv4":      "an address such as 192.0.2.1",
	"ipv6":      "an address such as 2001:db8::1",
}

func (c *cause) formatFix(schema map[string]any) string {
	format, _ := schema["format"].(string)
	if format == "" {
		return ""
	}
	looks := cmp.Or(formats[format], "a text of that format")
	return fmt.Sprintf("blueprint %q wants format %s here: give %s, or null", c.blueprint, format, looks)
}

// maxExpression bounds an expression that a fix repeats, in bytes: the fix stays on one line.
const maxExpression = 60

// jq puts the field's expression into another one.
func (c *cause) jq(format string) string {
	text := strings.TrimSpace(c.expr.Text)
	if text == "" || len(text) > maxExpression || strings.ContainsAny(text, "'\n\r") || strings.HasPrefix(text, "file://") {
		text = "…"
	}
	return fmt.Sprintf(format, text)
}

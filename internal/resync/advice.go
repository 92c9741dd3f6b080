package resync

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
)

// refusal is one entity that Port refused, and what is known of the cause.
type refusal struct {
	entry     *entry
	blueprint string
	err       *port.Error
	culprit   culprit
	expr      mapping.Expr // of the culprit, when it is mapped
	mapped    bool
	value     any            // of the culprit, as it was sent
	absent    catalog.Ref    // what it relates to and is not there; empty when that is not the cause
	cycle     []catalog.Ref  // of relations, of which it is a part
	schema    port.Blueprint // empty when it is not known
	known     bool
}

// protectedText is how Port may say that nobody may write there.
var protectedText = regexp.MustCompile(`protected[_ ](blueprint|entity|resource)|is protected|system blueprint`)

// isProtected says whether Port refused a blueprint of its own, such as _user and
// _team, or one that it calls protected.
func isProtected(e *port.Error, blueprint string) bool {
	denied := e.Status == http.StatusForbidden || e.Status == http.StatusNotFound
	return denied && strings.HasPrefix(blueprint, "_") || protectedText.MatchString(strings.ToLower(e.Code+" "+e.Message))
}

const ownBlueprintsFix = "integrations may not create entities of Port's own blueprints, such as _user and _team: create them in Port, or give null for those that it does not have"

func protectedFix(blueprint string) string {
	return fmt.Sprintf("integrations may not create entities of blueprint %q, which Port protects: map to a blueprint of your own", blueprint)
}

// advice is what to do about a refusal.
func (r *refusal) advice() string {
	text := strings.ToLower(r.err.Code + " " + r.err.Message)
	if r.culprit.name != "" {
		text = blurValue(text, strings.ToLower(r.culprit.name)) // it may be any word
	}
	switch {
	case isProtected(r.err, r.blueprint) && r.culprit.word == "relation":
		return ownBlueprintsFix
	case isProtected(r.err, r.blueprint):
		return protectedFix(r.blueprint)
	case r.err.Status == http.StatusForbidden:
		return fmt.Sprintf("give Port's credential a role that may write entities of blueprint %q", r.blueprint)
	case r.err.Status == http.StatusRequestEntityTooLarge:
		return "shorten the longest property, such as (… | .[0:100000])"
	case inheritsTeam(text):
		return fmt.Sprintf("remove team from the mapping: entities of blueprint %q take theirs from what they relate to", r.blueprint)
	case r.entry.QueryIdentifier && (r.culprit.word == "" || r.culprit.word == "identifier"):
		return "the search query of an identifier must find exactly one entity, and creates none: compare its rules with what Port holds"
	case r.cycle != nil:
		return "set createMissingRelatedEntities: true, or leave the relation out of one of them"
	case strings.HasPrefix(r.absent.Blueprint, "_"):
		return ownBlueprintsFix
	case r.absent.Identifier != "":
		return "let the mapping produce what it relates to, give null where there is none, or set createMissingRelatedEntities: true"
	case r.culprit.word == "property":
		return r.propertyAdvice(text)
	case r.culprit.word == "relation":
		return r.relationAdvice(text)
	}
	return cmp.Or(r.typeAdvice(text), fmt.Sprintf("look at blueprint %q in Port; correct the mapping, or leave such objects out in selector.query", r.blueprint))
}

func (r *refusal) propertyAdvice(text string) string {
	name := r.culprit.name
	schema, there := r.schema.Schema.Properties[name].(map[string]any)
	for _, computed := range []map[string]any{r.schema.Mirrored, r.schema.Calculated, r.schema.Aggregated} {
		if _, is := computed[name]; is && !there {
			return fmt.Sprintf("remove it from the mapping: Port works out property %q of blueprint %q itself", name, r.blueprint)
		}
	}
	switch {
	case r.unknown(there, text):
		return r.unknownAdvice(slices.Collect(maps.Keys(r.schema.Schema.Properties)))
	case strings.Contains(text, "required"):
		return r.requiredAdvice()
	}
	byFormat, byLimit := r.formatAdvice(schema), limitAdvice(schema)
	if !strings.Contains(text, "format") {
		byFormat, byLimit = byLimit, byFormat
	}
	return cmp.Or(r.conversion(wantedType(schema, text)), byFormat, byLimit,
		fmt.Sprintf("look at property %q of blueprint %q in Port; correct the expression, or leave such objects out in selector.query", name, r.blueprint))
}

func (r *refusal) relationAdvice(text string) string {
	name := r.culprit.name
	relation, there := r.schema.Relations[name]
	_, list := r.value.([]any)
	_, query := r.value.(map[string]any)
	switch {
	case r.unknown(there, text):
		return r.unknownAdvice(slices.Collect(maps.Keys(r.schema.Relations)))
	case strings.Contains(text, "required"):
		return r.requiredAdvice()
	case query:
		return fmt.Sprintf("let the search query find no more than relation %q of blueprint %q takes: one entity, or up to 100 when it is one to many", name, r.blueprint)
	case there && relation.Many && !list:
		return fmt.Sprintf("relation %q of blueprint %q is one to many: give an array, such as %s", name, r.blueprint, r.jq("[%s]"))
	case there && !relation.Many && list:
		return fmt.Sprintf("relation %q of blueprint %q is to one entity: give one identifier, such as %s", name, r.blueprint, r.jq("(%s | first)"))
	}
	return fmt.Sprintf("look at relation %q of blueprint %q in Port; give the identifier of an entity of its target, or null", name, r.blueprint)
}

// unknown is true for a field that the mapping has and the blueprint has not; where
// the blueprint could not be read, Port's words say so.
func (r *refusal) unknown(there bool, text string) bool {
	if r.known || !r.mapped {
		return r.mapped && !there
	}
	return strings.Contains(text, "additional propert") || strings.Contains(text, "unknown") ||
		strings.Contains(text, "not a property") || strings.Contains(text, "not a relation") || strings.Contains(text, "not defined")
}

func (r *refusal) unknownAdvice(valid []string) string {
	fix := fmt.Sprintf("add %s to blueprint %q in Port, or remove it from the mapping", r.culprit, r.blueprint)
	slices.Sort(valid)
	if near, ok := mapping.Nearest(r.culprit.name, valid); ok {
		fix = fmt.Sprintf("did you mean %q? Otherwise %s", near, fix)
	}
	return fix
}

func (r *refusal) requiredAdvice() string {
	if !r.mapped {
		return fmt.Sprintf("map %s too, or make it optional in blueprint %q", r.culprit, r.blueprint)
	}
	return fmt.Sprintf("blueprint %q requires it: give a default, such as %s, or leave such objects out in selector.query", r.blueprint, r.jq(`(%s // "…")`))
}

// typeAdvice is for title, icon, team and what is not known.
func (r *refusal) typeAdvice(text string) string {
	if !r.mapped {
		return ""
	}
	return r.conversion(wantedType(nil, text))
}

var saidType = regexp.MustCompile(`(?:must be|should be|expected|of type)(?: an?| type)? ?["'` + "`" + `]?(string|number|integer|boolean|array|object)`)

// wantedType is the blueprint's, or the one that Port names.
func wantedType(schema map[string]any, text string) string {
	if t, ok := schema["type"].(string); ok {
		return t
	}
	if m := saidType.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// conversions are what jq does about a value of one type where another is due.
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

// conversion is empty when the value has the type that is due.
func (r *refusal) conversion(wanted string) string {
	got := typeOf(r.value)
	due := wanted
	if due == "integer" {
		due = "number"
	}
	if due == "" || got == due || got == "null" {
		return ""
	}
	fix := fmt.Sprintf("blueprint %q wants type %s here, and this gives %s", r.blueprint, wanted, got)
	if jq, ok := conversions[[2]string{got, due}]; ok {
		return fix + ": write " + r.jq(jq)
	}
	return fix + ": give another value, or null"
}

func typeOf(v any) string {
	switch v.(type) {
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}

// limits are the keywords of a property that bound its values.
var limits = []string{"minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern"}

// maxListed bounds the words of an enum that a fix repeats.
const maxListed = 8

func limitAdvice(schema map[string]any) string {
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

// formats are what texts of a format look like.
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

func (r *refusal) formatAdvice(schema map[string]any) string {
	format, _ := schema["format"].(string)
	if format == "" {
		return ""
	}
	looks := cmp.Or(formats[format], "a text of that format")
	return fmt.Sprintf("blueprint %q wants format %s here: give %s, or null", r.blueprint, format, looks)
}

// maxExpression bounds an expression that a fix repeats, in bytes.
const maxExpression = 60

// jq is the culprit's expression in another one.
func (r *refusal) jq(format string) string {
	text := strings.TrimSpace(r.expr.Text)
	if text == "" || len(text) > maxExpression || strings.ContainsAny(text, "'\n\r") || strings.HasPrefix(text, "file://") {
		text = "…"
	}
	return fmt.Sprintf(format, text)
}

// sent is what was sent of the culprit; of one that is not known, the whole entity.
func sent(body []byte, c culprit) any {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return nil
	}
	switch c.word {
	case "property":
		fields, _ = fields["properties"].(map[string]any)
		return fields[c.name]
	case "relation":
		fields, _ = fields["relations"].(map[string]any)
		return fields[c.name]
	case "":
		return fields
	}
	return fields[c.word]
}

// maxLeaves bounds how many texts and numbers of one value are looked for.
const maxLeaves = 100

// leaves are the texts and numbers in a value.
func leaves(v any, all []string) []string {
	if len(all) >= maxLeaves {
		return all
	}
	switch v := v.(type) {
	case string:
		return append(all, v)
	case json.Number:
		return append(all, v.String())
	case []any:
		for _, e := range v {
			all = leaves(e, all)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all = leaves(v[k], all)
		}
	}
	return all
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // no JSON
		return strconv.Quote(fmt.Sprint(v))
	}
	return string(text)
}

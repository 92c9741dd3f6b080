package porttest

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// blueprintsJSON are the default blueprints of Port's bitbucket-cloud
// integration 0.5.110, in the order of their relations.
//
//go:embed blueprints.json
var blueprintsJSON []byte

// blueprint is a stored blueprint: its document and what entities are checked by.
type blueprint struct {
	doc          map[string]any // is replaced on a write, never written to
	properties   map[string]property
	required     []string
	relations    map[string]relation
	mirrors      map[string]string // name to path
	calculations map[string]string // name to type
	defaults     map[string]any    // of properties
	inherits     []string          // the relations that lead to whose team it is; nil when it has its own
}

type property struct {
	schema *schema
	format string
}

type relation struct {
	target         string
	many, required bool
}

// newBlueprint reads a document whose shape has been checked.
func newBlueprint(doc map[string]any) (*blueprint, error) {
	b := &blueprint{
		doc: doc, properties: map[string]property{}, relations: map[string]relation{},
		mirrors: map[string]string{}, calculations: map[string]string{}, defaults: map[string]any{},
	}
	body, _ := doc["schema"].(map[string]any)
	b.required = stringsOf(body["required"])
	for name, raw := range objects(body["properties"]) {
		c, err := compile(raw, nil)
		if err != nil {
			return nil, fmt.Errorf("body/schema/properties/%s: %w", name, err)
		}
		b.properties[name] = property{schema: c, format: c.format}
		if v, given := raw["default"]; given && v != nil {
			if why := c.check(fmt.Sprintf("body/schema/properties/%s/default", name), v); why != "" {
				return nil, errors.New(why)
			}
			b.defaults[name] = stored(v)
		}
	}
	if ownership, _ := doc["ownership"].(map[string]any); ownership["type"] == "Inherited" {
		path, _ := ownership["path"].(string)
		b.inherits = strings.Split(path, ".")
	}
	for name, raw := range objects(doc["relations"]) {
		r := relation{many: raw["many"] == true, required: raw["required"] == true}
		r.target, _ = raw["target"].(string)
		b.relations[name] = r
	}
	for name, raw := range objects(doc["mirrorProperties"]) {
		b.mirrors[name], _ = raw["path"].(string)
	}
	for _, key := range []string{"calculationProperties", "aggregationProperties"} {
		for name, raw := range objects(doc[key]) {
			b.calculations[name], _ = raw["type"].(string)
		}
	}
	return b, nil
}

// objects are the members of v that are objects, by name.
func objects(v any) map[string]map[string]any {
	found := map[string]map[string]any{}
	m, _ := v.(map[string]any)
	for k, v := range m {
		if sub, ok := v.(map[string]any); ok {
			found[k] = sub
		}
	}
	return found
}

// refusal returns what is wrong with the blueprint beside the others, or "".
func (b *blueprint) refusal(id string, others map[string]*blueprint) string {
	exists := func(target string) bool { return target == id || others[target] != nil }
	for _, name := range sortedKeys(b.relations) {
		if t := b.relations[name].target; !exists(t) {
			return fmt.Sprintf("relation %q: target blueprint %q does not exist", name, t)
		}
	}
	for _, name := range b.required {
		if _, known := b.properties[name]; !known {
			return fmt.Sprintf("required property %q is not a property", name)
		}
	}
	if len(b.inherits) > 0 {
		if _, known := b.relations[b.inherits[0]]; !known {
			return fmt.Sprintf("ownership: %q is not a relation", b.inherits[0])
		}
	}
	for _, name := range sortedKeys(b.mirrors) {
		if why := b.mirrorRefusal(b.mirrors[name], others); why != "" {
			return fmt.Sprintf("mirror property %q: %s", name, why)
		}
	}
	for name, raw := range objects(b.doc["aggregationProperties"]) {
		if t, _ := raw["target"].(string); !exists(t) {
			return fmt.Sprintf("aggregation property %q: target blueprint %q does not exist", name, t)
		}
	}
	for name := range b.properties {
		_, mirror := b.mirrors[name]
		_, calculation := b.calculations[name]
		if mirror || calculation {
			return fmt.Sprintf("property %q is defined twice", name)
		}
	}
	return ""
}

// mirrorRefusal returns what is wrong with a path along relations to what its end has, or "".
// That Port looks at more than the first step is assumed.
func (b *blueprint) mirrorRefusal(path string, others map[string]*blueprint) string {
	steps := strings.Split(path, ".")
	last, at := steps[len(steps)-1], b
	for _, step := range steps[:len(steps)-1] {
		r, known := at.relations[step]
		if !known {
			return fmt.Sprintf("%q is not a relation", step)
		}
		if next := others[r.target]; next != nil { // else it is the blueprint itself
			at = next
		}
	}
	_, property := at.properties[last]
	_, mirror := at.mirrors[last]
	_, calculation := at.calculations[last]
	if !property && !mirror && !calculation && !strings.HasPrefix(last, "$") {
		return fmt.Sprintf("%q is not a property", last)
	}
	return ""
}

// AddBlueprint creates or replaces a blueprint. It panics where Port would
// refuse: a text that is not JSON, a wrong shape, a relation to a missing blueprint.
func (s *Server) AddBlueprint(text string) {
	doc, err := decode([]byte(text))
	must(err)
	create := findRoute(s.routes, http.MethodPost, "/v1/blueprints")
	if why := create.body.check("blueprint", doc); why != "" {
		panic("porttest: " + why)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := doc.(map[string]any)
	if a := s.storeBlueprint(m["identifier"].(string), m, http.StatusOK); a.status != http.StatusOK {
		panic("porttest: " + a.message())
	}
}

// Blueprint returns a blueprint's document as plain JSON, a copy.
func (s *Server) Blueprint(id string) (any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.store.blueprints[id]
	if b == nil {
		return nil, false
	}
	return plain(b.doc), true
}

// DefaultBlueprints are the blueprints of Port's own Bitbucket integration,
// bitbucketProject, bitbucketRepository and bitbucketPullRequest, as JSON. Each
// relates to the one before it.
func DefaultBlueprints() []string {
	var docs []json.RawMessage
	must(json.Unmarshal(blueprintsJSON, &docs))
	list := make([]string, len(docs))
	for i, doc := range docs {
		list[i] = string(doc)
	}
	return list
}

func (s *Server) listBlueprints(*call) answer {
	list := []any{}
	for _, id := range sortedKeys(s.store.blueprints) {
		list = append(list, s.store.blueprints[id].doc)
	}
	return ok(http.StatusOK, "blueprints", list)
}

func (s *Server) readBlueprint(c *call) answer {
	b := s.store.blueprints[c.vars["identifier"]]
	if b == nil {
		return noBlueprint(c.vars["identifier"])
	}
	return ok(http.StatusOK, "blueprint", b.doc)
}

func (s *Server) createBlueprint(c *call) answer {
	doc := c.object()
	id, _ := doc["identifier"].(string)
	if s.store.blueprints[id] != nil {
		return refuse(http.StatusConflict, "blueprint_already_exists", fmt.Sprintf("blueprint %q already exists", id))
	}
	for name, r := range objects(doc["relations"]) {
		if r["target"] == id { // "The target blueprint has to exist when defining the relation"
			return refuse(http.StatusUnprocessableEntity, "invalid_request", fmt.Sprintf("relation %q: target blueprint %q does not exist", name, id))
		}
	}
	return s.storeBlueprint(id, doc, http.StatusCreated)
}

// patchBlueprint replaces the keys that the body has.
func (s *Server) patchBlueprint(c *call) answer {
	id := c.vars["identifier"]
	old := s.store.blueprints[id]
	if old == nil {
		return noBlueprint(id)
	}
	doc := maps.Clone(old.doc)
	maps.Copy(doc, c.object())
	return s.storeBlueprint(id, doc, http.StatusOK)
}

func (s *Server) replaceBlueprint(c *call) answer {
	id := c.vars["identifier"]
	if s.store.blueprints[id] == nil {
		return noBlueprint(id)
	}
	return s.storeBlueprint(id, c.object(), http.StatusOK)
}

func (s *Server) storeBlueprint(id string, doc map[string]any, status int) answer {
	if doc["identifier"] != id {
		return violate(http.StatusUnprocessableEntity, "invalid_request", "a blueprint cannot be renamed here")
	}
	b, err := newBlueprint(doc)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "invalid_request", err.Error())
	}
	if why := b.refusal(id, s.store.blueprints); why != "" {
		return refuse(http.StatusUnprocessableEntity, "invalid_request", why)
	}
	b.doc = s.completeBlueprint(id, doc)
	s.relink(id, func() { s.store.blueprints[id] = b })
	return ok(status, "blueprint", b.doc)
}

// completeBlueprint adds what Port keeps of every blueprint.
func (s *Server) completeBlueprint(id string, doc map[string]any) map[string]any {
	at := wireTime(time.Now())
	full := map[string]any{"createdAt": at, "createdBy": author}
	for _, key := range []string{"mirrorProperties", "calculationProperties", "aggregationProperties", "relations"} {
		full[key] = map[string]any{}
	}
	maps.Copy(full, doc)
	if old := s.store.blueprints[id]; old != nil {
		full["createdAt"], full["createdBy"] = old.doc["createdAt"], old.doc["createdBy"]
	}
	full["updatedAt"], full["updatedBy"] = at, author
	return full
}

// relink changes a blueprint, whose relations decide whom its entities name.
func (s *Server) relink(id string, change func()) {
	var cells []*cell
	s.store.blueprintCells(id).after(0, func(c *cell) bool { cells = append(cells, c); return true })
	for _, c := range cells {
		s.store.unlink(c)
	}
	change()
	for _, c := range cells {
		s.store.link(c)
	}
}

func (s *Server) deleteBlueprint(c *call) answer {
	id := c.vars["identifier"]
	if s.store.blueprints[id] == nil {
		return noBlueprint(id)
	}
	empty := true
	s.store.blueprintCells(id).after(0, func(*cell) bool { empty = false; return false })
	if !empty {
		return refuse(http.StatusConflict, "has_entities", fmt.Sprintf("blueprint %q has entities", id))
	}
	for _, other := range sortedKeys(s.store.blueprints) {
		relations := slices.Collect(maps.Values(s.store.blueprints[other].relations))
		if other != id && slices.ContainsFunc(relations, func(r relation) bool { return r.target == id }) {
			return refuse(http.StatusConflict, "has_dependents", fmt.Sprintf("blueprint %q relates to %q", other, id))
		}
	}
	delete(s.store.blueprints, id)
	return answer{status: http.StatusOK, body: map[string]any{"ok": true}}
}

func noBlueprint(id string) answer {
	return refuse(http.StatusNotFound, "not_found", fmt.Sprintf("blueprint %q was not found", id))
}

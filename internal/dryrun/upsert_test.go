package dryrun_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/dryrun"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

// Blueprints of an organization where teams own services, which relate to each other.
const (
	service = `{"identifier":"service","title":"Service","schema":{"properties":{
		"text":{"type":"string"},"list":{"type":"array"},"n":{"type":"number","maximum":99},"at":{"type":"string","format":"date-time"},"tier":{"type":"string","default":"low"}},"required":[]},
		"relations":{"needs":{"title":"Needs","target":"service","many":true,"required":false},"owner":{"title":"Owner","target":"group","many":false,"required":false}}}`
	group  = `{"identifier":"group","title":"Group","schema":{"properties":{"size":{"type":"number"}},"required":[]},"relations":{}}`
	strict = `{"identifier":"strict","title":"Strict","schema":{"properties":{"text":{"type":"string"}},"required":["text"]},
		"relations":{"owner":{"title":"Owner","target":"group","many":false,"required":true}}}`
)

// encoded makes an entity of any fields.
func encoded(t interface{ Fatal(...any) }, blueprint string, f catalog.Fields) catalog.Entity {
	e, err := catalog.Encode(blueprint, f, catalog.NewDigester(catalog.Keys{}, catalog.Shape{}))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func rule(subject, name, operator string, value any) map[string]any {
	one := map[string]any{subject: name, "operator": operator}
	if value != nil {
		one["value"] = value
	}
	return map[string]any{"combinator": "and", "rules": []any{one}}
}

// A plan says of each write what Port then answers, whatever was written before, and its
// changes are the difference between the catalog before and after.
func TestWritesAsPortDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s, client, store := world(t, group, service, strict)
		blueprints := []string{"service", "group", "strict", "nowhere"}
		id := func(label string) any { return fmt.Sprint("e", rapid.IntRange(0, 3).Draw(rt, label)) }
		maybe := func(label string, values ...any) any { return rapid.SampledFrom(append(values, nil)).Draw(rt, label) }
		some := func(label string, all map[string]any) map[string]any {
			for _, name := range []string{"text", "list", "n", "at", "tier", "size", "needs", "owner"} {
				if _, is := all[name]; is && rapid.Bool().Draw(rt, label+" without "+name) {
					delete(all, name)
				}
			}
			return all
		}
		for i := range rapid.IntRange(0, 3).Draw(rt, "there") {
			b := rapid.SampledFrom(blueprints[:3]).Draw(rt, "there")
			e := porttest.Entity{Identifier: fmt.Sprint("e", i)}
			switch b {
			case "service":
				e.Title, e.Icon, e.Team = "T", "I", []string{"t"}
				e.Properties = map[string]any{"text": "was", "n": 1, "at": "2026-11-01T00:00:00.000Z"}
			case "strict":
				e.Properties = map[string]any{"text": "was"}
			}
			s.PutEntity(b, e)
		}
		type call struct {
			blueprint string
			batch     []catalog.Entity
			flags     port.Flags
		}
		var calls []call
		for range rapid.IntRange(1, 4).Draw(rt, "calls") {
			c := call{blueprint: rapid.SampledFrom(blueprints).Draw(rt, "blueprint")}
			c.flags = port.Flags{Merge: rapid.Bool().Draw(rt, "merge"), CreateMissingRelatedEntities: rapid.Bool().Draw(rt, "create")}
			seen := map[any]bool{}
			for range rapid.IntRange(1, 3).Draw(rt, "entities") {
				f := catalog.Fields{Identifier: id("identifier"), Title: maybe("title", "T", "U", "e1"), Icon: maybe("icon", "I", "J"), Team: maybe("team", []any{"t"}, []any{"u", "t"}, []any{})}
				if seen[f.Identifier] {
					continue
				}
				seen[f.Identifier] = true
				switch c.blueprint {
				case "service":
					f.Properties = some("properties", map[string]any{
						"text": maybe("text", "was", "is", 5), "list": maybe("list", []any{1}, []any{}), "n": maybe("n", 1.0, 100, 2),
						"at": maybe("at", "2026-11-01T01:00:00+01:00", "2026-11-02T00:00:00Z", "no"), "tier": maybe("tier", "high", "low"),
					})
					f.Relations = some("relations", map[string]any{
						"needs": maybe("needs", []any{id("need"), id("need")}, []any{}, "e1"), "owner": maybe("owner", id("owner"), []any{"e1"}),
					})
				case "group":
					f.Properties = some("properties", map[string]any{"size": maybe("size", 1, "big")})
				case "strict":
					f.Properties = some("properties", map[string]any{"text": maybe("text", "was", "is")})
					f.Relations = some("relations", map[string]any{"owner": maybe("owner", id("owner"))})
				}
				c.batch = append(c.batch, encoded(rt, c.blueprint, f))
			}
			calls = append(calls, c)
		}
		before := s.Catalog()
		var planned [][]port.Outcome
		for _, c := range calls {
			planned = append(planned, store.Upsert(t.Context(), c.blueprint, c.batch, c.flags))
		}
		if len(s.Writes()) > 0 {
			rt.Fatal("a plan wrote")
		}
		for i, c := range calls {
			for j, done := range client.Entities.Upsert(t.Context(), c.blueprint, c.batch, c.flags) {
				p := planned[i][j]
				if (p.Err == nil) != (done.Err == nil) || p.RequestFailed != done.RequestFailed || p.Created != done.Created || done.Err == nil && p.Identifier != done.Identifier {
					rt.Fatalf("call %d, entity %d, %s: planned %+v, done %+v", i, j, c.batch[j].Body, p, done)
				}
			}
		}
		compareChanges(rt, store.Changes(), before, s.Catalog())
	})
}

// compareChanges compares planned changes with those of the catalog.
func compareChanges(rt *rapid.T, changes []catalog.Change, before, after map[string]map[string]porttest.Entity) {
	planned := map[catalog.Ref]catalog.Change{}
	for i, c := range changes {
		planned[c.Ref] = c
		if i > 0 && (changes[i-1].Ref.String() >= c.Ref.String()) {
			rt.Errorf("%s comes after %s", c.Ref, changes[i-1].Ref)
		}
	}
	for blueprint, entities := range after {
		for id, is := range entities {
			ref := catalog.Ref{Blueprint: blueprint, Identifier: id}
			was, old := before[blueprint][id]
			c, told := planned[ref]
			delete(planned, ref)
			switch want := differences(ref, was, is); {
			case !old && c.Action != catalog.Create:
				rt.Errorf("%s: created, but planned %q", ref, c.Action)
			case c.Action == catalog.Refuse && len(want) > 0, old && told && c.Action != catalog.Update && c.Action != catalog.Refuse:
				rt.Errorf("%s: planned %q, but changed: %q", ref, c.Action, want)
			default:
				if got := fields(c); !slices.Equal(got, want) {
					rt.Errorf("%s: fields planned %q, changed %q", ref, got, want)
				}
			}
		}
	}
	for ref, c := range planned {
		if c.Action != catalog.Refuse || c.Why == "" {
			rt.Errorf("%s: planned %q (%s), but it is not there", ref, c.Action, c.Why)
		}
	}
}

// fields are the names and new values of a change.
func fields(c catalog.Change) []string {
	var all []string
	for _, f := range c.Fields {
		for _, v := range []*any{&f.From, &f.To} {
			if f.Name == "title" && *v == c.Ref.Identifier {
				*v = nil // Port shows it for none
			}
		}
		all = append(all, text(f.Name, f.From, f.To))
	}
	return all
}

func text(name string, from, to any) string {
	one := func(v any) any {
		if list, ok := v.([]any); ok {
			if len(list) == 0 {
				return nil
			}
			var words []string
			for _, w := range list {
				words = append(words, fmt.Sprint(w))
			}
			slices.Sort(words)
			return slices.Compact(words)
		}
		if v == "2026-11-01T01:00:00+01:00" {
			return "2026-11-01T00:00:00.000Z" // the same instant
		}
		return v
	}
	return fmt.Sprint(name, ": ", one(from), " to ", one(to))
}

// differences are the values in which two entities differ, sorted by name.
func differences(ref catalog.Ref, a, b porttest.Entity) []string {
	found := map[string]string{}
	add := func(name string, x, y any, as catalog.Form) {
		if !catalog.Same(x, y, as) {
			found[name] = text(name, x, y)
		}
	}
	orNone := func(v string) any {
		if v == "" || v == ref.Identifier {
			return nil
		}
		return v
	}
	list := func(all []string) any {
		if len(all) == 0 {
			return nil
		}
		out := make([]any, len(all))
		for i, v := range all {
			out[i] = v
		}
		return out
	}
	add("title", orNone(a.Title), orNone(b.Title), catalog.Plain)
	add("icon", orNone(a.Icon), orNone(b.Icon), catalog.Plain)
	add("team", list(a.Team), list(b.Team), catalog.Set)
	for _, name := range []string{"text", "list", "n", "tier", "size"} {
		add(fmt.Sprintf("property %q", name), a.Properties[name], b.Properties[name], catalog.Plain)
	}
	add(`property "at"`, a.Properties["at"], b.Properties["at"], catalog.Instant)
	for _, name := range []string{"needs", "owner"} {
		add(fmt.Sprintf("relation %q", name), a.Relations[name], b.Relations[name], catalog.Set)
	}
	var all []string
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range found {
			if !yield(name) {
				return
			}
		}
	}) {
		all = append(all, found[name])
	}
	return all
}

// An entity that is made for a relation is a creation of its own, once.
func TestStubs(t *testing.T) {
	t.Parallel()
	_, _, store := world(t, group, service)
	flags := port.Flags{Merge: true, CreateMissingRelatedEntities: true}
	for _, f := range []catalog.Fields{
		{Identifier: "x", Relations: map[string]any{"owner": "g", "needs": []any{"x", "y"}}},
		{Identifier: "y", Relations: map[string]any{"owner": "g"}},
	} {
		if got := store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", f)}, flags)[0]; got.Err != nil || got.Created != (f.Identifier == "x") {
			t.Errorf("%v: got %+v", f.Identifier, got)
		}
	}
	var got []string
	for _, c := range store.Changes() {
		got = append(got, fmt.Sprintf("%s %s %q %d", c.Action, c.Ref, c.Why, len(c.Fields)))
	}
	if diff := cmp.Diff(got, []string{`create group/g "for a relation to it" 0`, `create service/x "" 3`, `create service/y "" 1`}); diff != "" {
		t.Errorf("got (-), want (+):\n%s", diff)
	}
	// Port makes none in blueprints of its own, and none when it may not.
	own := strings.Replace(service, `"target":"group"`, `"target":"_user"`, 1)
	_, _, store = world(t, `{"identifier":"_user","title":"User","schema":{"properties":{},"required":[]},"relations":{}}`, own)
	for _, tt := range []struct {
		relations map[string]any
		flags     port.Flags
	}{{map[string]any{"owner": "u"}, flags}, {map[string]any{"needs": []any{"gone"}}, port.Flags{Merge: true}}} {
		got := store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", catalog.Fields{Identifier: "z", Relations: tt.relations})}, tt.flags)[0]
		if got.Err == nil || !strings.Contains(got.Err.Error(), "was not found") {
			t.Errorf("%v: got %v, want that it was not found", tt.relations, got.Err)
		}
	}
}

// A refusal after a write leaves the write planned, and says why the rest is not done.
func TestRefusalAfterWrite(t *testing.T) {
	t.Parallel()
	_, _, store := world(t, group, service)
	for _, n := range []any{5, 100} {
		store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", catalog.Fields{Identifier: "x", Properties: map[string]any{"n": n}})}, port.Flags{Merge: true})
	}
	if got := store.Changes(); len(got) != 1 || got[0].Action != catalog.Create || got[0].Why != `property "n" must have at most 99` {
		t.Errorf("got %+v, want a creation with the reason of the refusal", got)
	}
	store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", catalog.Fields{Identifier: "x", Properties: map[string]any{"n": 6}})}, port.Flags{Merge: true})
	if got := store.Changes(); got[0].Why != "" || got[0].Fields[0].To == nil {
		t.Errorf("got %+v, want no reason any more", got)
	}
}

// Numbers beyond doubles, and names that a blueprint does not have, are refused as Port does.
func TestRefusals(t *testing.T) {
	t.Parallel()
	_, _, store := world(t, group, service)
	for _, tt := range []struct {
		fields catalog.Fields
		want   string
	}{
		{catalog.Fields{Properties: map[string]any{"n": decoded(t, "1e400")}}, `property "n" is a number that Port cannot keep`},
		{catalog.Fields{Properties: map[string]any{"nope": nil}}, `property "nope" is not a property of blueprint "service"`},
		{catalog.Fields{Relations: map[string]any{"nope": nil}}, `relation "nope" is not a relation of blueprint "service"`},
		{catalog.Fields{Relations: map[string]any{"owner": []any{"g"}}}, `relation "owner" must be a string`},
		{catalog.Fields{Relations: map[string]any{"needs": "g"}}, `relation "needs" must be an array`},
	} {
		tt.fields.Identifier = "x"
		got := store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", tt.fields)}, port.Flags{Merge: true})[0]
		if got.Err == nil || !strings.Contains(got.Err.Error(), tt.want) || got.RequestFailed {
			t.Errorf("got %v, want %q", got.Err, tt.want)
		}
	}
}

// A request that fails fails the plan of all entities of the call, as a write does.
func TestRequestsThatFail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, path string
		fields     catalog.Fields
	}{
		{"the blueprint", "/v1/blueprints/service", catalog.Fields{Identifier: "x"}},
		{"what is stored", "/v1/blueprints/service/entities/search", catalog.Fields{Identifier: "x"}},
		{"a search for the identifier", "/v1/blueprints/service/entities/search", catalog.Fields{Identifier: rule("property", "text", "=", "a")}},
		{"a search for a relation", "/v1/blueprints/group/entities/search", catalog.Fields{Identifier: "x", Relations: map[string]any{"owner": rule("property", "size", "=", 1)}}},
		{"the blueprint of a relation", "/v1/blueprints/group", catalog.Fields{Identifier: "x", Relations: map[string]any{"owner": "g"}}},
		{"a search for targets", "/v1/blueprints/group/entities/search", catalog.Fields{Identifier: "x", Relations: map[string]any{"owner": "g"}}},
		{"a search for a team", "/v1/blueprints/_team", catalog.Fields{Identifier: "x", Team: rule("property", "size", "=", 1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, _, store := world(t, group, service)
			s.Fault(porttest.Fault{Path: tt.path, Status: http.StatusForbidden, Body: `{"ok":false,"error":"forbidden","message":"no"}`})
			batch := []catalog.Entity{encoded(t, "service", tt.fields), encoded(t, "service", catalog.Fields{Identifier: "y"})}
			for i, got := range store.Upsert(t.Context(), "service", batch, port.Flags{Merge: true}) {
				if got.Err == nil || !got.RequestFailed || !strings.Contains(got.Err.Error(), "403") {
					t.Errorf("entity %d: got %+v, want a failed request", i, got)
				}
			}
			if got := store.Changes(); len(got) > 0 {
				t.Errorf("got changes %v", got)
			}
		})
	}
	for _, path := range []string{"/v1/blueprints", "/v1/blueprints/service/entities/search"} {
		s, _, store := world(t, group, service)
		s.Fault(porttest.Fault{Path: path, Times: -1, Status: http.StatusForbidden, Body: `{"ok":false,"error":"forbidden","message":"no"}`})
		got, refused := store.Delete(t.Context(), "service", []string{"x"}, false)
		if refused || len(got) != 1 || got[0].Err == nil || got[0].HasDependants || got[0].Identifier != "x" || len(store.Changes()) > 0 {
			t.Errorf("%s: got %+v, %t, want that the request failed", path, got, refused)
		}
	}
}

// A blueprint that Port does not have yet is a given one: nothing is asked of its entities.
func TestGivenBlueprint(t *testing.T) {
	t.Parallel()
	s, client, _ := world(t, group)
	given, err := port.DecodeBlueprint([]byte(service))
	if err != nil {
		t.Fatal(err)
	}
	store := dryrun.New(client, map[string]port.Blueprint{"service": given})
	f := catalog.Fields{Identifier: "x", Properties: map[string]any{"text": "a"}, Relations: map[string]any{"needs": []any{"y"}}}
	got := store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", f), encoded(t, "service", catalog.Fields{Identifier: rule("property", "text", "=", "a")})},
		port.Flags{Merge: true, CreateMissingRelatedEntities: true})
	if got[0].Err != nil || !got[0].Created || got[1].Err != nil || got[1].Identifier != "x" {
		t.Errorf("got %+v", got)
	}
	reads := 0
	for _, x := range s.Journal() {
		if strings.HasSuffix(x.Path, "/blueprints/service") {
			reads++
		}
		if strings.Contains(x.Path, "/service/entities") {
			t.Errorf("asked: %s", x.Path)
		}
	}
	if reads != 1 {
		t.Errorf("the blueprint was read %d times, want once", reads)
	}
}

// A title that is the identifier is none, and one that comes back is no change.
func TestTitles(t *testing.T) {
	t.Parallel()
	s, _, store := world(t, group)
	s.PutEntity("group", porttest.Entity{Identifier: "g"})
	for _, tt := range []struct{ title, want string }{{"g", "[]"}, {"G", "[{title <nil> G}]"}, {"g", "[]"}} {
		store.Upsert(t.Context(), "group", []catalog.Entity{encoded(t, "group", catalog.Fields{Identifier: "g", Title: tt.title})}, port.Flags{Merge: true})
		if got := store.Changes(); len(got) != 1 || got[0].Action != catalog.Update || strings.ReplaceAll(fmt.Sprint(got[0].Fields), "{title g G}", "{title <nil> G}") != tt.want {
			t.Errorf("%s: got %+v, want %s", tt.title, got, tt.want)
		}
	}
}

// Of several required properties the first by name is missing, whatever their order.
func TestRequiredInOrder(t *testing.T) {
	t.Parallel()
	_, _, store := world(t, `{"identifier":"r","title":"R","schema":{"properties":{"b":{"type":"string"},"a":{"type":"string"}},"required":["b","a"]},"relations":{}}`)
	got := store.Upsert(t.Context(), "r", []catalog.Entity{encoded(t, "r", catalog.Fields{Identifier: "x"})}, port.Flags{Merge: true})[0]
	if got.Err == nil || !strings.Contains(got.Err.Error(), `property "a" is required`) {
		t.Errorf("got %v, want that a is required", got.Err)
	}
}

// An entity that is not JSON fails, and with it the whole call.
func TestBrokenEntity(t *testing.T) {
	t.Parallel()
	_, _, store := world(t, group)
	got := store.Upsert(t.Context(), "group", []catalog.Entity{{Body: []byte(`{`)}, encoded(t, "group", catalog.Fields{Identifier: "g"})}, port.Flags{Merge: true})
	for _, o := range got {
		if o.Err == nil || !o.RequestFailed || !strings.Contains(o.Err.Error(), "read an entity") {
			t.Errorf("got %+v, want that it cannot be read", o)
		}
	}
}

// What Port works out itself is no change of an entity that is replaced, and entities
// that name themselves are looked up together.
func TestReplacedTogether(t *testing.T) {
	t.Parallel()
	mirrored := strings.Replace(service, `"relations":{`, `"mirrorProperties":{"ownerSize":{"title":"Size","path":"owner.size"}},"relations":{`, 1)
	s, _, store := world(t, group, mirrored)
	s.PutEntity("group", porttest.Entity{Identifier: "g", Properties: map[string]any{"size": 7}})
	var batch []catalog.Entity
	for i := range 20 {
		id := fmt.Sprintf("e%02d", i)
		s.PutEntity("service", porttest.Entity{Identifier: id, Properties: map[string]any{"tier": "low"}, Relations: map[string]any{"owner": "g"}})
		batch = append(batch, encoded(t, "service", catalog.Fields{Identifier: id, Properties: map[string]any{"tier": "low"}, Relations: map[string]any{"owner": "g"}}))
	}
	for _, o := range store.Upsert(t.Context(), "service", batch, port.Flags{}) {
		if o.Err != nil || o.Created {
			t.Errorf("got %+v, want an update", o)
		}
	}
	for _, c := range store.Changes() {
		if len(c.Fields) > 0 {
			t.Errorf("got %+v, want no field", c)
		}
	}
	searches := 0
	for _, x := range s.Journal() {
		if strings.HasSuffix(x.Path, "/service/entities/search") {
			searches++
		}
	}
	if searches != 1 {
		t.Errorf("got %d searches, want one for all", searches)
	}
}

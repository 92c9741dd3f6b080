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

// What a search query finds of what a plan has written is what Port then finds.
func TestQueriesAsPortDoes(t *testing.T) {
	t.Parallel()
	s, client, store := world(t, group, service)
	s.PutEntity("group", porttest.Entity{Identifier: "g"})
	s.PutEntity("service", porttest.Entity{Identifier: "other"})
	e := encoded(t, "service", catalog.Fields{
		Identifier: "x", Title: "Shop", Icon: "Cart", Team: []any{"a", "b"},
		Properties: map[string]any{"text": "abcabd", "list": []any{"a", 1, "b"}, "n": 5}, Relations: map[string]any{"owner": "g", "needs": []any{"other"}},
	})
	// The plan comes first: it is of what Port has before.
	if got := store.Upsert(t.Context(), "service", []catalog.Entity{e}, port.Flags{Merge: true})[0]; got.Err != nil || !got.Created {
		t.Fatalf("planned: got %v", got)
	}
	if got := client.Upsert(t.Context(), "service", []catalog.Entity{e}, port.Flags{Merge: true})[0]; got.Err != nil || !got.Created {
		t.Fatalf("done: got %v", got)
	}
	all := func(combinator string, rules ...map[string]any) map[string]any {
		list := make([]any, len(rules))
		for i, r := range rules {
			list[i] = r
		}
		return map[string]any{"combinator": combinator, "rules": list}
	}
	yes, no := rule("property", "text", "=", "abcabd"), rule("property", "text", "=", "z")
	for _, tt := range []struct {
		query map[string]any
		finds bool
	}{
		{rule("property", "text", "=", "abcabd"), true},
		{rule("property", "text", "=", "abc"), false},
		{rule("property", "text", "!=", "abc"), true},
		{rule("property", "text", "!=", "abcabd"), false},
		{rule("property", "n", "=", 5.0), true},
		{rule("property", "text", "in", []any{"z", "abcabd"}), true},
		{rule("property", "text", "in", []any{"z"}), false},
		{rule("property", "text", "in", "abcabd"), false},
		{rule("property", "text", "notIn", []any{"z"}), true},
		{rule("property", "text", "notIn", []any{"abcabd"}), false},
		{rule("property", "text", "contains", "cab"), true},
		{rule("property", "text", "contains", "x"), false},
		{rule("property", "n", "contains", "5"), false},
		{rule("property", "list", "contains", "b"), true},
		{rule("property", "list", "contains", "c"), false},
		{rule("property", "list", "doesNotContains", "c"), true},
		{rule("property", "list", "doesNotContains", "b"), false},
		{rule("property", "text", "doesNotContains", "cab"), false},
		{rule("property", "list", "containsAny", []any{"z", "b"}), true},
		{rule("property", "list", "containsAny", []any{"z"}), false},
		{rule("property", "text", "containsAny", []any{"abcabd"}), true},
		{rule("property", "text", "containsAny", []any{"abc"}), false},
		{rule("property", "text", "beginsWith", "abc"), true},
		{rule("property", "text", "beginsWith", "abd"), false},
		{rule("property", "n", "beginsWith", "5"), false},
		{rule("property", "text", "doesNotBeginsWith", "abd"), true},
		{rule("property", "text", "doesNotBeginsWith", "abc"), false},
		{rule("property", "n", "doesNotBeginsWith", "5"), true},
		{rule("property", "text", "endsWith", "abd"), true},
		{rule("property", "text", "endsWith", "abc"), false},
		{rule("property", "text", "endsWith", 5), false},
		{rule("property", "text", "doesNotEndsWith", "abc"), true},
		{rule("property", "text", "doesNotEndsWith", "abd"), false},
		{rule("property", "n", "doesNotEndsWith", "5"), true},
		{rule("property", "text", "isEmpty", nil), false},
		{rule("property", "at", "isEmpty", nil), true},
		{rule("property", "text", "isNotEmpty", nil), true},
		{rule("property", "at", "isNotEmpty", nil), false},
		{rule("property", "$identifier", "=", "x"), true},
		{rule("property", "$identifier", "=", "y"), false},
		{rule("property", "$title", "=", "Shop"), true},
		{rule("property", "$icon", "=", "Cart"), true},
		{rule("property", "$icon", "=", "Shop"), false},
		{rule("property", "$team", "contains", "b"), true},
		{rule("property", "$team", "contains", "c"), false},
		{rule("property", "tier", "=", "low"), true},
		{rule("relation", "owner", "=", "g"), true},
		{rule("relation", "owner", "=", "h"), false},
		{rule("relation", "needs", "contains", "other"), true},
		{rule("relation", "needs", "contains", "g"), false},
		{all("or", no, yes), true},
		{all("or", no, no), false},
		{all("and", yes, yes), true},
		{all("and", yes, no), false},
		{all("and", all("or", no, yes), all("and", yes, yes)), true},
		{all("and", all("or", no, no), yes), false},
		{all("or", all("and", yes, no), no), false},
	} {
		// The other entity is not there for the rule.
		query := map[string]any{"combinator": "and", "rules": []any{map[string]any{"property": "$identifier", "operator": "!=", "value": "other"}, tt.query}}
		batch := []catalog.Entity{encoded(t, "service", catalog.Fields{Identifier: query})}
		planned := store.Upsert(t.Context(), "service", batch, port.Flags{Merge: true})[0]
		found := false
		for f, err := range client.Matching(t.Context(), "service", query) {
			found = found || f.Identifier == "x"
			if err != nil {
				t.Fatal(err)
			}
		}
		if (planned.Err == nil) != tt.finds || found != tt.finds || tt.finds && planned.Identifier != "x" {
			t.Errorf("%v: planned %v, and Port found it: %t, want %t", tt.query, planned, found, tt.finds)
		}
	}
	// The blueprint is that of the query, and an operator that is not known finds nothing.
	for query, finds := range map[string]bool{"service": true, "group": false} {
		batch := []catalog.Entity{encoded(t, "service", catalog.Fields{Identifier: all("and", rule("property", "$blueprint", "=", query), yes)})}
		if got := store.Upsert(t.Context(), "service", batch, port.Flags{Merge: true})[0]; (got.Err == nil) != finds {
			t.Errorf("blueprint %s: got %v, want it found: %t", query, got, finds)
		}
	}
}

// A search query sees what is written, and what Port has of the others; it must find one.
func TestQueriesOverBoth(t *testing.T) {
	t.Parallel()
	s, client, store := world(t, group, service)
	for _, id := range []string{"a", "b", "c"} {
		s.PutEntity("service", porttest.Entity{Identifier: id, Properties: map[string]any{"text": "same"}})
	}
	write := func(f catalog.Fields) port.Outcome {
		return store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", f)}, port.Flags{Merge: true, CreateMissingRelatedEntities: true})[0]
	}
	same := rule("property", "text", "=", "same")
	expect := func(query map[string]any, want string) {
		t.Helper()
		got := write(catalog.Fields{Identifier: query})
		text := got.Identifier
		if got.Err != nil {
			text = got.Err.Error()
		}
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q", text, want)
		}
	}
	expect(same, "matches several entities")
	write(catalog.Fields{Identifier: "a", Properties: map[string]any{"text": "other"}})
	expect(same, "matches several entities") // b and c, which Port has
	write(catalog.Fields{Identifier: "c", Properties: map[string]any{"text": "other"}})
	expect(same, "b")
	write(catalog.Fields{Identifier: "d", Properties: map[string]any{"text": "same"}})
	expect(same, "matches several entities") // b of Port, and d
	write(catalog.Fields{Identifier: "b", Properties: map[string]any{"text": "other"}})
	expect(same, "d")
	write(catalog.Fields{Identifier: "d", Properties: map[string]any{"text": "other"}})
	expect(same, "matches no entity")
	// One that was made for a relation is found by its identifier, until it is written.
	write(catalog.Fields{Identifier: "a", Relations: map[string]any{"owner": "stub", "needs": []any{"stub2"}}})
	expect(rule("property", "$identifier", "=", "stub"), "matches no entity") // of another blueprint
	expect(rule("property", "$identifier", "=", "stub2"), "stub2")
	expect(rule("property", "text", "isEmpty", nil), "stub2")
	if len(s.Writes()) > 0 || client == nil {
		t.Error("a plan wrote")
	}
	// Found in one batch, after what stands before it there.
	batch := []catalog.Entity{
		encoded(t, "service", catalog.Fields{Identifier: "e", Properties: map[string]any{"text": "new"}}),
		encoded(t, "service", catalog.Fields{Identifier: rule("property", "text", "=", "new")}),
		encoded(t, "service", catalog.Fields{Identifier: "f", Properties: map[string]any{"text": "new"}}),
		encoded(t, "service", catalog.Fields{Identifier: rule("property", "text", "=", "new")}),
	}
	var got []string
	for _, o := range store.Upsert(t.Context(), "service", batch, port.Flags{Merge: true}) {
		got = append(got, fmt.Sprint(o.Identifier, " ", o.Created, " ", o.Err == nil))
	}
	if want := []string{"e true true", "e false true", "f true true", " false false"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A relation takes what a search query finds: as many as 100, or one.
func TestRelationsByQuery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		relation string
		there    int
		refused  string
		want     any
	}{
		{"owner", 0, "", nil},
		{"owner", 1, "", "g000"},
		{"owner", 2, "matches too many entities", nil},
		{"needs", 0, "", nil},
		{"needs", 3, "", 3},
		{"needs", 100, "", 100},
		{"needs", 101, "matches too many entities", nil},
	} {
		t.Run(fmt.Sprint(tt.relation, tt.there), func(t *testing.T) {
			t.Parallel()
			s, client, store := world(t, group, strings.Replace(service, `"target":"service"`, `"target":"group"`, 1))
			for i := range tt.there {
				s.PutEntity("group", porttest.Entity{Identifier: fmt.Sprintf("g%03d", i)})
			}
			batch := []catalog.Entity{encoded(t, "service", catalog.Fields{Identifier: "x", Relations: map[string]any{tt.relation: rule("property", "$identifier", "contains", "g")}})}
			planned := store.Upsert(t.Context(), "service", batch, port.Flags{Merge: true})[0]
			done := client.Upsert(t.Context(), "service", batch, port.Flags{Merge: true})[0]
			if (planned.Err == nil) != (done.Err == nil) || (planned.Err == nil) != (tt.refused == "") {
				t.Fatalf("planned %v, done %v", planned, done)
			}
			change := store.Changes()[0]
			if tt.refused != "" {
				if change.Action != catalog.Refuse || !strings.Contains(change.Why, tt.refused) {
					t.Errorf("got %v, want a refusal: %s", change, tt.refused)
				}
				return
			}
			var got any
			for _, f := range change.Fields {
				if f.Name == fmt.Sprintf("relation %q", tt.relation) {
					got = f.To
				}
			}
			if list, many := got.([]any); many {
				got = len(list)
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
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
			for j, done := range client.Upsert(t.Context(), c.blueprint, c.batch, c.flags) {
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
			case c.Action == catalog.Refuse && len(want) > 0, old && told && c.Action == catalog.Create:
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
			s.Fault(porttest.Fault{Path: tt.path, Times: -1, Status: http.StatusForbidden, Body: `{"ok":false,"error":"forbidden","message":"no"}`})
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

// Who would relate to what is deleted keeps it, or goes along, and is named.
func TestDeleteWithDependants(t *testing.T) {
	t.Parallel()
	s, _, store := world(t, group, service)
	s.PutEntity("group", porttest.Entity{Identifier: "g"})
	s.PutEntity("service", porttest.Entity{Identifier: "x", Relations: map[string]any{"owner": "g"}})
	s.PutEntity("service", porttest.Entity{Identifier: "y", Relations: map[string]any{"needs": []any{"x"}}})
	got, refused := store.Delete(t.Context(), "group", []string{"g"}, false)
	if !refused || !got[0].HasDependants || !strings.Contains(got[0].Err.Error(), `entities of blueprint "group" have dependents: service/x`) || len(store.Changes()) > 0 {
		t.Errorf("got %+v, %t, want that service/x relates to it", got, refused)
	}
	if got, refused := store.Delete(t.Context(), "group", []string{"g"}, true); refused || got[0].Err != nil {
		t.Errorf("got %+v, %t, want all deleted", got, refused)
	}
	want := []catalog.Change{
		{Action: catalog.Delete, Ref: catalog.Ref{Blueprint: "group", Identifier: "g"}},
		{Action: catalog.Delete, Ref: catalog.Ref{Blueprint: "service", Identifier: "x"}, Why: `along with an entity of blueprint "group" that it relates to`},
		{Action: catalog.Delete, Ref: catalog.Ref{Blueprint: "service", Identifier: "y"}, Why: `along with an entity of blueprint "service" that it relates to`},
	}
	if diff := cmp.Diff(store.Changes(), want); diff != "" {
		t.Errorf("got (-), want (+):\n%s", diff)
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

package dryrun_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/dryrun"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

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
	if got := client.Entities.Upsert(t.Context(), "service", []catalog.Entity{e}, port.Flags{Merge: true})[0]; got.Err != nil || !got.Created {
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
		for f, err := range client.Entities.Matching(t.Context(), "service", query) {
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
		{"needs", 3, "", "3, the last g002"},
		{"needs", 100, "", "100, the last g099"},
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
			done := client.Entities.Upsert(t.Context(), "service", batch, port.Flags{Merge: true})[0]
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
				got = fmt.Sprintf("%d, the last %v", len(list), list[len(list)-1])
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// What is deleted is not found any more, and an operator that is not known finds nothing.
func TestQueriesThatFindNothing(t *testing.T) {
	t.Parallel()
	_, _, store := world(t, group, service)
	write := func(f catalog.Fields) port.Outcome {
		return store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", f)}, port.Flags{Merge: true})[0]
	}
	write(catalog.Fields{Identifier: "x", Properties: map[string]any{"n": 5}})
	byNumber := rule("property", "n", "=", 5)
	if got := write(catalog.Fields{Identifier: byNumber}); got.Identifier != "x" {
		t.Fatalf("got %+v, want x", got)
	}
	store.Delete(t.Context(), "service", []string{"x"}, false)
	if got := write(catalog.Fields{Identifier: byNumber}); got.Err == nil {
		t.Errorf("got %+v, want nothing: it is deleted", got)
	}
	given, err := port.DecodeBlueprint([]byte(service)) // Port itself refuses the operator
	if err != nil {
		t.Fatal(err)
	}
	_, client, _ := world(t, group)
	store = dryrun.New(client, map[string]port.Blueprint{"service": given})
	write(catalog.Fields{Identifier: "x", Properties: map[string]any{"n": 5}})
	if got := write(catalog.Fields{Identifier: rule("property", "n", "near", 5)}); got.Err == nil {
		t.Errorf("got %+v, want nothing: the operator is not known", got)
	}
}

// A team is what a search query finds, in order.
func TestTeamByQuery(t *testing.T) {
	t.Parallel()
	s, _, store := world(t, `{"identifier":"_team","title":"Team","schema":{"properties":{},"required":[]},"relations":{}}`, group, service)
	for _, id := range []string{"ops", "dev"} {
		s.PutEntity("_team", porttest.Entity{Identifier: id})
	}
	for _, id := range []string{"zulu", "alpha", "mike"} {
		store.Upsert(t.Context(), "_team", []catalog.Entity{encoded(t, "_team", catalog.Fields{Identifier: id})}, port.Flags{Merge: true})
	}
	store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", catalog.Fields{Identifier: "x", Team: rule("property", "$identifier", "!=", "none")})}, port.Flags{Merge: true})
	want := "[alpha mike zulu ops dev]" // what is planned, and what Port has
	for _, c := range store.Changes() {
		for _, f := range c.Fields {
			if got := fmt.Sprint(f.To); f.Name == "team" && got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			want = map[bool]string{true: "", false: want}[f.Name == "team"]
		}
	}
	if want != "" {
		t.Error("no change of the team")
	}
}

package catalog_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
)

// all are the keys of the fields that the generators below make.
var (
	keys  = catalog.Keys{Title: true, Team: true, Properties: []string{"a", "at", "b", "c"}, Relations: []string{"many", "one"}}
	shape = catalog.Shape{Properties: keys.Properties, Relations: keys.Relations, Instants: map[string]bool{"at": true}}
)

func digesters() map[string]*catalog.Digester {
	return map[string]*catalog.Digester{"mapped": catalog.NewDigester(keys, shape), "full": catalog.NewReplacingDigester(keys, shape)}
}

// date is a property whose blueprint wants a date and time.
func date(v any) catalog.Fields {
	return catalog.Fields{Identifier: "id", Properties: map[string]any{"at": v}}
}

func property(v any) catalog.Fields {
	return catalog.Fields{Identifier: "id", Properties: map[string]any{"a": v}}
}

func relation(v any) catalog.Fields {
	return catalog.Fields{Identifier: "id", Relations: map[string]any{"many": v}}
}

func TestWhatSaysTheSame(t *testing.T) {
	t.Parallel()
	none := catalog.Fields{Identifier: "id"}
	tests := []struct {
		name string
		x, y catalog.Fields
		same bool
	}{
		{"null and absent property", property(nil), none, true},
		{"null and absent relation", relation(nil), none, true},
		{"empty and absent to-many relation", relation([]any{}), none, true},
		{"null in an object", property(map[string]any{"k": nil, "l": 1}), property(map[string]any{"l": 1}), true},
		{"null and absent team", catalog.Fields{Identifier: "id", Team: []any{}}, none, true},
		{"identifier as title", catalog.Fields{Identifier: "id", Title: "id"}, none, true},
		{"icon that is not mapped", catalog.Fields{Identifier: "id", Icon: "Git"}, none, true},
		{"order of relations", relation([]any{"x", "y", "z"}), relation([]any{"z", "x", "y"}), true},
		{"repeated relation", relation([]any{"x", "y", "x"}), relation([]any{"y", "x"}), true},
		{"single and array of one", relation("x"), relation([]any{"x"}), true},
		{"team as text and array", catalog.Fields{Identifier: "id", Team: "t"}, catalog.Fields{Identifier: "id", Team: []any{"t"}}, true},
		{"time zone", date("2026-11-22T10:00:00.123456+02:00"), date("2026-11-22T08:00:00.123Z"), true},
		{"no fraction", date("2026-11-22T10:00:00+00:00"), date("2026-11-22T10:00:00.000Z"), true},
		{"whole numbers above 2^53", property(json.Number("9007199254740993")), property(json.Number("9007199254740992")), true},
		{"as precise as a double", property(json.Number("0.1000000000000000055511151231257827")), property(0.1), true},
		{"too small for a double", property(json.Number("1e-400")), property(0), true},
		{"too large for a double, within", property([]any{json.Number("1e400"), map[string]any{"k": json.Number("-1e400")}}), property([]any{nil, map[string]any{}}), true},
		{"1 and 1.0", property(1), property(json.Number("1.0")), true},
		{"1 and 1e0", property(1.0), property(json.Number("1e0")), true},
		{"100 and 1E+2", property(100), property(json.Number("1E+2")), true},
		{"0 and -0.0", property(0), property(json.Number("-0.0")), true},
		{"0 and -0", property(0), property(json.Number("-0")), true},
		{"0 and 0e99999999999", property(0), property(json.Number("0e99999999999")), true},
		{"1e500 and 10e499", property(json.Number("1e500")), property(json.Number("10e499")), true},
		{"big integer", property(new(big.Int).Exp(big.NewInt(10), big.NewInt(25), nil)), property(json.Number("1e25")), true},
		{"float and its text", property(1e21), property(json.Number("1000000000000000000000")), true},
		{"invalid UTF-8 as JSON carries it", property("a\xff\xfe"), property("a\ufffd\ufffd"), true},

		{"null and empty text", property(""), none, false},
		{"null and empty array", property([]any{}), none, false},
		{"null and false", property(false), none, false},
		{"null and 0", property(0), none, false},
		{"null in an array", property([]any{nil}), property([]any{}), false},
		{"order in a property", property([]any{"x", "y"}), property([]any{"y", "x"}), false},
		{"repeated in a property", property([]any{"x", "x"}), property([]any{"x"}), false},
		{"single and array in a property", property("x"), property([]any{"x"}), false},
		{"number and text", property(1), property("1"), false},
		{"boolean and text", property(true), property("true"), false},
		{"big integers", property(json.Number("12345678901234567890")), property(json.Number("12345678901234569900")), false},
		{"too large for a double, and null", property(json.Number("1e400")), none, false},
		{"time zone of a text", property("2026-11-22T10:00:00+02:00"), property("2026-11-22T08:00:00Z"), false},
		{"time zone within an array", date([]any{"2026-11-22T10:00:00-01:00"}), date([]any{"2026-11-22T11:00:00Z"}), false},
		{"time zone within an object", date(map[string]any{"k": "2026-11-22T10:00:00-01:00"}), date(map[string]any{"k": "2026-11-22T11:00:00Z"}), false},
		{"sign", property(1), property(-1), false},
		{"power", property(json.Number("1e2")), property(json.Number("1e3")), false},
		{"digits across the point", property(json.Number("1.23")), property(json.Number("12.3")), false},
		{"a millisecond", date("2026-11-22T10:00:00.123Z"), date("2026-11-22T10:00:00.124Z"), false},
		{"instant without a zone", date("2026-11-22T10:00:00"), date("2026-11-22T10:00:00Z"), false},
		{"instant with a blank", date("2026-11-22 10:00:00Z"), date("2026-11-22T10:00:00Z"), false},
		{"instant with a comma", date("2026-11-22T10:00:00,5Z"), date("2026-11-22T10:00:00.5Z"), false},
		{"hour of one digit", date("2026-11-22T9:00:00.00Z"), date("2026-11-22T09:00:00Z"), false},
		{"zone without a colon", date("2026-11-22T10:00:00+0200"), date("2026-11-22T08:00:00Z"), false},
		{"a day that is none", date("2026-02-30T10:00:00Z"), date("2026-03-02T10:00:00Z"), false},
		{"date", date("2026-11-22"), date("2026-11-22T00:00:00Z"), false},
		{"moved between keys", property("x"), catalog.Fields{Identifier: "id", Properties: map[string]any{"b": "x"}}, false},
		{"moved into an array", property([]any{[]any{1}, 2}), property([]any{[]any{1, 2}}), false},
		{"moved between texts", property([]any{"ab", "c"}), property([]any{"a", "bc"}), false},
		{"property and relation", property(map[string]any{"k": 1}), catalog.Fields{Identifier: "id", Relations: map[string]any{"a": map[string]any{"k": 1}}}, false},
		{"moved into an object", property(map[string]any{"k": map[string]any{"l": 1}, "m": 2}), property(map[string]any{"k": map[string]any{"l": 1, "m": 2}}), false},
		{"title", catalog.Fields{Identifier: "id", Title: "x"}, catalog.Fields{Identifier: "id", Title: "y"}, false},
		{"blank title and none", catalog.Fields{Identifier: "id", Title: ""}, none, true},
		{"identifier as title and another", catalog.Fields{Identifier: "id", Title: "id"}, catalog.Fields{Identifier: "id", Title: "x"}, false},
		{"empty team and another", catalog.Fields{Identifier: "id", Team: []any{}}, catalog.Fields{Identifier: "id", Team: []any{"x"}}, false},
		{"title and none", catalog.Fields{Identifier: "id", Title: "x"}, none, false},
		{"team", catalog.Fields{Identifier: "id", Team: []any{"x"}}, catalog.Fields{Identifier: "id", Team: []any{"x", "y"}}, false},
		{"search query", relation(map[string]any{"combinator": "and"}), relation(map[string]any{"combinator": "or"}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for name, d := range digesters() {
				if name == "mapped" && tt.name == "property and relation" {
					continue // relation "a" is not mapped
				}
				if got := d.Same(d.Digest(tt.x), d.Digest(tt.y)); got != tt.same {
					t.Errorf("%s: got same %v, want %v", name, got, tt.same)
				}
			}
		})
	}
}

func TestUnmappedKeysCountOnlyWhereReplaced(t *testing.T) {
	t.Parallel()
	few := catalog.Keys{Properties: []string{"a"}, Relations: []string{"one"}}
	x := catalog.Fields{Identifier: "id", Properties: map[string]any{"a": 1}, Relations: map[string]any{"one": "r"}}
	tests := map[string]catalog.Fields{
		"title":    {Identifier: "id", Title: "u", Properties: x.Properties, Relations: x.Relations},
		"team":     {Identifier: "id", Team: "u", Properties: x.Properties, Relations: x.Relations},
		"property": {Identifier: "id", Properties: map[string]any{"a": 1, "b": 2}, Relations: x.Relations},
		"relation": {Identifier: "id", Properties: x.Properties, Relations: map[string]any{"one": "r", "many": "s"}},
	}
	mapped, full := catalog.NewDigester(few, shape), catalog.NewReplacingDigester(few, shape)
	for name, y := range tests {
		if !mapped.Same(mapped.Digest(x), mapped.Digest(y)) {
			t.Errorf("%s that is not mapped: got a difference, want none", name)
		}
		if full.Same(full.Digest(x), full.Digest(y)) {
			t.Errorf("%s that is not mapped, replaced: got the same, want a difference", name)
		}
	}
	computed := catalog.Fields{Identifier: "id", Icon: "Git", Properties: map[string]any{"a": 1, "mirrored": 2}, Relations: x.Relations}
	if !full.Same(full.Digest(x), full.Digest(computed)) {
		t.Error("an icon that is not mapped, and what Port computes: got a difference, want none")
	}
}

// leaves are values of JSON that are no containers, no two the same to Port.
var leaves = rapid.OneOf(
	rapid.Just[any](true), rapid.Just[any](false),
	rapid.Map(rapid.Int64Range(-1000, 1000), func(n int64) any { return json.Number(fmt.Sprint(n)) }),
	rapid.Map(rapid.Float64Range(-1e6, 1e6), func(f float64) any { return f }),
	rapid.Map(rapid.StringMatching(`[a-z :]{0,6}`), func(s string) any { return s }),
)

var instants = rapid.Map(rapid.Int64Range(0, 4e9), func(ms int64) any { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) })

func tree(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return leaves
	}
	return rapid.OneOf(leaves,
		rapid.Map(rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return tree(depth - 1) }), 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-c]`), rapid.Deferred(func() *rapid.Generator[any] { return tree(depth - 1) }), 0, 3), func(m map[string]any) any { return m }),
	)
}

var fields = rapid.Custom(func(t *rapid.T) catalog.Fields {
	identifiers := rapid.SliceOfN(rapid.StringMatching(`[p-s]{1,2}`), 0, 4)
	list := func(name string) any {
		var l []any
		for _, s := range identifiers.Draw(t, name) {
			l = append(l, s)
		}
		return l
	}
	f := catalog.Fields{
		Identifier: "id", Title: rapid.StringMatching(`[x-z]{1,3}`).Draw(t, "title"), Team: list("team"),
		Properties: map[string]any{},
		Relations:  map[string]any{"many": list("many"), "one": rapid.StringMatching(`[p-s]{1,2}`).Draw(t, "one")},
	}
	for _, k := range keys.Properties {
		values := tree(3)
		if k == "at" {
			values = instants
		}
		if rapid.Bool().Draw(t, "has "+k) {
			f.Properties[k] = values.Draw(t, k)
		}
	}
	return f
})

// rewrite says the same in another way, as Port may.
func rewrite(t *rapid.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			m[k] = rewrite(t, v[k])
		}
		if rapid.Bool().Draw(t, "null") {
			m["zzz"] = nil
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i := range v {
			l[i] = rewrite(t, v[i])
		}
		return l
	case string:
		at, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return v
		}
		zone := time.FixedZone("", 900*rapid.IntRange(-56, 56).Draw(t, "quarters"))
		late := time.Duration(rapid.Int64Range(0, 999_999).Draw(t, "nanoseconds"))
		return at.Add(late).In(zone).Format(time.RFC3339Nano)
	case float64:
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return json.Number(text)
	case json.Number:
		forms := []string{"%s.0", "%s.000", "%se0", "%sE+0", "%s0e-1", "%s000.00e-3"}
		if v == "0" || v == "-0" {
			forms = forms[:4] // no number begins with two zeros
		}
		return json.Number(fmt.Sprintf(rapid.SampledFrom(forms).Draw(t, "form"), v))
	}
	return v
}

func shuffled(t *rapid.T, v any) any {
	l, _ := v.([]any)
	if len(l) == 0 {
		return rapid.SampledFrom([]any{nil, []any{}}).Draw(t, "empty")
	}
	l = slices.Clone(rapid.Permutation(l).Draw(t, "order"))
	return append(l, l[rapid.IntRange(0, len(l)-1).Draw(t, "again")])
}

func TestDigestOfWhatIsRewritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := fields.Draw(t, "fields")
		y := catalog.Fields{
			Identifier: x.Identifier, Title: x.Title, Icon: "Changed", Team: shuffled(t, x.Team),
			Properties: rewrite(t, x.Properties).(map[string]any),
			Relations:  map[string]any{"many": shuffled(t, x.Relations["many"]), "one": x.Relations["one"], "other": nil},
		}
		for _, k := range keys.Properties {
			if _, ok := y.Properties[k]; !ok {
				y.Properties[k] = nil
			}
		}
		for name, d := range digesters() {
			if !d.Same(d.Digest(x), d.Digest(y)) || !d.Same(d.Digest(y), d.Digest(x)) {
				t.Fatalf("%s: got a difference between %v and %v", name, x, y)
			}
		}
	})
}

// An entity that says nothing of a title or a team is sent without the key: merged, it
// leaves what Port holds.
func TestWhatIsNotSentIsNotCompared(t *testing.T) {
	t.Parallel()
	none := catalog.Fields{Identifier: "id"}
	for _, held := range []catalog.Fields{{Identifier: "id", Title: "x"}, {Identifier: "id", Team: []any{"x"}}} {
		for name, d := range digesters() {
			if got, want := d.Same(d.Digest(none), d.Digest(held)), name == "mapped"; got != want {
				t.Errorf("%s: got same %v for %v, want %v", name, got, held, want)
			}
		}
	}
}

// mutate changes one leaf of v, or makes one where there is none.
func mutate(t *rapid.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := maps.Clone(v)
		k := rapid.SampledFrom([]string{"a", "at", "b", "c"}).Draw(t, "key")
		m[k] = mutate(t, v[k])
		return m
	case []any:
		if len(v) == 0 {
			return []any{"new"}
		}
		l := slices.Clone(v)
		i := rapid.IntRange(0, len(l)-1).Draw(t, "index")
		l[i] = mutate(t, l[i])
		return l
	case bool:
		return !v
	case json.Number:
		return json.Number(string(v) + "5")
	case float64:
		return v + 1
	case string:
		return v + "!"
	}
	return "new"
}

func TestDigestOfWhatIsChanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := fields.Draw(t, "fields")
		y := x
		switch rapid.IntRange(0, 4).Draw(t, "part") {
		case 0:
			y.Title = x.Title.(string) + "!"
		case 1:
			team, _ := x.Team.([]any)
			y.Team = append(slices.Clone(team), "new")
		case 2:
			y.Relations = map[string]any{"many": x.Relations["many"], "one": x.Relations["one"].(string) + "!"}
		case 3:
			many, _ := x.Relations["many"].([]any)
			y.Relations = map[string]any{"many": append(slices.Clone(many), "new"), "one": x.Relations["one"]}
		default:
			y.Properties = mutate(t, x.Properties).(map[string]any)
		}
		for name, d := range digesters() {
			if d.Same(d.Digest(y), d.Digest(x)) {
				t.Fatalf("%s: got the same for %v and %v", name, x, y)
			}
		}
	})
}

func TestDigestOfWhatIsHostile(t *testing.T) {
	t.Parallel()
	deep := func(bottom any) catalog.Fields {
		v := bottom
		for range 100_000 {
			v = []any{v}
		}
		return property(v)
	}
	d := digesters()["full"]
	if d.Digest(deep("x")) == d.Digest(deep("y")) {
		t.Error("deep: got the same, want a difference")
	}
	long := strings.Repeat("1234567890", 100_000)
	for _, text := range []string{"0." + long, long + ".5", long + "e999999999", "1e-999999999", "1e99999999999999999999"} {
		d.Digest(property(json.Number(text))) // in no time
	}
}

func TestDigesterIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	d := catalog.NewDigester(keys, shape)
	want := d.Digest(property([]any{"x", 1}))
	done := make(chan catalog.Digest)
	for range 8 {
		go func() { done <- d.Digest(property([]any{"x", 1})) }()
	}
	for range 8 {
		if got := <-done; got != want {
			t.Errorf("got %x, want %x", got, want)
		}
	}
}

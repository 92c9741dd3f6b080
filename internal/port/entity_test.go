package port_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/catalog"
)

// FuzzEntity reads entities of any JSON as encoding/json would, and of their properties the
// wanted ones alone.
func FuzzEntity(f *testing.F) {
	for _, text := range []string{
		`{"identifier":"a","title":"T","icon":"Git","team":["x"],"properties":{"p":1,"q":"x"},"relations":{"one":"r","many":["s","t"]},"scorecards":{"a":[{}]}}`,
		`{"identifier":null,"title":null,"icon":5,"team":"x","properties":null,"relations":null,"blueprint":{"a":[1,{"b":null}]}}`,
		`{"identifier":"a","identifier":"b","title":"x","title":{"a":1},"properties":{"p":{"a":1}},"properties":{"p":{"b":2},"q":[]},"relations":{"one":"x"},"relations":{"one":null}}`,
		`{"properties":{"p":1},"properties":null}`, `{"properties":null,"properties":{"p":1}}`, `{"properties":{"p":1,"p":{"a":2},"\u0070":[true,false]}}`,
		`{"properties":{"p":12345678901234567890.1234567890e-400,"":"","q":{"":[""]}},"":""}`,
		"{\"identifier\":\"a\xff\xfe\",\"properties\":{\"p\xff\":\"\xc3\\u00e9\\ud800\",\"p\":\"\\ud83d\\ude00\\\"\\\\\"}}",
		`{"identifier":5}`, `{"properties":[]}`, `{"relations":"x"}`, `null`, `[]`, `"x"`, `{}`, `true`, ` { "identifier" : "a" , "properties" : { "p" : [ 1 , { } ] } } `,
		`{"identifier":"a\\n","title":"a\n","icon":"a\\n","properties":{"p":"\\"}}`, `{"identifier":"a"`, `{"identifier":"a",}`,
		`{"properties":{"p":` + strings.Repeat(`[`, 300) + strings.Repeat(`]`, 300) + `}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, wrong := standard(text)
		if !json.Valid([]byte(text)) || errors.Is(wrong, errFolded) {
			t.Skip()
		}
		synctest.Test(t, func(t *testing.T) {
			c := canned(func(*http.Request, []byte) (int, string) {
				return http.StatusOK, `{"entities":[` + text + `,` + text + `]}`
			})
			var got []catalog.Fields
			var failed error
			for fields, err := range c.Entities.Stored(t.Context(), repository, []string{"p", ""}) {
				failed = err
				got = append(got, fields)
			}
			if (failed != nil) != (wrong != nil) {
				t.Fatalf("%q: got the error %v, want %v", text, failed, wrong)
			}
			if wrong == nil && !reflect.DeepEqual(got, []catalog.Fields{want, want}) {
				t.Errorf("%q: got %v twice, want %v", text, got, want)
			}
		})
	})
}

var errFolded = errors.New("a name in other letters, which encoding/json takes for one of ours")

// standard is an entity as encoding/json reads it, with the properties "p" and "" alone.
func standard(text string) (f catalog.Fields, err error) {
	var e struct {
		Identifier string         `json:"identifier"`
		Title      any            `json:"title"`
		Icon       any            `json:"icon"`
		Team       any            `json:"team"`
		Properties map[string]any `json:"properties"`
		Relations  map[string]any `json:"relations"`
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		return f, err
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal([]byte(text), &members) // null has none
	for name := range members {
		for _, ours := range []string{"identifier", "title", "icon", "team", "properties", "relations"} {
			if name != ours && strings.EqualFold(name, ours) {
				return f, errFolded
			}
		}
	}
	maps.DeleteFunc(e.Properties, func(name string, _ any) bool { return name != "p" && name != "" })
	return catalog.Fields{Identifier: e.Identifier, Title: e.Title, Icon: e.Icon, Team: e.Team, Properties: e.Properties, Relations: e.Relations}, nil
}

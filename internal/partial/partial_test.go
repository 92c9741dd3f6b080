package partial_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/partial"
	"port-bitbucket-exporter/internal/reach"
)

// standard is what encoding/json makes of a text; ok is false where it is not one JSON value.
func standard(text []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}

// check compares what a decoder makes of a text with what encoding/json does.
func check(t rapid.TB, d *partial.Decoder, text []byte, p *reach.Paths) {
	t.Helper()
	want, ok := standard(text)
	value, err := partial.Check(text)
	if (err == nil) != ok {
		t.Fatalf("%.200q is refused with %v, and encoding/json takes it: %t", text, err, ok)
	}
	if !ok {
		return
	}
	if p != nil {
		want = p.Project(want)
	}
	if got := d.Value(value, p); !reflect.DeepEqual(got, want) {
		t.Fatalf("%.300q: got %.300v, want %.300v", text, got, want)
	}
}

// texts are JSON, or nearly, of every form that a reader has to tell apart.
var texts = []string{
	``, ` `, `null`, ` true `, `false`, `fals`, `nul`, `truex`, `1`, `-0`, `-`, `01`, `1.`, `1.5e+3`, `1e400`, `123456789012345678901234567890`, `1 2`,
	`""`, `"a`, `"\"`, `"\\"`, `"\\\""`, `"\u00e9\ud83d\ude00"`, `"\ud800"`, `"\ud800\u0041"`, `"\udc00\ud800"`, `"\u12g4"`, "\"\x01\"", "\"\t\"", "\"\x7f\"", `"\x"`, `"\/"`,
	"\"\xff\"", "\"a\xe2\x82\"", "\"\xed\xa0\x80\"", "\"\xc0\x80\xf8\"", "\"\u2028\u0000\"", "\xef\xbb\xbf1",
	`[]`, `[ ]`, `[1,]`, `[,1]`, `[1 2]`, `[1, [2, [3]], {"a": [4]}]`, `[`, `]`, `[}`, `[1}`, `[[]`, `[]]`,
	`{}`, `{ }`, `{"a":1,}`, `{"a"}`, `{"a" 1}`, `{a:1}`, `{1:1}`, `{"a":}`, `{"a":1 "b":2}`, `{"a":1}{}`, `{"a":1}x`, `{`, `}`,
	`{"a": {"b": 1, "c": [{"b": "}]"}, 2, null]}, "a": {"c": [{"a": 1, "b": "\"x\\"}]}, "b": "é"}`,
	"{\"\xff\": 1, \"\\ufffd\": 2, \"\xef\xbf\xbd\": {\"b\": 3}}", `{"": {"": 0}}`, "\n{\r\"a\"\t:\n1\r,\n\"b\" : [ ] }\n",
	`{"a": "` + strings.Repeat("long ", 100) + `", "b": "` + strings.Repeat("\\n", 300) + `"}`,
}

// paths are some Paths of the keys that texts have.
func paths() []*reach.Paths {
	all := []*reach.Paths{nil, {}, {Whole: true}, {There: true}, {Each: &reach.Paths{}}, {Keys: map[string]*reach.Paths{"a": nil, "": {}}}}
	deep := &reach.Paths{}
	deep.At("a").At("c").Elements().Add("b")
	deep.At("\uFFFD").Add("b")
	return append(all, deep, &reach.Paths{Each: deep})
}

func TestTexts(t *testing.T) {
	d := partial.NewDecoder()
	for _, text := range texts {
		for _, p := range paths() {
			check(t, d, []byte(text), p)
			check(t, &partial.Decoder{}, []byte(text), p)
		}
	}
}

// A depth is refused where encoding/json refuses it.
func TestDepth(t *testing.T) {
	var d partial.Decoder
	for _, depth := range []int{9998, 9999, 10000, 10001, 10002} {
		for _, form := range []string{"[%s]", `{"a":%s}`} {
			open, end, _ := strings.Cut(form, "%s")
			text := strings.Repeat(open, depth) + "1" + strings.Repeat(end, depth)
			check(t, &d, []byte(text), nil)
		}
	}
}

// jsonText draws a JSON text, spaces and all.
func jsonText(t *rapid.T, depth int) string {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t"}).Draw(t, "space")
	words := []string{"null", "true", "false", "0", "-1.50", "9007199254740993", "1E+2", `""`, `"a"`, `"b\"\\"`, `"\u00e9]"`, "\"é\xff\"", `"{,:"`}
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if depth == 0 || kind < 2 {
		return space + rapid.SampledFrom(words).Draw(t, "word") + space
	}
	n := rapid.IntRange(0, 4).Draw(t, "n")
	parts := make([]string, n)
	for i := range parts {
		parts[i] = jsonText(t, depth-1)
		if kind < 4 {
			parts[i] = space + rapid.SampledFrom([]string{`"a"`, `"b"`, `"c"`, `"\u0061"`, `""`, "\"\xff\""}).Draw(t, "key") + space + ":" + parts[i]
		}
	}
	if kind < 4 {
		return "{" + space + strings.Join(parts, ",") + "}" + space
	}
	return "[" + space + strings.Join(parts, ",") + "]" + space
}

func somePaths(t *rapid.T, depth int) *reach.Paths {
	if depth == 0 || rapid.IntRange(0, 9).Draw(t, "nil") == 0 {
		return nil
	}
	p := &reach.Paths{Whole: rapid.IntRange(0, 5).Draw(t, "whole") == 0}
	for _, key := range []string{"a", "b", "", "\uFFFD"} {
		if rapid.Bool().Draw(t, "key") {
			*p.At(key) = *cmp.Or(somePaths(t, depth-1), &reach.Paths{})
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "each") == 0 {
		p.Each = somePaths(t, depth-1)
	}
	return p
}

// One decoder, whatever it has read before, makes of any text what encoding/json makes of it,
// and refuses what that refuses.
func TestLikeTheStandardLibrary(t *testing.T) {
	d := partial.NewDecoder()
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(jsonText(t, 5))
		p := somePaths(t, 4)
		check(t, d, text, p)
		for range rapid.IntRange(0, 3).Draw(t, "mutations") {
			if len(text) == 0 {
				return
			}
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			switch c := rapid.SampledFrom([]byte("{}[]\",:\\ u019-e.\xc3t\x00")).Draw(t, "byte"); rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				text[at] = c
			case 1:
				text = slices.Insert(text, at, c)
			case 2:
				text = slices.Delete(text, at, at+1)
			}
		}
		check(t, d, text, p)
	})
}

func FuzzCheck(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := partial.NewDecoder()
		for _, p := range paths() {
			check(t, d, text, p)
		}
	})
}

// What was made of a text stays as it is when the text is written over.
func TestOwnMemory(t *testing.T) {
	d := partial.NewDecoder()
	text := []byte(`{"a": ["` + strings.Repeat("x", 500) + `", "short", "\n", 1.5]}`)
	value, err := partial.Check(text)
	if err != nil {
		t.Fatal(err)
	}
	got := d.Value(value, nil)
	want, _ := standard(text)
	for i := range text {
		text[i] = '#'
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestList(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"page", `{"size": 3, "values": [{"a": [1]}, 2 , null], "next": "x"}`, `size=3 {"a": [1]} 2 null next="x"`},
		{"space", " { \"values\" :\n[ ] } ", ``},
		{"escaped key", `{"v\u0061lues": [1]}`, `1`},
		{"none", `{"size": 3}`, `size=3 error: no object with one array of that name`},
		{"no array", `{"values": null}`, `error: no object with one array of that name`},
		{"twice", `{"values": [1], "values": [2]}`, `1 error: no object with one array of that name`},
		{"no object", `[1]`, `error: no object with one array of that name`},
		{"empty", ``, `error: no object with one array of that name`},
		{"more", `{"values": []} {}`, `error: something follows the JSON`},
		{"cut off", `{"values": [1, 2`, `1 2 error`},
		{"cut off behind the values", `{"values": [1]`, `1 error`},
		{"cut off in a key", `{"values": [1], "ne`, `1 error`},
		{"wrong", `{"values": [1, }`, `1 error`},
		{"member refused", `{"values": [1], "bad": 1, "size": 1}`, `1 bad=1 error: bad`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			err := partial.List([]byte(test.text), "values", func(v partial.Text) { got = append(got, string(v)) }, func(key string, v partial.Text) error {
				got = append(got, key+"="+string(v))
				if key == "bad" {
					return fmt.Errorf("bad")
				}
				return nil
			})
			if err != nil {
				got = append(got, "error: "+err.Error())
			}
			text := strings.Join(got, " ")
			if strings.HasSuffix(test.want, "error") && err != nil {
				text, _, _ = strings.Cut(text, ": ")
			}
			if text != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
		})
	}
}

// Whatever List takes, encoding/json takes too, and finds the same in it.
func FuzzList(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(`{"next": "x", "values": [` + text + `,` + text + `], "b": ` + text + `}`))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got []json.RawMessage
		if partial.List(text, "values", func(v partial.Text) { got = append(got, json.RawMessage(v)) }, func(string, partial.Text) error { return nil }) != nil {
			return
		}
		var want map[string]json.RawMessage
		var values []json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if err := json.Unmarshal(want["values"], &values); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if !slices.EqualFunc(got, values, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			t.Errorf("%q: got %q, want %q", text, got, values)
		}
	})
}

// BenchmarkPage decodes the values of a page of 50 objects of about 10 KB, of which a mapping
// reads a little: as encoding/json does, all of them, and what is read.
func BenchmarkPage(b *testing.B) {
	account := `{"display_name": "Dana Ruiz", "uuid": "{0123}", "links": {` + strings.TrimSuffix(strings.Repeat(`"avatar": {"href": "https://avatar.example/0123456789abcdef0123456789abcdef/128"}, `, 8), ", ") + `}}`
	people := strings.TrimSuffix(strings.Repeat(`{"type": "participant", "user": `+account+`, "role": "REVIEWER", "approved": false}, `, 6), ", ")
	value := `{"id": %d, "title": "Change", "description": "` + strings.Repeat(`a line of a \"text\", and so on\n`, 100) + `", "author": ` + account + `, "participants": [` + people + `], "state": "OPEN"}`
	values := make([]string, 50)
	for i := range values {
		values[i] = fmt.Sprintf(value, i)
	}
	page := []byte(`{"values": [` + strings.Join(values, ", ") + `], "size": 50}`)
	reads := &reach.Paths{}
	reads.Add("id")
	reads.Add("title")
	reads.At("author").Add("display_name")
	reads.At("participants").Elements().At("user").Add("display_name")
	decode := func(p *reach.Paths) func(*testing.B) {
		return func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			d := partial.NewDecoder()
			for b.Loop() {
				if err := partial.List(page, "values", func(v partial.Text) { d.Value(v, p) }, func(string, partial.Text) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("as encoding/json does", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		b.ReportAllocs()
		for b.Loop() {
			var p struct{ Values []json.RawMessage }
			if err := json.Unmarshal(page, &p); err != nil {
				b.Fatal(err)
			}
			for _, v := range p.Values {
				standard(v)
			}
		}
	})
	b.Run("all", decode(nil))
	b.Run("what is read", decode(reads))
}

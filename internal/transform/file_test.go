package transform

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/mapping"
)

// shelf has the files of these tests, and what was read of it.
type shelf struct {
	files map[string]any // texts and errors
	asked []string
}

// apply maps an object, and reads what is missing as often as that is needed.
func (s *shelf) apply(ctx context.Context, p *Program, source Source) Result {
	source.HasFiles, source.Files = true, map[string]File{}
	for {
		r := p.Apply(ctx, source)
		if len(r.Missing) == 0 {
			return r
		}
		for _, name := range r.Missing {
			s.asked = append(s.asked, name)
			if err, ok := s.files[name].(error); ok {
				source.Files[name] = File{Err: err}
			} else {
				source.Files[name] = File{Text: s.files[name]}
			}
		}
	}
}

// The default mapping of earlier days reads the README by file://.
func TestOlderDefaultMapping(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "mapping", "testdata", "ok", "default-older.yml"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Parse("mapping.yml", text)
	if err != nil {
		t.Fatal(err)
	}
	p := compiled(t, m.Resources[1])
	if got, want := p.Files(), []string{"README.md"}; !slices.Equal(got, want) {
		t.Errorf("files: got %q, want %q", got, want)
	}
	s := &shelf{files: map[string]any{"README.md": "# api\n"}}
	r := s.apply(t.Context(), p, Source{
		Object: object(t, `{"name": "api", "mainbranch": {"name": "main"}, "links": {"html": {"href": "https://x/api"}}, "project": {"uuid": "{p-1}"}}`),
	})
	want := Unit{Outcome: Mapped, Blueprint: "bitbucketRepository", Fields: catalog.Fields{
		Identifier: "api", Title: "api",
		Properties: map[string]any{"url": "https://x/api", "defaultBranch": "main", "readme": "# api\n"},
		Relations:  map[string]any{"project": "p-1"},
	}}
	if diff := cmp.Diff(r.Units, []Unit{want}); diff != "" || len(r.Notes) > 0 {
		t.Errorf("notes %v; got -, want +\n%s", r.Notes, diff)
	}
	if want := []string{"README.md"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked for %q, want %q", s.asked, want)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	const rest = "title: file://TITLE\nproperties:\n  a: ' file://docs/./a b#?.md '\n  b: file://docs/a b#?.md\n  n: .n\n"
	denied := errors.New("403 Forbidden")
	for _, c := range []struct {
		name    string
		keys    keys
		object  string
		files   map[string]any
		want    []string // outcomes, with the fields as JSON or the fault
		asked   []string
		notes   []string
		noFiles bool
	}{
		{
			name: "texts", keys: keys{rest: rest}, object: `{"id": "x"}`,
			files: map[string]any{"TITLE": "T", "docs/a b#?.md": "A"},
			want:  []string{`mapped title "T" {"a":"A","b":"A","n":null}`},
			asked: []string{"TITLE", "docs/a b#?.md"},
			notes: []string{`property "n": is null`},
		},
		{
			name: "no such file", keys: keys{rest: rest}, object: `{"id": "x", "n": 1}`,
			want:  []string{`mapped title null {"a":null,"b":null,"n":1}`},
			asked: []string{"TITLE", "docs/a b#?.md"},
			notes: []string{`title: is null: there is no such file`, `property "a": is null: there is no such file`, `property "b": is null: there is no such file`},
		},
		{
			name: "unreadable", keys: keys{rest: rest}, object: `{"id": "x"}`,
			files: map[string]any{"TITLE": denied, "docs/a b#?.md": "A"},
			want:  []string{`failed: title: 403 Forbidden`},
			asked: []string{"TITLE", "docs/a b#?.md"},
		},
		{
			name: "unreadable, and refused for another reason", keys: keys{rest: "relations: {r: .n}\n" + rest}, object: `{"id": "x", "n": 1}`,
			files: map[string]any{"docs/a b#?.md": denied},
			want:  []string{`failed: property "a": 403 Forbidden`},
			asked: []string{"TITLE", "docs/a b#?.md"},
		},
		{
			name: "a title that is no text", keys: keys{rest: rest}, object: `{"id": "x", "n": 1}`,
			files: map[string]any{"TITLE": 5, "docs/a b#?.md": "A"},
			want:  []string{`refused: title: gives a number, and a title must be a text`},
			asked: []string{"TITLE", "docs/a b#?.md"},
		},
		{name: "not chosen", keys: keys{query: ".n == 1", rest: rest}, object: `{"id": "x"}`, want: []string{"filtered"}},
		{name: "no identifier", keys: keys{rest: rest}, object: `{}`, want: []string{"skipped"}},
		{name: "identifier with a space", keys: keys{rest: rest}, object: `{"id": "x y"}`,
			want: []string{"refused: identifier: the identifier holds ' ', which Port does not allow in an identifier"}},
		{
			name: "once for all elements", keys: keys{query: `.item != "b"`, items: "itemsToParse: .all", identifier: ".item", rest: "properties: {r: file://R}"},
			object: `{"all": ["a", "b", "c"]}`, files: map[string]any{"R": "r"},
			want: []string{`mapped title null {"r":"r"}`, "filtered", `mapped title null {"r":"r"}`}, asked: []string{"R"},
		},
		{
			name: "unreadable once for all elements", keys: keys{items: "itemsToParse: .all", identifier: ".item", rest: "properties: {r: file://R}"},
			object: `{"all": ["a", "b"]}`, files: map[string]any{"R": denied},
			want:  []string{`failed: property "r": 403 Forbidden`, `failed: property "r": 403 Forbidden`},
			asked: []string{"R"},
		},
		{
			name: "a kind without files", keys: keys{rest: "properties: {r: file://R}"}, object: `{"id": "x"}`, noFiles: true,
			want: []string{`mapped title null {"r":null}`}, notes: []string{`property "r": is null: this kind has no files`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{files: c.files}
			p, source := compiled(t, resource(t, c.keys.yaml())), Source{Object: object(t, c.object)}
			apply := s.apply
			if c.noFiles {
				apply = func(ctx context.Context, p *Program, source Source) Result { return p.Apply(ctx, source) }
			}
			r := apply(t.Context(), p, source)
			var got []string
			for _, u := range r.Units {
				got = append(got, tell(t, u))
				if unread := u.Fault != nil && u.Fault.Unread != nil; unread != (u.Outcome == Failed) || unread && !errors.Is(u.Fault.Unread, denied) {
					t.Errorf("fault = %+v", u.Fault)
				}
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("units: got -, want +\n%s", diff)
			}
			if !slices.Equal(s.asked, c.asked) {
				t.Errorf("asked for %q, want %q", s.asked, c.asked)
			}
			var notes []string
			for _, n := range r.Notes {
				notes = append(notes, n.Expr.Name+": "+n.Message)
				if n.NoFiles != c.noFiles || n.Raised || n.LeftOut {
					t.Errorf("note = %+v", n)
				}
			}
			if diff := cmp.Diff(notes, c.notes); diff != "" {
				t.Errorf("notes: got -, want +\n%s", diff)
			}
		})
	}
}

func tell(t *testing.T, u Unit) string {
	switch {
	case u.Fault != nil:
		return u.Outcome.String() + ": " + u.Fault.Expr.Name + ": " + u.Fault.Message
	case u.Outcome != Mapped:
		return u.Outcome.String()
	}
	return "mapped title " + encode(t, u.Fields.Title) + " " + encode(t, u.Fields.Properties)
}

// Apply reads no file: it names what it lacks, once, and nothing when all is given.
func TestMissing(t *testing.T) {
	t.Parallel()
	p := compiled(t, resource(t, keys{rest: "title: file://B\nproperties: {a: file://A, b: file://B}"}.yaml()))
	apply := func(files map[string]File) []string {
		return p.Apply(t.Context(), Source{Object: object(t, `{"id": "x"}`), HasFiles: true, Files: files}).Missing
	}
	if got, want := apply(nil), []string{"B", "A"}; !slices.Equal(got, want) {
		t.Errorf("got %q missing, want %q", got, want)
	}
	if got := apply(map[string]File{"A": {}, "B": {Err: errors.New("lost")}}); len(got) > 0 {
		t.Errorf("got %q missing, want none", got)
	}
}

// Only the entry that names the file fails with it.
func TestFileOfOneEntry(t *testing.T) {
	t.Parallel()
	p := compiled(t, resource(t, `resources:
- kind: folder
  selector: {query: 'true'}
  port:
    entity:
      mappings:
      - {identifier: .branch, blueprint: '"a"', properties: {n: .folder.n}}
      - {identifier: .branch, blueprint: '"b"', properties: {n: .folder.n, r: file://R}}
      - {identifier: .branch, blueprint: '"c"', properties: {n: .folder.n}}
`))
	s := &shelf{files: map[string]any{"R": errors.New("lost")}}
	r := s.apply(t.Context(), p, Source{Object: object(t, `{"branch": "x"}`)})
	var got []string
	for _, u := range r.Units {
		got = append(got, u.Blueprint+" "+u.Outcome.String())
	}
	if want := []string{"a mapped", "b failed", "c mapped"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(r.Notes) != 2 { // none of the failed unit
		t.Errorf("notes = %+v", r.Notes)
	}
}

// On content that was not parsed, what raises an error says nothing; what is null does.
func TestRaw(t *testing.T) {
	t.Parallel()
	k := keys{rest: `title: .content.title
icon: .content.icon
team: .content.team
properties:
  path: .path
  owner: .content.owner
  missing: .metadata
relations:
  project: .content.project
  none: .metadata
  search:
    combinator: '"and"'
    rules: [{property: '"x"', operator: '"="', value: .content.x}]
`}
	p := program(t, k, nil)
	for _, c := range []struct {
		name, object string
		raw          bool
		properties   string
		relations    string
		leftOut      []string
	}{
		{
			"raw", `{"id": "x", "path": "a", "content": "{"}`, true, `{"missing":null,"path":"a"}`, `{"none":null}`,
			[]string{"title", "icon", "team", `property "owner"`, `relation "project"`, `relation "search": rule 1: value`},
		},
		{
			"raw, without content", `{"id": "x", "path": "a", "content": null}`, true,
			`{"missing":null,"owner":null,"path":"a"}`,
			`{"none":null,"project":null,"search":{"combinator":"and","rules":[{"operator":"=","property":"x","value":null}]}}`, nil,
		},
		{
			"not raw", `{"id": "x", "path": "a", "content": "{"}`, false,
			`{"missing":null,"owner":null,"path":"a"}`, `{"none":null,"project":null,"search":null}`, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := p.Apply(t.Context(), Source{Object: object(t, c.object), Raw: c.raw})
			u := r.Units[0]
			if u.Outcome != Mapped || u.Fields.Title != nil || u.Fields.Icon != nil || u.Fields.Team != nil {
				t.Errorf("got %+v", u)
			}
			if got := encode(t, u.Fields.Properties); got != c.properties {
				t.Errorf("properties: got %s, want %s", got, c.properties)
			}
			if got := encode(t, u.Fields.Relations); got != c.relations {
				t.Errorf("relations: got %s, want %s", got, c.relations)
			}
			var leftOut []string
			for _, n := range r.Notes {
				if n.LeftOut {
					leftOut = append(leftOut, n.Expr.Name)
				}
				if n.LeftOut && !n.Raised || n.Raised && n.LeftOut != c.raw {
					t.Errorf("note = %+v", n)
				}
			}
			if diff := cmp.Diff(leftOut, c.leftOut); diff != "" {
				t.Errorf("left out: got -, want +\n%s", diff)
			}
		})
	}
}

// Identifier, blueprint and selector decide whether there is an entity: on content
// that was not parsed they fail as they do elsewhere.
func TestRawWithoutIdentifier(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]keys{
		"identifier": {identifier: ".content.id"},
		"blueprint":  {blueprint: ".content.blueprint"},
		"selector":   {query: ".content.ok == true"},
	} {
		r := program(t, k, nil).Apply(t.Context(), Source{Object: object(t, `{"id": "x", "content": "{"}`), Raw: true})
		if u := r.Units[0]; u.Outcome != Failed || u.Fault.Unread != nil || u.Fault.Selector != (name == "selector") {
			t.Errorf("%s: got %+v", name, u)
		}
	}
}

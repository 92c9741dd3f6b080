package transform

import (
	"encoding/json"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
)

// resource parses a mapping of one resource.
func resource(t testing.TB, yaml string) mapping.Resource {
	t.Helper()
	m, err := mapping.Parse("mapping.yml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return m.Resources[0]
}

// keys are the keys of a resource that a test cares about; the others have a
// default. Values are YAML flow style. The kind is none without one, so that objects may
// have any field.
type keys struct {
	kind, query, items, identifier, blueprint, rest string
}

func (k keys) yaml() string {
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	text := "resources:\n- kind: " + or(k.kind, "thing") + "\n  selector:\n    query: " + or(k.query, `'true'`) + "\n  port:\n"
	if k.items != "" {
		text += "    " + strings.ReplaceAll(k.items, "\n", "\n    ") + "\n"
	}
	text += "    entity:\n      mappings:\n        identifier: " + or(k.identifier, ".id") +
		"\n        blueprint: " + or(k.blueprint, `'"service"'`) + "\n"
	for line := range strings.Lines(k.rest) {
		text += "        " + line
	}
	return text + "\n"
}

func program(t testing.TB, k keys, env Environment) *Program {
	t.Helper()
	p, err := Compile(resource(t, k.yaml()), env, kind.Objects(k.kind))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// compiled is the program of a resource of any kind.
func compiled(t testing.TB, r mapping.Resource) *Program {
	t.Helper()
	p, err := Compile(r, nil, kind.Objects(r.Kind))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	return o
}

// encode gives v as JSON without HTML escapes.
func encode(t testing.TB, v any) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

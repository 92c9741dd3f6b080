package transform_test

import (
	"context"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
	"port-bitbucket-exporter/internal/transform"
)

// The frame of identifiers is what the repository alone decides at their ends, whatever
// else an object holds.
func TestFrame(t *testing.T) {
	t.Parallel()
	pull := transform.Origin{Paths: [][]string{{"destination", "repository"}}}
	whole := transform.Origin{Paths: [][]string{{}}, Except: []string{"__includedFiles"}}
	of := func() map[string]any {
		repository := map[string]any{"name": "Api", "full_name": "acme/api", "uuid": "{1}", "size": 5}
		return map[string]any{"destination": map[string]any{"repository": repository}, "name": "Api", "slug": "api", "project": nil}
	}
	const name = `.destination.repository.name`
	for _, tt := range []struct {
		text   string
		origin transform.Origin
		want   transform.Frame
		ok     bool
	}{
		{name + ` + (.id|tostring)`, pull, transform.Frame{Prefix: "Api", Number: true}, true},
		{name + ` + "/" + (.id | tostring)`, pull, transform.Frame{Prefix: "Api/", Number: true}, true},
		{`"\(` + name + `)-\(.id)"`, pull, transform.Frame{Prefix: "Api-", Number: true}, true},
		{`(` + name + ` + "-" + (.id|tostring)) | ascii_downcase`, pull, transform.Frame{Prefix: "api-", Number: true}, true},
		{`(.destination.repository.full_name | sub(".*/"; "")) + "-" + (.id | tostring) + "-x"`, pull, transform.Frame{Prefix: "api-", Suffix: "-x", Number: true}, true},
		{`.title + "@" + ` + name, pull, transform.Frame{Suffix: "@Api"}, true},
		{`"pr-" + (.id|tostring)`, pull, transform.Frame{Prefix: "pr-", Number: true}, true},
		{name + ` + .title`, pull, transform.Frame{Prefix: "Api"}, true},
		{name, pull, transform.Frame{Prefix: "Api", Exact: true}, true},
		{name + ` + (.id + 1 | tostring)`, pull, transform.Frame{Prefix: "Api"}, true},
		{name + ` + "-" + (if .state == "OPEN" then "o" else "x" end)`, pull, transform.Frame{Prefix: "Api-"}, true},
		{`(if .state == "OPEN" then "o" else "x" end) + ` + name, pull, transform.Frame{Suffix: "Api"}, true},
		// What the origin alone does not decide at an end is no frame.
		{`.title`, pull, transform.Frame{}, false},
		{`.title // ` + name, pull, transform.Frame{}, false},
		{`if .title == "x" then .title else ` + name + ` end`, pull, transform.Frame{}, false},
		{`(` + name + ` + "/" + (.id|tostring)) | gsub("/"; "-")`, pull, transform.Frame{}, false},
		{`. as $p | ` + name + ` + ($p.id|tostring)`, pull, transform.Frame{}, false},
		{`def f: .x; ` + name + ` + "x"`, pull, transform.Frame{}, false},
		{`.destination.branch.name + "-" + (.id|tostring)`, pull, transform.Frame{}, false},
		{`[` + name + `, (.id|tostring)] | join("-")`, pull, transform.Frame{}, false},
		{`.destination.repository.size + .id`, pull, transform.Frame{}, false},
		{`.destination.repository.size`, pull, transform.Frame{}, false},
		// Of a repository everything is its own but its included files.
		{`.slug`, whole, transform.Frame{Prefix: "api", Exact: true}, true},
		{`.project.key // .slug`, whole, transform.Frame{Prefix: "api", Exact: true}, true},
		{`.slug + (.project.key // "")`, whole, transform.Frame{Prefix: "api", Exact: true}, true},
		{`.slug + .project.key`, whole, transform.Frame{Prefix: "api", Exact: true}, true},
		{`.__includedFiles["NAME"] // .slug`, whole, transform.Frame{}, false},
		{`.slug + "-" + .__includedFiles["NAME"]`, whole, transform.Frame{Prefix: "api-"}, true},
		{`tojson`, whole, transform.Frame{}, false},
	} {
		m, err := mapping.Parse("mapping.yml", []byte("resources: [{kind: pull-request, selector: {query: 'true'}, port: {entity: {mappings: {identifier: "+
			quoted(tt.text)+", blueprint: '\"b\"'}}}}]"))
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		p, err := transform.Compile(m.Resources[0], nil, shape.Kind{})
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		p.SetOrigin(nil, tt.origin)
		got, ok := p.Frame(context.Background(), 0, of())
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %+v, %t, want %+v, %t", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func TestFrameCovers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		frame transform.Frame
		id    string
		want  bool
	}{
		{transform.Frame{Prefix: "api", Number: true}, "api12", true},
		{transform.Frame{Prefix: "api", Number: true}, "api-12", false},
		{transform.Frame{Prefix: "api", Number: true}, "api012", false},
		{transform.Frame{Prefix: "api", Number: true}, "api0", true},
		{transform.Frame{Prefix: "api", Number: true}, "api", false},
		{transform.Frame{Prefix: "api"}, "api", true},
		{transform.Frame{Prefix: "api", Exact: true}, "api", true},
		{transform.Frame{Prefix: "api", Exact: true}, "api1", false},
		{transform.Frame{Prefix: "aba", Suffix: "aba"}, "aba", false},
		{transform.Frame{Prefix: "aba", Suffix: "aba"}, "abaaba", true},
		{transform.Frame{Suffix: "@api"}, "x@api", true},
	} {
		if got := tt.frame.Covers(tt.id); got != tt.want {
			t.Errorf("%+v covers %q: got %t, want %t", tt.frame, tt.id, got, tt.want)
		}
	}
}

// quoted is a text in single quotes, as YAML has it.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// Where a name and what follows it have no separator, another name may give the same.
func TestFrameAlone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		frame      transform.Frame
		identifier string
		want       bool
	}{
		{transform.Frame{Prefix: "svc", Exact: true}, "svc", true},
		{transform.Frame{Prefix: "svc", Number: true}, "svc1", true},
		{transform.Frame{Prefix: "svc", Number: true}, "svc11", false},
		{transform.Frame{Prefix: "svc1", Number: true}, "svc11", false},
		{transform.Frame{Prefix: "svc-", Number: true}, "svc-11", true},
		{transform.Frame{Suffix: "@svc", Number: true}, "11@svc", true},
		{transform.Frame{Suffix: "svc", Number: true}, "11svc", false},
		{transform.Frame{Prefix: "svc\U00010d4a", Number: true}, "svc\U00010d4a11", false}, // a letter of Unicode 16
		{transform.Frame{Prefix: "svc", Suffix: "\U00010d4a"}, "svca\U00010d4a", false},
		{transform.Frame{Prefix: "svc/"}, "svc/a", true},
		{transform.Frame{Prefix: "svc-"}, "svc-gw-a", false},
		{transform.Frame{Prefix: "svc"}, "svca", false},
		{transform.Frame{Suffix: "@svc"}, "a@svc", true},
		{transform.Frame{}, "a", false},
	} {
		if got := test.frame.Alone(test.identifier); got != test.want || !test.frame.Covers(test.identifier) {
			t.Errorf("%+v, %q: alone %t, want %t", test.frame, test.identifier, got, test.want)
		}
	}
}

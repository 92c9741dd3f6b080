package transform

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

func TestEnvironment(t *testing.T) {
	t.Setenv("TRANSFORM_TEST_SECRET", "s3cret")
	p := program(t, keys{rest: `properties:
  env: env
  whole: $ENV
  one: env.STAGE + $ENV["STAGE"]
  computed: $ENV[.name]
`}, Environment{"STAGE": "a=b"})
	r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a", "name": "TRANSFORM_TEST_SECRET"}`)})
	want := `{"computed":null,"env":{"STAGE":"a=b"},"one":"a=ba=b","whole":{"STAGE":"a=b"}}`
	if got := encode(t, r.Units[0].Fields.Properties); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// debug and stderr give their input, as in jq, and write nowhere.
func TestNoStreams(t *testing.T) {
	t.Parallel()
	p := program(t, keys{identifier: `.id | debug | debug("x") | stderr`}, nil)
	if u := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a"}`)}).Units[0]; u.Fields.Identifier != "a" {
		t.Errorf("got %+v", u)
	}
}

func TestLongExpression(t *testing.T) {
	t.Parallel()
	k := keys{identifier: strings.Repeat("(", jq.MaxText) + ".id" + strings.Repeat(")", jq.MaxText)}
	_, _, err := Compile(resource(t, k.yaml()), nil)
	if err == nil || !strings.Contains(err.Error(), "at most 65536 are read") {
		t.Errorf("error = %.200v", err)
	}
}

// Any text is either an expression or a problem inside of the text.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		`.a | | .b`, `'it''s'`, `env.A + $ENV["B"]`, `env | .A`, `"\(.a)"`, `def f(g): g; f(.a)`, `.a as [$x, {b: $y}] ?// $x | $y`,
		`import "a" as b; .`, `reduce .[] as $x (0; . + $x)`, `label $out | break $out`, `"\ud800"`, "\xff", `file://`, ` file://a/../b`, `.a-b`, `@base64 "x"`, `||`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := &compiler{}
		x := c.expr(mapping.Expr{Text: text}, strict)
		if x == nil || x.code == nil && len(c.problems.Errors()) == 0 {
			t.Error("no code and no problem")
		}
		for _, p := range c.problems {
			if p.Message == "" || p.Fix == "" {
				t.Errorf("problem = %+v", p)
			}
		}
		sourcePath(text)
	})
}

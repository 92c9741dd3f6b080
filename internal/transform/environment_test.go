package transform

import "testing"

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

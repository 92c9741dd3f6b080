package lint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/jq/recorded"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// TestNoSilentDifference holds expressions to the answers of jq 1.8.2: the value is the same,
// or the mapping is told of it. At most one answer in seventy is another one, as the page of
// differences says about.
func TestNoSilentDifference(t *testing.T) {
	t.Parallel()
	e := jq.NewEvaluator(context.Background(), &jq.Turn{})
	defer e.Close()
	differ := 0
	for _, c := range recorded.Cases() {
		problem := difference(e, c)
		if problem == "" {
			continue
		}
		differ++
		if !isTold(t, c) {
			t.Errorf("%s with %s: %s", c.Program, c.Input, problem)
		}
	}
	const share = 70
	all := len(recorded.Cases())
	if differ == 0 || differ > all/share {
		t.Errorf("%d of %d answers differ", differ, all)
	}
	t.Logf("%d answers, %d differ and are told", all, differ)
}

// TestNamesAreThoseOfJQ holds what is said of names against jq 1.6 to 1.8.2.
func TestNamesAreThoseOfJQ(t *testing.T) {
	t.Parallel()
	versions := map[string][]string{}
	for signature, in := range recorded.Versions() {
		name, _, _ := strings.Cut(signature, "/")
		if len(in) > len(versions[name]) {
			versions[name] = in
		}
	}
	_, known := jq.Builtins()
	newest := func(name string) string {
		if in := versions[name]; len(in) > 0 {
			return in[len(in)-1]
		}
		return ""
	}
	for name := range versions {
		switch last := newest(name); {
		case slices.Contains(known, name):
			if last == "" {
				t.Errorf("%s works here, and in no jq", name)
			}
		case last == "1.8.2" && unsupported[name] == "":
			t.Errorf("%s is in jq %s, and nothing is known of it", name, last)
		case last != "1.8.2" && last != "" && former[name].last != last:
			t.Errorf("%s is last in jq %s, and said to be in %q", name, last, former[name].last)
		}
	}
	for name := range unsupported {
		if newest(name) != "1.8.2" {
			t.Errorf("%s is not in jq 1.8.2", name)
		}
	}
	for name := range wished {
		if newest(name) != "" {
			t.Errorf("%s is in jq %s", name, newest(name))
		}
	}
	for name := range former {
		if newest(name) == "" {
			t.Errorf("%s is in no jq", name)
		}
	}
}

// difference says how the answer differs from that of libjq; "" when it does not.
func difference(e *jq.Evaluator, c recorded.Case) string {
	e.SetRoom(jq.MaxResult)
	tree, _, err := jq.Parse(c.Wrapped())
	var code *jq.Code
	if err == nil {
		code, err = jq.Compile(tree, nil)
	}
	if err != nil {
		if c.Refused {
			return ""
		}
		return fmt.Sprintf("it is refused: %v; jq: %s", err, answer(c))
	}
	if c.Refused {
		return "jq refuses it"
	}
	d := json.NewDecoder(strings.NewReader(c.Input))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err.Error()
	}
	got, err := e.Value(code, v)
	switch {
	case errors.Is(err, jq.ErrNotFinite):
	case err != nil && c.Error != nil:
		return ""
	case err != nil:
		return fmt.Sprintf("it raises %v; jq: %s", err, answer(c))
	}
	text, err := json.Marshal(got)
	switch {
	case err != nil:
		return err.Error()
	case c.Error != nil || !recorded.Same(string(text), c.Values):
		return fmt.Sprintf("it gives %s; jq: %s", text, answer(c))
	}
	return ""
}

func answer(c recorded.Case) string {
	switch {
	case c.Refused:
		return "refused"
	case c.Error != nil:
		return "raises " + *c.Error
	}
	return c.Values
}

// isTold reports whether the rules tell of a difference, or refuse the expression.
func isTold(t *testing.T, c recorded.Case) bool {
	t.Helper()
	o := Options{}
	var object map[string]any
	if json.Unmarshal([]byte(c.Input), &object) == nil && object != nil {
		o.Kind.Object = shape.Of(notation(object))
	}
	l := &linter{Options: o, resource: mapping.Resource{Kind: "repository"}}
	l.expr(valueRole, mapping.Expr{Text: c.Program, Name: "p"})
	for _, p := range l.problems {
		if p.Rule == mapping.RuleJQDiffers || p.Rule == mapping.RuleJQSyntax || p.Rule == mapping.RuleJQSingleQuotes || p.Rule == mapping.RuleJQRegex ||
			p.Rule == mapping.RuleJQUnsupported || p.Rule == mapping.RuleJQFunction {
			return true
		}
	}
	return false
}

// notation is the shape of an object.
func notation(object map[string]any) string {
	var fields []string
	for key, v := range object {
		switch v := v.(type) {
		case bool:
			key += "?"
		case float64:
			key += "#"
		case nil, []any:
			key += "*"
		case map[string]any:
			key += "{" + notation(v) + "}"
		}
		fields = append(fields, key)
	}
	return strings.Join(fields, " ")
}

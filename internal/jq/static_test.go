package jq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// Expressions and the keys that they go down by; nil where they do more, or less.
var descents = []struct {
	text string
	keys []string
}{
	{".a", []string{"a"}}, {".a.b.c", []string{"a", "b", "c"}}, {`."a".b`, []string{"a", "b"}}, {`.["a"]["b"]`, []string{"a", "b"}},
	{"(.a).b", []string{"a", "b"}}, {"(.a.b)", []string{"a", "b"}}, {".a | .b", []string{"a", "b"}}, {"(.a | (.b)) | .c", []string{"a", "b", "c"}}, {`.""`, []string{""}},
	{".", nil}, {". | .a", nil}, {".a | .", nil}, {".a[0]", nil}, {".a[]", nil}, {".a[1:]", nil}, {".a?", nil}, {".a.b?", nil}, {".a?.b", nil},
	{`."a\(1)"`, nil}, {`.["a", "b"]`, nil}, {`.[.a]`, nil}, {".a as $x | .b", nil}, {"def f: 1; .a", nil}, {"$__loc__.line", nil}, {"env.a", nil},
	{".a // .b", nil}, {".a, .b", nil}, {".a + .b", nil}, {"[.a]", nil}, {"{a}", nil}, {".. | .a", nil}, {"-(.a)", nil}, {".a | length", nil},
	{".a = 1", nil}, {".a |= 1", nil}, {"try .a", nil}, {"if .a then .b end", nil}, {"label $x | .a", nil}, {".a | error", nil}, {"empty | .a", nil},
}

// An expression that goes down by keys gives what gojq gives, its errors included, and no other
// expression is taken for one.
func TestKeys(t *testing.T) {
	values := []string{`{}`, `{"a": null}`, `{"a": {"b": {"c": {"d": [1.50, "x"]}}}}`, `{"a": {"b": null}}`, `{"a": {"b": 12345678901234567890}}`, `{"a": false}`,
		`{"a": "text"}`, `{"a": {"b": "text"}}`, `{"a": [{"b": 1}]}`, `{"a": 1}`, `{"a": {"b": true}}`, `{"": {"": 0}}`, `{"a": {"b": 1e1000}, "b": -0}`, `{"a": {"b": {"c": []}}}`}
	for _, d := range descents {
		code := compiled(t, d.text)
		if !slices.Equal(code.keys, d.keys) {
			t.Errorf("%s goes down by %q, want %q", d.text, code.keys, d.keys)
		}
		whole := *code
		whole.keys = nil
		for _, text := range append(values, `null`, `5`, `"x"`, `[]`, `[[]]`, `true`) {
			v := decoded(t, text)
			if got, want := outcome(code, v), outcome(&whole, v); got != want {
				t.Errorf("%s of %s: got %s, want %s as gojq gives", d.text, text, got, want)
			}
		}
	}
}

// outcome is all that an evaluation gives and takes.
func outcome(code *Code, v any) string {
	e := NewEvaluator(context.Background(), &Turn{})
	defer e.Close()
	got, err := e.Value(code, v)
	return fmt.Sprintf("%#v %v %d %t", got, err, e.Room(), e.Full())
}

// Keys are bound like any evaluation: by the room for the result and by the caller's context.
func TestKeysWithinBounds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	e := NewEvaluator(ctx, &Turn{})
	defer e.Close()
	code, v := compiled(t, ".a"), map[string]any{"a": "a text"}
	e.SetRoom(10)
	if got, err := e.Value(code, v); got != nil || !errors.Is(err, errMade) || !e.Full() {
		t.Errorf("without room: got %v, %v, want %v", got, err, errMade)
	}
	e.SetRoom(100)
	cancel()
	if got, err := e.Value(code, v); got != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: got %v, %v, want %v", got, err, context.Canceled)
	}
}

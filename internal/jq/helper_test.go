package jq

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// compiled is the code of an expression.
func compiled(t testing.TB, text string) *Code {
	t.Helper()
	tree, _, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	code, err := Compile(tree, nil)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// result is what the code gives: a value as JSON, or the message of its error.
func result(t testing.TB, code *Code, v any) string {
	t.Helper()
	return resultWithin(t, evaluationLimit, code, v)
}

// resultWithin is result under another limit than that of evaluations.
func resultWithin(t testing.TB, limit time.Duration, code *Code, v any) string {
	t.Helper()
	e := newEvaluator(context.Background(), &Turn{}, limit)
	defer e.Close()
	got, err := e.Value(code, v)
	if err != nil && !errors.Is(err, ErrNotFinite) {
		return Message(err)
	}
	return encode(t, got)
}

// evaluated is result of an expression.
func evaluated(t testing.TB, text string, v any) string {
	t.Helper()
	return result(t, compiled(t, text), v)
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

// decoded is any JSON, as the program reads it.
func decoded(t testing.TB, text string) any {
	t.Helper()
	return object(t, `{"v": `+text+`}`)["v"]
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

// skipShort leaves a test to a run that is not short: the race detector takes ten times as
// long, and these tests start no goroutine of their own.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: left to a run without -short")
	}
}

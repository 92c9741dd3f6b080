package jq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var (
	// short have a shortcut.
	short = []string{
		".a", ".a.b.c", `."a".b`, `.["a"]["b"]`, "(.a).b", "(.a.b)", ".a | .b", "(.a | (.b)) | .c", `.""`,
		"[.a]", "[.a[]]", "[.[]]", "[.a[].b]", "[.a[] | .b[]]", "[(.a[]).b.c]", "[.[].a[]]", `([.["a"][]["b"]])`,
		`.a + "x"`, `"x" + .a`, `.a + "-" + (.b | tostring)`, `.a.b + .b`, `(.a | tostring) + (.b + "\u00e9")`, `(.a + "x" + .b) + "y"`, `"a" + "b"`, "(.a | .b) + .b",
	}
	// long have none: they do more, or less.
	long = []string{
		".", ". | .a", ".a | .", ".a[0]", ".a[]", ".[]", ".a[1:]", ".a?", ".a.b?", ".a?.b", `."a\(1)"`, `.["a", "b"]`, `.[.a]`, ".a as $x | .b", "def f: 1; .a",
		"$__loc__.line", "env.a", ".a // .b", ".a, .b", "{a}", ".. | .a", "-(.a)", ".a | length", ".a = 1", ".a |= 1", "try .a", "if .a then .b end",
		"label $x | .a", ".a | error", "empty | .a", "[]", "[.]", "[.a, .b]", "[.a[]?]", "[.a[0]]", "[.a[] | length]", "[.a][0]", "[.a[]] | .[0]", "[..]", "[def f: 1; .a]",
		".a - .b", ".a + .b + 1", ".a + (.b | length)", ".a + (.b[] | tostring)", ".a + .b | tostring", `(.a + "x" | tostring) + "y"`, `.a + (def tostring: "x"; .b | tostring)`,
		".a | tostring", `"x" | tostring`, `"x\(.a)" + .b`, ".a + null", ".a + (.b | tojson)", "def tostring: 5; .a + (.b | tostring)", ".b + (.a | .b | tostring)",
	}
)

// valuesOf are values of every type, by themselves and where expressions look for them.
func valuesOf(t *testing.T) (all []any) {
	leaves := []string{"null", "true", `""`, `"text"`, `"\u00e9"`, "0", "7", "-0", "-5", "1.0", "1e2", "12345678901234567890", "123456789012345", "{}", "[]", `{"b": {"c": "deep"}}`, `["x", 1]`}
	for _, x := range leaves {
		all = append(all, decoded(t, x), decoded(t, "["+x+"]"))
		for _, y := range []string{"null", `"y"`, "8", "-1.50", `["z"]`, `{"a": ["z"]}`} {
			for _, form := range []string{`{"a": X, "b": Y}`, `{"a": {"b": X}, "b": Y}`, `{"a": [{"b": X}, {"b": Y}]}`, `{"a": [{"b": {"c": X}}, {"b": [Y]}]}`, `{"a": {"b": {"c": X}}, "": Y}`, `{"a": [X, Y]}`, `{"a": [{"b": [X]}, {"b": [Y]}, {"b": []}]}`, `[{"a": [X]}, {"a": Y}]`} {
				all = append(all, decoded(t, strings.NewReplacer("X", x, "Y", y).Replace(form)))
			}
		}
	}
	return all
}

// A shortcut gives what gojq gives, its errors included, and no other expression has one.
func TestShortcuts(t *testing.T) {
	skipShort(t)
	values := valuesOf(t)
	for i, text := range slices.Concat(short, long) {
		code := compiled(t, text)
		if got, want := code.short != nil, i < len(short); got != want {
			t.Errorf("%s has a shortcut: %t, want %t", text, got, want)
			continue
		}
		if code.short == nil {
			continue
		}
		whole := *code
		whole.short = nil
		taken := 0
		for _, v := range values {
			if got, want := outcome(code, v), outcome(&whole, v); got != want {
				t.Errorf("%s of %s: got %s, want %s as gojq gives", text, encode(t, v), got, want)
			}
			if _, ok := code.short(v); ok {
				taken++
			}
		}
		if taken == 0 || taken == len(values) && !strings.Contains(text, `"a" +`) {
			t.Errorf("the shortcut of %s was taken for %d of %d values", text, taken, len(values))
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

// Numbers that jq writes otherwise than they are written, and long texts, are left to gojq.
func TestShortcutsOfNumbersAndLongTexts(t *testing.T) {
	code := compiled(t, `.a + (.b | tostring)`)
	for text, want := range map[string]bool{
		"7": true, "0": true, "123456789012345": true, "1234567890123456": false, "-1": false, "-0": false, "1.0": false, "1e2": false,
		`"x"`: true, "null": false, "true": false, "[]": false,
	} {
		if _, ok := code.short(object(t, `{"a": "x", "b": `+text+`}`)); ok != want {
			t.Errorf("%s: the shortcut knows it: %t, want %t", text, ok, want)
		}
	}
	long := map[string]any{"a": strings.Repeat("x", maxAdded), "b": "y"}
	if _, ok := code.short(long); ok {
		t.Errorf("the shortcut adds texts of more than %d bytes", maxAdded)
	}
	if got := result(t, code, long); len(got) != maxAdded+3 {
		t.Errorf("got %d bytes, want %d", len(got), maxAdded+3)
	}
}

// Shortcuts are bound like any evaluation: by the room for the result and by the caller's
// context.
func TestShortcutsWithinBounds(t *testing.T) {
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

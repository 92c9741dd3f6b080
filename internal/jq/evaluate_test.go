package jq

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/itchyny/gojq"
	"pgregory.net/rapid"
)

// slow compiles an expression in which sleep takes as many seconds as its argument says.
func slow(t *testing.T, text string) *Code {
	t.Helper()
	query, err := gojq.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	code, err := gojq.Compile(query, gojq.WithFunction("sleep", 1, 1, func(v any, args []any) any {
		seconds, _ := gojq.ToFloat64(args[0])
		time.Sleep(time.Duration(seconds * float64(time.Second)))
		return v
	}))
	if err != nil {
		t.Fatal(err)
	}
	return &Code{code: code}
}

// Each evaluation has the whole limit, however long those before it took. The heap is that of
// the process: the large values of tests beside it would count.
func TestEvaluationLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEvaluator(t.Context(), &Turn{})
		defer e.Close()
		for _, c := range []struct {
			text string
			want string // the value, or the error
		}{
			{`sleep(1.5) | .a`, "1"},
			{`sleep(1.5) | .a`, "1"},
			{`.a | sleep(2.5) | . + 1`, "takes longer than 2s"},
			{`.a | sleep(0)`, "1"},
			{`sleep(1.9) | .a`, "1"},
			{`repeat(sleep(0.1)) | select(false)`, "takes longer than 2s"},
			{`try (sleep(3) | .a) catch "caught"`, "takes longer than 2s"},
			{`sleep(1) | error("x")`, "error: x"},
		} {
			v, err := e.Value(slow(t, c.text), map[string]any{"a": json.Number("1")})
			got := encode(t, v)
			if err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("%s: got %s, want %s", c.text, got, c.want)
			}
		}
	})
}

// The end of the caller's context is not the fault of an expression.
func TestEvaluationStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		e := NewEvaluator(ctx, &Turn{})
		defer e.Close()
		_, err := e.Value(slow(t, `sleep(1.5) | .a`), map[string]any{})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(e.Context().Err(), context.DeadlineExceeded) {
			t.Errorf("error = %v, ended = %v", err, e.Context().Err())
		}
	})
}

// A value that gojq does not know makes it panic.
func TestPanicIsAnError(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`.x | type`: "jq: stopped: invalid type",
		`.x`:        "jq: gives a value that is not JSON (struct {})",
		`.id`:       `"a"`,
	} {
		if got := evaluated(t, text, map[string]any{"id": "a", "x": struct{}{}}); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	deep := any(nil)
	for range maxDepth + 1 {
		deep = []any{deep}
	}
	if _, err := plain(deep, room()); !errors.Is(err, errDepth) {
		t.Errorf("deep: error = %v", err)
	}
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	in := map[string]any{"a": []any{1, huge}, "b": map[string]any{"c": huge}, "d": "x"}
	before := maps.Clone(in)
	got, err := plain(in, room())
	want := map[string]any{
		"a": []any{1, json.Number(huge.String())},
		"b": map[string]any{"c": json.Number(huge.String())},
		"d": "x",
	}
	if diff := cmp.Diff(got, any(want)); diff != "" || err != nil {
		t.Errorf("error = %v, got -, want +\n%s", err, diff)
	}
	if in["a"].([]any)[1] != huge || len(in) != len(before) {
		t.Error("the value itself was written")
	}
}

// The weight of a result is what it would be written as, and numbers that JSON does not
// have become null.
func TestPlainValues(t *testing.T) {
	t.Parallel()
	const most = maxDigits * 10 / 3
	long := json.Number(strings.Repeat("7", maxDigits))
	bits := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), most), big.NewInt(1))
	for _, c := range []struct {
		name string
		v    any
		want any
		room int // what is taken of it
		err  error
	}{
		{"null", nil, nil, cell, nil},
		{"true", true, true, cell, nil},
		{"int", 5, 5, cell, nil},
		{"text", "abc", "abc", cell + 3, nil},
		{"number as written", json.Number("1.50"), json.Number("1.50"), cell + 4, nil},
		{"float", 1.5, 1.5, cell, nil},
		{"NaN", math.NaN(), nil, cell, ErrNotFinite},
		{"Infinity", math.Inf(1), math.MaxFloat64, cell, ErrNotFinite},
		{"-Infinity", math.Inf(-1), -math.MaxFloat64, cell, ErrNotFinite},
		{"large", big.NewInt(7), json.Number("7"), cell, nil},
		{"array", []any{"a", "bc"}, []any{"a", "bc"}, 3*cell + 3, nil},
		{"object", map[string]any{"key": "a"}, map[string]any{"key": "a"}, 2*cell + 4, nil},
		{"NaN in an array", []any{1, math.NaN(), 2}, []any{1, nil, 2}, 4 * cell, ErrNotFinite},
		{"NaN in an object", map[string]any{"a": math.NaN(), "b": 1}, map[string]any{"a": nil, "b": 1}, 3*cell + 2, ErrNotFinite},
		{"two in an array", []any{big.NewInt(1), 5, big.NewInt(2)}, []any{json.Number("1"), 5, json.Number("2")}, 4 * cell, nil},
		{"long", long, long, cell + maxDigits, nil},
		{"too long", long + "7", nil, cell + maxDigits + 1, errLong},
		{"bits", bits, json.Number(bits.String()), cell, nil},
		{"too many bits", new(big.Int).Lsh(big.NewInt(1), most), nil, cell, errLong},
		{"too long, in an array", []any{long + "7"}, nil, 2*cell + maxDigits + 1, errLong},
		{"too long, in an object", map[string]any{"a": long + "7"}, nil, 2*cell + maxDigits + 2, errLong},
		{"deep", nested(maxDepth), nested(maxDepth), (maxDepth + 1) * cell, nil},
		{"too deep", nested(maxDepth + 1), nil, (maxDepth + 1) * cell, errDepth},
		{"deep, in an object", map[string]any{"a": nested(maxDepth - 1)}, map[string]any{"a": nested(maxDepth - 1)}, (maxDepth+1)*cell + 1, nil},
		{"too deep, in an object", map[string]any{"a": nested(maxDepth)}, nil, (maxDepth+1)*cell + 1, errDepth},
	} {
		left := c.room
		if got, err := plain(c.v, &left); !reflect.DeepEqual(got, c.want) || err != c.err || left != 0 {
			t.Errorf("%s: got %.50v, error = %v, %d left", c.name, got, err, left)
		}
		if left = c.room - 1; c.err == nil || c.err == ErrNotFinite {
			if got, err := plain(c.v, &left); got != nil || err != errMade {
				t.Errorf("%s without room: got %.50v, error = %v", c.name, got, err)
			}
		}
	}
	// What does not change is not copied.
	array, object := []any{1, "a", json.Number("1"), 1.5, nil}, map[string]any{"a": json.Number("1")}
	for _, v := range []any{array, object} {
		if got, err := plain(v, room()); err != nil || reflect.ValueOf(got).Pointer() != reflect.ValueOf(v).Pointer() {
			t.Errorf("%v is copied, error = %v", v, err)
		}
	}
	if _, err := plain([]any{struct{}{}}, room()); err == nil || err.Error() != "gives a value that is not JSON (struct {})" {
		t.Errorf("error = %v", err)
	}
}

// An expression that raises an error, or whose caller has ended, is evaluated once.
func TestEvaluatedOnce(t *testing.T) {
	t.Parallel()
	count := 0
	code, err := gojq.Compile(tree(t, `count | error("x")`), gojq.WithFunction("count", 0, 0, func(v any, _ []any) any { count++; return v }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	e := NewEvaluator(ctx, &Turn{})
	if _, err := e.Value(&Code{code: code}, nil); err == nil || count != 1 {
		t.Errorf("error = %v, %d evaluations", err, count)
	}
	e.watch.cancel(ErrSlow)
	count = 0
	if _, err := e.Value(&Code{code: code}, nil); err == nil || err.Error() != "error: x" {
		t.Errorf("error = %v, %d evaluations", err, count)
	}
	cancel()
	count = 0
	if _, err := e.Value(&Code{code: code}, nil); !errors.Is(err, context.Canceled) || count > 1 {
		t.Errorf("error = %v, %d evaluations", err, count)
	}
	e.Close()
	if e.watch.Err() == nil {
		t.Error("the watch goes on")
	}
}

// jsonValue generates values as encoding/json decodes them.
func jsonValue(depth int) *rapid.Generator[any] {
	key := rapid.SampledFrom([]string{"a", "b", "c", "a b"})
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Just[any](true),
		rapid.Just[any](json.Number("12345678901234567890")),
		rapid.Map(rapid.String(), func(s string) any { return s }),
	}
	if depth > 0 {
		inner := jsonValue(depth - 1)
		leaves = append(leaves,
			rapid.Map(rapid.SliceOfN(inner, 0, 3), func(s []any) any { return s }),
			rapid.Map(rapid.MapOfN(key, inner, 0, 4), func(m map[string]any) any { return m }),
			rapid.Map(rapid.MapOfN(key, inner, 1, 4), func(m map[string]any) any { return m }),
		)
	}
	return rapid.OneOf(leaves...)
}

// Elements of one object share its values, so no expression may write into its
// input. gojq copies what it updates; this holds it to that.
func TestInputIsNotWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{
			`.a = 1`, `.a |= 2`, `.a += [3]`, `.a.b = 1 | .a.c = 2`, `.. |= .`, `map_values(1)`, `[.[]?] | sort`,
			`del(.a)`, `del(.a[0], .b)`, `to_entries`, `with_entries(.value |= [.])`, `.a[1:] = [9]`, `.a[0] = 9`,
			`.a + .b`, `.a * .b`, `[.a, .b] | add`, `.a | unique`, `.a | reverse`, `walk(if type == "array" then sort else . end)`,
			`reduce (.a[]?) as $x (.; .b += [$x])`, `.a | flatten`, `setpath(["a", "b"]; 1)`, `delpaths([["a"], ["b"]])`,
			`pick(.a)`, `.a | group_by(.)`, `.a as [$x] | $x`, `limit(2; .a[]?) |= 7`, `tojson`, `@csv "\(.a)"`,
		}).Draw(t, "text")
		v := map[string]any{"a": jsonValue(3).Draw(t, "a"), "b": jsonValue(3).Draw(t, "b")}
		before := copyOf(v)
		e := NewEvaluator(context.Background(), &Turn{})
		defer e.Close()
		tree, _, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		code, err := Compile(tree, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = e.Value(code, v) // any result will do, and any error
		if diff := cmp.Diff(any(v), before); diff != "" {
			t.Fatalf("%s: got -, before +\n%s", text, diff)
		}
	})
}

func copyOf(v any) any {
	switch v := v.(type) {
	case []any:
		made := make([]any, len(v))
		for i := range v {
			made[i] = copyOf(v[i])
		}
		return made
	case map[string]any:
		made := make(map[string]any, len(v))
		for key := range v {
			made[key] = copyOf(v[key])
		}
		return made
	}
	return v
}

// room is enough for any value of these tests.
func room() *int {
	n := MaxResult
	return &n
}

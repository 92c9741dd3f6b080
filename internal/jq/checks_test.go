package jq

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
)

// large is a text of which tests take the beginning: as long as what may be read, and more.
var large = sync.OnceValue(func() string { return strings.Repeat("x", maxRead+1) })

// many are values of which tests take the first ones: as many as an array may have, and more.
var many = sync.OnceValue(func() []any { return make([]any, maxCells+2) })

func text(n int) string { return large()[:n] }

func list(n int) []any { return many()[:n] }

// heavy is a text that weighs what may be read, and a byte more.
func heavy() string { return text(maxRead - cell + 1) }

// nested is an array within an array, and so on.
func nested(levels int) any {
	var v any
	for range levels {
		v = []any{v}
	}
	return v
}

// TestChecks calls checks with arguments that just pass, and with those that just do not.
func TestChecks(t *testing.T) {
	t.Parallel()
	longNumber := json.Number(strings.Repeat("7", maxDigits+1))
	commas := func(n int) string { return strings.Repeat(",", n) }
	path := func(steps ...any) []any { return steps }
	for _, c := range []struct {
		name string
		v    any
		args []any
		want error
	}{
		{"_add", nil, []any{text(MaxResult - 1), "y"}, nil},
		{"_add", nil, []any{text(MaxResult - 1), "yz"}, errMade},
		{"_add", nil, []any{text(MaxResult), nil}, nil},
		{"_add", nil, []any{list(maxCells - 1), list(1)}, nil},
		{"_add", nil, []any{list(maxCells - 1), list(2)}, errCells},
		{"_add", nil, []any{map[string]any{"a": 1}, map[string]any{"b": 1}}, nil},
		{"_add", nil, []any{1, 2}, nil},

		{"_multiply", nil, []any{"ab", MaxResult / 2}, nil},
		{"_multiply", nil, []any{"ab", MaxResult/2 + 1}, errMade},
		{"_multiply", nil, []any{MaxResult/2 + 1, "ab"}, errMade},
		{"_multiply", nil, []any{MaxResult / 2, "ab"}, nil},
		{"_multiply", nil, []any{"ab", nil}, nil},
		{"_multiply", nil, []any{3, 4}, nil},
		{"_multiply", nil, []any{map[string]any{"a": text(maxRead - 3*cell - 1)}, map[string]any{}}, nil},
		{"_multiply", nil, []any{map[string]any{"a": text(maxRead - 3*cell)}, map[string]any{}}, errRead},

		{"_divide", nil, []any{commas(maxCells - 1), ","}, nil},
		{"_divide", nil, []any{commas(maxCells), ","}, errCells},
		{"_divide", nil, []any{3, 4}, nil},
		{"_divide", nil, []any{3, longNumber}, errDigits},
		{"_divide", nil, []any{[]any{heavy()}, ","}, errRead},
		{"_divide", nil, []any{nil, text(maxRead - 2*cell)}, nil},
		{"_divide", nil, []any{nil, text(maxRead - 2*cell + 1)}, errRead},
		{"split", commas(maxCells - 1), []any{","}, nil},
		{"split", commas(maxCells), []any{","}, errCells},
		{"split", commas(maxCells), []any{1}, nil},

		{"add", []any{text(MaxResult - 1), "x"}, nil, nil},
		{"add", []any{text(MaxResult - 1), "xy"}, nil, errMade},
		{"add", []any{text(MaxResult - 1), "xy", 1}, nil, errMade},
		{"add", map[string]any{"a": text(MaxResult), "b": "x"}, nil, errMade},
		{"add", []any{list(maxCells - 1), list(1)}, nil, nil},
		{"add", []any{list(maxCells - 1), map[string]any{"a": 1}}, nil, nil},
		{"add", []any{list(maxCells - 1), map[string]any{"a": 1, "b": 1}}, nil, errCells},
		{"add", []any{list(maxCells), list(1)}, nil, errCells},
		{"add", []any{1, longNumber}, nil, errDigits},
		{"add", 1, nil, nil},

		{"join", []any{text(MaxResult - 5), "x"}, []any{"--"}, nil},
		{"join", []any{text(MaxResult - 4), "x"}, []any{"--"}, errMade},
		{"join", []any{text(MaxResult - 8), 1}, []any{""}, nil},
		{"join", []any{text(MaxResult - 7), 1}, []any{""}, errMade},
		{"join", []any{longNumber}, []any{""}, errDigits},

		{"explode", strings.Repeat("é", 10), nil, nil},
		{"explode", text(maxCells), nil, nil},
		{"explode", text(maxCells + 1), nil, errCells},
		{"explode", strings.Repeat("é", maxCells), nil, nil},
		{"implode", list(maxCells), nil, nil},
		{"implode", list(maxCells + 1), nil, errCells},
		{"implode", 1, nil, nil},

		{"transpose", []any{list(maxCells / 2), list(1)}, nil, nil},
		{"transpose", []any{list(1), list(maxCells/2 + 1)}, nil, errCells},
		{"transpose", list(maxCells + 1), nil, nil},

		{"_index", nil, []any{list(maxCells), 1}, nil},
		{"_index", nil, []any{nil, longNumber}, errDigits},
		{"_index", nil, []any{nil, heavy()}, errRead},
		{"_index", nil, []any{list(8191), list(4095)}, nil},
		{"_index", nil, []any{list(8191), list(4096)}, ErrSlow},
		{"_slice", nil, []any{heavy(), 1, 2}, nil},
		{"_slice", nil, []any{"x", text(maxRead - 2*cell), nil}, nil},
		{"_slice", nil, []any{"x", text(maxRead - 2*cell + 1), nil}, errRead},
		{"_slice", nil, []any{"x", nil, heavy()}, errRead},

		{"index", text(1 << 18), []any{text(1 << 10)}, nil},
		{"index", text(1 << 18), []any{text(1<<10 + 1)}, ErrSlow},
		{"rindex", text(1 << 18), []any{text(1<<10 + 1)}, ErrSlow},
		{"indices", text(1 << 18), []any{text(1<<10 + 1)}, ErrSlow},
		{"indices", text(maxCells - 1), []any{"x"}, nil},
		{"indices", text(maxCells - 1), []any{"xy"}, errRead},
		{"indices", list(8191), []any{list(4095)}, nil},
		{"indices", list(8191), []any{list(4096)}, ErrSlow},

		// Each part of one is compared with each part of the other.
		{"contains", text(1<<20 - 32), []any{list(1023)}, nil},
		{"contains", text(1<<20 - 31), []any{list(1023)}, ErrSlow},
		{"inside", list(1023), []any{text(1<<20 - 32)}, nil},
		{"inside", list(1023), []any{text(1<<20 - 31)}, ErrSlow},
		{"contains", heavy(), []any{"x"}, errRead},
		{"contains", "x", []any{heavy()}, errRead},
		{"_subtract", nil, []any{list(8191), list(4095)}, nil},
		{"_subtract", nil, []any{list(8191), list(4096)}, ErrSlow},

		{"_equal", nil, []any{heavy(), 1}, nil},
		{"_equal", nil, []any{text(maxRead - 2*cell), ""}, nil},
		{"_equal", nil, []any{text(maxRead - 2*cell + 1), ""}, errRead},
		{"_less", nil, []any{"x", heavy()}, errRead},

		{"tojson", text(MaxResult - cell), nil, nil},
		{"tojson", text(MaxResult - cell + 1), nil, errMade},
		{"tojson", longNumber, nil, errDigits},
		{"format", "x", []any{text(MaxResult - cell + 1)}, errRead},
		{"error", text(MaxResult), []any{"x"}, nil},
		{"error", "x", []any{text(MaxResult)}, errMade},
		{"error", text(MaxResult), nil, errMade},

		{"fromjson", commas(1032444), nil, nil},
		{"fromjson", commas(1032445), nil, errRead},
		{"fromjson", strings.Repeat(":", 1032445), nil, errRead},
		{"fromjson", strings.Repeat("[", 1032445), nil, errRead},
		{"fromjson", strings.Repeat("{", 1032445), nil, errRead},
		{"fromjson", strings.Repeat("]", 1032445), nil, nil},
		{"fromjson", text(maxRead), nil, nil},
		{"fromjson", text(maxRead + 1), nil, errRead},

		{"tonumber", text(maxDigits), nil, nil},
		{"tonumber", text(maxDigits + 1), nil, errDigits},
		{"tonumber", longNumber, nil, errDigits},
		{"tonumber", []any{text(maxRead - 2*cell)}, nil, nil},
		{"tonumber", []any{text(maxRead - 2*cell + 1)}, nil, errRead},

		{"getpath", nil, []any{list(maxDepth)}, nil},
		{"getpath", nil, []any{list(maxDepth + 1)}, errNested},
		{"setpath", nil, []any{path("a", maxCells), 1}, nil},
		{"setpath", nil, []any{path("a", maxCells+1), 1}, errCells},
		{"_setpath", nil, []any{path(heavy()), 1}, errRead},
		{"_setpath", nil, []any{path(text(maxRead - cell)), 1}, nil},
		{"delpaths", heavy(), []any{path()}, nil},
		{"delpaths", "x", []any{path(list(maxDepth + 1))}, errNested},
		{"delpaths", "x", []any{path(path(maxCells + 1))}, nil},
		{"delpaths", text(maxRead - 4*cell - 1), []any{path(path("a"))}, nil},
		{"delpaths", text(maxRead - 4*cell), []any{path(path("a"))}, errRead},
		{"_delpaths", "x", []any{path(path(heavy()))}, errRead},

		{"jn", nil, []any{maxOrder, 1}, nil},
		{"jn", nil, []any{-maxOrder, 1}, nil},
		{"jn", nil, []any{maxOrder + 1, 1}, ErrSlow},
		{"yn", nil, []any{-maxOrder - 1, 1}, ErrSlow},
		{"yn", nil, []any{math.NaN(), 1}, ErrSlow},
		{"yn", nil, []any{1, longNumber}, errDigits},
		{"yn", nil, []any{1, text(maxRead - 2*cell)}, nil},
		{"yn", nil, []any{1, text(maxRead - 2*cell + 1)}, errRead},

		{"strftime", 1, []any{text(maxFormat)}, nil},
		{"strftime", 1, []any{text(maxFormat + 1)}, errMade},
		{"strptime", heavy(), []any{"%Y"}, errRead},
		{"strptime", text(maxRead - cell), []any{"%Y"}, nil},

		{"_modulo", heavy(), []any{1, 2}, nil},
		{"_modulo", nil, []any{1, heavy()}, errRead},
	} {
		check, listed := checks[c.name]
		if !listed {
			check = boundAll
		}
		if got := check(c.v, c.args); got != c.want {
			t.Errorf("%s of %.20v, %.20v: got %v, want %v", c.name, c.v, c.args, got, c.want)
		}
	}
	if err := boundAll(heavy(), nil); err != errRead {
		t.Errorf("input of any function: %v", err)
	}
	if err := boundAll(text(maxRead-cell), []any{text(maxRead - cell)}); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	if err := boundAll(nil, []any{heavy()}); err != errRead {
		t.Errorf("argument of any function: %v", err)
	}
}

func TestWeigh(t *testing.T) {
	t.Parallel()
	bits := func(n uint) *big.Int { return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), n), big.NewInt(1)) }
	const most = maxDigits * 10 / 3
	for _, c := range []struct {
		name  string
		limit int
		of    []any
		want  error
	}{
		{"nothing", 0, nil, nil},
		{"a value", cell, []any{nil}, nil},
		{"a value, too much", cell - 1, []any{nil}, errRead},
		{"two", 2 * cell, []any{nil, true}, nil},
		{"two, too much", 2*cell - 1, []any{nil, true}, errRead},
		{"a text", cell + 3, []any{"abc"}, nil},
		{"a text, too much", cell + 2, []any{"abc"}, errRead},
		{"a number as written", cell + 3, []any{json.Number("1.5")}, nil},
		{"a number as written, too much", cell + 2, []any{json.Number("1.5")}, errRead},
		{"an array", 3*cell + 1, []any{[]any{"a", 1}}, nil},
		{"an array, too much", 3 * cell, []any{[]any{"a", 1}}, errRead},
		{"an object", 2*cell + 4, []any{map[string]any{"key": "a"}}, nil},
		{"an object, too much", 2*cell + 3, []any{map[string]any{"key": "a"}}, errRead},
		{"deep", maxRead, []any{nested(maxDepth)}, nil},
		{"too deep", maxRead, []any{nested(maxDepth + 1)}, errNested},
		{"objects deep", maxRead, []any{map[string]any{"a": nested(maxDepth - 1)}}, nil},
		{"objects too deep", maxRead, []any{map[string]any{"a": nested(maxDepth)}}, errNested},
		{"long", maxRead, []any{json.Number(strings.Repeat("7", maxDigits))}, nil},
		{"too long", maxRead, []any{[]any{json.Number(strings.Repeat("7", maxDigits+1))}}, errDigits},
		{"bits", maxRead, []any{bits(most)}, nil},
		{"too many bits", maxRead, []any{bits(most + 1)}, errDigits},
	} {
		if got := weigh(c.limit, c.of...); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		v    any
		args []any
		want error
	}{{1, []any{2, "x"}, nil}, {bits(most + 1), nil, errDigits}, {nil, []any{1, bits(most + 1)}, errDigits}, {[]any{bits(most + 1)}, nil, nil}} {
		if got := weighNumbers(c.v, c.args); got != c.want {
			t.Errorf("numbers %.20v %.20v: got %v, want %v", c.v, c.args, got, c.want)
		}
	}
}

// A function is called only when its arguments pass; what refuses it says its name as an
// expression writes it.
func TestChecked(t *testing.T) {
	t.Parallel()
	called := 0
	f := func(any, []any) any { called++; return "result" }
	for _, c := range []struct {
		name string
		v    any
		args []any
		want string
	}{
		{"type", heavy(), nil, "result"}, // looks at the top alone
		{"_add", nil, []any{"a", "b"}, "result"},
		{"_add", nil, []any{text(MaxResult), "b"}, "+ gives more than 16 MiB"},
		{"_add", json.Number(strings.Repeat("7", maxDigits+1)), []any{"a", "b"}, "+ reads a number of more than 10000 digits"},
		{"sort", heavy(), nil, "sort reads more than 64 MiB"}, // not listed
		{"_tocsv", text(MaxResult), nil, "@csv gives more than 16 MiB"},
		{"_sort_by", nil, []any{heavy()}, "sort_by reads more than 64 MiB"},
		{"_setpath", nil, []any{list(maxDepth + 1), 1}, "an assignment reads a value nested deeper than 10000 levels"},
	} {
		called = 0
		got := checked(c.name, f)(c.v, c.args)
		if err, ok := got.(error); ok {
			if !IsLimit(err) || called > 0 {
				t.Errorf("%s: %v is no limit, or the function was called", c.name, err)
			}
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	slow := &limitError{"_match", ErrSlow}
	for _, c := range []struct {
		err   error
		limit bool
		want  string
	}{
		{errors.New("x"), false, "jq: x"},
		{ErrSlow, false, "jq: takes longer than 2s"},
		{slow, true, "jq: a regular expression takes longer than 2s"},
		{errHeap, true, "jq: takes too much memory"},
		{errMade, true, "jq: gives more than 16 MiB"},
		{errDepth, false, "jq: gives a value nested deeper than 10000 levels"},
		{errNested, false, "jq: reads a value nested deeper than 10000 levels"},
		{errLong, false, "jq: gives a number of more than 10000 digits"},
		{errDigits, false, "jq: reads a number of more than 10000 digits"},
		{errCells, false, "jq: gives an array of more than 4194304 members"},
		{errRead, false, "jq: reads more than 64 MiB"},
		{errText, false, "jq: the expression has more than 65536 bytes"},
		{halted(t, `null | halt_error`), false, "jq: halt"},
		{halted(t, `halt`), false, "jq: halt"},
		{halted(t, `{a: 1} | halt_error`), false, `jq: halt error: {"a":1}`},
		{ErrNotFinite, false, "jq: gives NaN or Infinity, which JSON does not have"},
		{errors.New(strings.Repeat("é", maxMessage)), false, "jq: " + strings.Repeat("é", maxMessage)},
		{errors.New(strings.Repeat("é", maxMessage) + "x"), false, "jq: " + strings.Repeat("é", maxMessage) + "..."},
	} {
		if got := Message(c.err); got != c.want || IsLimit(c.err) != c.limit {
			t.Errorf("got %s, limit %t, want %s", got, IsLimit(c.err), c.want)
		}
	}
	if !errors.Is(slow, ErrSlow) {
		t.Error("the reason of a limit is lost")
	}
	if got, want := Quote(strings.Repeat("é", maxShown)), `"`+strings.Repeat("é", maxShown)+`"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := Quote(strings.Repeat("é", maxShown)+"\n"), `"`+strings.Repeat("é", maxShown)+`" (cut)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := Quote("a\n\x1b"); got != `"a\n\x1b"` {
		t.Errorf("got %s", got)
	}
}

// halted is the error with which an expression ends itself.
func halted(t *testing.T, text string) error {
	t.Helper()
	_, err := run(t.Context(), compiled(t, text), nil)
	if err == nil {
		t.Fatalf("%s: no error", text)
	}
	return err
}

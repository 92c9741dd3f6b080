package catalog

import (
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// slot is the hash of one value: zero when an entity does not give the key, and blank
// when it gives null or the like, such as a title that is the identifier.
type slot [slotBytes]byte

const slotBytes = 8 // of the 64 bits of a hash

var blank = slot{1}

// seed is that of all slots: they mean nothing in another process, and an author of
// values cannot make two of one slot.
var seed = maphash.MakeSeed()

func slotOf(v any) slot {
	var w canonical
	w.h.SetSeed(seed)
	w.value(v)
	var s slot
	binary.NativeEndian.PutUint64(s[:], w.h.Sum64())
	return s
}

// canonical hashes a value in one way, whichever way it is written.
type canonical struct {
	h   maphash.Hash
	buf [24]byte
}

// asSet sorts an array of strings and drops repetitions; an empty array becomes nil, and a
// single string an array of one.
func asSet(v any) any {
	switch v := v.(type) {
	case string:
		return []any{v}
	case []any:
		if len(v) == 0 {
			return nil
		}
		sorted := slices.Clone(v)
		slices.SortFunc(sorted, func(a, b any) int {
			s, _ := a.(string)
			t, _ := b.(string)
			return strings.Compare(s, t)
		})
		return slices.CompactFunc(sorted, func(a, b any) bool {
			s, ok := a.(string)
			t, also := b.(string)
			return ok && also && s == t
		})
	}
	return v
}

func (w *canonical) value(v any) {
	switch v := v.(type) {
	case nil:
		w.text('z', "")
	case bool:
		w.text('b', strconv.FormatBool(v))
	case string:
		w.text('s', v)
	case []any:
		w.text('a', strconv.Itoa(len(v)))
		for _, e := range v {
			w.value(within(e))
		}
	case map[string]any:
		w.object(v)
	default:
		w.text('n', number(v))
	}
}

func (w *canonical) object(m map[string]any) {
	keys := make([]string, 0, len(m))
	for k, v := range m {
		if within(v) != nil {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	w.text('o', strconv.Itoa(len(keys)))
	for _, k := range keys {
		w.text('k', k)
		w.value(m[k])
	}
}

func (w *canonical) text(kind byte, s string) {
	if !utf8.ValidString(s) {
		s = string([]rune(s)) // as JSON carries it
	}
	head := strconv.AppendInt(append(w.buf[:0], kind), int64(len(s)), 10)
	w.h.Write(append(head, ':'))
	w.h.WriteString(s)
}

// instant writes a date and time with zone in one way, and leaves every other
// string as it is.
func instant(s string) string {
	// time.Parse alone would also take an hour of one digit, and a comma before the fraction.
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[10] != 'T' || s[13] != ':' || s[19] == ',' {
		return s
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano)
}

// number writes a JSON number in one way, as precise as Port keeps it: a service in
// JavaScript has doubles alone, so that whole numbers above 2^53 are rounded. 1, 1.0
// and 1e0 are the same, and so are 0 and -0.
//
// Source: https://tc39.es/ecma262/#sec-json.parse, read 2026-11.
func number(v any) string {
	f, ok := double(v)
	switch {
	case !ok:
		return "?"
	case f == 0:
		return "0"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// double returns the double nearest to a number; infinite beyond the range of doubles.
func double(v any) (f float64, ok bool) {
	text, err := json.Marshal(v)
	if err != nil {
		return 0, false
	}
	f, err = strconv.ParseFloat(string(text), 64)
	return f, err == nil || math.IsInf(f, 0)
}

// within returns a value as it is kept within an object or an array: JavaScript writes
// null for a number beyond the range of doubles.
func within(v any) any {
	switch v.(type) {
	case nil, bool, string, []any, map[string]any:
		return v
	}
	if f, ok := double(v); ok && math.IsInf(f, 0) {
		return nil
	}
	return v
}

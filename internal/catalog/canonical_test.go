package catalog

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"
)

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0", "1", "10", "1.0", "1e0", "1E+2", "-12.340e-5", "0.000", "1e400", "1e99999999999", "12345678901234567890", "9007199254740993", "1e309", "4e-324"} {
		f.Add(s, "1")
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := exact(a)
		y, okY := exact(b)
		if !okX || !okY {
			number(json.Number(a)) // does not panic
			return
		}
		nearestX, _ := x.Float64()
		nearestY, _ := y.Float64()
		got, want := number(json.Number(a)) == number(json.Number(b)), nearestX == nearestY
		if got != want {
			t.Errorf("%s and %s: got same %v, want %v", a, b, got, want)
		}
		text := number(json.Number(a))
		if f, err := strconv.ParseFloat(text, 64); err != nil && !math.IsInf(nearestX, 0) || f != nearestX {
			t.Errorf("%s: got %q, want the nearest double, %v", a, text, nearestX)
		}
	})
}

// exact is the value of a JSON number of bearable size.
func exact(s string) (*big.Rat, bool) {
	var n json.Number
	if json.Unmarshal([]byte(s), &n) != nil || n.String() != s || len(s) > 100 {
		return nil, false
	}
	// A far exponent would take too long to write out.
	if _, exp, ok := strings.Cut(strings.ToLower(s), "e"); ok {
		if n, err := strconv.Atoi(exp); err != nil || n > 1000 || n < -1000 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

func FuzzInstant(f *testing.F) {
	for _, s := range []string{
		"", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.123456789+05:30", "2026-11-22T10:00:00,5Z", "2026-11-22T9:00:00.0Z",
		"2026-11-22t10:00:00z", "9999-12-31T23:59:59.999-14:00", "0000-01-01T00:00:00+14:00", "2026-02-30T10:00:00Z", "2026-11-22T10:00:60Z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := instant(s)
		if got == s {
			return
		}
		before, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatalf("%q: got %q, want it left as it is: %v", s, got, err)
		}
		if want := before.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.999Z"); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	})
}

package input

import (
	"math"
	"strconv"
	"testing"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want int64 // -1 is an error
	}{
		{"0", 0}, {"1", 1}, {"1B", 1}, {"1 byte", 1}, {"4096 bytes", 4096}, {"007", 7},
		{"1KB", 1000}, {"1kb", 1000}, {"1MB", 1_000_000}, {"1GB", 1_000_000_000},
		{"1KiB", 1024}, {"1MiB", 1 << 20}, {"1mib", 1 << 20}, {"1 MiB", 1 << 20}, {"1GiB", 1 << 30},
		{"9223372036854775807", math.MaxInt64}, {"9223372036854775808", math.MaxInt64}, {"99999999999GiB", math.MaxInt64},
		{"", -1}, {"MiB", -1}, {"-1", -1}, {"+1", -1}, {"1.5MiB", -1}, {"1e6", -1}, {"1K", -1}, {"1M", -1}, {"1 Mi B", -1}, {"0x10", -1}, {"\u0663", -1},
	} {
		got, err := parseSize(tt.text)
		if err != nil {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%q: got %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"1MiB", "500 KB", "99999999999GiB", "1.5MiB", "", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseSize(text)
		if n < 0 {
			t.Fatalf("got %d, want no negative size", n)
		}
		if err != nil {
			return
		}
		again, err := parseSize(strconv.FormatInt(n, 10))
		if err != nil || again != n {
			t.Errorf("%d read again: got %d, %v", n, again, err)
		}
	})
}

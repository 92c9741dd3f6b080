package state

import (
	"iter"
	"slices"
	"testing"
)

func list(entries ...entry) iter.Seq[entry] { return slices.Values(entries) }

func at(n byte, age byte, sealed string) entry { return entry{index{n}, age, []byte(sealed)} }

func TestMerged(t *testing.T) {
	t.Parallel()
	got := ""
	for e := range merged([]iter.Seq[entry]{list(at(1, 0, "a"), at(2, 0, "b"), at(9, 0, "c")), list(), list(at(2, 0, "B"), at(3, 0, "d")), list(at(1, 0, "A"), at(2, 0, "β"))}) {
		got += string(e.sealed)
	}
	if want := "Aβdc"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The ones used last stay, whole ages of them, and part of one age.
func TestYoungest(t *testing.T) {
	t.Parallel()
	all := []entry{at(1, 2, "a"), at(2, 0, "b"), at(3, 1, "c"), at(4, 1, "d"), at(5, 9, "e"), at(6, 255, "f")}
	var live [256]int64
	for _, e := range all {
		live[e.age] += e.room()
	}
	one := all[0].room()
	for room, want := range []string{"", "b", "bc", "bcd", "abcd", "abcde", "abcdef", "abcdef"} {
		for _, more := range []int64{0, one - 1} {
			got := ""
			for e := range youngest(list(all...), live, int64(room)*one+more) {
				got += string(e.sealed)
			}
			if got != want {
				t.Errorf("%d values fit: got %q, want %q", room, got, want)
			}
		}
	}
}

// Whatever a run writes, it has few groups, and writes each value few times.
func TestSuffix(t *testing.T) {
	t.Parallel()
	for _, flush := range []int64{4 << 10, 50 << 10, 300 << 10} {
		var sizes []int64
		var put, written int64
		most := 0
		for put < 512<<20 {
			put += flush
			sizes = append(sizes, flush)
			n := suffix(sizes, false)
			var sum int64
			for _, size := range sizes[len(sizes)-n:] {
				sum += size
			}
			sizes = append(sizes[:len(sizes)-n], sum)
			written += sum
			most = max(most, len(sizes))
		}
		if most > 40 {
			t.Errorf("flushes of %d bytes: %d groups at a time", flush, most)
		}
		if times := written / put; times > 16 {
			t.Errorf("flushes of %d bytes: each value is written %d times", flush, times)
		}
		if n := len(sizes) + 1 - suffix(sizes, true); n > 6 {
			t.Errorf("flushes of %d bytes: %d groups are left", flush, n)
		}
	}
}

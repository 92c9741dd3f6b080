package inventory

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// A table is like a map, also where very many keys belong into one slot, and where slots at
// the end of a shard are full.
func TestTable(t *testing.T) {
	t.Parallel()
	for name, crowd := range map[string]func(k *key, r *rand.Rand){
		"as hashes are":  func(*key, *rand.Rand) {},
		"one shard":      func(k *key, _ *rand.Rand) { k[0] = 7 },
		"one slot":       func(k *key, _ *rand.Rand) { *k = key{7, k[1], k[2], k[3]} },
		"the last slots": func(k *key, r *rand.Rand) { k[0], k[15] = 7, 0xff-byte(r.IntN(2)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var table table[[2]byte]
			model, r := map[key][2]byte{}, rand.New(rand.NewPCG(1, 2))
			var keys []key
			for i := range 1500 {
				k := keyOf(fmt.Sprint(i))
				if crowd(&k, r); i%3 == 2 {
					k = keys[r.IntN(len(keys))]
				}
				keys = append(keys, k)
				if _, known := model[k]; (table.find(k) != nil) != known {
					t.Fatalf("got found %v, want %v", !known, known)
				}
				v := [2]byte{byte(i), byte(i >> 8)}
				if got := table.put(k); *got != model[k] {
					t.Fatalf("got %v, want %v", *got, model[k])
				} else {
					*got, model[k] = v, v
				}
			}
			for _, k := range keys {
				if got := table.find(k); got == nil || *got != model[k] {
					t.Fatalf("got %v, want %v", got, model[k])
				}
			}
			seen := map[key]bool{}
			if whole := table.all(func(k key, v *[2]byte) bool {
				seen[k] = *v == model[k] && !seen[k]
				return true
			}); !whole || table.len != len(model) || len(seen) != len(model) {
				t.Errorf("got %d keys and a length of %d, want %d", len(seen), table.len, len(model))
			}
			for k, once := range seen {
				if !once {
					t.Fatalf("%x: got it twice, or with another value", k)
				}
			}
			n := 0
			if table.all(func(key, *[2]byte) bool { n++; return n < 2 }) || n != 2 {
				t.Errorf("stopped at the second: got %d", n)
			}
		})
	}
}

// Of a table with many keys, about a fifth of the slots is free.
func TestTableIsFull(t *testing.T) {
	t.Parallel()
	var table table[[6]byte]
	slots, keys := 0, 0 // of tables of many sizes
	for i := range 100_000 {
		if table.put(keyOf(fmt.Sprint(i))); i%1000 != 0 {
			continue
		}
		for _, s := range table.shards {
			slots += cap(s.slots)
		}
		keys += table.len
	}
	per := float64(slots) / float64(keys)
	t.Logf("%.3f slots a key", per)
	if per > 1.27 {
		t.Errorf("got %.3f slots a key, want at most 1.27", per)
	}
}

// A key is one of its identifier alone, and of any length.
func TestKeyOf(t *testing.T) {
	t.Parallel()
	seen := map[key]int{}
	for n := range 300 {
		text := fmt.Sprintf("%0*d", n, n%10)
		seen[keyOf(text)]++
		if keyOf(text) != keyOf(text) {
			t.Errorf("%q has two keys", text)
		}
	}
	if len(seen) < 290 || seen[key{}] > 0 {
		t.Errorf("got %d keys, want about 300", len(seen))
	}
}

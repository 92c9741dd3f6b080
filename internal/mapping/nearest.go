package mapping

import (
	"strconv"
	"strings"
)

// maxWord bounds the words that Nearest compares, in bytes.
const maxWord = 64

// Nearest gives the valid word that the given one was most likely meant to be.
// Case, "_" and "-" do not count. It gives false when no word is near.
func Nearest(word string, valid []string) (string, bool) {
	if word == "" || len(word) > maxWord {
		return "", false
	}
	plain := plainWord(word)
	best, bestDistance := "", maxWord
	for _, candidate := range valid {
		other := plainWord(candidate)
		d := distance([]rune(plain), []rune(other))
		if d < bestDistance && d <= max(1, max(len(plain), len(other))/3) && d < max(1, len(plain)) {
			best, bestDistance = candidate, d
		}
	}
	return best, best != ""
}

func plainWord(word string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(word))
}

// distance counts the single characters to add, drop, replace or swap with
// their neighbour (optimal string alignment).
func distance(a, b []rune) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// unknownKeyFix says what to write instead of a key that is not known.
func unknownKeyFix(key string, valid []string) string {
	list := "the keys here are " + strings.Join(valid, ", ")
	if near, ok := Nearest(key, valid); ok {
		return "did you mean " + strconv.Quote(near) + "? " + list
	}
	return list
}

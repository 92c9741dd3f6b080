// Package nearest finds the name that a misspelt one was most likely meant to be.
package nearest

import "strings"

// maxWord bounds the words that are compared, in bytes: the work grows with the square of
// it, and no name that a person types is longer.
const maxWord = 64

// Name returns the valid name that word was most likely meant to be. Case, "_" and "-" do
// not count. A name is near when at most a third of the characters, or a single one,
// differ; Name returns false when none is.
func Name(word string, valid []string) (string, bool) {
	if word == "" || len(word) > maxWord {
		return "", false
	}
	plain := Fold(word)
	best, bestDistance := "", maxWord
	for _, candidate := range valid {
		other := Fold(candidate)
		d := Distance(plain, other)
		if d < bestDistance && d <= max(1, max(len(plain), len(other))/3) && d < max(1, len(plain)) {
			best, bestDistance = candidate, d
		}
	}
	return best, best != ""
}

// joiners are the characters between the words of a name.
var joiners = strings.NewReplacer("_", "", "-", "")

// Fold returns a name in lower case and without "_" and "-": it is the same for project_key,
// projectKey and PROJECT-KEY.
func Fold(name string) string {
	return strings.ToLower(joiners.Replace(name))
}

// Distance counts the single characters to add, drop, replace or swap with their neighbour to
// make one word the other (optimal string alignment). The work grows with the product of
// their lengths.
func Distance(one, other string) int {
	a, b := []rune(one), []rune(other)
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
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
		before, last, row = last, row, before
	}
	return last[len(b)]
}

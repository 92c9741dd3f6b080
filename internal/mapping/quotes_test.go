package mapping

import "testing"

// What looks like jq is told apart from what is left when a text is cut in two.
func TestPlausible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`.a`: true, `(.a | split("/")[1]) + "/" + (.id | tostring)`: true, `"text"`: true, `{a: .b, "c": 1}`: true, `[]`: true,
		`if .a == "x" then "y" else null end`: true, `."a b".c`: true, `.a // "x"`: true, `.a != -1`: true, `"\(.a)" + "\"b"`: true,
		`a" + .b + "c`: false, `x/" + .a + "/`: false, `Repo: " + .a`: false, `(.a`: false, `.a)`: false, `.a +`: false, `+ .a`: false,
		`.a "b"`: false, `.a: .b`: false, `it's`: false, `"open`: false, ``: false, `(]`: false,
	} {
		if got := plausible(text); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

// A blank that is none is told of where it is not text.
func TestLookalikeIn(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{
		"a: b": -1, "a:\u00A0b": 2, "\u200Ba: b": 0, "a: '\u00A0'": -1, "a: b # \u00A0": -1, "ä:\u2009b": 3,
	} {
		if got, what := lookalikeIn(line); got != want || (what == "") != (want < 0) {
			t.Errorf("%q: got %d, %q, want %d", line, got, what, want)
		}
	}
}

package mapping

import (
	"fmt"
	"strings"
)

// lookalikes are characters that look like a blank, or like nothing.
var lookalikes = []struct {
	sign rune
	name string
	fix  string
}{
	{'\u00A0', "no-break space", "looks like a blank: write a blank for it"},
	{'\u202F', "narrow no-break space", "looks like a blank: write a blank for it"},
	{'\u2007', "figure space", "looks like a blank: write a blank for it"},
	{'\u2009', "thin space", "looks like a blank: write a blank for it"},
	{'\u3000', "ideographic space", "looks like a blank: write a blank for it"},
	{'\u200B', "zero-width space", "cannot be seen: remove it"},
	{'\u200C', "zero-width non-joiner", "cannot be seen: remove it"},
	{'\u200D', "zero-width joiner", "cannot be seen: remove it"},
	{'\u2060', "word joiner", "cannot be seen: remove it"},
	{'\u00AD', "soft hyphen", "cannot be seen: remove it"},
	{'\uFEFF', "byte order mark", "cannot be seen: remove it"},
}

// Lookalike returns what to do with a character that looks like a blank, or like nothing;
// it is empty for others.
func Lookalike(r rune) string {
	for _, l := range lookalikes {
		if l.sign == r {
			return fmt.Sprintf("the %s %U %s", l.name, r, l.fix)
		}
	}
	return ""
}

// lookalikeIn finds the first such character of a line before texts and comments: its
// index in bytes, and what to do. The index is -1 when there is none.
func lookalikeIn(line string) (int, string) {
	if end := strings.IndexAny(line, `"'#`); end >= 0 {
		line = line[:end]
	}
	for at, r := range line {
		if what := Lookalike(r); what != "" {
			return at, what
		}
	}
	return -1, ""
}

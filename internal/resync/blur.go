package resync

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxWords bounds what is kept of Port's words, in bytes.
const maxWords = 600

// longValue is the length, in bytes, above which a value is found by its beginning:
// Port may have cut it.
const longValue = 40

// Places in a batch, and in a list.
var (
	batchIndex = regexp.MustCompile(`\b(entities[/.]|index:? )\d+`)
	pathIndex  = regexp.MustCompile(`([\w\])…]/)\d+\b`)
	listIndex  = regexp.MustCompile(`\[\d+\]`)
)

// blur replaces in Port's words what differs between entities of one cause: values,
// and places in a batch or a list. Names that are the same for all are left alone.
func blur(text string, values []string, names ...string) string {
	text = batchIndex.ReplaceAllString(text, "${1}…")
	text = pathIndex.ReplaceAllString(text, "${1}…")
	text = listIndex.ReplaceAllString(text, "[…]")
	values = slices.SortedFunc(slices.Values(values), func(a, b string) int { // a longer one may hold a shorter one
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	for _, v := range slices.Compact(values) {
		if v == "" || slices.Contains(names, v) {
			continue
		}
		text = blurValue(text, v)
		if quoted := strconv.Quote(v); quoted[1:len(quoted)-1] != v { // as JSON writes it
			text = blurValue(text, quoted[1:len(quoted)-1])
		}
	}
	return cut(text, maxWords)
}

func blurValue(text, v string) string {
	if len(v) > longValue {
		return blurLong(text, v)
	}
	for _, quote := range []string{`"`, `'`, "`"} {
		text = strings.ReplaceAll(text, quote+v+quote, quote+"…"+quote)
	}
	if vocabulary[strings.ToLower(v)] {
		return text
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, v)
		b.WriteString(before)
		switch {
		case !found:
			return b.String()
		case endsInWord(before) || beginsInWord(after):
			b.WriteString(v)
		default:
			b.WriteString("…")
		}
		text = after
	}
}

// blurLong replaces a value as far as it is there.
func blurLong(text, v string) string {
	for {
		start := strings.Index(text, v[:longValue])
		if start < 0 {
			return text
		}
		end := start + longValue
		for i := longValue; i < len(v) && end < len(text) && text[end] == v[i]; i++ {
			end++
		}
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end++
		}
		text = text[:start] + "…" + text[end:]
	}
}

func endsInWord(s string) bool { return s != "" && inWord(s[len(s)-1]) }

func beginsInWord(s string) bool { return s != "" && inWord(s[0]) }

// inWord is true for what goes on in a word or a number.
func inWord(c byte) bool {
	return c == '_' || c == '-' || c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// vocabulary are words of messages like Port's, which a value may happen to be: out
// of quotes they are taken for themselves.
var vocabulary = wordsOf(`a an additional all allowed already and any array at be blueprint body boolean by can cannot could
	create date-time defined does duplicate email empty entities entity enum equal error exist exists expected expression field
	for format found given got greater has have icon identifier identifiers in index integer invalid ipv4 ipv6 is item items its
	key least less limit list long longer many match matches max maximum may min minimum missing more most must name no not null
	number object of on one only or pattern properties property protected provided query received related relation relations
	required rule rules schema search shorter should single string target team text than that the then there title to too type
	unknown url user valid value values was were with`)

func wordsOf(text string) map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(text) {
		words[w] = true
	}
	return words
}

// cut bounds a text, at a whole character.
func cut(s string, maxBytes int) string {
	if len(s) <= maxBytes {
		return s
	}
	return strings.ToValidUTF8(s[:maxBytes], "") + "…"
}

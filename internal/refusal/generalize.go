package refusal

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/port"
)

// longValue is the length, in bytes, above which a value is found by its beginning, since
// Port may cut a long one. Port does not document where it cuts; 40 bytes identify a value.
const longValue = 40

// These match places in a batch and in a list.
var (
	batchIndex = regexp.MustCompile(`\b(entities[/.]|index:? )\d+`)
	pathIndex  = regexp.MustCompile(`([\w\])…]/)\d+\b`)
	listIndex  = regexp.MustCompile(`\[\d+\]`)
)

// Generalize returns an error's text without what differs between the entities of one
// cause, so that a report counts them under one message: the values, the places in a batch
// or a list, and the trace of the one answer. It leaves the names alone.
func Generalize(err error, values []string, names ...string) string {
	text := untraced(err)
	var e *port.Error
	if errors.As(err, &e) && e.Message != "" {
		return strings.Replace(text, e.Message, generalize(e.Message, values, names...), 1)
	}
	return generalize(text, values, names...)
}

func generalize(text string, values []string, names ...string) string {
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
		text = replaceValue(text, v)
		if quoted := strconv.Quote(v); quoted[1:len(quoted)-1] != v { // as JSON writes it
			text = replaceValue(text, quoted[1:len(quoted)-1])
		}
	}
	return clip.Bytes(text, maxWords, "…")
}

// replaceValue replaces a value in quotes, or as a word of its own.
func replaceValue(text, v string) string {
	if len(v) > longValue {
		return replaceLong(text, v)
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

// replaceLong replaces as much of a value as the text holds.
func replaceLong(text, v string) string {
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

// inWord reports whether a byte continues a word or a number.
func inWord(c byte) bool {
	return c == '_' || c == '-' || c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// vocabulary holds words of messages like Port's. A value may happen to be one of them:
// outside quotes the text means the word, and it stays.
var vocabulary = wordsOf(`a an additional all allowed already and any array at be blueprint body boolean by can cannot could
	create date-time defined does duplicate email empty entities entity enum equal error exist exists expected expression field
	for format found given got greater has have icon identifier identifiers in index integer invalid ipv4 ipv6 is item items its
	key least less limit list long longer many match matches max maximum may min minimum missing more most must name no not null
	number object of on one only or pattern properties property protected provided query received related relation relations
	required rule rules schema search shorter should single string target team text than that the then there title to too type
	unknown url user valid value values was were with`)

func wordsOf(text string) map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(text) {
		words[w] = true
	}
	return words
}

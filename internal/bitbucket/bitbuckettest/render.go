package bitbuckettest

import (
	"crypto/sha1"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The shapes are those of real answers: the same keys, links and nulls. Members that a list leaves out
// unless `fields` asks for them are hidden.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/, read 2026-11, and recorded answers.

const site = "https://bitbucket.org/"

// timestamp is UTC with microseconds, as in 2026-11-20T08:15:30.123456+00:00.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

func timestampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return timestamp(t)
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func link(href string) object { return object{{"href", href, shown}} }

// links makes the links that differ by their last part only: name, then href, in turn.
func links(nameHref ...string) object {
	o := make(object, 0, len(nameHref)/2)
	for i := 0; i < len(nameHref); i += 2 {
		o = append(o, member{nameHref[i], link(nameHref[i+1]), shown})
	}
	return o
}

func title(slug string) string {
	if slug == "" {
		return ""
	}
	return strings.ToUpper(slug[:1]) + slug[1:]
}

func rendered(text string) object {
	html := ""
	if text != "" {
		html = "<p>" + text + "</p>"
	}
	return object{
		{"type", "rendered", shown},
		{"raw", text, shown},
		{"markup", "markdown", shown},
		{"html", html, shown},
	}
}

// escapedPath is a path as links have it.
func (v view) escapedPath(p string) string {
	p = escapePath(p)
	if v.w.options.EscapedLinks {
		p = strings.NewReplacer("@", "%40", "+", "%2B", "&", "%26", "=", "%3D", "$", "%24", ":", "%3A").Replace(p)
	}
	return p
}

func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i, s := range parts {
		parts[i] = url.PathEscape(s)
	}
	return strings.Join(parts, "/")
}

// Slug derives the slug from a display name, for names that hold at least one letter or digit.
func Slug(name string) string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(c rune) bool {
		return c > unicode.MaxASCII || !(unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_' || c == '.')
	})
	return strings.Join(parts, "-")
}

func hashOf(parts ...string) string {
	sum := sha1.Sum([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// numberOf is a number of up to 19 digits.
func numberOf(parts ...string) uint64 {
	n, err := strconv.ParseUint(hashOf(parts...)[:16], 16, 64)
	if err != nil {
		panic(err)
	}
	return n >> 1
}

// uuidOf is written as Bitbucket writes uuids, with braces.
func uuidOf(parts ...string) string {
	h := hashOf(parts...)
	return "{" + h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32] + "}"
}

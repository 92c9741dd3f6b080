package platform

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// hidden stands in place of a secret.
const hidden = "***"

// minSecretBytes is the length of the shortest secret that is hidden. A shorter one occurs
// in ordinary words, which would disappear from the log; and a replacement must be shorter
// than what it replaces, or Redact would not end.
const minSecretBytes = len(hidden) + 1

// commonWords are not hidden either, because the log needs them.
var commonWords = []string{
	"true", "false", "null", "none", "main", "master", "default", "test", "user", "admin", "port",
	"token", "secret", "password", "http", "https", "github", "bitbucket", "success", "partial", "failed",
	"error", "warning", "info", "debug",
}

func hideable(secret string) bool {
	return len(secret) >= minSecretBytes && !slices.Contains(commonWords, strings.ToLower(secret))
}

// Scrubber makes text safe to print. The zero Scrubber knows no secrets. It may
// be used from several goroutines.
type Scrubber struct {
	mu       sync.RWMutex
	forms    map[string]bool
	sorted   []string          // the forms, the longest first
	replacer *strings.Replacer // nil without secrets
}

// Add makes the scrubber hide the secrets, each line of one that has several,
// and their encodings. It skips secrets of less than four bytes and common words.
func (s *Scrubber) Add(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.forms)
	for _, secret := range secrets {
		s.add(secret)
		for line := range strings.FieldsFuncSeq(secret, lineBreak) {
			s.add(strings.TrimSpace(line))
		}
	}
	if len(s.forms) == before {
		return
	}
	forms := make([]string, 0, len(s.forms))
	for form := range s.forms {
		forms = append(forms, form)
	}
	// The replacer prefers what comes first: the longest of several that match.
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, hidden)
	}
	s.sorted, s.replacer = forms, strings.NewReplacer(pairs...)
}

func (s *Scrubber) add(secret string) {
	if !hideable(secret) {
		return
	}
	if s.forms == nil {
		s.forms = map[string]bool{}
	}
	for _, form := range encodings(secret) {
		if len(form) >= minSecretBytes {
			s.forms[form] = true
		}
	}
}

// lineBreak reports whether a reader of the log may begin a new line at r.
func lineBreak(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', 0, '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// Redact replaces secrets, also one that was cut off, and changes nothing else.
func (s *Scrubber) Redact(text string) string {
	s.mu.RLock()
	replacer, forms := s.replacer, s.sorted
	s.mu.RUnlock()
	if replacer == nil {
		return text
	}
	// A replacement may complete another secret. It ends, since each one makes
	// the text shorter.
	for {
		next := replacer.Replace(text)
		if next == text {
			break
		}
		text = next
	}
	for _, mark := range cutMarks {
		text = redactCut(text, mark, forms)
	}
	return text
}

// cutMarks end a text that was too long.
var cutMarks = []string{"…", "..."}

// minPieceBytes is the length of the shortest beginning of a secret that is hidden: more
// than minSecretBytes, since ordinary words begin like some secret more often than they
// are one.
const minPieceBytes = 6

// redactCut replaces the beginning of a secret that stands right before a mark.
func redactCut(text, mark string, forms []string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, mark)
		if !found {
			b.WriteString(text)
			return b.String()
		}
		if n := piece(before, forms); n > 0 {
			before = before[:len(before)-n] + hidden
		}
		b.WriteString(before + mark)
		text = after
	}
}

// piece is the length of the longest beginning of a form that the text ends with.
func piece(text string, forms []string) int {
	longest := 0
	for _, form := range forms {
		for n := min(len(form)-1, len(text)); n >= minPieceBytes && n > longest; n-- {
			if strings.HasSuffix(text, form[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// Line makes text one line of a log: secrets are hidden, characters that end a
// line, move the cursor or cannot be seen become escapes such as \n or \u202e,
// and commands to a CI system are broken up, so that they do nothing.
func (s *Scrubber) Line(text string) string {
	text = s.Redact(text)
	text = breakCommands(visible(text))
	// An escape may look like a secret.
	return s.Redact(text)
}

// visible replaces the characters that do not show by escapes. Invalid UTF-8
// shows as its bytes.
func visible(text string) string {
	if !strings.ContainsFunc(text, invisible) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case !invisible(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// invisible reports whether r does not show: controls, line and paragraph separators,
// bidirectional controls, byte order marks and unassigned characters. The two joiners count
// as visible, since emoji and several scripts need them. The replacement character counts
// as invisible, since bytes that are not UTF-8 decode to it.
func invisible(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	if r == zeroWidthNonJoiner || r == zeroWidthJoiner {
		return false
	}
	return r == utf8.RuneError || !unicode.IsGraphic(r)
}

// ignorable matches characters that a comparison by the rules of a language
// skips. Some CI system may compare so: these characters do not hide a command here.
const ignorable = `[\x{200C}\x{200D}\p{M}\x{115F}\x{1160}\x{3164}\x{FFA0}]*`

var (
	// hashCommand is looked for anywhere in a line: GitHub's old form ##[name],
	// Azure's ##vso[name], TeamCity's ##teamcity[name].
	hashCommand = regexp.MustCompile(`#(` + ignorable + `#(?:` + ignorable + `[A-Za-z])*` + ignorable + `\[)`)
	// foldMarker begins and ends what GitLab and Travis fold and time in a log.
	foldMarker = regexp.MustCompile(`(?i)(section_(?:start|end)|travis_(?:fold|time)):`)
	// colonLine is the same on any line of a text.
	colonLine = regexp.MustCompile(`(?m)^((?:[\pZ]|` + strings.TrimSuffix(ignorable, "*") + `)*):(` + ignorable + `:)`)
	// colonCommand is GitHub's ::name::, which only blanks may come before.
	colonCommand = regexp.MustCompile(`^((?:[\pZ]|` + strings.TrimSuffix(ignorable, "*") + `)*:)(` + ignorable + `:)`)
)

// Inert returns text of a language in which no line is a command to a CI system: escape writes
// a character as the language does that must not stand there as it is, so that the text means
// what it meant.
func Inert(text string, escape func(rune) string) string {
	hash, colon := strings.ReplaceAll(escape('#'), "$", "$$"), strings.ReplaceAll(escape(':'), "$", "$$")
	text = hashCommand.ReplaceAllString(text, hash+"$1")
	text = foldMarker.ReplaceAllString(text, "${1}"+colon)
	return colonLine.ReplaceAllString(text, "${1}"+colon+"$2")
}

// breakCommands puts a space into what a CI system would take for a command.
// Source: https://github.com/actions/runner, v2.336.0, read 2026-11: "::" counts
// at the start of a line after blanks, "##[" anywhere. And
// https://docs.gitlab.com/ci/jobs/job_logs/ (custom collapsible sections), read 2026-11.
func breakCommands(line string) string {
	line = hashCommand.ReplaceAllString(line, "# $1")
	line = foldMarker.ReplaceAllString(line, "$1 :")
	return colonCommand.ReplaceAllString(line, "$1 $2")
}

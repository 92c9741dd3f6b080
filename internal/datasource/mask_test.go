package datasource

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever looks like a secret has a sign of its form: the look at the signs spares no text that
// is to be masked.
func TestSigns(t *testing.T) {
	for _, f := range secretForms {
		t.Run(f.pattern, func(t *testing.T) {
			re := regexp.MustCompile(f.pattern)
			texts := rapid.StringMatching(strings.ReplaceAll(f.pattern, `\b`, ""))
			hits := 0
			rapid.Check(t, func(t *rapid.T) {
				text := texts.Draw(t, "text")
				if !re.MatchString(text) { // without what stands around it
					text = " " + text + " "
				}
				if !re.MatchString(text) {
					return
				}
				hits++
				if got := mask("=" + text + "="); !f.marks(text, strings.ToLower(text)) || got == "="+text+"=" {
					t.Fatalf("%q has no sign of its form, or is not masked", text)
				}
			})
			if hits < 10 {
				t.Errorf("only %d of the texts looked like a secret", hits)
			}
		})
	}
	for text, want := range map[string]string{
		"https://dana:x@acme.example": "https://dana:***@acme.example", "git+ssh://a:b@c": "git+ssh://a:***@c",
		"x\u017fecret=12345678": "***", "to\u212Aen: 12345678": "***", "API_KEY = 12345678": "***",
		"https://api.bitbucket.org/2.0": "https://api.bitbucket.org/2.0", "": "",
	} {
		if got := mask(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func BenchmarkMask(b *testing.B) {
	text := strings.Repeat("This changes how the service reads its configuration: see https://acme.example/x.\n", 12)
	for b.Loop() {
		mask(text)
	}
}

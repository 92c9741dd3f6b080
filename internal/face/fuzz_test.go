package face

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// FuzzJSON writes anything into the report file and the outputs: the file is JSON that
// gives it back and hides nothing, and each output is one line.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[31m\x00\x7f\u0085", "\u202e\u2066\ufeff\u2028", `"\</script>`, "\xff\xfe", "a\r\nb", "😀\U000e0001\u200d", "EOF\nstatus=owned"} {
		f.Add(s, "blueprint", 3)
		f.Add("repository", s, -1)
	}
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		r := &report.Report{BitbucketRequests: n}
		r.Resources = []*report.Resource{{Index: 1, Kind: a, Blueprints: []string{b}, Counts: report.Counts{Created: n, Extracted: n, Transformed: n}}}
		r.Blueprint(b).HeldBy = a
		r.Note(diag.Problem{Severity: diag.Warning, At: diag.Position{File: a, Line: n}, Message: b, Fix: a, Example: b})
		text := JSON(r)
		for _, c := range string(text) {
			if c != '\n' && (unicode.IsControl(c) || hidden(c)) {
				t.Fatalf("%U stands in the report file", c)
			}
		}
		file := decode(t, text)
		shown := func(what string, got any, want string) {
			t.Helper()
			if want = strings.ToValidUTF8(want, "\ufffd"); got != want && strings.Count(want, "\ufffd") == 0 {
				t.Errorf("%s: got %q, want %q", what, got, want)
			}
		}
		resource := file["resources"].([]any)[0].(map[string]any)
		problem := file["problems"].([]any)[0].(map[string]any)
		shown("kind", resource["kind"], a)
		shown("blueprint", resource["blueprints"].([]any)[0], b)
		shown("message", problem["message"], b)
		shown("example", problem["example"], b)
		for _, o := range Outputs(r) {
			if s := o.Text(); !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
				t.Errorf("output %s is not one line: %q", o.Name, s)
			}
		}
	})
}

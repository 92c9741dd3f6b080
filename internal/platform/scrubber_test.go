package platform

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, want string
	}{
		{"plain", "repository café 🦊 👩‍🔧 ❤️ ok", "repository café 🦊 👩‍🔧 ❤️ ok"},
		{"line breaks", "a\r\nb\u2028c\u2029d\u0085e\vf\fg", `a\r\nb\u2028c\u2029d\u0085e\x0bf\x0cg`},
		{"controls", "\x1b[31mred\x00\x07\x7f\u009b\ttab", `\x1b[31mred\x00\x07\x7f\u009b\ttab`},
		{"bidirectional controls", "\u202a\u202e\u2066\u2069\u200e\u200f\u061c", `\u202a\u202e\u2066\u2069\u200e\u200f\u061c`},
		{"invisible", "\ufeffa\u200bb\u00adc\U000e0041", `\ufeffa\u200bb\u00adc\U000e0041`},
		{"invalid UTF-8", "a\xffb\xc3", `a\xffb\xc3`},
		{"replacement character", "\ufffd", `\ufffd`},
		{"command", "::error::x", ": :error::x"},
		{"command after blanks", " \u00a0\u3000 ::error::x", " \u00a0\u3000 : :error::x"},
		{"command after a tab", "\t::error::x", `\t::error::x`},
		{"colons inside", "std::vector a:: ::b", "std::vector a:: ::b"},
		{"one colon", ":a::", ":a::"},
		{"many colons", ":::::", ": ::::"},
		{"old command", "title ##[set-output name=status]success", "title # #[set-output name=status]success"},
		{"old commands", "####[a##[b", "### #[a# #[b"},
		{"Azure", "x ##vso[task.setvariable variable=a]b ##VSO[c]", "x # #vso[task.setvariable variable=a]b # #VSO[c]"},
		{"TeamCity", "##teamcity[setParameter]", "# #teamcity[setParameter]"},
		{"headings", "## Title [link] #[x]", "## Title [link] #[x]"},
		{"joiners in commands", "#\u200d#\u200c[x", "# \u200d#\u200c[x"},
		{"joiners in colons", "\u200d:\ufe0f:error::x", "\u200d: \ufe0f:error::x"},
		{"secret", "token s3cret-value.", "token ***."},
		{"longest secret first", "s3cret-value-longer", "***"},
		{"secret completed by a replacement", "outers3cret-valueend", "***"},
		{"secret that an escape completes", "tail\x1b", "***"},
		{"short and common", "abc true main", "abc true main"},
	}
	s := &Scrubber{}
	s.Add("s3cret-value", "s3cret-value-longer", "outer***end", `tail\x1b`, "abc", "true", "main", "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := s.Line(tt.text); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestLineHidesEncodings(t *testing.T) {
	t.Parallel()
	const secret = `p/a+s?s "w&ö<rd`
	s := &Scrubber{}
	s.Add(secret)
	asJSON, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	var texts = []string{
		secret, string(asJSON), fmt.Sprintf("%q", secret), `p/a+s?s \"w&ö<rd`, url.QueryEscape(secret), url.PathEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
	for _, prefix := range []string{"", "a", "ab", "user:"} {
		texts = append(texts, base64.StdEncoding.EncodeToString([]byte(prefix+secret+"tail")))
	}
	for _, text := range texts {
		got := s.Line("before " + text + " after")
		if !strings.HasPrefix(got, "before ") || !strings.Contains(got, "***") || len(got) > len("before *** after")+16 {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestScrubberIsConcurrent(t *testing.T) {
	t.Parallel()
	s := &Scrubber{}
	var out bytes.Buffer
	w := s.Writer(&out)
	s.Add("s3cret-value")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s.Add(fmt.Sprintf("another-secret-%d", i))
			for range 50 {
				fmt.Fprintf(w, "line of %d with s3cret-value and another-secret-%d\n", i, i)
			}
		})
	}
	wg.Wait()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "with *** and ***\n"); got != 400 {
		t.Errorf("got %d scrubbed lines, want 400", got)
	}
}

func TestLineWriter(t *testing.T) {
	t.Parallel()
	s := &Scrubber{}
	s.Add("s3cret-value")
	var out bytes.Buffer
	w := s.Writer(&out)
	for _, part := range []string{"one\r\n", "two s3cr", "et-value\n\nthree\n::fo", "ur::\ttab"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
	}
	if got, want := out.String(), "one\ntwo ***\n\nthree\n"; got != want {
		t.Errorf("before Flush: got %q, want %q", got, want)
	}
	for range 2 {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "one\ntwo ***\n\nthree\n: :four::\\ttab\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLineWriterLongLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := (&Scrubber{}).Writer(&out)
	part := bytes.Repeat([]byte("x"), maxLineBytes)
	for range 2 {
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write([]byte("x\nnext\n")); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("x (%d bytes left out)\nnext\n", maxLineBytes+1)
	if got := out.String(); len(got) != maxLineBytes-1+len(want) || !strings.HasSuffix(got, want) {
		t.Errorf("got %d bytes that end in %q", len(got), got[len(got)-40:])
	}
}

func TestLineWriterError(t *testing.T) {
	t.Parallel()
	w := (&Scrubber{}).Writer(broken{})
	if n, err := w.Write([]byte("one\ntwo")); n != 4 || !errors.Is(err, errBroken) {
		t.Errorf("got %d, %v, want 4, %v", n, err, errBroken)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\nb", "s3cret-value")
	f.Add("##[error]s3cret-value", "s3cret-value")
	f.Add(" ::set-output name=x::y", "set-")
	f.Add("####vso[##teamcity[", "# #v")
	f.Add("\xff\xfe\x1b\u202e", `\x1b`)
	f.Add("::::", ": ::")
	f.Add("aaaaaaaaa", "aaaa")
	f.Add("a***", "a***")
	f.Add("two lines\nof a secret", "two lines\nof a secret")
	for _, text := range dialects {
		f.Add(text, "s3cret-value")
	}
	f.Fuzz(func(t *testing.T, text, secret string) {
		s := &Scrubber{}
		s.Add(secret)
		got := s.Line(text)
		clean(t, got)
		if hideable(secret) && strings.Contains(got, secret) {
			t.Errorf("the secret %q is left: %q", secret, got)
		}
	})
}

// A text that was cut within a secret shows its beginning, unless that is hidden too.
func TestRedactCut(t *testing.T) {
	t.Parallel()
	var s Scrubber
	s.Add("ATCTT3xFfGN0_secret")
	tests := []struct{ name, text, want string }{
		{"ellipsis", "no: ATCTT3xFfGN0… (x)", "no: ***… (x)"},
		{"dots", "no: ATCTT3xFfGN0_secre...", "no: ***..."},
		{"twice", "ATCTT3x… ATCTT3xF...", "***… ***..."},
		{"base64", "no: QVRDVFQzeEZm…", "no: ***…"},
		{"too short to tell", "no: ATCTT…", "no: ATCTT…"},
		{"not cut", "no: ATCTT3xFfGN0", "no: ATCTT3xFfGN0"},
		{"another text", "wait…", "wait…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := s.Redact(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

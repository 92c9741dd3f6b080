package input

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"gopkg.in/yaml.v3"
)

func TestSecretIsHidden(t *testing.T) {
	t.Parallel()
	const text = "hunter2-hunter2"
	type holder struct {
		Shown  Secret
		hidden Secret
		list   []Secret
	}
	s := NewSecret(text)
	values := map[string]any{
		"value": s, "pointer": &s, "slice": []Secret{s}, "map": map[string]Secret{"k": s},
		"struct": holder{s, s, []Secret{s}}, "struct pointer": &holder{s, s, []Secret{s}},
		"config":     Config{PortClientSecret: s, unused: []Credential{{Secret: s}}},
		"credential": Credential{Secret: s},
	}
	leaks := func(out string) bool {
		return strings.Contains(out, text) || strings.Contains(out, fmt.Sprintf("%x", text)) ||
			strings.Contains(out, fmt.Sprintf("%X", text)) || strings.Contains(out, fmt.Sprintf("% x", text))
	}
	for name, value := range values {
		for _, verb := range "vTtbcdoOqxXUeEfFgGsp" {
			for _, flag := range []string{"", "+", "#", " ", "0", "-20", ".3", "# "} {
				format := "%" + flag + string(verb)
				if out := fmt.Sprintf(format, value); leaks(out) {
					t.Errorf("%s through %s: %q", name, format, out)
				}
			}
		}
		encoded, err := json.Marshal(value)
		if err != nil || leaks(string(encoded)) {
			t.Errorf("%s through json: %s, %v", name, encoded, err)
		}
		asYAML, err := yaml.Marshal(value)
		if err != nil || leaks(string(asYAML)) {
			t.Errorf("%s through yaml: %s, %v", name, asYAML, err)
		}
		for kind, handler := range map[string]func(*bytes.Buffer) slog.Handler{
			"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var out bytes.Buffer
			slog.New(handler(&out)).Info("message", "key", value)
			if leaks(out.String()) {
				t.Errorf("%s through slog %s: %s", name, kind, out.String())
			}
		}
	}
}

func TestSecretForms(t *testing.T) {
	t.Parallel()
	s := NewSecret("text")
	if got, want := fmt.Sprintf("%s %v %q %d %x", s, s, s, s, s), "*** *** *** *** ***"; got != want {
		t.Errorf("fmt: got %q, want %q", got, want)
	}
	if got, want := s.Reveal(), "text"; got != want {
		t.Errorf("Reveal: got %q, want %q", got, want)
	}
	if !s.Equal(NewSecret("text")) || s.Equal(NewSecret("other")) || !s.Equal(s) {
		t.Error("Equal does not compare texts")
	}
	if !NewSecret("").IsZero() || !(Secret{}).IsZero() || s.IsZero() || (Secret{}).Reveal() != "" {
		t.Error("IsZero is wrong")
	}
	var out bytes.Buffer
	if err := template.Must(template.New("").Parse("{{.}}")).Execute(&out, s); err != nil || out.String() != "***" {
		t.Errorf("template: got %q, %v", out.String(), err)
	}
	if encoded, err := xml.Marshal(s); err != nil || strings.Contains(string(encoded), "text") {
		t.Errorf("xml: got %s, %v", encoded, err)
	}
}

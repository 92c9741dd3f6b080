package input

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// hidden is what a Secret prints as.
const hidden = "***"

// Secret is a text that does not show itself: through fmt (every verb), JSON,
// text encodings and slog it is "***". The zero Secret is empty.
//
// The text is behind a pointer, so that printing a struct that holds a Secret
// in an unexported field, where fmt calls no methods, shows an address.
type Secret struct{ text *string }

// NewSecret hides text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether both hide the same text.
func (s Secret) Equal(o Secret) bool { return s.Reveal() == o.Reveal() }

// String returns "***", as do all the methods below.
func (s Secret) String() string   { return hidden }
func (s Secret) GoString() string { return hidden }

// Format writes "***" for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(hidden) }

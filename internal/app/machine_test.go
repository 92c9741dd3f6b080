package app

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"port-bitbucket-exporter/internal/platform"
)

// machineLines writes records for machines, and returns the lines.
func machineLines(scrubber *platform.Scrubber, write func(*slog.Logger)) []string {
	var out strings.Builder
	h := &logHandler{level: slog.LevelInfo, style: &style{json: true}, machine: newMachine(&out, slog.LevelInfo, scrubber.Line)}
	write(slog.New(h))
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestMachine(t *testing.T) {
	t.Parallel()
	got := machineLines(&platform.Scrubber{}, func(l *slog.Logger) {
		l.Debug("hidden")
		l.With("a", 1).WithGroup("g").Warn("x", "took", 3*time.Millisecond, "error", errors.New("no"), "level", slog.LevelWarn, "ok", true, "f", 1.5)
		l.Error("y")
	})
	for i, want := range []string{
		`,"level":"WARNING","msg":"x","a":1,"g":{"took":"3ms","error":"no","level":"WARN","ok":true,"f":1.5}}`,
		`,"level":"ERROR","msg":"y"}`,
	} {
		if len(got) != 2 || !strings.HasPrefix(got[i], `{"time":"`) || !strings.HasSuffix(got[i], want) {
			t.Errorf("got %q, want line %d to end in %s", got, i, want)
		}
	}
}

// FuzzMachine writes anything for machines: each record is one object on one line, shows and
// does nothing else, and no text of it holds a secret.
func FuzzMachine(f *testing.F) {
	f.Add("resource done", "took", "3ms", "s3cret-value")
	f.Add("a\nERROR forged\r", "k\n", "v\n::error::x s3cret-\"value", `s3cret-"value`)
	f.Add("##vso[a] \u202e\x1b[2J", `a"b`, "\xff\x00\u2028", "a b c d")
	f.Add(`{"level":"ERROR"}`, "msg", `","level":"ERROR`, `","level`)
	f.Fuzz(func(t *testing.T, message, key, value, secret string) {
		scrubber := &platform.Scrubber{}
		scrubber.Add(secret)
		lines := machineLines(scrubber, func(l *slog.Logger) {
			l.Warn(message, key, value)
			l.With(key, errors.New(value)).Info(message)
		})
		if len(lines) != 2 {
			t.Fatalf("got %q, want two lines", lines)
		}
		for _, line := range lines {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' || r == '\u2028' }) || strings.Contains(line, "##[") || strings.Contains(line, "##vso[") {
				t.Errorf("something is left that does not show, or is a command: %q", line)
			}
			for name, v := range record {
				if text, ok := v.(string); ok && name != "time" && name != "level" && scrubber.Redact(text) != text {
					t.Errorf("a secret is left in %q", line)
				}
			}
		}
	})
}

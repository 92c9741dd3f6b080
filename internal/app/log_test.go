package app

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/platform"
)

func TestLogHandler(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"levels align", func(l *slog.Logger) { l.Debug("a"); l.Info("b"); l.Warn("c"); l.Error("d") }, "DEBUG a\nINFO  b\nWARNING c\nERROR d\n"},
		{"values", func(l *slog.Logger) {
			l.Info("resource done", "n", 6, "took", 3*time.Millisecond, "ok", true, "error", errors.New("no"))
		}, "INFO  resource done n=6 took=3ms ok=true error=no\n"},
		{"quoted values", func(l *slog.Logger) { l.Info("x", "a", "b c", "d", "", "e", `f"g`, "h", "i=j", "k", "ü") },
			"INFO  x a=\"b c\" d=\"\" e=\"f\\\"g\" h=\"i=j\" k=ü\n"},
		{"one line", func(l *slog.Logger) { l.Info("a\nINFO  forged\r", "k", "v\n::error::x") }, `INFO  a\nINFO  forged\r k="v\n::error::x"` + "\n"},
		{"with", func(l *slog.Logger) {
			l = l.With("a", 1)
			l.WithGroup("g").With("b", 2).Info("x", "c", 3)
			l.Info("y")
		}, "INFO  x a=1 g.b=2 g.c=3\nINFO  y a=1\n"},
		{"group", func(l *slog.Logger) { l.Info("x", slog.Group("g", "a", 1, "b", 2), slog.Group("", "c", 3)) }, "INFO  x g.a=1 g.b=2 c=3\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			tt.log(slog.New(&logHandler{w: &b, level: slog.LevelDebug}))
			if got := b.String(); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	var level slog.LevelVar
	l := slog.New(&logHandler{w: &b, level: &level})
	l.Debug("hidden")
	level.Set(slog.LevelDebug)
	l.Debug("shown")
	if got, want := b.String(), "DEBUG shown\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzLog writes anything to the log, as the program does: each record is one line
// that begins with its level, shows and does nothing else, and holds no secret.
func FuzzLog(f *testing.F) {
	f.Add("resource done", "took", "3ms", "s3cret-value")
	f.Add("a\nERROR forged\r", "k\n", "v\n::error::x", "forged")
	f.Add("::error::x", "##[error]", "\x1b[2J\u202e", "x\nyyyyyyy")
	f.Add("", "", "", "")
	f.Add("##vso[a]", "a=b", `"quoted" s3cret-"value`, `s3cret-"value`)
	f.Add("travis_fold:start:x\r", "section_start:1:x", "\xff\x00", "a b c d")
	f.Fuzz(func(t *testing.T, message, key, value, secret string) {
		var out strings.Builder
		scrubber := &platform.Scrubber{}
		scrubber.Add(secret)
		w := scrubber.Writer(&out)
		log := slog.New(&logHandler{w: w, level: slog.LevelInfo})
		log.Warn(message, key, value)
		log.With(key, value).WithGroup(key).Info(message)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		if len(lines) != 3 || lines[2] != "" {
			t.Fatalf("got %q, want two lines", lines)
		}
		for i, level := range []string{"WARNING ", "INFO "} {
			line := lines[i]
			if !strings.HasPrefix(line, level) && !strings.Contains(line, "***") { // a secret may hold a part of it
				t.Errorf("got %q, want it to begin with %q", line, level)
			}
			if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || strings.ContainsAny(line, "\u2028\u2029\u202e\ufeff") {
				t.Errorf("a character is left that does not show: %q", line)
			}
			for _, command := range []string{"##[", "##vso[", "##teamcity[", "travis_fold:", "section_start:"} {
				if strings.Contains(strings.ToLower(line), command) {
					t.Errorf("%s is left: %q", command, line)
				}
			}
		}
	})
}

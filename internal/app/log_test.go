package app

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestLogHandler(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"levels align", func(l *slog.Logger) { l.Debug("a"); l.Info("b"); l.Warn("c"); l.Error("d") }, "DEBUG a\nINFO  b\nWARN  c\nERROR d\n"},
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

package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"unicode"

	"port-bitbucket-exporter/internal/diag"
)

// logHandler writes each record as one line for people:
//
//	INFO  resource done extracted=6 took=3ms
//
// without the time, which CI systems add. Each Write is one line; w must be safe
// for concurrent use.
type logHandler struct {
	w      io.Writer
	level  slog.Leveler
	prefix string // of keys: the groups, each with a dot
	fixed  string // attributes that every line has
	about  diag.About
	// machine writes the records in place of this handler where style is for machines; both
	// may be nil.
	machine slog.Handler
	style   *style
	// ship takes each line from level info on, whatever is printed; nil for none.
	ship func(level, line string, about diag.About)
}

// levelWidth is that of every name but WARNING, which is spelled as annotations spell it.
const levelWidth = len("ERROR")

func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool {
	return l >= h.level.Level() || h.ships(l)
}

func (h *logHandler) ships(l slog.Level) bool { return h.ship != nil && l >= slog.LevelInfo }

func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(lineBreaks.Replace(r.Message) + h.fixed)
	about := h.about
	r.Attrs(func(a slog.Attr) bool {
		if of, is := diag.AboutOf(a); is {
			about = of
		}
		writeAttr(&b, h.prefix, a)
		return true
	})
	if h.ships(r.Level) {
		h.ship(levelName(r.Level), b.String(), about)
	}
	if r.Level < h.level.Level() || about.AtEnd && h.level.Level() > slog.LevelDebug {
		return nil
	}
	if h.style != nil && h.style.json {
		return h.machine.Handle(ctx, r)
	}
	_, err := fmt.Fprintf(h.w, "%-*s %s\n", levelWidth, levelName(r.Level), b.String())
	return err
}

// levelName is a level in the one spelling of all output, which is Port's too.
func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "ERROR"
	case l >= slog.LevelWarn:
		return "WARNING"
	case l >= slog.LevelInfo:
		return "INFO"
	}
	return "DEBUG"
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	c := *h
	for _, a := range attrs {
		if of, is := diag.AboutOf(a); is {
			c.about = of
		}
		writeAttr(&b, h.prefix, a)
	}
	c.fixed += b.String()
	if h.machine != nil {
		c.machine = h.machine.WithAttrs(attrs)
	}
	return &c
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	c := *h
	if name != "" {
		c.prefix += name + "."
		if h.machine != nil {
			c.machine = h.machine.WithGroup(name)
		}
	}
	return &c
}

// lineBreaks keeps a message on its line.
var lineBreaks = strings.NewReplacer("\r", `\r`, "\n", `\n`)

func writeAttr(b *strings.Builder, prefix string, a slog.Attr) {
	value := a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
		return
	case value.Kind() == slog.KindGroup:
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range value.Group() {
			writeAttr(b, prefix, member)
		}
		return
	}
	b.WriteString(" " + lineBreaks.Replace(prefix+a.Key) + "=" + quoted(value.String()))
}

// quoted quotes what would not be read as one value.
func quoted(text string) string {
	plain := func(r rune) bool { return unicode.IsPrint(r) && r != ' ' && r != '"' && r != '=' }
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return strconv.Quote(text)
	}
	return text
}

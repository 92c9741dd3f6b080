package app

import (
	"context"
	"io"
	"log/slog"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/face"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/terminal"
)

// style is how the console is written. It is set before anything is.
type style struct {
	json  bool // each line is an object, for machines
	quiet bool // errors and the last line alone
	live  bool // the last line says how far the run is, and is written again and again
}

// setStyle sets how the console is written from now on.
func (c console) setStyle(w world, of input.Config) {
	c.style.json = of.LogFormat == input.LogJSON
	c.style.quiet = of.Quiet || of.LogLevel >= slog.LevelError
	c.level.Set(of.LogLevel)
	if c.style.quiet {
		c.level.Set(slog.LevelError)
	}
	c.style.live = terminal.Live(w.StderrTerminal, w.getenv) && !c.style.json && of.LogLevel <= slog.LevelInfo && !c.style.quiet
	for stream, isTerminal := range map[*terminal.Stream]bool{c.screen.Stdout: w.StdoutTerminal, c.screen.Stderr: w.StderrTerminal} {
		stream.Color(!c.style.json && (of.Color == input.ColorAlways || of.Color == input.ColorAuto && terminal.Colored(isTerminal, w.getenv)))
	}
}

// newMachine writes each record as one line with a JSON object: time, level and msg, then the
// attributes. Every text of it passes through line, which hides secrets, before it is encoded:
// an encoded secret would not be found any more.
func newMachine(w io.Writer, level slog.Leveler, line func(string) string) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		a.Key = line(a.Key)
		switch v := a.Value.Resolve(); v.Kind() {
		case slog.KindTime:
			a.Value = slog.StringValue(v.Time().UTC().Format("2006-01-02T15:04:05.000Z07:00"))
		case slog.KindBool, slog.KindInt64, slog.KindUint64, slog.KindFloat64:
		default: // a level, a duration, an error
			text := v.String()
			if l, ok := v.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey {
				text = levelName(l)
			}
			a.Value = slog.StringValue(line(text))
		}
		return a
	}})
}

// say prints one line for people, or an object for machines.
func (c console) say(text string) {
	if c.style.json {
		c.machine.Info(text)
		return
	}
	_, _ = io.WriteString(c.stdout, text+"\n") // a failure has no place left to show
}

// close prints the last lines, those of a group folded where the platform can fold them.
func (c console) close(lines []face.LogLine) {
	last, group := len(lines)-1, ""
	for i, line := range lines {
		if i < last && c.style.quiet {
			continue
		}
		if line.Group != group && !c.style.json {
			if group != "" {
				c.platform.EndGroup()
			}
			if group = line.Group; group != "" {
				c.platform.Group(group)
			}
		}
		if i == last {
			c.end(line.Text)
		} else {
			c.say(line.Text)
		}
	}
}

// end prints the last line. For machines it holds the outputs.
func (c console) end(text string) {
	if !c.style.json {
		c.say(text)
		return
	}
	level := map[string]slog.Level{"success": slog.LevelInfo, "failed": slog.LevelError}
	l, ok := level[c.report.Status()]
	if !ok {
		l = slog.LevelWarn
	}
	var outputs []slog.Attr
	for _, o := range face.Outputs(c.report) {
		if o.Name != "summary" { // a text of many objects
			outputs = append(outputs, slog.Any(o.Name, o.Value))
		}
	}
	c.machine.LogAttrs(context.Background(), l, text, outputs...)
}

// sections prints the problems of a mapping, with its lines: all, or its errors.
func (c console) sections(problems diag.Problems) {
	if c.style.quiet {
		problems = problems.Errors()
	}
	if c.style.json {
		for _, p := range problems {
			c.problem(p)
		}
	} else if text := problems.Sections(); text != "" {
		c.say(text + "\n")
	}
}

// stack shows where a mistake of this program was met.
func (c console) stack(text []byte) {
	if c.style.json {
		c.local.Error("internal error", "stack", string(text))
		return
	}
	_, _ = c.stderr.Write(append(text, '\n')) // a failure has no place left to show
}

// annotate shows a problem where people look for it: on its line where there is a platform for
// that, else in the log.
func (c console) annotate(p diag.Problem) {
	if c.style.json && !c.platform.Annotates() {
		c.problem(p)
		return
	}
	c.platform.Annotate(annotation(p, c.report.Mapping.Files()))
}

// problem prints a problem for machines.
func (c console) problem(p diag.Problem) {
	level := map[diag.Severity]slog.Level{diag.Error: slog.LevelError, diag.Warning: slog.LevelWarn}[p.Severity]
	var attrs []slog.Attr
	for _, of := range []slog.Attr{slog.String("at", face.Place(p)), slog.String("rule", string(p.Rule)), slog.String("example", p.Example), slog.String("fix", p.Fix)} {
		if of.Value.String() != "" {
			attrs = append(attrs, of)
		}
	}
	if p.Count > 1 {
		attrs = append(attrs, slog.Int("count", p.Count))
	}
	c.machine.LogAttrs(context.Background(), level, p.Text(), attrs...)
}

package terminal_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"port-bitbucket-exporter/internal/terminal"
)

// tty is a terminal: both streams are one.
func tty() (*terminal.Screen, *bytes.Buffer) {
	var b bytes.Buffer
	return terminal.New(&b, &b), &b
}

// shown is what a person sees who looked at the bytes as they came: lines, of which the last
// one may be written again.
func shown(text string) string {
	var lines []string
	line := ""
	for text != "" {
		switch {
		case strings.HasPrefix(text, "\r\x1b[2K"):
			line, text = "", text[5:]
		case strings.HasPrefix(text, "\x1b"):
			end := strings.IndexAny(text, "mlh")
			text = text[end+1:]
		case text[0] == '\n':
			lines, line, text = append(lines, line), "", text[1:]
		default:
			line, text = line+text[:1], text[1:]
		}
	}
	return strings.Join(append(lines, line), "\n")
}

func TestLive(t *testing.T) {
	t.Parallel()
	s, b := tty()
	steps := []struct {
		do    func()
		wrote string
	}{
		{func() { fmt.Fprint(s.Stderr, "a\n") }, "a\n"},
		{func() { s.Live("1 of 2") }, "\r\x1b[2K\x1b[?7l1 of 2\x1b[?7h"},
		{func() { s.Live("1 of 2") }, ""},
		{func() { fmt.Fprint(s.Stderr, "b\n") }, "\r\x1b[2Kb\n\x1b[?7l1 of 2\x1b[?7h"},
		{func() { fmt.Fprint(s.Stdout, "c\n") }, "\r\x1b[2Kc\n\x1b[?7l1 of 2\x1b[?7h"},
		{func() { s.Live("") }, "\r\x1b[2K"},
		{func() { s.Live("") }, ""},
		{func() { fmt.Fprint(s.Stdout, "d\n") }, "d\n"},
		{func() { s.Live("2 of 2"); fmt.Fprint(s.Stderr, "e") }, "\r\x1b[2K\x1b[?7l2 of 2\x1b[?7h\r\x1b[2Ke"},
	}
	for i, step := range steps {
		before := b.Len()
		step.do()
		if got := b.String()[before:]; got != step.wrote {
			t.Errorf("step %d: got %q, want %q", i, got, step.wrote)
		}
	}
	if got := shown(b.String()); got != "a\nb\nc\nd\ne" {
		t.Errorf("a person sees %q", got)
	}
}

// Lines of several goroutines stay whole, and the live line stands in none of them.
func TestLinesStayWhole(t *testing.T) {
	t.Parallel()
	s, b := tty()
	s.Stdout.Color(true)
	var all sync.WaitGroup
	for _, w := range []*terminal.Stream{s.Stdout, s.Stderr} {
		all.Go(func() {
			for i := range 200 {
				fmt.Fprintf(w, "ERROR %d\n", i)
				s.Live(fmt.Sprint("live ", i))
			}
		})
	}
	all.Wait()
	s.Live("")
	lines := strings.Split(shown(b.String()), "\n")
	if len(lines) != 401 || lines[400] != "" {
		t.Fatalf("got %d lines, the last one %q", len(lines)-1, lines[len(lines)-1])
	}
	for _, line := range lines[:400] {
		if !strings.HasPrefix(line, "ERROR ") || strings.Contains(line, "live") {
			t.Errorf("got %q", line)
		}
	}
}

func TestColors(t *testing.T) {
	t.Parallel()
	s, b := tty()
	s.Stdout.Color(true)
	const text = "ERROR a\nWARNING b\nINFO  ERROR c\nDEBUG d\nsuccess: e\nplan: failed: f\n- g\n! k\n--h\n  ERROR i\n"
	fmt.Fprint(s.Stdout, text)
	want := "\x1b[31mERROR\x1b[0m a\n\x1b[33mWARNING\x1b[0m b\nINFO  ERROR c\n\x1b[2mDEBUG\x1b[0m d\n\x1b[32msuccess:\x1b[0m e\n\x1b[31mplan: failed:\x1b[0m f\n\x1b[31m-\x1b[0m g\n\x1b[31m!\x1b[0m k\n--h\n  ERROR i\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	b.Reset()
	s.Stdout.Color(false)
	if fmt.Fprint(s.Stdout, text); b.String() != text {
		t.Errorf("without colours: got %q", b.String())
	}
}

func TestColored(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env            string
		pipe, terminal bool
	}{
		{"", false, true},
		{"TERM=dumb", false, false},
		{"TERM=xterm", false, true},
		{"NO_COLOR=1 FORCE_COLOR=1 CLICOLOR_FORCE=1", false, false},
		{"NO_COLOR=", false, true},
		{"FORCE_COLOR=1 TERM=dumb", true, true},
		{"FORCE_COLOR=0 CLICOLOR_FORCE=1", false, false},
		{"CLICOLOR_FORCE=1 CLICOLOR=0", true, true},
		{"CLICOLOR_FORCE=0", false, true},
		{"CLICOLOR=0", false, false},
		{"CLICOLOR=1", false, true},
	} {
		env := map[string]string{}
		for pair := range strings.FieldsSeq(tt.env) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		getenv := func(name string) string { return env[name] }
		if pipe, term := terminal.Colored(false, getenv), terminal.Colored(true, getenv); pipe != tt.pipe || term != tt.terminal {
			t.Errorf("%q: got %v for a pipe and %v for a terminal, want %v and %v", tt.env, pipe, term, tt.pipe, tt.terminal)
		}
	}
}

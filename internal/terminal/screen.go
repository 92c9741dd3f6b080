// Package terminal writes lines for people who may sit at a terminal: coloured, and above one
// line that is written again and again.
package terminal

import (
	"io"
	"strings"
	"sync"
)

// Control sequences. While the live line is written the terminal does not break lines: a text
// that is longer than the terminal is wide would not be erased whole.
//
// Source: ECMA-48, 8.3.41 (EL) and 8.3.117 (SGR); DECAWM in
// https://vt100.net/docs/vt510-rm/DECAWM.html, read 2026-11.
const (
	erase    = "\r\x1b[2K"
	unbroken = "\x1b[?7l"
	broken   = "\x1b[?7h"
	reset    = "\x1b[0m"
)

// Screen is what people see of the two streams of a process. It may be used from several
// goroutines.
type Screen struct {
	Stdout, Stderr *Stream

	mu   sync.Mutex // guards what follows, and what is written
	live string     // the line below all others, on the standard error; empty for none
}

// Stream is one stream of a Screen. Each Write should hold whole lines.
type Stream struct {
	screen  *Screen
	w       io.Writer
	colored bool
}

// New returns a screen that changes nothing of what is written.
func New(stdout, stderr io.Writer) *Screen {
	s := &Screen{}
	s.Stdout, s.Stderr = &Stream{screen: s, w: stdout}, &Stream{screen: s, w: stderr}
	return s
}

// Color sets whether lines are coloured from now on.
func (s *Stream) Color(on bool) {
	s.screen.mu.Lock()
	defer s.screen.mu.Unlock()
	s.colored = on
}

// Write writes lines above the live line.
func (s *Stream) Write(p []byte) (int, error) {
	s.screen.mu.Lock()
	defer s.screen.mu.Unlock()
	text := string(p)
	if s.colored {
		text = paint(text)
	}
	live := s.screen.live
	if live == "" {
		_, err := io.WriteString(s.w, text)
		return len(p), err
	}
	before, after := erase, unbroken+live+broken
	if !strings.HasSuffix(text, "\n") {
		after, s.screen.live = "", "" // its line is not over
	}
	if s == s.screen.Stderr {
		_, err := io.WriteString(s.w, before+text+after)
		return len(p), err
	}
	_, _ = io.WriteString(s.screen.Stderr.w, before) // a failure shows when a line is written there
	_, err := io.WriteString(s.w, text)
	_, _ = io.WriteString(s.screen.Stderr.w, after)
	return len(p), err
}

// Live shows a text, which is one line without control characters, below all others, in the
// place of the one before; an empty one removes that.
func (s *Screen) Live(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text == s.live {
		return
	}
	s.live = text
	if text != "" {
		text = unbroken + text + broken
	}
	_, _ = io.WriteString(s.Stderr.w, erase+text) // a failure shows when a line is written there
}

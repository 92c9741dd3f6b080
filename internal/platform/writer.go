package platform

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// maxLineBytes is how much of one line is kept: far more than any line of this program,
// and little enough that a line without an end does not fill the memory.
const maxLineBytes = 1 << 20

// LineWriter scrubs what is written to it, line by line. It may be used from
// several goroutines; each Write should then hold whole lines.
type LineWriter struct {
	scrubber *Scrubber

	mu      sync.Mutex
	w       io.Writer
	line    []byte // the line that is not complete
	dropped int    // bytes of it that were too many
}

// Writer returns a writer for the log: every complete line goes to w as
// Scrubber.Line makes it. Call Flush at the end.
func (s *Scrubber) Writer(w io.Writer) *LineWriter { return &LineWriter{scrubber: s, w: w} }

// Write takes all of p. The error is that of the underlying writer.
func (l *LineWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := p
	for {
		line, after, complete := bytes.Cut(rest, []byte("\n"))
		room := max(0, min(len(line), maxLineBytes-len(l.line)))
		l.line = append(l.line, line[:room]...)
		l.dropped += len(line) - room
		if !complete {
			return len(p), nil
		}
		if err := l.emit(); err != nil {
			return len(p) - len(after), err
		}
		rest = after
	}
}

// Flush writes a last line that has no line break.
func (l *LineWriter) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.line) == 0 {
		return nil
	}
	return l.emit()
}

func (l *LineWriter) emit() error {
	text := l.scrubber.Line(string(bytes.TrimSuffix(l.line, []byte("\r"))))
	if l.dropped > 0 {
		text += fmt.Sprintf(" (%d bytes left out)", l.dropped)
	}
	l.line, l.dropped = l.line[:0], 0
	_, err := io.WriteString(l.w, text+"\n")
	return err
}

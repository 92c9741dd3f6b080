package datasource

import (
	"context"
	"fmt"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/port"
)

const (
	// maxLines bounds the lines that wait for Port.
	maxLines = 1000
	// maxLineBytes bounds one line, so that MaxLogLines of them fit a request.
	maxLineBytes = 4 << 10
)

// cutMark ends a text that is cut.
const cutMark = "… (cut)"

// log keeps the lines that are to be shipped. It is safe for concurrent use.
type log struct {
	calls  *calls
	redact func(string) string
	full   func() // is called when the lines fill a request
	ship   func(context.Context, []port.LogLine) error

	mu    sync.Mutex // guards what follows
	lines []port.LogLine
	lost  int // lines that had no room
	off   bool
	extra map[string]any
}

// begin gives the lines the resync that they belong to, and the way to Port.
func (l *log) begin(event string, ship func(context.Context, []port.LogLine) error) {
	off := l.calls.off(shippedLog)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.extra, l.ship = map[string]any{"event_id": event}, ship
	if l.off = off; off {
		l.lines = nil
	}
}

// add takes a line, as of now. One without room is counted.
func (l *log) add(level, message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.off:
		return
	case len(l.lines) >= maxLines:
		l.lost++
		return
	}
	l.lines = append(l.lines, port.LogLine{Level: level, Message: message, Timestamp: time.Now().UTC().Format(port.LogTime)})
	if len(l.lines) >= port.MaxLogLines {
		l.full()
	}
}

// send ships lines when there are enough of them, and reports whether more wait.
func (l *log) send(ctx context.Context, enough int) (more bool) {
	sent, n, lost := l.next(enough)
	if sent == nil {
		return false
	}
	ok := l.calls.do(ctx, shippedLog, totalTime-reserveTime, func(ctx context.Context) error { return l.ship(ctx, sent) })
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok {
		return false
	}
	l.lines, l.lost = append([]port.LogLine(nil), l.lines[n:]...), l.lost-lost
	return len(l.lines) > 0 || l.lost > 0
}

// next returns what one request ships: n of the lines that wait, and a line of its own
// for those that were lost, where it has room. It is nil when they are not enough.
func (l *log) next(enough int) (sent []port.LogLine, n, lost int) {
	off := l.calls.off(shippedLog)
	l.mu.Lock()
	defer l.mu.Unlock()
	if off {
		l.off, l.lines, l.lost = true, nil, 0
	}
	if len(l.lines) < enough && l.lost == 0 || l.off {
		return nil, 0, 0
	}
	n = min(len(l.lines), port.MaxLogLines)
	for _, line := range l.lines[:n] {
		line.Message = clip.BytesWithin(l.redact(line.Message), maxLineBytes, cutMark)
		line.Extra = l.extra
		sent = append(sent, line)
	}
	if l.lost > 0 && n < port.MaxLogLines {
		lost = l.lost
		sent = append(sent, port.LogLine{
			Level: "WARNING", Message: fmt.Sprintf("%d lines are left out: Port took them too slowly", lost),
			Timestamp: time.Now().UTC().Format(port.LogTime), Extra: l.extra,
		})
	}
	return sent, n, lost
}

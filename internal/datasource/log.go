package datasource

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/diag"
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
	lines []line
	lost  int // lines that had no room
	off   bool
	extra map[string]any
}

// line is one that waits.
type line struct {
	port.LogLine
	about diag.About
}

// begin gives the lines the resync that they belong to, and the way to Port.
//
// Source: what Ocean sends in "extra" (port_ocean/context/event.py), read 2026-11.
func (l *log) begin(event string, ship func(context.Context, []port.LogLine) error) {
	off := l.calls.off(shippedLog)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.extra, l.ship = map[string]any{"event_id": event, "event_kind": "resync", "event_trigger_type": "machine"}, ship
	if l.off = off; off {
		l.lines = nil
	}
}

// add takes a line, as of now. One without room is counted.
func (l *log) add(level, message string, about diag.About) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.off:
		return
	case len(l.lines) >= maxLines:
		l.lost++
		return
	}
	l.lines = append(l.lines, line{port.LogLine{Level: level, Message: message, Timestamp: time.Now().UTC().Format(port.LogTime)}, about})
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
	l.lines, l.lost = append([]line(nil), l.lines[n:]...), l.lost-lost
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
		line.Extra = l.extraOf(line.about)
		sent = append(sent, line.LogLine)
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

// extraOf returns what Port knows a line by. Its filters of kinds and phases find no line
// without them.
//
// Source: the keys that Ocean sends (port_ocean/core/integrations/mixins/sync_raw.py), where
// resources count from 0, read 2026-11.
func (l *log) extraOf(about diag.About) map[string]any {
	extra := maps.Clone(l.extra)
	if about.Phase != "" {
		extra["etl_phase"] = string(about.Phase)
	}
	if about.Kind != "" {
		extra["kind"], extra["resource_kind"] = about.Kind, about.Kind
	}
	if about.Index > 0 {
		extra["index"] = about.Index - 1
	}
	return extra
}

package datasource

import (
	"context"
	"fmt"
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

// log is what is to be shipped.
type log struct {
	lines []port.LogLine
	lost  int // lines that had no room
	off   bool
	extra map[string]any
}

// begin gives the lines the resync that they belong to.
func (l *log) begin(event string, off bool) {
	l.extra = map[string]any{"event_id": event}
	if l.off = off; off {
		l.lines = nil
	}
}

// Log adds a line, as of now; level is INFO, WARNING or ERROR. A line for which
// there is no room is counted, and told in a line of its own.
func (p *Page) Log(level, message string) {
	if message == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.log
	switch {
	case l.off:
		return
	case len(l.lines) >= maxLines:
		l.lost++
		return
	}
	l.lines = append(l.lines, port.LogLine{Level: level, Message: message, Timestamp: time.Now().UTC().Format(port.LogTime)})
	if len(l.lines) >= port.MaxLogLines {
		p.wakeUp()
	}
}

// sendLog ships lines when there are enough of them, and says whether more wait.
func (p *Page) sendLog(ctx context.Context, enough int) (more bool) {
	p.mu.Lock()
	l := &p.log
	if p.parts[shippedLog].off {
		l.off, l.lines, l.lost = true, nil, 0
	}
	if len(l.lines) < enough && l.lost == 0 || l.off {
		p.mu.Unlock()
		return false
	}
	batch := l.lines[:min(len(l.lines), port.MaxLogLines)]
	sent := make([]port.LogLine, len(batch), len(batch)+1)
	for i, line := range batch {
		line.Message = clip.BytesWithin(p.redact(line.Message), maxLineBytes, cutMark)
		line.Extra = l.extra
		sent[i] = line
	}
	lost := l.lost
	if lost > 0 && len(batch) < port.MaxLogLines {
		sent = append(sent, port.LogLine{
			Level: "WARNING", Message: fmt.Sprintf("%d lines are left out: Port took them too slowly", lost),
			Timestamp: time.Now().UTC().Format(port.LogTime), Extra: l.extra,
		})
	} else {
		lost = 0
	}
	n := len(batch)
	p.mu.Unlock()
	ok := p.call(ctx, shippedLog, totalTime-reserveTime, func(ctx context.Context) error {
		return p.config.Port.ShipLogs(ctx, p.config.Integration.LogURL, sent)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if !ok {
		return false
	}
	l.lines, l.lost = append([]port.LogLine(nil), l.lines[n:]...), l.lost-lost
	return len(l.lines) > 0 || l.lost > 0
}

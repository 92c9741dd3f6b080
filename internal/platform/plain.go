package platform

import (
	"io"
	"sync"
)

// plain is everywhere else: a container, a shell, another CI system. It prints
// annotations as lines of the log; outputs go nowhere, since the log shows them.
type plain struct {
	world World

	mu  sync.Mutex
	err error // the first failed write
}

func newPlain(w World) Platform { return &plain{world: w} }

func (*plain) Name() string { return "plain" }

func (p *plain) Mask(secrets ...string) { p.world.Scrubber.Add(secrets...) }

func (p *plain) Annotate(a Annotation) { p.print(a.plain(p.world.Scrubber)) }

// print writes whole lines, and keeps the first failure.
func (p *plain) print(lines string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.world.Stdout, lines); err != nil && p.err == nil {
		p.err = err
	}
}

// Group prints the title, since a log does not fold.
func (p *plain) Group(title string) { p.print(p.world.Scrubber.Line(title) + "\n") }

func (*plain) EndGroup() {}

// Annotates is false: an annotation is a line of the log.
func (p *plain) Annotates() bool { return false }

func (*plain) Publish([]Output) error { return nil }

// Summary does nothing, since a log has no place for one.
func (p *plain) Summary(func(int) string) error { return nil }

func (p *plain) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

package app

import (
	"context"
	"time"

	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/report"
)

const (
	// lineAfter is when a run says for the first time how far it is: one that is done before
	// says nothing of it. From then on it says so each lineEach.
	lineAfter = 20 * time.Second
	lineEach  = time.Minute
	// liveEach is how often the line of a terminal is written.
	liveEach = time.Second
	// settled is how long requests have waited when that is said, and shortWait is a wait that
	// is not worth a line.
	settled   = 2 * time.Second
	shortWait = 5 * time.Second
)

// narrator writes into the log how far a run is, until it is stopped.
type narrator struct {
	session *session
	said    progress.Snapshot // with the last line
}

// narrate begins to say how far the run is. The function ends it; it may be called twice.
func narrate(s *session) (stop func()) {
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	n := narrator{session: s}
	go func() {
		defer close(ended)
		n.run(ctx.Done())
	}()
	return func() {
		end()
		<-ended
	}
}

func (n *narrator) run(end <-chan struct{}) {
	line := time.NewTimer(lineAfter)
	defer line.Stop()
	live := n.liveTicks()
	defer n.session.screen.Live("")
	waits := time.NewTimer(0)
	defer waits.Stop()
	for {
		select {
		case <-end:
			return
		case <-n.session.progress.News():
			waits.Reset(settled)
		case <-waits.C:
			if n.wait() {
				line.Reset(lineEach)
			}
		case <-line.C:
			n.line()
			line.Reset(lineEach)
		case <-live:
			n.session.screen.Live(n.session.progress.Snapshot().Status())
		}
	}
}

// liveTicks are those of a terminal; nil where there is none.
func (n *narrator) liveTicks() <-chan time.Time {
	if !n.session.style.live {
		return nil
	}
	return time.Tick(liveEach)
}

// line says how far the run is, unless a line of the terminal does.
func (n *narrator) line() {
	now := n.session.progress.Snapshot()
	if !n.session.style.live {
		n.session.local.Info(now.Line(n.said))
	}
	n.said = now
}

// wait says that requests wait, when that is news, and reports whether it did. Port's log has
// it, too.
func (n *narrator) wait() bool {
	now := n.session.progress.Snapshot()
	if !now.Waits || now.Wait.Until.Sub(now.At) < shortWait || n.said.Waits && n.said.Wait.Why == now.Wait.Why {
		return false
	}
	n.session.log.Info(now.Waiting())
	n.said.Waits, n.said.Wait = true, now.Wait
	return true
}

// timeline is what happened when, for the report; the zero Timeline when nothing was sent.
func timeline(of progress.Timeline) report.Timeline {
	if len(of.Services) == 0 {
		return report.Timeline{}
	}
	t := report.Timeline{Slot: of.Slot}
	for _, s := range of.Services {
		t.Services = append(t.Services, report.Series(s))
	}
	for _, w := range of.Waits {
		t.Waits = append(t.Waits, report.Wait(w))
	}
	return t
}

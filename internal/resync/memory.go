package resync

import (
	"fmt"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/report"
)

// memory is what a run takes from memory and what it does not ask for, by the keys of sources:
// each counts once, however many resources take it.
type memory struct {
	most       int // requests to Bitbucket; 0 means no bound
	remembered map[string]bool
	oldest     time.Time // when the oldest of it was read
	notAsked   map[string]bool
}

// newMemory is that of a run that has not begun.
func newMemory(c *bitbucket.Client) memory {
	m := memory{remembered: map[string]bool{}, notAsked: map[string]bool{}}
	if left, bounded := c.Left(); bounded {
		m.most = c.Requests() + left
	}
	return m
}

// bounds reports whether the bound on requests may have kept something from being asked for.
func (m *memory) bounds(c *bitbucket.Client) bool {
	left, bounded := c.Left()
	return bounded && (left <= 0 || len(m.remembered) > 0)
}

// recall counts a source whose objects come from memory.
func (m *memory) recall(key string, readAt time.Time) {
	m.remembered[key] = true
	if m.oldest.IsZero() || readAt.Before(m.oldest) {
		m.oldest = readAt
	}
}

// leave counts a source of which something was not asked for.
func (m *memory) leave(key string) { m.notAsked[key] = true }

// bound is the value of max_requests as it stands after that name in a message.
func (m *memory) bound() string { return fmt.Sprintf(" (%d)", m.most) }

// tell puts it into the report, with how many repositories' contents were known by their commits.
// Without a memory, and without a bound on requests, there is nothing to report.
func (m *memory) tell(job Job, contents int, out *report.Memory) {
	out.Reported = out.Reported || job.State != nil || m.most > 0
	out.MaxRequests, out.ListsLost = m.most, job.ListsLost
	out.Repositories, out.OldestReadAt, out.NotAsked, out.Contents = len(m.remembered), m.oldest, len(m.notAsked), contents
}

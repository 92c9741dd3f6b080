package report

import "time"

// Sources is how a run read folders and files.
type Sources struct {
	// Reader is empty when the mapping reads none.
	Reader Reader
	Why    string // a sentence that says why they were not read over git; empty when they were
	// Repositories are those of which git read something, Requests those to the git host, and
	// Bytes what it sent.
	Repositories int
	Requests     int
	Bytes        int64
	// Fallbacks are the repositories that were read over REST in place of git.
	Fallbacks []Fallback
	// Stopped is why git was given up for all further repositories; empty when it was not.
	Stopped string
}

// Reader is what reads folders and files.
type Reader string

// The readers.
const (
	Git  Reader = "git"
	REST Reader = "REST"
)

// Fallback is a repository that was read over REST in place of git.
type Fallback struct {
	Repository string
	Reason     string // in words
}

func (s *Sources) scrub(redact func(string) string) {
	s.Why, s.Stopped = redact(s.Why), redact(s.Stopped)
	for i := range s.Fallbacks {
		f := &s.Fallbacks[i]
		f.Repository, f.Reason = redact(f.Repository), redact(f.Reason)
	}
}

// Memory is what a run knew from earlier runs, and what it left for later ones. It is part of
// the report of a run that may remember, or that is bounded by max_requests.
type Memory struct {
	Reported bool   // it is part of the report
	Why      string // in words why nothing was known from before; empty when something was
	// ListsLost is in words why no list is taken from memory; empty when some may be.
	ListsLost string
	// Repositories are those of which a list comes from memory; OldestReadAt is when the one
	// of these lists was read that was read longest ago.
	Repositories int
	OldestReadAt time.Time
	// Contents are the repositories of which folders or files were known by their commit.
	Contents int
	// Saved is how many requests need not be made, as far as the lists show that the run begins
	// with.
	Saved int
	// NotAsked are the repositories of which something was not asked for, since MaxRequests
	// would have been passed; 0 means no bound.
	NotAsked    int
	MaxRequests int
}

// Age is how old the oldest list from memory was at a time; 0 where none comes from there.
func (m Memory) Age(at time.Time) time.Duration {
	if m.OldestReadAt.IsZero() {
		return 0
	}
	return max(0, at.Sub(m.OldestReadAt))
}
